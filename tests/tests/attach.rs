//! `attach`: what runs already is recorded from there on, and goes on unharmed.

use std::process::Command;

use nix::sys::signal::Signal;
use seccomp_trace_core::{Arch, Ended, Recording, Syscall};
use seccomp_trace_tests::attach::{Tracee, attached, idle_threads, recorded_while};
use seccomp_trace_tests::{
    Finished, ProfileFile, Running, Terminal, calls, finish, full, harmless, privileged, read_recording,
    runs_32_bit, say, scratch, seccomp_trace, tracee, wait_until, workload,
};

fn assert_all_harmless(recording: &Recording) {
    let missed: Vec<_> = calls(harmless()).difference(&workload(recording)).copied().collect();
    assert!(missed.is_empty(), "missed: {missed:?}");
    assert!(recording.losses().is_none(), "{:?}", recording.losses());
}

fn ended(recording: &Recording) -> Ended {
    recording.runs().values().next().expect("one run").ended
}

/// Each thread and each child makes a call that no other makes.
#[test]
fn no_thread_and_no_descendant_of_a_busy_process_is_missed() {
    privileged!();
    for _ in 0..if full() { 20 } else { 3 } {
        let mut swarm = Tracee::start("swarm", &["100"]);
        let recording = recorded_while(&["-p", &swarm.pid()], || swarm.go_on());
        assert_all_harmless(&recording);
        assert_eq!(ended(&recording), Ended::TargetEnded);
    }
}

/// Its threads are in the middle of making others when observation ends.
#[test]
fn detaching_from_a_busy_process_leaves_it_unharmed() {
    privileged!();
    let folder = scratch();
    let output = folder.path().join("p.json");
    let mut swarm = Tracee::start("swarm", &["100"]);
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let attach = attached(&["-p", &swarm.pid(), "-o", output.to_str().expect("UTF-8")]);
        drop(so_far(&attach, &output));
        attach.signal(signal);
        let finished = attach.wait().success();
        assert!(finished.stderr.contains("ended by a signal"), "{finished:?}");
        assert!(ProfileFile::read(&output).workload_has(&["clone3"]), "what was seen stays");
    }
    swarm.go_on();
}

/// A server may wait in its most important call for hours.
#[test]
fn calls_in_flight_are_counted_with_their_abi_and_their_argument() {
    privileged!();
    let mut waiting = Tracee::start("inflight", &[]);
    let arguments = ["-p", &waiting.pid(), "--args", "fcntl", "--max-time", "0"];
    let recording = recorded_while(&arguments, || {});
    waiting.ends();
    let seen = workload(&recording);
    for call in calls(["nanosleep", "read", "fcntl"]) {
        assert!(seen.contains(&call), "{call} is missing: {seen:?}");
    }
    if cfg!(target_arch = "x86_64") {
        let pause = Syscall::from_name(Arch::X86, "pause").expect("i386 has it");
        assert!(seen.contains(&pause), "{seen:?}");
        assert!(!seen.contains(&calls(["shmget"]).into_iter().next().expect("one")), "{seen:?}");
    }
    let fcntl = calls(["fcntl"]).into_iter().next().expect("one");
    let observed = recording.calls()[&fcntl].values().next().expect("one phase");
    let values: Vec<u64> =
        observed.args.as_ref().expect("captured").values.keys().map(|value| value.0).collect();
    assert_eq!(values, [u64::try_from(nix::libc::F_SETLKW).expect("a small number")]);
}

/// While it computes, nothing but its code segment tells that its last call was an i386 one.
#[test]
fn the_last_call_of_a_process_that_computes_has_its_own_abi() {
    privileged!();
    if !runs_32_bit() {
        say("left out: this kernel runs no 32-bit code");
        return;
    }
    let spinning = Tracee::start("i386spin", &[]);
    let getpid = Syscall::from_name(Arch::X86, "getpid").expect("i386 has it");
    for _ in 0..if full() { 50 } else { 8 } {
        let seen = workload(&recorded_while(&["-p", &spinning.pid(), "--max-time", "0"], || {}));
        assert!(seen.iter().all(|call| *call == getpid), "{seen:?}");
    }
}

