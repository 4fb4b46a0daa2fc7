//! Recordings and profiles to work on, always the same ones.

use anyhow::Context as _;
use seccomp_trace_core::{
    Arch, Armed, Comm, Ended, FirstSeen, Host, Losses, Observation, Phase, Recording, Run, RunId, Syscall,
    Tgid, Tid, Timestamp,
};
use seccomp_trace_profile::{Compiled, Environment, Policy, Profile, Resolved, Semantics, generate};

/// Podman's default profile, where its package puts it.
pub const REAL: &str = "/usr/share/containers/seccomp.json";
const CALLS: i32 = 60;

/// What is worked on.
pub struct Inputs {
    /// 60 syscalls of one run.
    pub recording: Recording,
    /// The same as JSON.
    pub text: String,
    /// The filter of its profile.
    pub compiled: Compiled,
    /// A profile as a large engine has it, where it is installed.
    pub real: Option<Real>,
}

/// Podman's default profile.
pub struct Real {
    /// As JSON.
    pub text: String,
    /// Read.
    pub profile: Profile,
    /// What it means in a container without, and in one with many capabilities.
    pub plain: Semantics,
    /// What it means in a container with many capabilities.
    pub mighty: Semantics,
    /// What the generated profile means.
    pub ours: Semantics,
}

impl Inputs {
    /// Makes them.
    ///
    /// # Errors
    /// The real profile is there, but cannot be used.
    pub fn new() -> anyhow::Result<Self> {
        let recording = recording(0);
        let generated = generate(&recording, &Policy::default())?;
        let resolved = Resolved::new(&generated.profile, &Environment::default(), Arch::X86_64)?;
        let compiled = Compiled::new(&resolved, Arch::X86_64)?;
        let real = match std::fs::read_to_string(REAL) {
            Ok(text) => Some(Real::new(&text, &generated.profile)?),
            Err(_) => None,
        };
        Ok(Self { text: recording.to_json(), recording, compiled, real })
    }
}

impl Real {
    fn new(text: &str, ours: &Profile) -> anyhow::Result<Self> {
        // For 64-bit callers alone: that a rule means another thing on another ABI can leave no rules for a union.
        let mut document: serde_json::Value = serde_json::from_str(text)?;
        document.as_object_mut().context("not an object")?.remove("archMap");
        let text = document.to_string();
        let profile = Profile::from_json(&text)?;
        Ok(Self {
            plain: meaning(&profile, &Environment::default())?,
            mighty: meaning(&profile, &capable())?,
            ours: meaning(ours, &capable())?,
            text,
            profile,
        })
    }
}

/// A container with many capabilities.
#[must_use]
pub fn capable() -> Environment {
    let mut environment = Environment::default();
    environment.caps.extend(["CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_NET_ADMIN"].map(str::to_owned));
    environment
}

/// What a profile does with every call.
///
/// # Errors
/// It cannot be said.
pub fn meaning(profile: &Profile, environment: &Environment) -> anyhow::Result<Semantics> {
    let native = Arch::native().context("this machine's architecture is not known")?;
    Ok(Semantics::new(profile, &Resolved::new(profile, environment, native)?)?)
}

/// One run: most of the calls are those of every run, some are its own.
#[must_use]
pub fn recording(number: u32) -> Recording {
    let time = Timestamp::from_unix_nanos(1_795_472_753_000_000_000 + u64::from(number) * 1_000_003);
    let run = Run {
        tool: "seccomp-trace 0.1.0".to_owned(),
        host: Host { kernel: "6.1.0-13-amd64".to_owned(), arch: Arch::X86_64 },
        runtime: None,
        container: None,
        command: None,
        started: time,
        until: time,
        armed: Armed::BeforeExec,
        ended: Ended::TargetEnded,
        processes: 1,
        losses: Losses::default(),
    };
    let mut recording = Recording::of_run(RunId(format!("00000000-0000-4000-8000-{number:012}")), run);
    let own = i32::try_from(number % 200).unwrap_or_default();
    for call in (0..CALLS - 10).chain((0..10).map(|nth| 100 + (own + nth * 19) % 200)) {
        let first = FirstSeen {
            time,
            pid: Tgid(number + 2),
            tid: Tid(number + 2),
            comm: Comm::from_kernel(*b"benchmark\0\0\0\0\0\0\0"),
        };
        let observation = Observation { first: Some(first), count: None, args: None };
        recording.observe(Syscall::new(Arch::X86_64, call), Phase::Workload, observation);
    }
    recording
}
