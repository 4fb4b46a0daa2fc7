//! Profiles that were recorded in containers and then generated, merged or exported: an engine takes them, containers
//! start under them, and what was not recorded is denied.

use std::fs;
use std::path::Path;
use std::process::Command;

use seccomp_trace_tests::podman::{of, options};
use seccomp_trace_tests::{Finished, Podman, finish, seccomp_trace, with_each_runtime};

with_each_runtime!(
    sockets_of_the_families_that_were_recorded_open_and_others_do_not,
    the_engine_takes_what_is_exported_merged_and_generated,
);

/// Runs the tracee under the profile in `file`.
fn sockets_under(podman: &Podman, file: &Path, families: &[&str]) -> Finished {
    let profile = format!("seccomp={}", file.display());
    podman.run(&["--security-opt", &profile], &[&["/tracees/sockets"], families].concat())
}

fn ours(words: &[&str], files: &[&Path], output: &Path) {
    let mut command = Command::new(seccomp_trace());
    drop(finish(command.args(words).args(files).arg("-o").arg(output)).success());
}

/// `AF_UNIX` is 1, `AF_INET` 2, `AF_ALG` 38. Conditions on `socket` are on unless they are turned off. 38 is also ENOSYS,
/// the errno of a denied call.
fn sockets_of_the_families_that_were_recorded_open_and_others_do_not(runtime: &str) {
    let podman = Podman::new(runtime);
    let profile = podman.out("sockets.json");
    let seen = podman.trace(&of(&profile), &[], &["/tracees/sockets", "1", "2"]).success();
    assert_eq!(seen.stdout, "1 0\n2 0\n");
    let text = fs::read_to_string(&profile).expect("a profile");
    assert!(text.contains("socket(AF_UNIX)") && text.contains("socket(AF_INET)"), "{text}");
    assert_eq!(sockets_under(&podman, &profile, &["1", "38", "2"]).success().stdout, "1 0\n38 38\n2 0\n");
}

/// Every form that an engine reads, of a recording, of what two recordings are merged to, of what a recording and the
/// engine's own default have in common, and with other answers to denied calls.
fn the_engine_takes_what_is_exported_merged_and_generated(runtime: &str) {
    let podman = Podman::new(runtime);
    let record = |name: &str, families: &[&str]| {
        let (recording, chosen) =
            (podman.out(name), options(&format!("recording={}", podman.out(name).display())));
        let command = [&["/tracees/sockets"], families].concat();
        let profile = podman.out(&format!("of-{name}"));
        drop(podman.trace(&of(&profile), &["--annotation", &chosen], &command).success());
        (recording, profile)
    };
    let ((unix, of_unix), (inet, of_inet)) = (record("unix.json", &["1"]), record("inet.json", &["2"]));
    let made = podman.out("made.json");
    let works = |what: &str, allowed: &[&str], denied: &str| {
        let found = sockets_under(&podman, &made, &[allowed, &["38"]].concat());
        let opened = allowed.iter().map(|family| format!("{family} 0\n")).collect::<String>();
        assert_eq!(found.stdout, format!("{opened}38 {denied}\n"), "{what}: {found:?}");
    };
    for format in ["oci", "docker"] {
        ours(&["export", "-q", "--format", format, "--for", runtime], &[&unix], &made);
        works(format, &["1"], "38");
    }
    ours(&["merge", "-q"], &[&of_unix, &of_inet], &made);
    works("merge", &["1", "2"], "38");
    ours(&["generate", "-q", "--errno", "eperm-known"], &[&unix, &inet], &made);
    works("eperm-known", &["1", "2"], "38");
    let default = Path::new("/usr/share/containers/seccomp.json");
    if default.exists() {
        ours(&["merge", "-q", "--intersect"], &[&of_unix, default], &made);
        // The smaller errno is the stricter: that of the engine's default.
        let found = sockets_under(&podman, &made, &["1", "2"]);
        assert!(found.stdout.starts_with("1 0\n2 "), "{found:?}");
        assert!(!found.stdout.contains("2 0"), "{found:?}");
        for format in ["oci", "docker"] {
            ours(&["export", "-q", "--format", format], &[default], &made);
            let found = sockets_under(&podman, &made, &["1", "2"]).success();
            assert_eq!(found.stdout, "1 0\n2 0\n", "{format}");
        }
    }
}