/// Each is a child of the process that is attached to, and none lives long enough to be met by a walk.
#[test]
fn a_chain_of_fork_and_exit_cannot_outrun_the_walk() {
    privileged!();
    let _idle = idle_threads(8000);
    for _ in 0..if full() { 50 } else { 5 } {
        let mut chain = Tracee::start("chain", &["adopted"]);
        let recording = recorded_while(&["-p", &chain.pid()], || chain.ends());
        assert_all_harmless(&recording);
    }
}

#[test]
fn several_processes_are_recorded_into_one_profile() {
    privileged!();
    let mut one = Tracee::start("swarm", &["1"]);
    let mut two = Tracee::start("inflight", &[]);
    let pids = format!("{},{},{}", one.pid(), two.pid(), one.pid());
    let recording = recorded_while(&["-p", &pids], || {
        one.go_on();
        two.ends();
    });
    assert!(calls(["nanosleep", "getitimer"]).is_subset(&workload(&recording)));
    assert_eq!(ended(&recording), Ended::TargetEnded);
    assert!(recording.runs().values().next().expect("one run").processes >= 3);
}

/// What a shell does whose user attaches to it: the observer is its descendant.
#[test]
fn the_observer_is_no_part_of_what_it_observes() {
    privileged!();
    let folder = scratch();
    let file = folder.path().join("recording.json");
    let script = "\"$0\" attach -q -p $$ --recording \"$1\" --max-time 1; true";
    let shell = Running::start(Command::new("sh").args(["-c", script]).arg(seccomp_trace()).arg(&file));
    drop(shell.wait().success());
    let seen = workload(&read_recording(&file));
    assert!(seen.contains(&calls(["wait4"]).into_iter().next().expect("one")), "the shell waits: {seen:?}");
    assert!(!seen.contains(&calls(["bpf"]).into_iter().next().expect("one")), "{seen:?}");
}

/// The profile so far of a swarm, as soon as it has made a thread under observation.
fn so_far(attach: &Running, output: &std::path::Path) -> ProfileFile {
    for _ in 0..1000 {
        attach.signal(Signal::SIGUSR1);
        attach.wait_for_error("so far");
        let profile = ProfileFile::read(output);
        if profile.workload_has(&["clone3"]) {
            return profile;
        }
    }
    panic!("the swarm makes no threads");
}

/// It asks for what was recorded so far, and nothing ends.
#[test]
fn usr1_writes_the_profile_so_far_and_goes_on() {
    privileged!();
    let folder = scratch();
    let output = folder.path().join("p.json");
    let mut swarm = Tracee::start("swarm", &["1"]);
    let attach = attached(&["-p", &swarm.pid(), "-o", output.to_str().expect("UTF-8")]);
    for _ in 0..2 {
        let so_far = so_far(&attach, &output);
        assert!(!so_far.allowed().contains("getitimer"), "{so_far:?}");
        std::fs::remove_file(&output).expect("it was written");
    }
    swarm.go_on();
    drop(attach.wait().success());
    assert!(ProfileFile::read(&output).workload_has(&["clone3", "getitimer"]));
}

/// As any program in the foreground: the shell gets its terminal back, and `fg` goes on.
#[test]
fn a_stop_from_the_terminal_stops_it_and_it_can_go_on() {
    privileged!();
    let mut waiting = Tracee::start("inflight", &[]);
    let attach = attached(&["-p", &waiting.pid()]);
    let is_stopped = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", attach.pid())).expect("it lives");
        stat.contains(") T ")
    };
    attach.signal(Signal::SIGTSTP);
    wait_until("the stop", is_stopped);
    attach.signal(Signal::SIGCONT);
    wait_until("the continuation", || !is_stopped());
    attach.signal(Signal::SIGINT);
    let finished = attach.wait().success();
    assert!(finished.stderr.contains("ended by a signal"), "{finished:?}");
    waiting.ends();
}

