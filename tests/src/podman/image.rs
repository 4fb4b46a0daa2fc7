//! The image of every container: busybox and the tracees, with the libraries that they are linked with.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::{copy_programs, finish, scratch, tracee};

/// The name of the image.
pub const IMAGE: &str = "localhost/seccomp-trace:test";

/// Makes a root file system in `root`: applets in `/bin`, tracees in `/tracees`.
pub fn unpack_rootfs(root: &Path) {
    for folder in ["bin", "dev", "etc", "proc", "sys", "tmp", "tracees"] {
        fs::create_dir_all(root.join(folder)).expect("a folder in a folder of ours");
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/:/bin/sh\n").expect("a file in a folder of ours");
    fs::write(root.join("etc/group"), "root:x:0:\n").expect("a file in a folder of ours");

    let busybox = installed("busybox");
    copy_programs(&[&busybox], &root.join("bin/busybox"));
    for applet in finish(Command::new(&busybox).arg("--list")).success().stdout.lines() {
        if applet != "busybox" {
            symlink("busybox", root.join("bin").join(applet)).expect("a link in a folder of ours");
        }
    }
    let tracees = PathBuf::from(tracee("caller"));
    let entries = fs::read_dir(tracees.parent().expect("the folder of the tracees")).expect("that folder");
    let paths = entries.map(|entry| entry.expect("an entry of that folder").path());
    let tracees: Vec<_> = paths.filter(|path| path.extension().is_none()).collect();
    copy_programs(&tracees, &root.join("tracees"));
    let libraries: BTreeSet<_> = tracees.iter().flat_map(|tracee| libraries_of(tracee)).collect();
    for library in libraries {
        let copy = root.join(library.strip_prefix("/").expect("an absolute path"));
        fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder in a folder of ours");
        copy_programs(&[&library], &copy);
    }
}

/// Imports the image into the storage that `import`, a `podman import`, uses. It is built once in a test program.
pub(super) fn import(mut import: Command) {
    static ARCHIVE: OnceLock<Vec<u8>> = OnceLock::new();
    let archive = ARCHIVE.get_or_init(|| {
        let folder = scratch();
        unpack_rootfs(folder.path());
        let tar = Command::new("tar").arg("-C").arg(folder.path()).args(["-c", "."]).output().expect("tar");
        assert!(tar.status.success(), "{tar:?}");
        tar.stdout
    });
    let mut child = import
        .args(["import", "-q", "-", IMAGE])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {import:?}: {error}"));
    let sent = child.stdin.take().expect("piped").write_all(archive);
    let output = child.wait_with_output().expect("the end of podman import");
    assert!(output.status.success() && sent.is_ok(), "podman import: {sent:?} {output:?}");
}

/// Where a program of this machine is.
pub(crate) fn installed(program: &str) -> PathBuf {
    let found = finish(Command::new("sh").args(["-c", "command -v \"$0\"", program]));
    assert!(found.status.success(), "{program} is not installed: `make deps` installs what the tests need");
    PathBuf::from(found.stdout.trim())
}

/// The shared libraries of a program and its loader; none of a static one.
fn libraries_of(program: &Path) -> Vec<PathBuf> {
    let ldd = finish(Command::new("ldd").arg(program));
    let paths =
        ldd.stdout.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    if ldd.status.success() { paths.map(PathBuf::from).collect() } else { Vec::new() }
}
