//! Hook mode: one stage of a container's life.

use std::io;

use anyhow::{Context, bail};
use seccomp_trace_core::Arch;

use crate::act::VERSION;
use crate::allow::Allowed;
use crate::args::HookRequest;
use crate::log::Log;
use crate::state::{self, State};
use crate::wanted::Wanted;

/// Does what the stage asks for: the State on standard input says which it is.
pub(crate) fn run(request: &HookRequest, log: Log) -> anyhow::Result<()> {
    log.info(format_args!("Started OCI seccomp hook version {VERSION}"));
    let state = state::read(io::stdin().lock())?;
    match state.is_stopped() {
        true => poststop(&state, request, log),
        false => prestart(&state, request, log),
    }
}

fn prestart(state: &State, request: &HookRequest, _log: Log) -> anyhow::Result<()> {
    let _init = state.init()?;
    let native = Arch::native().context("this machine's architecture is not supported")?;
    let _wanted = Wanted::of(state, &Allowed::new(request.allow_dirs.clone()), native)?;
    bail!("not built yet")
}

fn poststop(_state: &State, _request: &HookRequest, _log: Log) -> anyhow::Result<()> {
    bail!("not built yet")
}