fn ends_by_itself(limit: &[&str], note: &str) {
    let mut waiting = Tracee::start("inflight", &[]);
    let attach = attached(&[&["-p", &waiting.pid()], limit].concat());
    let finished: Finished = attach.wait().success();
    assert!(finished.stderr.contains(note), "{finished:?}");
    waiting.ends();
}

#[test]
fn it_ends_when_the_time_is_up() {
    privileged!();
    ends_by_itself(&["--max-time", "1s"], "time was up");
}

/// How one knows that a recording is saturated.
#[test]
fn it_ends_when_nothing_new_was_seen_for_long_enough() {
    privileged!();
    ends_by_itself(&["--quiet-for", "1"], "nothing new was seen");
}

#[test]
fn a_line_on_the_terminal_tells_how_it_goes_and_is_gone_when_it_is_over() {
    privileged!();
    let mut waiting = Tracee::start("inflight", &[]);
    let program = seccomp_trace();
    let mut terminal = Terminal::start(program.to_str().expect("UTF-8"), &["attach", "-p", &waiting.pid()]);
    terminal.expect("\rseccomp-trace: 0s, ");
    terminal.expect("\rseccomp-trace: 1s, ");
    terminal.expect("last new one 1s ago");
    terminal.press("\x03");
    let (status, screen) = terminal.wait();
    assert!(status.success(), "{screen}");
    let (_, after) = screen.rsplit_once(" ago").expect("a status line");
    assert!(after.contains("\r\x1b[K"), "the line is not erased: {screen:?}");
    assert!(after.contains("ended by a signal"), "{screen:?}");
    waiting.ends();
}

/// It shares the terminal with the command, so only who asks for it gets it.
#[test]
fn run_shows_the_line_on_request_alone() {
    privileged!();
    let (program, sleeper) = (seccomp_trace(), tracee("sleeper"));
    let screen = |options: &[&str]| {
        let command = [&["run"], options, &["--", &sleeper, "nanosleep", "1500"]].concat();
        let (status, screen) = Terminal::start(program.to_str().expect("UTF-8"), &command).wait();
        assert!(status.success(), "{screen}");
        screen
    };
    let shown = screen(&["--status"]);
    assert!(shown.contains("\rseccomp-trace: 1s, 1 process, "), "{shown:?}");
    let (_, after) = shown.rsplit_once(" ago").expect("a status line");
    assert!(after.contains("\r\x1b[K"), "the line is not erased: {shown:?}");
    assert!(!screen(&[]).contains(" ago"));
}

/// A file or a pipe is no terminal.
#[test]
fn what_is_no_terminal_shows_no_status() {
    privileged!();
    let mut waiting = Tracee::start("inflight", &[]);
    let attach = attached(&["-p", &waiting.pid(), "--max-time", "2"]);
    let finished = attach.wait().success();
    assert!(!finished.stderr.contains('\r') && !finished.stderr.contains(" ago"), "{finished:?}");
    waiting.ends();
}

#[test]
fn what_cannot_be_attached_to_is_refused_with_status_2() {
    privileged!();
    for (arguments, said) in [
        (["-p", "4194304"], "cannot observe process 4194304"),
        (["--cgroup", "no/such/cgroup"], "there is no such cgroup"),
        (["--cgroup", "/tmp"], "no mounted cgroup hierarchy"),
        (["--container", "no-such-container"], "no running container"),
        (["-p", "0"], "0 is not in 1.."),
    ] {
        let finished = Running::start(Command::new(seccomp_trace()).arg("attach").args(arguments)).wait();
        assert_eq!(finished.code(), 2, "{finished:?}");
        assert!(finished.stderr.contains(said), "{finished:?}");
    }
    let threads = Tracee::start("inflight", &[]);
    let thread = threads.other_thread();
    let finished = finish(Command::new(seccomp_trace()).args(["attach", "-p", &thread]));
    assert_eq!(finished.code(), 2, "{finished:?}");
    assert!(finished.stderr.contains(&format!("a thread of process {}", threads.pid())), "{finished:?}");
    let nothing = Running::start(Command::new(seccomp_trace()).arg("attach")).wait();
    assert_eq!(nothing.code(), 2, "{nothing:?}");
}
