//! The options of `trace`: where lines go, what stands before them, what they leave out, and how it ends.

use std::process::Command;

use nix::sys::signal::Signal;
use seccomp_trace_tests::trace::traced;
use seccomp_trace_tests::{Running, Terminal, finish, privileged, scratch, seccomp_trace, tracee};

fn trace(words: &[&str]) -> Command {
    let mut command = Command::new(seccomp_trace());
    command.arg("trace").args(words);
    command
}

/// As `run`: a shell can put it before a command.
#[test]
fn the_status_is_the_commands_unless_something_of_ours_fails() {
    privileged!();
    assert_eq!(finish(&mut trace(&["-qq", "-e", "none", "sh", "-c", "exit 7"])).code(), 7);
    let killed = finish(&mut trace(&["-qq", "-e", "none", "sh", "-c", "kill -TERM $$"]));
    assert_eq!(killed.signal(), Some(Signal::SIGTERM as i32));
    assert_eq!(finish(&mut trace(&["no-such-command"])).code(), 127);
    assert_eq!(finish(&mut trace(&["/etc/passwd"])).code(), 126);
    assert_eq!(finish(&mut trace(&["-o", "/no/such/folder/log", "true"])).code(), 125);
    let full = finish(&mut trace(&["-o", "/dev/full", "true"]));
    assert_eq!(full.code(), 125);
    assert!(full.stderr.contains("cannot write to /dev/full: No space left"), "{}", full.stderr);
    assert_eq!(finish(&mut trace(&["-o", "/dev/full", "sh", "-c", "exit 3"])).code(), 3);
}

#[test]
fn a_wrong_expression_is_refused_before_anything_starts() {
    for (words, expected) in [
        (&["-e", "opnat", "true"][..], "\"opnat\"; did you mean openat"),
        (&["-e", "%fil", "true"], "no class %fil"),
        (&["-ff", "true"], "-ff needs -o"),
        (&["-s", "5000", "true"], "at most 4096"),
        (&["-p", "1", "-u", "root"], "-u is for a command"),
    ] {
        let refused = finish(&mut trace(words));
        assert_eq!(refused.code(), 125, "{words:?}");
        assert!(refused.stderr.contains(expected), "{words:?}: {}", refused.stderr);
    }
}

/// strace's rules: the thread's number stands before a line once there are several, and always in a file.
#[test]
fn lines_say_whose_they_are_where_there_is_a_choice() {
    privileged!();
    let alone = finish(&mut trace(&["-e", "execve", "true"]));
    assert!(alone.stderr.starts_with("execve(\""), "{}", alone.stderr);
    assert!(!alone.stderr.contains("[pid"), "{}", alone.stderr);
    assert!(alone.stderr.ends_with("\n+++ exited with 0 +++\n"), "{}", alone.stderr);

    let several = finish(&mut trace(&["-e", "execve", "sh", "-c", "true; /bin/true; true"]));
    let child = several.stderr.lines().find(|line| line.contains("\"/bin/true\"")).unwrap();
    let pid = child.strip_prefix("[pid ").and_then(|rest| rest.split_once(']')).unwrap().0.trim();
    assert!(
        several.stderr.contains(&format!("seccomp-trace: Process {pid} attached\n")),
        "{}",
        several.stderr
    );
    let quiet = finish(&mut trace(&["-q", "-e", "execve", "sh", "-c", "/bin/true; true"]));
    assert!(!quiet.stderr.contains("attached"), "{}", quiet.stderr);

    // Nothing of the command itself is shown before.
    let child = finish(&mut trace(&["-e", "getdents64", "sh", "-c", "ls / > /dev/null; exit 3"]));
    assert!(child.stderr.starts_with("seccomp-trace: Process "), "{}", child.stderr);
    assert!(child.stderr.lines().skip(1).take(2).all(|line| line.starts_with("[pid ")), "{}", child.stderr);
    assert!(child.stderr.ends_with("\n+++ exited with 3 +++\n"), "{}", child.stderr);

    let (file, _) = traced(&["-e", "execve"], &["true"]);
    let pid = file.split(' ').next().unwrap();
    assert!(pid.parse::<u32>().is_ok(), "{file}");
    assert!(file.lines().all(|line| line.starts_with(pid)), "{file}");
}

