//! How large are the programs, and how long does it take to build them?

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;
use seccomp_trace_tests::{oci_hook, seccomp_trace};

use super::Question;
use crate::context::{Context, Scale, finish, words};
use crate::table::{Row, Unit};

pub(super) const QUESTION: Question = Question {
    name: "size",
    text: "How large are the programs, and how long are they built?",
    how: "The files' sizes. The time of a release build of both programs from nothing, and of another one after \
          `cli/src/main.rs` has been touched; with all the CPUs that there are, and the dependencies downloaded.",
    traces: false,
    ask,
};

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, path) in [("seccomp-trace", seccomp_trace()), ("oci-seccomp-bpf-hook", oci_hook())] {
        let bytes = std::fs::metadata(&path).with_context(|| path.display().to_string())?.len();
        #[expect(clippy::cast_precision_loss, reason = "some millions")]
        rows.push(Row::single(name, Unit::Mebibytes, bytes as f64 / f64::from(1 << 20)));
    }
    if context.scale == Scale::Full {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        rows.push(Row::single("a release build from nothing", Unit::Seconds, build(context, &workspace)?));
        // A file is touched by its own content: nothing in the checkout changes but its time.
        finish(&words(["touch".as_ref(), workspace.join("cli/src/main.rs").as_os_str()]))?;
        let again = build(context, &workspace)?;
        rows.push(Row::single("and after a change in the command", Unit::Seconds, again));
    }
    Ok(rows)
}

/// Seconds.
fn build(context: &Context, workspace: &Path) -> anyhow::Result<f64> {
    let start = Instant::now();
    // Cargo says which one it is to what it runs.
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(workspace)
        .args(["build", "--release", "--locked", "-q", "-p", "seccomp-trace", "-p", "oci-hook"])
        .arg("--target-dir")
        .arg(context.path("build"))
        .output()
        .context("cannot run cargo")?;
    anyhow::ensure!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Ok(start.elapsed().as_secs_f64())
}
