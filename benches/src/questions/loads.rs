//! How much longer does real work take when it is traced?

use std::fmt::Write;
use std::path::Path;

use super::Question;
use super::hot::FLOOR;
use crate::context::{Context, Spent, Words, tracee, words};
use crate::floor::{Asks, Floor};
use crate::machine::which;
use crate::stats::{Contender, in_turn};
use crate::table::{Row, Unit};
use crate::tracers::Tracer;

pub(super) const QUESTION: Question = Question {
    name: "loads",
    text: "How much longer does real work take when it is traced?",
    how: "Each load inside `tracees/measure.c`, alone and under `seccomp-trace run`. The ratio is of the CPU time of \
          all its processes; start and end of the tracer are not in it, they have questions of their own. Wall time \
          is shown as well.",
    traces: true,
    ask,
};

/// A load: how it is called, the program without which it cannot run, its words, and its target.
struct Load {
    name: &'static str,
    program: &'static str,
    words: Words,
    at_most: f64,
}

fn loads(context: &Context) -> anyhow::Result<Vec<Load>> {
    let scale = context.scale;
    let shell = |script: String| words(["sh", "-c", &script]);
    let (source, big) = (context.path("load.c"), context.path("big"));
    std::fs::write(&source, functions(scale.pick(300, 100)))?;
    std::fs::File::create(&big)?.set_len(scale.pick(512, 32) << 20)?;
    // A tree of many small files that is the same on every machine.
    let tree = context.path("tree");
    make_tree(&tree, scale.pick(200, 10))?;
    let (tree, source, big) = (tree.display(), source.display(), big.display());
    let out = context.path("out");
    let out = out.display();
    let times = |full: u32, quick| scale.pick(full, quick).to_string();
    let load = |name, program, words| Load { name, program, words, at_most: 1.05 };

    let test = Path::new(env!("CARGO_MANIFEST_DIR")).join("loads/test_load.py");
    let passes = scale.pick("1 2 3 4 5 6 7 8 9 10 11 12", "1");
    let find = format!(
        "for i in {passes} {passes}; do find {tree} -type f -size +0 -newer / -o -empty; done >{out}"
    );
    let tar = format!("for i in {passes}; do tar -cf {out} -C {tree} .; done");
    Ok(vec![
        Load { at_most: 1.10, ..load("find, many small files", "find", shell(find)) },
        load("tar, many small files", "tar", shell(tar)),
        load("a C compile", "cc", shell(format!("cc -O1 -c -o {out} {source}"))),
        load(
            "a fork loop",
            "true",
            words([tracee("forks").as_os_str(), times(5000, 200).as_ref(), true_path().as_ref()]),
        ),
        load("openssl dgst -sha256", "openssl", shell(format!("openssl dgst -sha256 {big}"))),
        load(
            "a Python test run",
            "python3",
            words(["python3".as_ref(), test.as_os_str(), times(80, 1).as_ref()]),
        ),
        load(
            "a web server under load, loopback",
            "true",
            words([tracee("web").as_os_str(), times(150_000, 2000).as_ref()]),
        ),
    ])
}

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for load in loads(context)? {
        if which(load.program).is_none() {
            rows.push(Row::left_out(load.name, format!("{} is not installed", load.program)));
            continue;
        }
        let under = |tracer: Tracer| {
            let words = load.words.clone();
            move || context.measured(&tracer, words.clone())
        };
        let contenders = vec![
            Contender::new("untraced", under(Tracer::none())),
            Contender::new("traced", under(Tracer::run(&[]))),
            Contender::new(FLOOR, {
                let alone = under(Tracer::none());
                move || {
                    let _floor = Floor::attach(Asks::Nothing)?;
                    alone()
                }
            }),
        ];
        let rounds = in_turn(context.scale.rounds().min(11), contenders)?;
        let alone = rounds.quartiles("untraced", |one: &Spent| one.cpu);
        let cpu = rounds.ratio("traced", "untraced", |one: &Spent| one.cpu);
        let wall = rounds.ratio("traced", "untraced", |one: &Spent| one.wall);
        let floor = rounds.ratio(FLOOR, "untraced", |one: &Spent| one.cpu);
        rows.push(Row::new(format!("{}, untraced, CPU time", load.name), Unit::Seconds, alone));
        rows.push(Row::new(format!("{}, traced", load.name), Unit::Ratio, cpu).at_most(load.at_most));
        rows.push(Row::new(format!("{}, traced, wall time", load.name), Unit::Ratio, wall));
        rows.push(Row::new(format!("{}, with the floor's empty program", load.name), Unit::Ratio, floor));
    }
    Ok(rows)
}

fn true_path() -> std::path::PathBuf {
    which("true").unwrap_or_else(|| "/bin/true".into())
}

/// A C source of so many functions.
fn functions(count: u32) -> String {
    let mut text = String::from("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n");
    for number in 0..count {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "int f{number}(int *a, int n) {{ int s = {number}; for (int i = 0; i < n; i++) s += a[i] % (i + 2); return s; }}"
        );
    }
    text
}

/// A tree of so many folders, each with 50 files of up to 4 KiB.
fn make_tree(root: &Path, folders: usize) -> anyhow::Result<()> {
    for folder in 0..folders {
        let folder = root.join(format!("folder-{folder}"));
        std::fs::create_dir_all(&folder)?;
        for file in 0..50 {
            std::fs::write(folder.join(format!("file-{file}")), vec![b'x'; file * 83])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scale;

    /// A load that fails at once would seem to be traced for nothing.
    #[test]
    fn every_load_runs() {
        let context = Context::new(Scale::Quick).unwrap();
        for load in loads(&context).unwrap() {
            if which(load.program).is_some() {
                let spent = context.measured(&Tracer::none(), load.words).expect(load.name);
                assert!(spent.cpu > 0.001, "{} does next to nothing: {spent:?}", load.name);
            }
        }
    }
}
