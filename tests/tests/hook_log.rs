//! The hook's log: the bytes that a syslog daemon gets.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use seccomp_trace_tests::{Finished, finish, oci_hook, privileged, scratch};

/// Runs the hook where `/dev` holds nothing but the socket, if there is one: in a mount namespace of its own, so that
/// the machine's `/dev/log` is not touched. The shell becomes the hook, so their pids are the same.
fn hook(socket: Option<&Path>, arguments: &[&str]) -> Finished {
    let script = "set -e; mount -t tmpfs none /dev; \
        if [ -n \"$1\" ]; then : >/dev/log; mount --bind \"$1\" /dev/log; fi; shift; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c", script, "sh"]);
    command.arg(socket.unwrap_or(Path::new(""))).arg(oci_hook()).args(arguments);
    finish(command.env("TZ", "UTC"))
}

/// The message without its time, which has a fixed length: `Nov 25 00:03:07`.
fn without_time(message: &[u8]) -> String {
    let text = String::from_utf8(message.to_vec()).expect("text");
    let (priority, rest) = text.split_once('>').expect("<priority>");
    let (time, rest) = rest.split_at("Nov 25 00:03:07 ".len());
    let colons = time.match_indices(':').map(|(at, _)| at).collect::<Vec<_>>();
    assert_eq!((colons, &time[15..]), (vec![9, 12], " "), "{text}");
    format!("{priority}>{rest}")
}

/// A daemon files a message by its priority and its tag; what is quoted must not start a line of its own.
#[test]
fn a_fatal_error_arrives_with_priority_tag_and_pid_as_one_line() {
    privileged!();
    let folder = scratch();
    let path = folder.path().join("log");
    let daemon = UnixDatagram::bind(&path).unwrap();
    daemon.set_read_timeout(Some(Duration::from_secs(60))).unwrap();

    let hook = hook(Some(&path), &["word\n<0>kernel: panic %s"]);
    assert_eq!(hook.code(), 1, "{hook:?}");
    let mut message = [0; 4096];
    let length = daemon.recv(&mut message).unwrap();
    // user (1 << 3) and crit (2)
    let expected = format!(
        "<10>oci-seccomp-bpf-hook[{}]: Unsupported arguments: {} word\\n<0>kernel: panic %s: please refer to the \
         syslog (e.g., journalctl(1)) for more details",
        hook.pid,
        oci_hook().display()
    );
    assert_eq!(without_time(&message[..length]), expected);
    let (_, text) = expected.split_once(": ").expect("tag: text");
    assert_eq!(hook.stderr, format!("oci-seccomp-bpf-hook: {text}\n"), "the same on standard error");
    daemon.set_nonblocking(true).unwrap();
    assert!(daemon.recv(&mut message).is_err(), "one message");
}

/// What a hook file's flag is wrong about is no crash: err (3).
#[test]
fn a_wrong_flag_is_logged_too() {
    privileged!();
    let folder = scratch();
    let path = folder.path().join("log");
    let daemon = UnixDatagram::bind(&path).unwrap();
    daemon.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let hook = hook(Some(&path), &["-nonsense"]);
    assert_eq!(hook.code(), 2, "{hook:?}");
    let mut message = [0; 4096];
    let length = daemon.recv(&mut message).unwrap();
    let expected =
        format!("<11>oci-seccomp-bpf-hook[{}]: flag provided but not defined: -nonsense", hook.pid);
    assert_eq!(without_time(&message[..length]), expected);
}

/// In containers and minimal systems there is none; a socket whose daemon has died is as none.
#[test]
fn without_a_syslog_the_error_is_on_standard_error_alone() {
    privileged!();
    let folder = scratch();
    let dead = folder.path().join("dead");
    drop(UnixDatagram::bind(&dead).unwrap());
    assert!(fs::exists(&dead).unwrap());
    for socket in [None, Some(dead.as_path())] {
        let hook = hook(socket, &[]);
        assert_eq!(hook.code(), 1, "{hook:?}");
        assert!(hook.stderr.contains("Unsupported arguments"), "{}", hook.stderr);
        assert_eq!(hook.stderr.lines().count(), 1, "{}", hook.stderr);
    }
}
