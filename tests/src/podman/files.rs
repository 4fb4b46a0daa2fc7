//! The files that tell podman where everything of one test is.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// containers.conf and storage.conf, with all state below `folder`.
pub(super) fn write_configuration(folder: &Path, runtime: &str) {
    let at = |name: &str| folder.join(name).display().to_string();
    // Limits cannot be raised everywhere: podman's own would need CAP_SYS_RESOURCE, and a controller for pids. Locks in files are this
    // environment's own; the ones in shared memory are all environments', and a first podman frees them.
    let containers = format!(
        r#"[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
log_driver = "k8s-file"
pids_limit = 0
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
hooks_dir = ["{hooks}"]
lock_type = "file"
runtime = "{runtime}"
tmp_dir = "{tmp}"
[network]
network_config_dir = "{networks}"
"#,
        hooks = at("hooks.d"),
        tmp = at("tmp"),
        networks = at("networks"),
    );
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    let driver = if known.lines().any(|line| line.ends_with("\toverlay")) { "overlay" } else { "vfs" };
    let storage = format!(
        "[storage]\ndriver = \"{driver}\"\ngraphroot = \"{}\"\nrunroot = \"{}\"\n",
        at("graph"),
        at("run")
    );
    fs::write(folder.join("containers.conf"), containers).expect("a file in a folder of ours");
    fs::write(folder.join("storage.conf"), storage).expect("a file in a folder of ours");
    fs::create_dir_all(folder.join("hooks.d")).expect("a folder in a folder of ours");
}

/// A hook file: what it names is executed, with these arguments more.
pub(super) fn write_hook(folder: &Path, name: &str, file: &Value, hook: &Path, arguments: &[String]) {
    let mut file = file.clone();
    file["hook"]["path"] = json!(hook);
    let args = file["hook"]["args"].as_array_mut().expect("the arguments are a list");
    args.extend(arguments.iter().map(|argument| json!(argument)));
    let path = folder.join("hooks.d").join(format!("{name}.json"));
    fs::write(path, file.to_string()).expect("a file in a folder of ours");
}

/// The hook files that `make install` puts beside each other.
pub(super) fn ours() -> Vec<Value> {
    let files = [
        include_str!("../../../dist/oci-seccomp-bpf-hook.json"),
        include_str!("../../../dist/oci-seccomp-bpf-hook2.json"),
    ];
    files.iter().map(|text| serde_json::from_str(text).expect("a hook file is JSON")).collect()
}

/// The hook file of the program that ours takes the place of.
pub(super) fn upstreams() -> Vec<Value> {
    vec![json!({
        "version": "1.0.0",
        "hook": { "path": "", "args": ["oci-seccomp-bpf-hook", "-s"] },
        "when": { "annotations": { "^io\\.containers\\.trace-syscall$": ".*" } },
        "stages": ["prestart"],
    })]
}

/// The hook file of somebody else, for every container: a shell that reads the State and becomes the command.
///
/// Debian 12's crun fails the container where a hook ends before the State was written to it (containers/crun#1551).
pub(super) fn others(command: &[&str], stages: &[&str]) -> Value {
    let args = [&["sh", "-c", r#"cat > /dev/null; exec "$0" "$@""#], command].concat();
    json!({
        "version": "1.0.0",
        "hook": { "path": "", "args": args },
        "when": { "always": true },
        "stages": stages,
    })
}
