//! What does each stage of the hook take by itself?

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use seccomp_trace_tests::oci_hook;

use super::Question;
use crate::context::{Context, Spent, numbers, tracee, words};
use crate::held::Held;
use crate::stats::quartiles;
use crate::table::{Row, Unit};

pub(super) const QUESTION: Question = Question {
    name: "hook",
    text: "What does each stage of the hook take, in time and in memory?",
    how: "The hook, given a container's State, on two processes that wait as a container's init does: prestart of the \
          first loads everything, that of the second joins; poststop of the first writes its profile, that of the second \
          takes everything down as well. Wall time, and the peak resident memory of the largest process, by \
          `tracees/measure.c`.",
    traces: true,
    ask,
};

/// The stages, in their order: what they are called, and which container they are of.
const STAGES: [(&str, Stage, usize); 4] = [
    ("prestart that loads", Stage::Prestart, 0),
    ("prestart that joins", Stage::Prestart, 1),
    ("poststop while another runs", Stage::Poststop, 0),
    ("poststop of the last", Stage::Poststop, 1),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Prestart,
    Poststop,
}

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let folder = context.path("hook");
    std::fs::create_dir_all(&folder)?;
    let mut spent = STAGES.map(|_| Vec::new());
    for _ in 0..context.scale.rounds() {
        let init = || Held::start(&words(["true"]));
        let mut inits = [init()?, init()?];
        for ((_, stage, which), spent) in STAGES.into_iter().zip(&mut spent) {
            let init = inits.get_mut(which).context("two processes")?;
            if stage == Stage::Poststop {
                init.finish()?;
            }
            spent.push(run(context, &folder, init.id(), stage)?);
        }
    }
    let mut rows = Vec::new();
    for ((name, ..), spent) in STAGES.into_iter().zip(spent) {
        let of = |value: fn(&Spent) -> f64| quartiles(&spent.iter().map(value).collect::<Vec<_>>());
        let millis = of(|one| one.wall * 1e3);
        rows.push(Row::new(name, Unit::Milliseconds, millis));
        rows.push(Row::new(format!("{name}, peak memory"), Unit::Mebibytes, of(|one| one.peak)).at_most(6.0));
    }
    Ok(rows)
}

fn run(context: &Context, folder: &Path, init: u32, stage: Stage) -> anyhow::Result<Spent> {
    let (status, pid) = match stage {
        Stage::Prestart => ("created", init),
        Stage::Poststop => ("stopped", 0),
    };
    let output = folder.join(format!("{init}.json"));
    let state = serde_json::json!({
        "ociVersion": "1.0", "id": format!("bench-{init}"), "status": status, "pid": pid, "bundle": "/",
        "annotations": {"io.containers.trace-syscall": format!("of:{}", output.display())},
    });
    let file = context.path("measure");
    let words: [OsString; 6] = [
        file.clone().into(),
        oci_hook().into(),
        "-s".into(),
        "--poststop".into(),
        "--state-dir".into(),
        folder.join("state").into(),
    ];
    let mut child = Command::new(tracee("measure"))
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start the hook")?;
    child.stdin.take().context("a pipe")?.write_all(state.to_string().as_bytes())?;
    let finished = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&finished.stderr);
    anyhow::ensure!(finished.status.success(), "{stage:?} of the hook failed: {said}");
    if stage == Stage::Poststop {
        std::fs::remove_file(&output).with_context(|| format!("the hook has written no profile: {said}"))?;
    }
    let [wall, cpu, peak_kib] = numbers(&file)?;
    Ok(Spent { wall: wall / 1e9, cpu: cpu / 1e9, peak: peak_kib / 1024.0 })
}
