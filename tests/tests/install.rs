//! `scripts/install.sh`, which `make install` and `make uninstall` run: what lies where afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use seccomp_trace_tests::{Finished, finish, oci_hook, scratch, seccomp_trace};
use serde_json::{Value, json};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the repository")
}

/// `install.sh ARGUMENTS` with both variables.
fn script(prefix: &str, destdir: &Path, arguments: &[&str]) -> Finished {
    let script = repository().join("scripts/install.sh");
    finish(
        Command::new(script).args(arguments).env("PREFIX", prefix).env("DESTDIR", destdir).env("LC_ALL", "C"),
    )
}

/// The same where it must succeed; what it printed.
fn succeeds(prefix: &str, destdir: &Path, arguments: &[&str]) -> String {
    script(prefix, destdir, arguments).success().stdout
}

/// A folder with both programs, as a build leaves them.
fn binaries(folder: &Path) -> String {
    let binaries = folder.join("built");
    fs::create_dir(&binaries).expect("a folder of ours");
    for program in [seccomp_trace(), oci_hook()] {
        let name = program.file_name().expect("a program");
        std::os::unix::fs::symlink(&program, binaries.join(name)).expect("a link in it");
    }
    binaries.into_os_string().into_string().expect("UTF-8")
}

/// Every file below a folder, with its mode.
fn files(folder: &Path) -> BTreeMap<PathBuf, u32> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry of the folder").path();
        if path.is_dir() {
            found.append(&mut files(&path));
        } else {
            let mode = fs::symlink_metadata(&path).expect("its mode").permissions().mode() & 0o7777;
            found.insert(path, mode);
        }
    }
    found
}

const HOOK_FILE: &str = "share/containers/oci/hooks.d/oci-seccomp-bpf-hook.json";
const AGAIN_FILE: &str = "share/containers/oci/hooks.d/oci-seccomp-bpf-hook2.json";
const HOOK: &str = "libexec/oci/hooks.d/oci-seccomp-bpf-hook";
const PAGE: &str = "share/man/man1/oci-seccomp-bpf-hook.1";

/// What is generated from the definition of the command line, where it is installed.
fn generated() -> Vec<String> {
    let folder = scratch();
    let _ = finish(Command::new(seccomp_trace()).arg("documents").arg(folder.path())).success();
    let pages = files(&folder.path().join("man1")).into_keys();
    let pages = pages.map(|page| page.file_name().expect("a page").to_string_lossy().into_owned());
    let completions = [
        "share/bash-completion/completions/seccomp-trace",
        "share/fish/vendor_completions.d/seccomp-trace.fish",
        "share/zsh/site-functions/_seccomp-trace",
    ];
    pages.map(|page| format!("share/man/man1/{page}")).chain(completions.map(str::to_owned)).collect()
}

fn hook_file(root: &Path) -> Value {
    json_file(root, HOOK_FILE)
}

fn json_file(root: &Path, name: &str) -> Value {
    let text = fs::read_to_string(root.join(name)).expect("the hook file");
    serde_json::from_str(&text).expect("JSON")
}

