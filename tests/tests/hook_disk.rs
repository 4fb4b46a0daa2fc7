//! Where the profile cannot be written the container is unharmed, what was there before stays, and the log says why.

use std::fs;
use std::path::{Path, PathBuf};

use seccomp_trace_tests::podman::{of, traced};
use seccomp_trace_tests::{
    Entry, OLD_PROFILE, Podman, ProfileFile, calls, finish, read_recording, with_each_runtime, workload,
};

with_each_runtime!(
    a_full_file_system_costs_the_new_profile_alone,
    a_directory_that_became_read_only_costs_the_new_profile_alone,
    a_directory_that_was_removed_costs_the_new_profile_alone,
    a_file_system_that_was_full_before_the_start_is_no_worse,
    a_link_is_written_through,
    mode_and_owner_of_an_existing_file_are_kept,
    a_file_that_is_mounted_is_written_through,
);

/// Ends with 7 of its own accord when it is stopped.
const SERVICE: &str = "trap 'exit 7' TERM; ls /; echo up; while true; do sleep 0.1; done";

/// A file system of its own, so small that it is soon full, seen from inside podman's namespace alone.
fn small(podman: &Podman) -> PathBuf {
    let small = podman.path("small");
    fs::create_dir(&small).expect("a folder in a folder of ours");
    let mut mount = podman.inside("mount");
    drop(finish(mount.args(["-t", "tmpfs", "-o", "size=64k,nr_inodes=16", "none"]).arg(&small)).success());
    podman.outside(&small)
}

/// Fills it to the last byte.
fn fill(small: &Path) {
    let error = fs::write(small.join("filler"), vec![b'x'; 1 << 20]).expect_err("it is small");
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
}

/// Runs a service that is traced into `file`, spoils that place while it runs, and stops the service: it must not have
/// felt any of it. The log must say `why`, as an error.
fn spoiled(podman: &Podman, file: &Path, why: &str, spoil: impl FnOnce()) {
    podman.detach("service", &["--annotation", &traced(&of(file))], &["sh", "-c", SERVICE]);
    podman.wait_for_line("service", "up");
    spoil();
    drop(podman.podman(&["exec", "service", "ls", "/"]).success());
    drop(podman.podman(&["stop", "-t", "120", "service"]).success());
    let ended = podman.podman(&["wait", "service"]).success();
    assert_eq!(ended.stdout.trim(), "7", "the container was harmed");
    reported(podman, file, why);
}

fn reported(podman: &Podman, file: &Path, why: &str) {
    let entries = podman.log().entries();
    let file = file.display().to_string();
    let says = |entry: &Entry| {
        entry.priority <= Entry::ERR && entry.text.contains(&file) && entry.text.contains(why)
    };
    assert!(entries.iter().any(says), "not a word of {file:?} and {why:?}: {entries:#?}");
    let kept: Vec<_> = entries.iter().filter_map(|entry| kept_recording(&entry.text)).collect();
    let [kept] = &kept[..] else { panic!("not one recording was kept: {entries:#?}") };
    let recorded = workload(&read_recording(kept));
    fs::remove_file(kept).expect("a file of ours");
    assert!(recorded.is_superset(&calls(["getdents64"])), "{recorded:?}");
}

/// The path that the log names, of what was recorded and could not be written where it was to go.
fn kept_recording(text: &str) -> Option<PathBuf> {
    let (path, _) = text.strip_prefix("the recording is kept in ")?.split_once(';')?;
    Some(PathBuf::from(path))
}

/// Nothing is left but what was there.
fn untouched(podman: &Podman, folder: &Path, file: &Path, expected: &[&str]) {
    assert_eq!(fs::read_to_string(file).expect("the old profile"), OLD_PROFILE);
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    assert_eq!(names, expected);
    podman.left(&[]).nothing();
}

