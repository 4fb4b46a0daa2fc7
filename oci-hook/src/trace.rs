//! Traces a process that runs already until it ends.

use anyhow::bail;

use crate::args::TraceRequest;
use crate::log::Log;

/// Attaches, waits for the end, and writes the profile.
pub(crate) fn run(_request: &TraceRequest, _log: Log) -> anyhow::Result<()> {
    bail!("not built yet")
}
