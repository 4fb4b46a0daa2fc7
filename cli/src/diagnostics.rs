//! What the libraries say of themselves, on standard error, where `SECCOMP_TRACE_LOG` asks for it.

use std::io;

use anyhow::Context;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// A level (`debug`), or levels by crate (`seccomp_trace_bpf=debug,libbpf=trace`).
const VARIABLE: &str = "SECCOMP_TRACE_LOG";

/// Begins to print diagnostics; nothing where the variable is not set or empty.
pub(crate) fn begin() -> anyhow::Result<()> {
    let Some(wanted) = std::env::var_os(VARIABLE).filter(|wanted| !wanted.is_empty()) else { return Ok(()) };
    let text = wanted.to_str().with_context(|| format!("{VARIABLE} is not UTF-8"))?;
    let targets: Targets =
        text.parse().with_context(|| format!("{VARIABLE}={text}: expected a level such as debug"))?;
    let printer = layer().with_writer(io::stderr).with_ansi(false);
    tracing_subscriber::registry().with(printer).with(targets).init();
    Ok(())
}