#[test]
fn with_ff_each_thread_has_a_file() {
    privileged!();
    let folder = scratch();
    let base = folder.path().join("log");
    let words =
        ["-ff", "-e", "execve", "-o", base.to_str().unwrap(), "sh", "-c", "/bin/true; /bin/true; exit 0"];
    let _ = finish(&mut trace(&words)).success();
    let files: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        let number = file.extension().unwrap().to_str().unwrap();
        assert!(number.parse::<u32>().is_ok(), "{file:?}");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("execve("), "{text}");
        assert!(text.ends_with("+++ exited with 0 +++\n"), "{text}");
    }
}

/// Times are compared with those around the run.
#[test]
fn times_and_durations_are_those_of_the_calls() {
    privileged!();
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let before = now();
    let (text, _) = traced(&["-ttt", "-T", "-e", "clock_nanosleep,nanosleep"], &["sleep", "0.2"]);
    let after = now();
    let line = text.lines().find(|line| line.contains("nanosleep(")).unwrap();
    let time: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!((before..after).contains(&time), "{before} {line} {after}");
    // Whoever sleeps that long is told of twice: that it sleeps, and that it has slept.
    let end = text.lines().find(|line| line.contains("nanosleep") && line.contains(" = 0 <")).unwrap();
    let duration = end.rsplit_once('<').unwrap().1.strip_suffix('>').unwrap();
    assert!((0.2..after - before).contains(&duration.parse().unwrap()), "{line}");
    let (text, _) = traced(&["-r", "-e", "clock_nanosleep,nanosleep,close"], &["sleep", "0.2"]);
    let gaps = text.lines().map(|line| line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap());
    assert!(gaps.fold(0.0, f64::max) >= 0.2, "{text}");
}

#[test]
fn descriptors_have_their_paths_when_asked() {
    privileged!();
    let folder = scratch();
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    let path = std::fs::canonicalize(&file).unwrap();
    let (path, file) = (path.to_str().unwrap(), file.to_str().unwrap());
    let (text, _) = traced(&["-y", "-e", "openat,read"], &["head", "-c4", file]);
    assert!(text.contains(&format!("= 3<{path}>\n")), "{text}");
    assert!(text.contains(&format!("read(3<{path}>, \"text\"")), "{text}");
    let (text, _) = traced(&["-e", "openat,read"], &["head", "-c4", file]);
    assert!(text.contains("= 3\n") && !text.contains('<'), "{text}");

    // Only calls that have to do with the file, by path or by descriptor, and its descriptors as without -y.
    let (text, _) = traced(&["-P", file], &["head", "-c4", file]);
    let names: Vec<_> = text.lines().filter_map(|line| line.split_once(' ')?.1.split_once('(')).collect();
    let names: Vec<_> = names.iter().map(|(name, _)| name.trim()).collect();
    assert!(names.contains(&"openat") && names.contains(&"read") && names.contains(&"close"), "{text}");
    assert!(!names.contains(&"mmap") && !names.contains(&"brk") && !text.contains('<'), "{text}");

    // Who is in a folder does not access it with every path.
    let place = folder.path().to_str().unwrap();
    let (text, _) = traced(&["-P", place], &["sh", "-c", "cd \"$0\" && head -c4 /etc/passwd", place]);
    assert!(text.contains("chdir(") && !text.contains("openat("), "{text}");
}

/// Every line is an object with what `docs/trace.md` says, raw values beside the decoded ones.
#[test]
fn json_has_raw_values_beside_the_decoded_ones() {
    privileged!();
    let (text, _) = traced(&["--json"], &["sh", "-c", "/bin/true; exit 0"]);
    let objects: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let exec = objects.iter().find(|object| object["name"] == "execve").unwrap();
    assert_eq!((&exec["type"], &exec["outcome"]), (&"call".into(), &"returned".into()));
    assert_eq!(exec["args"][1]["value"][0]["text"], "sh");
    assert!(exec["args"][0]["raw"].as_str().unwrap().starts_with("0x"), "{exec}");
    let missing = objects.iter().find(|object| object["result"]["errno"] == "ENOENT").unwrap();
    assert_eq!(
        (&missing["outcome"], &missing["result"]["raw"]),
        (&"failed".into(), &(-2).into()),
        "{missing}"
    );
    let ends = objects.iter().filter(|object| object["type"] == "exit" && object["code"] == 0);
    assert_eq!(ends.count(), 2);
    assert!(
        objects.iter().any(|object| object["type"] == "signal" && object["signal"] == "SIGCHLD"),
        "{text}"
    );
}