/// Engines skip a hook file that they may not read, and fail on a hook that they may not run.
#[test]
fn everything_lies_where_engines_look_with_its_mode() {
    let folder = scratch();
    let built = binaries(folder.path());
    for prefix in ["/usr", "/opt/seccomp-trace-1.0"] {
        let destdir = folder.path().join(prefix.trim_start_matches('/').replace('/', "-"));
        let installed = succeeds(prefix, &destdir, &["install", &built]);
        let root = destdir.join(prefix.trim_start_matches('/'));
        let expected = [
            (HOOK_FILE, 0o644),
            (AGAIN_FILE, 0o644),
            (HOOK, 0o755),
            (PAGE, 0o644),
            ("bin/seccomp-trace", 0o755),
        ];
        let made = generated().into_iter().map(|name| (root.join(name), 0o644));
        let expected = expected.map(|(name, mode)| (root.join(name), mode)).into_iter().chain(made);
        assert_eq!(files(&destdir), expected.collect());
        assert_eq!(fs::read(root.join(HOOK)).unwrap(), fs::read(oci_hook()).unwrap());
        assert_eq!(fs::read(root.join("bin/seccomp-trace")).unwrap(), fs::read(seccomp_trace()).unwrap());

        let again = json_file(&root, AGAIN_FILE);
        assert_eq!(again["hook"]["path"], format!("{prefix}/{HOOK}"));
        assert_eq!(again["stages"], json!(["poststop"]));
        let hook = hook_file(&root);
        assert_eq!(hook["version"], "1.0.0");
        assert_eq!(hook["hook"]["path"], format!("{prefix}/{HOOK}"), "the path without DESTDIR");
        assert_eq!(hook["hook"]["args"], json!(["oci-seccomp-bpf-hook", "-s", "--poststop"]));
        assert_eq!(hook["stages"], json!(["prestart", "poststop"]));
        assert_eq!(hook["when"], json!({"annotations": {"^io\\.containers\\.trace-syscall$": ".*"}}));
        let told = installed.contains("hooks_dir = [");
        assert_eq!(told, prefix != "/usr", "how podman finds it elsewhere: {installed}");
    }
}

#[test]
fn installing_again_replaces_and_uninstalling_leaves_nothing() {
    let folder = scratch();
    let built = binaries(folder.path());
    let destdir = folder.path().join("root");
    succeeds("/usr", &destdir, &["install", &built]);
    let root = destdir.join("usr");
    fs::write(root.join(HOOK), "an older one").unwrap();
    fs::write(root.join(HOOK_FILE), r#"{"hook": {"args": ["oci-seccomp-bpf-hook", "-s"]}}"#).unwrap();

    succeeds("/usr", &destdir, &["install", &built]);
    assert_eq!(files(&destdir).len(), 5 + generated().len());
    assert_eq!(fs::read(root.join(HOOK)).unwrap(), fs::read(oci_hook()).unwrap());
    assert_eq!(hook_file(&root)["stages"], json!(["prestart", "poststop"]));

    succeeds("/usr", &destdir, &["uninstall"]);
    assert_eq!(files(&destdir), BTreeMap::new());
    assert!(!root.join("libexec/oci").exists() && !root.join("share/containers/oci").exists());
    succeeds("/usr", &destdir, &["uninstall"]);
}

/// Root's umask can be strict, and the manual page and the command are for everybody.
#[test]
fn everybody_can_reach_what_is_installed_whatever_the_umask() {
    let folder = scratch();
    let built = binaries(folder.path());
    let destdir = folder.path().join("root");
    let line = format!("umask 077; {}/scripts/install.sh install {built}", repository().display());
    let mut shell = Command::new("sh");
    let installed = finish(shell.args(["-c", &line]).env("PREFIX", "/usr").env("DESTDIR", &destdir));
    assert_eq!(installed.code(), 0, "{installed:?}");
    for file in [HOOK_FILE, HOOK, PAGE, "bin/seccomp-trace"] {
        for folder in
            destdir.join("usr").join(file).ancestors().skip(1).take_while(|path| *path != folder.path())
        {
            let mode = fs::metadata(folder).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o755, "{}", folder.display());
        }
    }
}

/// Other hooks live in the same folders.
#[test]
fn what_others_have_installed_stays() {
    let folder = scratch();
    let built = binaries(folder.path());
    let destdir = folder.path().join("root");
    succeeds("/usr", &destdir, &["install", &built]);
    let others = ["share/containers/oci/hooks.d/other.json", "libexec/oci/hooks.d/other", "bin/other"];
    for name in others {
        fs::write(destdir.join("usr").join(name), "").unwrap();
    }
    succeeds("/usr", &destdir, &["uninstall"]);
    let left: Vec<_> = files(&destdir).into_keys().collect();
    let mut expected = others.map(|name| destdir.join("usr").join(name));
    expected.sort();
    assert_eq!(left, expected);
}

