//! How denied calls fail in the replay.

use std::process::Command;

use seccomp_trace_core::{Arch, Syscall};
use seccomp_trace_tests::{finish, privileged, scratch, seccomp_trace};

/// A C library falls back from `openat2` on ENOSYS (38) alone; `mkdirat` is older than every C library, and EPERM (1) is
/// what users look for.
#[test]
fn old_calls_fail_with_eperm_and_new_ones_with_enosys() {
    privileged!();
    let folder = scratch();
    let profile = folder.path().join("profile.json");
    let native = Arch::native().expect("tests run where recording works");
    let number = |name| Syscall::from_name(native, name).expect("a call").nr.to_string();
    let script = "import ctypes, sys\nlibc = ctypes.CDLL(None, use_errno=True)\n\
                  for nr in map(int, sys.argv[1:]): print(libc.syscall(nr, -1, None, 0, 0), ctypes.get_errno())\n\
                  print('end')";
    let mut run = Command::new(seccomp_trace());
    run.args(["run", "-q", "--errno", "eperm-known", "-o"]).arg(&profile);
    let recorded = finish(run.args(["--", "python3", "-c", script])).success();
    assert_eq!(recorded.stdout, "end\n");
    let mut under = Command::new(env!("CARGO_BIN_EXE_under"));
    under.arg(&profile).args(["python3", "-c", script]).args([number("mkdirat"), number("openat2")]);
    assert_eq!(finish(&mut under).success().stdout, "-1 1\n-1 38\nend\n");
}