fn a_full_file_system_costs_the_new_profile_alone(runtime: &str) {
    let podman = Podman::new(runtime);
    let small = small(&podman);
    fs::write(small.join("old.json"), OLD_PROFILE).expect("a file of ours");
    spoiled(&podman, &podman.path("small/old.json"), "No space left on device", || fill(&small));
    untouched(&podman, &small, &small.join("old.json"), &["filler", "old.json"]);
}

fn a_directory_that_became_read_only_costs_the_new_profile_alone(runtime: &str) {
    let podman = Podman::new(runtime);
    let small = small(&podman);
    fs::write(small.join("old.json"), OLD_PROFILE).expect("a file of ours");
    spoiled(&podman, &podman.path("small/old.json"), "Read-only file system", || {
        let mut mount = podman.inside("mount");
        drop(finish(mount.args(["-o", "remount,ro"]).arg(podman.path("small"))).success());
    });
    untouched(&podman, &small, &small.join("old.json"), &["old.json"]);
}

fn a_directory_that_was_removed_costs_the_new_profile_alone(runtime: &str) {
    let podman = Podman::new(runtime);
    let folder = podman.path("removed");
    fs::create_dir(&folder).expect("a folder in a folder of ours");
    spoiled(&podman, &folder.join("new.json"), "", || {
        fs::remove_dir(&folder).expect("an empty folder of ours");
    });
    assert!(!folder.exists(), "nobody asked for it to be made anew");
    podman.left(&[]).nothing();
}

/// That there is no space says nothing about the container.
fn a_file_system_that_was_full_before_the_start_is_no_worse(runtime: &str) {
    let podman = Podman::new(runtime);
    let small = small(&podman);
    fs::write(small.join("old.json"), OLD_PROFILE).expect("a file of ours");
    fill(&small);
    let file = podman.path("small/old.json");
    drop(podman.trace(&of(&file), &[], &["ls", "/"]).success());
    reported(&podman, &file, "No space left on device");
    untouched(&podman, &small, &small.join("old.json"), &["filler", "old.json"]);
}

/// The link is somebody's decision; its target is the profile.
fn a_link_is_written_through(runtime: &str) {
    let podman = Podman::new(runtime);
    let (link, target) = (podman.out("link.json"), podman.out("target.json"));
    std::os::unix::fs::symlink("target.json", &link).expect("a link in a folder of ours");
    fs::write(&target, OLD_PROFILE).expect("a file in a folder of ours");
    drop(podman.trace(&of(&link), &[], &["ls", "/"]).success());
    assert!(link.is_symlink());
    assert!(ProfileFile::read(&target).workload_has(&["getdents64"]));
    podman.left(&["link.json", "target.json"]).nothing();
}

fn mode_and_owner_of_an_existing_file_are_kept(runtime: &str) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let podman = Podman::new(runtime);
    let file = podman.out("mine.json");
    fs::write(&file, OLD_PROFILE).expect("a file in a folder of ours");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("the mode of a file of ours");
    chown(&file, Some(1234), Some(5678)).expect("the owner of a file of ours");
    drop(podman.trace(&of(&file), &[], &["ls", "/"]).success());
    assert!(podman.profile("mine.json").workload_has(&["getdents64"]));
    let kept = fs::metadata(&file).expect("the file");
    assert_eq!((kept.mode() & 0o7777, kept.uid(), kept.gid()), (0o640, 1234, 5678));
}

/// A mount point cannot be replaced, only be written to.
fn a_file_that_is_mounted_is_written_through(runtime: &str) {
    let podman = Podman::new(runtime);
    let (file, point) = (podman.path("elsewhere.json"), podman.out("point.json"));
    fs::write(&file, OLD_PROFILE).expect("a file in a folder of ours");
    fs::write(&point, "").expect("a file in a folder of ours");
    drop(finish(podman.inside("mount").arg("--bind").args([&file, &point])).success());
    drop(podman.trace(&of(&point), &[], &["ls", "/"]).success());
    assert!(ProfileFile::read(&file).workload_has(&["getdents64"]));
    assert_eq!(fs::read_to_string(&point).expect("the file below"), "");
    podman.left(&["point.json"]).nothing();
}
