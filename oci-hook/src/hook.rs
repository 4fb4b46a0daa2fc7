//! Hook mode: one stage of a container's life.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use seccomp_trace_bpf::shared::{ContainerSpec, SharedDir, SharedTarget};
use seccomp_trace_core::{Arch, Command, Runtime, captures};

use crate::act::VERSION;
use crate::allow::Allowed;
use crate::args::HookRequest;
use crate::log::Log;
use crate::runtime::OciRuntime;
use crate::state::{self, State};
use crate::wanted::Wanted;
use crate::{bundle, finish, guard, limits, order, watch};

/// How long after its end a container that nobody finished is left to who may be about to.
const GRACE: Duration = Duration::from_secs(10);

/// Does what the stage asks for: the State on standard input says which it is.
pub(crate) fn run(request: &HookRequest, log: Log) -> anyhow::Result<ExitCode> {
    let state = state::read(io::stdin().lock())?;
    let shared = SharedDir::new(&request.state_dir);
    match state.is_stopped() {
        true => guard::run(log, || poststop(&state, request, &shared, log)),
        false => prestart(&state, request, &shared, log).map(|()| ExitCode::SUCCESS),
    }
}

/// Puts the container under observation. Its start waits for this.
fn prestart(state: &State, request: &HookRequest, shared: &SharedDir, log: Log) -> anyhow::Result<()> {
    log.info(format_args!("Started OCI seccomp hook version {VERSION}"));
    let init = state.init()?;
    let native = Arch::native().context("this machine's architecture is not supported")?;
    let wanted = Wanted::of(state, &Allowed::new(request.allow_dirs.clone()), native)?;
    let runtime = OciRuntime::of_parent();
    let order = order::place(&wanted, runtime).context("invalid annotation")?;
    limits::raise();
    finish_stale(shared, state, log);

    let mut spec = ContainerSpec::new(state.id(), state.bundle().unwrap_or(Path::new("")), init);
    spec.container.image = bundle::image(state).map(str::to_owned);
    spec.runtime = runtime.map(|runtime| Runtime { name: runtime.name().to_owned(), version: None });
    let program = state.bundle().and_then(bundle::program);
    spec.command = program.map(|program| Command { program, args: None });
    spec.captures = captures(wanted.options.args.as_deref().unwrap_or("default"), native)?;
    spec.group_key = order.place;
    spec.job = serde_json::to_value(&order.job)?;
    if request.poststop {
        shared.observe(spec).context("cannot observe the container").map(drop)
    } else {
        let watcher = watch::Watcher::of(init)?;
        let target = shared.observe(spec).context("cannot observe the container")?;
        watcher.detach(&target, log)
    }
}

/// Writes what was recorded of the container that has ended. The engine waits for this.
fn poststop(state: &State, request: &HookRequest, shared: &SharedDir, log: Log) -> anyhow::Result<()> {
    limits::raise();
    let targets = of_container(shared.targets()?, state);
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
    // Who was killed at the end of this work may have left an instance that nobody needs any more.
    result.and(shared.tidy().map_err(Into::into))
}

/// The targets of a container that has ended. Engines choose ids for themselves, so the bundle tells two of one id apart;
/// but one directory can have two names.
fn of_container(mut targets: Vec<SharedTarget>, state: &State) -> Vec<SharedTarget> {
    targets.retain(|target| target.container().id == state.id());
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
/// the container that starts now is not waited for.
fn finish_stale(shared: &SharedDir, starting: &State, log: Log) {
    let stale = shared.targets().and_then(|targets| {
        let over = targets.into_iter().map(|target| {
            let grace = if is_of(&target, starting) { Duration::ZERO } else { GRACE };
            Ok((target.is_over(grace)?, target))
        });
        over.collect::<Result<Vec<_>, seccomp_trace_bpf::Error>>()
    });
    match stale {
        Ok(targets) => {
            for (_, target) in targets.into_iter().filter(|(over, _)| *over) {
                if let Err(error) = finish::finish(target, log) {
                    log.error(format_args!("{error:#}"));
                }
            }
        }
        Err(error) => log.error(format_args!("cannot look for containers that ended: {error:#}")),
    }
}