/// A process that ran already goes on as if nothing had been; what it does meanwhile is printed.
#[test]
fn a_running_process_is_traced_until_somebody_ends_it() {
    privileged!();
    let sleeper = Running::start(
        Command::new("sh").args(["-c", "while read line; do /bin/echo got $line; done"]).stdin({
            let (reader, writer) = nix::unistd::pipe().unwrap();
            std::thread::spawn(move || {
                use std::io::Write;
                let mut pipe = std::fs::File::from(writer);
                // One line after the other, until the reader has gone.
                for number in 0.. {
                    if writeln!(pipe, "{number}").is_err() {
                        return;
                    }
                    seccomp_trace_tests::pause(20);
                }
            });
            std::process::Stdio::from(reader)
        }),
    );
    let pid = sleeper.pid().to_string();
    let tracer =
        Running::start(trace(&["-e", "execve,write", "-p", &pid]).stdin(std::process::Stdio::null()));
    tracer.wait_for_error("attached");
    tracer.wait_for_error("execve(\"/bin/echo\", [\"/bin/echo\", \"got\",");
    tracer.signal(Signal::SIGINT);
    let finished = tracer.wait();
    assert_eq!(finished.code(), 0, "{finished:#?}");
    assert!(finished.stderr.contains("detached"), "{}", finished.stderr);
    assert!(sleeper.line().starts_with("got"), "it lives on");
}

/// What the reader could not take is said where it is missing, and at the end; the target is not slowed. Printed and
/// missing events together are all that happened.
#[test]
fn missing_events_are_told_where_they_are_missing_and_at_the_end() {
    privileged!();
    let folder = scratch();
    let log = folder.path().join("log");
    let options = ["--buffer", "1", "-e", "getppid", "-o", log.to_str().unwrap()];
    let finished = finish(trace(&options).arg(tracee("storm")).arg("1")).success();
    let text = std::fs::read_to_string(&log).unwrap();
    let count = |line: &str| -> Option<u64> {
        line.strip_prefix("!!! ")?.strip_suffix(" events are missing here !!!")?.parse().ok()
    };
    let missing: u64 = text.lines().filter_map(count).sum();
    assert!(missing > 0, "a million calls fit into a buffer of one MiB");
    assert!(finished.stderr.contains(&format!("{missing} events are missing")), "{}", finished.stderr);
    let printed = text.lines().filter(|line| count(line).is_none()).count() as u64;
    // As the tracee divides its million.
    let cpus = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0)).unwrap();
    let threads =
        2 * (0..nix::sched::CpuSet::count()).filter(|cpu| cpus.is_set(*cpu).unwrap()).count() as u64;
    let calls = 1000 / threads * 1000 * threads;
    assert_eq!(printed + missing, calls + threads + 1, "calls and ends of threads");
}

/// On a terminal names stand out, unless the user does not want colours.
#[test]
fn lines_are_coloured_on_a_terminal_alone() {
    privileged!();
    let program = seccomp_trace();
    let shown = |words: &[&str]| {
        let (status, screen) = Terminal::start(words[0], &words[1..]).wait();
        assert!(status.success(), "{screen}");
        screen
    };
    let program = program.to_str().unwrap();
    let words = [program, "trace", "-e", "execve", "true"];
    assert!(shown(&words).contains("\u{1b}[1mexecve\u{1b}[0m("), "{}", shown(&words));
    let without = shown(&[&["env", "NO_COLOR=1"], &words[..]].concat());
    assert!(without.contains("execve(") && !without.contains('\u{1b}'), "{without}");
    let piped = finish(&mut trace(&["-e", "execve", "true"]));
    assert!(!piped.stderr.contains('\u{1b}'), "{}", piped.stderr);
    let always = finish(&mut trace(&["--color", "always", "-e", "execve", "true"]));
    assert!(always.stderr.contains("\u{1b}[1mexecve"), "{}", always.stderr);
}
