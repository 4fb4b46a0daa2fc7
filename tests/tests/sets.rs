//! The recorded set is strace's set, in the same run: strace outside, ours inside.

use seccomp_trace_core::Arch;
use seccomp_trace_tests::strace::{Both, both};
use seccomp_trace_tests::{assert_same, calls, privileged, tracee};

fn same_as_strace(command: &[&str]) -> Both {
    let both = both(command);
    assert!(both.strace.len() > 3, "strace saw next to nothing: {:?}", both.strace);
    assert_same(&both.recorded, &both.strace);
    both
}

/// The calls that only this tracee's own behaviour can have made.
fn tracee_same_as_strace(name: &str, own: &[&str]) {
    let both = same_as_strace(&[&tracee(name)]);
    let own = calls(own.iter().copied());
    assert!(both.recorded.is_superset(&own), "of {own:?}, these are missing: {:?}", &own - &both.recorded);
}

#[test]
fn a_listing_is_recorded_as_strace_sees_it() {
    privileged!();
    same_as_strace(&["ls", "-la", "/"]);
}

#[test]
fn a_long_walk_through_folders_is_recorded_as_strace_sees_it() {
    privileged!();
    same_as_strace(&["find", "/usr", "-name", "*.so"]);
}

#[test]
fn an_archiver_is_recorded_as_strace_sees_it() {
    privileged!();
    same_as_strace(&["tar", "cf", "/dev/null", "/etc"]);
}

/// Many short processes at once, some of which outlive the command that made them.
#[test]
fn pipes_and_background_jobs_of_a_shell_are_recorded_as_strace_sees_them() {
    privileged!();
    same_as_strace(&[
        "sh",
        "-c",
        "ls / | sort | uniq -c >/dev/null & (sleep 0.1; id >/dev/null) & cat /etc/passwd | wc -l; wait",
    ]);
}

#[test]
fn threads_and_subprocesses_of_an_interpreter_are_recorded_as_strace_sees_them() {
    privileged!();
    let program = "
import subprocess, threading
def work():
    subprocess.run(['true'], check=True)
threads = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
";
    same_as_strace(&["python3", "-c", program]);
}

/// A compiler driver: vfork, several programs, temporary files.
#[test]
fn a_compilation_is_recorded_as_strace_sees_it() {
    privileged!();
    let compile = "d=$(mktemp -d) && echo 'int main(void) { return 0; }' >$d/a.c && cc -o $d/a $d/a.c && $d/a; s=$?; rm -r $d; exit $s";
    same_as_strace(&["sh", "-c", compile]);
}

#[test]
fn threads_that_each_make_another_call_are_recorded_as_strace_sees_them() {
    privileged!();
    tracee_same_as_strace("threads", &seccomp_trace_tests::harmless());
}

/// The daemon makes its own calls only when the command has gone.
#[test]
fn a_daemon_is_recorded_as_strace_sees_it() {
    privileged!();
    tracee_same_as_strace("daemon", &["setsid", "timerfd_create", "inotify_init1"]);
}

#[test]
fn a_vfork_child_is_recorded_as_strace_sees_it() {
    privileged!();
    tracee_same_as_strace("vfork", &["getsid", "getpgid", "execve"]);
}

#[test]
fn a_clone3_child_is_recorded_as_strace_sees_it() {
    privileged!();
    tracee_same_as_strace("clone3", &["clone3", "getsid"]);
}

/// The kernel gives the leader's pid to the thread, and kills the leader.
#[test]
fn an_exec_by_a_thread_that_is_not_the_leader_is_recorded_as_strace_sees_it() {
    privileged!();
    tracee_same_as_strace("exec_thread", &["execve", "getsid"]);
}

#[test]
fn children_in_new_namespaces_are_recorded_as_strace_sees_them() {
    privileged!();
    tracee_same_as_strace("unshare", &["unshare", "getsid", "getpgid"]);
}

#[test]
fn a_child_in_namespaces_that_were_entered_is_recorded_as_strace_sees_it() {
    privileged!();
    tracee_same_as_strace("setns", &["setns", "getsid"]);
}

/// A number outside every table must be reported with its value, not dropped.
#[test]
fn numbers_that_no_table_has_are_recorded_as_strace_sees_them() {
    privileged!();
    let both = same_as_strace(&[&tracee("badnr")]);
    let native = Arch::native().expect("tests run where recording works");
    for nr in [-1, 511, 9999, 0x0fff_ffff] {
        assert!(both.recorded.contains(&seccomp_trace_core::Syscall::new(native, nr)), "{nr} is missing");
    }
}
