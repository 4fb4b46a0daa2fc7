//! The files that tell podman where everything of one test is.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// The version of the hook file's own form.
const HOOK_FILE: &str = "1.0.0";
const ANNOTATION: &str = r"^io\.containers\.trace-syscall$";

/// containers.conf and storage.conf, with all state below `folder`.
pub(super) fn write_configuration(folder: &Path, runtime: &str) {
    let at = |name: &str| folder.join(name).display().to_string();
    // Limits cannot be raised everywhere: podman's own would need CAP_SYS_RESOURCE. Locks in files are this
    // environment's own; the ones in shared memory are all environments', and a first podman frees them.
    let containers = format!(
        r#"[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
log_driver = "k8s-file"
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
    let storage = format!(
        "[storage]\ndriver = \"overlay\"\ngraphroot = \"{}\"\nrunroot = \"{}\"\n",
        at("graph"),
        at("run")
    );
    fs::write(folder.join("containers.conf"), containers).expect("a file in a folder of ours");
    fs::write(folder.join("storage.conf"), storage).expect("a file in a folder of ours");
    fs::create_dir_all(folder.join("hooks.d")).expect("a folder in a folder of ours");
}

/// The hook file of the hook under test.
pub(super) fn write_hook_file(folder: &Path, hook: &Path, arguments: &[String], stages: &[&str]) {
    let mut args = vec!["oci-seccomp-bpf-hook".to_owned()];
    args.extend_from_slice(arguments);
    write_hook(
        folder,
        "oci-seccomp-bpf-hook",
        hook,
        &args,
        &json!({ "annotations": { ANNOTATION: ".*" } }),
        stages,
    );
}

/// A hook file of any program.
pub(super) fn write_hook(
    folder: &Path,
    name: &str,
    path: &Path,
    args: &[String],
    when: &Value,
    stages: &[&str],
) {
    let file = json!({
        "version": HOOK_FILE,
        "hook": { "path": path, "args": args },
        "when": when,
        "stages": stages,
    });
    let path = folder.join("hooks.d").join(format!("{name}.json"));
    fs::write(path, file.to_string()).expect("a file in a folder of ours");
}