/// To replace them would silently let annotations name any file.
#[test]
fn a_hook_file_with_the_administrators_options_is_kept() {
    let folder = scratch();
    let built = binaries(folder.path());
    let destdir = folder.path().join("root");
    succeeds("/usr", &destdir, &["install", &built]);
    let file = destdir.join("usr").join(HOOK_FILE);
    let edited = fs::read_to_string(&file).unwrap().replace("\"--poststop\"", "\"--allow-dir\", \"/srv\"");
    fs::write(&file, &edited).unwrap();
    let again = succeeds("/usr", &destdir, &["install", &built]);
    assert_eq!(fs::read_to_string(&file).unwrap(), edited);
    assert!(again.contains("kept"), "{}", again);
}

/// Without the binaries nothing could write the profiles of containers that run, nor free what is pinned for them.
#[test]
fn uninstalling_finishes_what_is_traced_first_and_stops_where_that_fails() {
    let folder = scratch();
    let built = binaries(folder.path());
    let prefix = folder.path().join("prefix");
    let prefix = prefix.to_str().expect("UTF-8");
    let root = Path::new(prefix);
    succeeds(prefix, Path::new(""), &["install", &built]);
    let command = root.join("bin/seccomp-trace");
    let stand_in = |status: u8| {
        let text = format!(
            "#!/bin/sh\necho \"$@\" >>{prefix}/calls\n[ -e {prefix}/{HOOK} ] && [ ! -e {prefix}/{HOOK_FILE} ] || exit 9\nexit {status}\n"
        );
        fs::write(&command, text).unwrap();
    };

    stand_in(1);
    let failed = script(prefix, Path::new(""), &["uninstall"]);
    assert_eq!(failed.code(), 1, "{failed:?}");
    assert!(failed.stderr.contains("could be finished"), "{}", failed.stderr);
    assert!(root.join(HOOK).exists() && command.exists(), "the binaries stay");
    assert!(!root.join(HOOK_FILE).exists(), "no further container is traced");

    stand_in(0);
    succeeds(prefix, Path::new(""), &["uninstall"]);
    assert_eq!(fs::read_to_string(root.join("calls")).unwrap(), "cleanup --all\ncleanup --all\n");
    assert_eq!(files(root).into_keys().collect::<Vec<_>>(), [root.join("calls")]);
}

#[test]
fn what_cannot_be_installed_is_refused_before_anything_is_written() {
    let folder = scratch();
    let built = binaries(folder.path());
    let destdir = folder.path().join("root");
    let empty = folder.path().to_str().expect("UTF-8");
    for (prefix, arguments, status, named) in [
        ("usr", &["install", &built][..], 2, "absolute"),
        ("/usr|x", &["install", &built], 2, "/usr|x"),
        ("/usr", &["install", empty], 1, "not built"),
        ("/usr", &["nonsense"], 2, "usage"),
        ("/usr", &[], 2, "usage"),
    ] {
        let refused = script(prefix, &destdir, arguments);
        assert_eq!(refused.code(), status, "{prefix} {arguments:?}: {refused:?}");
        assert!(refused.stderr.contains(named), "{prefix} {arguments:?}: {}", refused.stderr);
        assert!(!destdir.exists());
    }
}

/// A flag that is not in the manual does not exist for most, and one that is only there does not exist at all.
#[test]
fn the_manual_page_has_the_flags_that_the_hook_has() {
    let page =
        fs::read_to_string(repository().join("dist/oci-seccomp-bpf-hook.1")).unwrap().replace('\\', "");
    let usage = finish(Command::new(oci_hook()).arg("-h")).success().stderr;
    let flags: Vec<_> = usage
        .lines()
        .filter_map(|line| line.trim().split(' ').next())
        .filter(|word| word.starts_with('-'))
        .collect();
    assert_eq!(flags.len(), 11, "{usage}");
    let headings: Vec<_> = page
        .split(".TP\n")
        .skip(1)
        .filter_map(|item| item.lines().next()?.split(' ').nth(1))
        .filter(|word| word.starts_with('-'))
        .collect();
    assert_eq!(headings, flags);
}
