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
    finish_stale(shared, log);

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
    let mut targets = of_container(shared.targets()?, state);
    match (targets.pop(), targets.is_empty()) {
        (Some(target), true) => finish::finish(target, log),
        (Some(_), false) => anyhow::bail!("several containers under observation have the id {}", state.id()),
        (None, _) if request.again => Ok(()),
        // Whoever failed to start it has said why.
        (None, _) => {
            log.info(format_args!("container {} is not under observation", state.id()));
            Ok(())
        }
    }
}

/// The targets that a State can be of. Engines choose ids for themselves, so the bundle counts where an id is not enough.
fn of_container(mut targets: Vec<SharedTarget>, state: &State) -> Vec<SharedTarget> {
    targets.retain(|target| target.container().id == state.id());
    if targets.len() > 1 {
        targets.retain(|target| Some(target.bundle()) == state.bundle());
    }
    targets
}

/// Finishes what nobody else will: containers that ended without a poststop, or whose hook was killed.
fn finish_stale(shared: &SharedDir, log: Log) {
    let stale = shared.targets().and_then(|targets| {
        let over = targets.into_iter().map(|target| Ok((target.is_over(GRACE)?, target)));
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
