//! The hook's command line: what it prints, and how it exits.

use std::process::Command;

use seccomp_trace_tests::{Finished, copy_programs, finish, oci_hook, privileged, root};

fn hook(arguments: &[&str]) -> Finished {
    finish(Command::new(oci_hook()).args(arguments))
}

/// The hook as an unprivileged user, who must be able to execute it.
fn unprivileged(arguments: &[&str]) -> Finished {
    let folder = seccomp_trace_tests::scratch();
    let copy = folder.path().join("oci-seccomp-bpf-hook");
    copy_programs(&[oci_hook()], &copy);
    let drop = ["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
    finish(
        Command::new("setpriv")
            .args(drop)
            .arg(&copy)
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin"),
    )
}

#[test]
fn help_is_on_standard_error_with_status_0() {
    for flag in ["-h", "--help"] {
        let help = hook(&[flag]).success();
        assert_eq!(help.stdout, "");
        assert!(
            help.stderr.starts_with("Usage of ") && help.stderr.contains("-allow-dir"),
            "{}",
            help.stderr
        );
    }
}

#[test]
fn a_wrong_flag_is_named_with_the_usage_and_status_2() {
    for (arguments, named) in [
        (&["-x"][..], "flag provided but not defined: -x"),
        (&["-s", "-o"], "flag needs an argument: -o"),
        (&["-r", "first"], "invalid value \"first\" for flag -r"),
        (&["-s=maybe"], "invalid boolean value \"maybe\" for -s"),
    ] {
        let refused = hook(arguments);
        assert_eq!(refused.code(), 2, "{refused:?}");
        assert_eq!(refused.stdout, "");
        assert!(refused.stderr.contains(named) && refused.stderr.contains("Usage of "), "{}", refused.stderr);
    }
}

#[test]
fn fatal_errors_have_status_1_one_line_and_the_known_end() {
    for (arguments, text) in [
        (&["-r", "1", "-o", "o.json"][..], "Output filepath is not absolute"),
        (&["-r", "1", "-o", "/o", "-i", "i.json"], "Input filepath is not absolute"),
        (&[], "Unsupported arguments: "),
    ] {
        let fatal = hook(arguments);
        assert_eq!(fatal.code(), 1, "{fatal:?}");
        assert_eq!(fatal.stdout, "");
        let line = fatal.stderr.strip_suffix('\n').expect("a line");
        assert!(line.starts_with(&format!("oci-seccomp-bpf-hook: {text}")), "{line}");
        let end = ": please refer to the syslog (e.g., journalctl(1)) for more details";
        assert!(line.ends_with(end) && !line.contains('\n'), "{line}");
    }
}

#[test]
fn the_version_needs_no_privileges() {
    let version = concat!(env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(hook(&["-version"]).success().stdout, version);
    if root() {
        assert_eq!(unprivileged(&["--version"]).success().stdout, version);
    }
}

/// Of a rootless engine the hook gets a State like any other, and would only find out when it loads its programs.
#[test]
fn without_privileges_of_the_host_tracing_is_refused_in_the_known_words() {
    privileged!();
    let text = "oci-seccomp-bpf-hook: running the hook requires root privileges: ";
    for arguments in [&["-s"][..], &["-r", "1", "-o", "/o.json"]] {
        let unprivileged = unprivileged(arguments);
        let rootless = finish(
            Command::new("unshare").args(["--user", "--map-root-user"]).arg(oci_hook()).args(arguments),
        );
        let configured =
            finish(Command::new(oci_hook()).args(arguments).env("_CONTAINERS_USERNS_CONFIGURED", "done"));
        for refused in [unprivileged, rootless, configured] {
            assert_eq!(refused.code(), 1, "{refused:?}");
            assert!(refused.stderr.starts_with(text), "{}", refused.stderr);
        }
    }
}
