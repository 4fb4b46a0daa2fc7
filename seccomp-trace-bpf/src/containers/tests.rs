use std::fs;
use std::path::Path;

use super::places::configured_graph_root;
use super::*;

/// A root with the files of every engine. `init` is the process that all containers say they have.
fn root(init: u32, start_time: u64) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: String| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let runc = format!(
        r#"{{"id":"x","init_process_pid":{init},"init_process_start":{start_time},"cgroup_paths":{{}}}}"#
    );
    let crun =
        format!(r#"{{"pid":{init},"process-start-time":{start_time},"cgroup-path":"/c","bundle":"/b"}}"#);
    write("run/crun/aa11/status", crun.clone());
    write("run/crun/aa22/status", crun.clone());
    write("run/user/1000/crun/bb11/status", crun);
    write("run/runc/plain/state.json", runc.clone());
    write("run/docker/runtime-runc/moby/dd11/state.json", runc.clone());
    write("run/containerd/runc/k8s.io/cc11/state.json", runc);
    write("run/runc/damaged/state.json", "{".to_owned());
    write(
        "var/lib/containers/storage/overlay-containers/containers.json",
        r#"[{"id":"aa11","names":["web","aa22"],"image":"sha","layer":"l"},{"id":"ee11","names":["stopped"]}]"#.to_owned(),
    );
    write(
        "var/lib/docker/containers/dd11/config.v2.json",
        r#"{"ID":"dd11","Name":"/db","Image":"sha256:1","State":{"Pid":1}}"#.to_owned(),
    );
    root
}

fn this() -> (u32, u64) {
    let pid = std::process::id();
    (pid, proc::start_time(pid).unwrap())
}

fn find(root: &Path, wanted: &str) -> Result<Found, ContainerError> {
    Places::below(root, None).find(wanted)
}

/// As each engine's own commands take them.
#[test]
fn a_container_is_found_by_id_name_and_the_beginning_of_its_id() {
    let (pid, start) = this();
    let root = root(pid, start);
    for (wanted, id, runtime, image) in [
        ("aa11", "aa11", "crun", Some("sha")),
        ("web", "aa11", "crun", Some("sha")),
        // An id comes before a name.
        ("aa22", "aa22", "crun", None),
        ("b", "bb11", "crun", None),
        ("plain", "plain", "runc", None),
        ("db", "dd11", "runc", Some("sha256:1")),
        ("cc", "cc11", "runc", None),
    ] {
        let found = find(root.path(), wanted).unwrap_or_else(|error| panic!("{wanted}: {error}"));
        let expected = Found {
            id: id.to_owned(),
            image: image.map(str::to_owned),
            runtime: runtime.to_owned(),
            init: Tgid(pid),
        };
        assert_eq!(found, expected, "{wanted}");
    }
}

/// A process that has the number of a dead init must not be taken for it.
#[test]
fn what_does_not_run_or_is_not_clear_is_refused_with_a_remedy() {
    let (pid, start) = this();
    let refused = |root: &tempfile::TempDir, wanted: &str| find(root.path(), wanted).unwrap_err().to_string();
    let living = root(pid, start);
    assert!(refused(&living, "aa").contains("aa11, aa22; give more"), "{}", refused(&living, "aa"));
    assert!(refused(&living, "nobody").contains("podman ps"));
    assert!(refused(&living, "").contains("no running container"));
    assert!(refused(&living, "stopped").contains("ee11 is not running"));
    assert!(refused(&living, "damaged").contains("state.json"));
    let reused = root(pid, start + 1);
    assert!(refused(&reused, "web").contains("not running"));
}

#[test]
fn the_graph_root_is_read_from_storage_conf() {
    let text =
        "[storage]\n# graphroot = \"/no\"\ndriver = \"overlay\"\ngraphroot = \"/data/storage\" # here\n";
    assert_eq!(configured_graph_root(text).as_deref(), Some(Path::new("/data/storage")));
    assert_eq!(configured_graph_root("[storage]\ndriver = \"vfs\"\n"), None);
}
