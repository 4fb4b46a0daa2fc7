//! Hook mode: one stage of a container's life.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use seccomp_trace_bpf::shared::{ContainerSpec, SharedDir, SharedTarget};
use seccomp_trace_core::{Arch, Command, Runtime, captures};

use crate::act::VERSION;
use crate::allow::Allowed;
use crate::args::HookRequest;
use crate::log::Log;
use crate::runtime::OciRuntime;
use crate::state::{self, State};
use crate::wanted::Wanted;
use crate::{ancestors, bundle, finish, guard, limits, order, watch};

/// How long after its end a container that nobody finished is left to who may be about to.
const GRACE: Duration = Duration::from_secs(10);

/// How long the first process of a container that was killed may take to begin its exit.
const DYING: Duration = Duration::from_secs(1);

/// Does what the stage asks for: the State on standard input says which it is.
pub(crate) fn run(request: &HookRequest, log: Log) -> anyhow::Result<ExitCode> {
    let state = state::read(io::stdin().lock())?;
    let shared = SharedDir::new(&request.state_dir);
    match state.is_stopped() {
        true => {
            limits::raise();
            guard::run(log, request.unconfined, || poststop(&state, request, &shared, log))
        }
        false => prestart(&state, request, &shared, log).map(|()| ExitCode::SUCCESS),
    }
}

/// Puts the container under observation. Its start waits for this.
fn prestart(state: &State, request: &HookRequest, shared: &SharedDir, log: Log) -> anyhow::Result<()> {
    log.info(format_args!("Started OCI seccomp hook version {VERSION}"));
    let init = state.init()?;
    ensure!(
        !ancestors::are_or_include(init),
        "invalid PID {init}: it is this hook, or runs it, and is no container's"
    );
    let native = Arch::native().context("this machine's architecture is not supported")?;
    let wanted = Wanted::of(state, &Allowed::new(request.allow_dirs.clone()), native)?;
    let runtime = OciRuntime::of_parent();
    let order = order::place(&wanted).context("invalid annotation")?;
    limits::raise();
    let known = finish_stale(shared, Some(state), log);
    if known.iter().any(|target| target.container().id == state.id() && target.is_of(init)) {
        // Two hook files, or two stages of one: once is enough.
        log.info(format_args!("container {} is under observation already", state.id()));
        return Ok(());
    }

    let mut spec = ContainerSpec::new(state.id(), state.bundle().unwrap_or(Path::new("")), init);
    spec.container.image = bundle::image(state).map(str::to_owned);
    spec.runtime = runtime.map(|runtime| Runtime { name: runtime.name().to_owned(), version: None });
    let program = state.bundle().and_then(bundle::program);
    spec.command = program.map(|program| Command { program, args: None });
    spec.captures = captures(wanted.options.args.as_deref().unwrap_or("default"), native)?;
    spec.group_key = order.place;
    spec.side_keys = order.job.recording.iter().map(|path| path.display().to_string()).collect();
    spec.terms = order.terms;
    spec.job = serde_json::to_value(&order.job)?;
    if request.poststop {
        shared.observe(spec).context("cannot observe the container").map(drop)
    } else {
        let watcher = watch::Watcher::of(init)?;
        let target = shared.observe(spec).context("cannot observe the container")?;
        watcher.detach(&target, request.unconfined, log)
    }
}

/// Writes what was recorded of the container that has ended. The engine waits for this.
fn poststop(state: &State, request: &HookRequest, shared: &SharedDir, log: Log) -> anyhow::Result<()> {
    let survey = shared.survey()?;
    for trouble in survey.troubles {
        match &trouble {
            seccomp_trace_bpf::Error::OtherVersion { container } if container == state.id() => {
                return Err(trouble.into());
            }
            seccomp_trace_bpf::Error::OtherVersion { .. } => {}
            _ => log.error(format_args!("{:#}", anyhow::Error::new(trouble))),
        }
    }
    let targets = of_container(survey.targets, state, log);
    if targets.is_empty() && !request.again {
        // Whoever failed to start it has said why.
        log.info(format_args!("container {} is not under observation", state.id()));
    }
    // More than one where the end of an earlier run of the same container was not told to anybody.
    let mut result = Ok(());
    for target in targets {
        if let Err(error) = finish::finish(target, log)
            && let Err(earlier) = std::mem::replace(&mut result, Err(error))
        {
            log.error(format_args!("{earlier:#}"));
        }
    }
    finish_stale(shared, None, log);
    // Who was killed at the end of this work may have left an instance that nobody needs any more.
    result.and(shared.tidy().map_err(Into::into))
}

/// The targets of a container that has ended. Engines choose ids for themselves, so the bundle tells two of one id apart;
/// but one directory can have two names. A container whose init lives is another of the same id, unless that was killed
/// a moment ago: runtimes tell of an end that they have asked for.
fn of_container(mut targets: Vec<SharedTarget>, state: &State, log: Log) -> Vec<SharedTarget> {
    targets.retain(|target| target.container().id == state.id());
    let lives = |target: &SharedTarget| target.init_lives() == Some(true);
    let patience = Instant::now() + DYING;
    while targets.iter().any(|target| is_of(target, state) && lives(target)) && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(5));
    }
    targets.retain(|target| {
        let other = lives(target);
        if other && is_of(target, state) {
            log.error(format_args!(
                "container {} is said to have stopped, and lives: it stays under observation",
                state.id()
            ));
        }
        !other
    });
    if targets.iter().any(|target| is_of(target, state)) {
        targets.retain(|target| is_of(target, state));
    }
    targets
}

/// Whether a target is the container of a State, by id and bundle.
fn is_of(target: &SharedTarget, state: &State) -> bool {
    target.container().id == state.id() && state.bundle().is_none_or(|bundle| bundle == target.bundle())
}

/// Finishes what nobody else will: containers that ended without a poststop, or whose hook was killed. An earlier run of
/// the container that starts now is not waited for. Returns what is left.
fn finish_stale(shared: &SharedDir, starting: Option<&State>, log: Log) -> Vec<SharedTarget> {
    let mut left = Vec::new();
    let targets = shared.survey().map(|survey| survey.targets);
    let targets = targets.unwrap_or_else(|error| {
        log.error(format_args!("cannot look for containers that ended: {:#}", anyhow::Error::new(error)));
        Vec::new()
    });
    for target in targets {
        let restarts = starting.is_some_and(|state| is_of(&target, state));
        match target.is_over(if restarts { Duration::ZERO } else { GRACE }) {
            Ok(false) => left.push(target),
            // What cannot be read is told, and done with, where it is finished.
            _ => {
                if let Err(error) = finish::finish(target, log) {
                    log.error(format_args!("{error:#}"));
                }
            }
        }
    }
    left
}
