//! What a recording says about the run it comes from.

use nix::libc;
use seccomp_trace_core::{Arch, Command, CommandSpec, Ended, Host, Losses, Recording, Run, RunId, Timestamp};

use crate::denials::Watching;
use crate::session::Parts;
use crate::tables::Tables;
use crate::{Error, snapshot};

/// Name and version of what records.
pub(crate) const TOOL: &str = concat!("seccomp-trace ", env!("CARGO_PKG_VERSION"));

/// What may be missing of the target in `slot`, less what was lost before it was armed.
pub(crate) fn losses(tables: &Tables, slot: u16, before: &Losses) -> Result<Losses, Error> {
    let counters = tables.counters(slot);
    Ok(Losses {
        storage_failures: counters.storage_failures.saturating_sub(before.storage_failures),
        lookup_failures: tables.lookup_failures().saturating_sub(before.lookup_failures),
        recursion_misses: tables.recursion_misses()?.saturating_sub(before.recursion_misses),
        number_overflow: counters.number_overflow,
        unseeded: counters.unseeded,
    })
}

impl Parts {
    /// What was lost until here was not the target's, none of whose tasks has made a call under observation yet.
    pub(crate) fn forget_losses(&mut self) -> Result<(), Error> {
        self.losses_before = self.instance.tables().losses()?;
        self.denials.as_mut().map_or(Ok(()), Watching::forget_losses)
    }

    /// Everything seen so far, with its provenance.
    pub(crate) fn recording(&self, id: &RunId, started: Timestamp, ended: Ended) -> Result<Recording, Error> {
        let counters = self.instance.tables().counters(self.slot);
        let losses = losses(self.instance.tables(), self.slot, &self.losses_before)?;
        let run = Run {
            tool: TOOL.to_owned(),
            host: Host { kernel: self.kernel.clone(), arch: Arch::native().ok_or(Error::UnknownTarget)? },
            runtime: self.running.as_ref().and_then(|spec| spec.runtime.clone()),
            container: self.running.as_ref().and_then(|spec| spec.container.clone()),
            command: self.command.as_ref().map(describe),
            started,
            until: match counters.ended_ns {
                0 => self.clock.now(),
                at => self.clock.wall(at),
            },
            armed: self.armed,
            ended,
            processes: counters.processes,
            losses: Losses {
                unseeded: losses.unseeded + self.adopting.unseeded,
                recursion_misses: losses.recursion_misses + self.adopting.recursion_misses,
                ..losses
            },
        };
        let mut recording = Recording::of_run(id.clone(), run);
        snapshot::read(self.instance.tables(), self.slot, self.clock, &mut recording)?;
        Ok(recording)
    }
}

/// A random UUID (RFC 9562, version 4).
pub(crate) fn run_id() -> Result<RunId, Error> {
    let mut bytes = random::<16>()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(RunId([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")))
}

/// A number that is not met again.
pub(crate) fn random_u32() -> Result<u32, Error> {
    random().map(u32::from_ne_bytes)
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0u8; N];
    // SAFETY: the kernel writes at most as many bytes as the buffer has.
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    if usize::try_from(got) != Ok(bytes.len()) {
        return Err(Error::system("get random bytes")(std::io::Error::last_os_error()));
    }
    Ok(bytes)
}

fn describe(spec: &CommandSpec) -> Command {
    let text = |os: &std::ffi::OsString| os.to_string_lossy().into_owned();
    Command {
        program: text(&spec.program),
        args: spec.record_args.then(|| spec.args.iter().map(text).collect()),
    }
}
