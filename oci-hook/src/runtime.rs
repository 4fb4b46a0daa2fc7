//! Which OCI runtime has started a hook. Between installing the filter and starting the program each runtime makes
//! calls of its own, and the profile must allow those.

use std::fs;
use std::path::Path;

use nix::unistd::Pid;

/// An OCI runtime that is known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OciRuntime {
    Crun,
    Runc,
    Youki,
}

impl OciRuntime {
    const ALL: [Self; 3] = [Self::Crun, Self::Runc, Self::Youki];

    /// The name, as a recording states it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crun => "crun",
            Self::Runc => "runc",
            Self::Youki => "youki",
        }
    }

    /// The runtime of the process that started this one.
    pub(crate) fn of_parent() -> Option<Self> {
        of_process(nix::unistd::getppid())
    }
}

fn of_process(process: Pid) -> Option<OciRuntime> {
    let folder = Path::new("/proc").join(process.to_string());
    let program = fs::read_link(folder.join("exe")).ok();
    let comm = fs::read_to_string(folder.join("comm")).ok();
    recognise(program.as_deref(), comm.as_deref().map(str::trim_end))
}

/// Recognises a runtime by the path of its executable (the link `exe` of a process) or else by its name (`comm`).
/// Both are needed: crun runs a sealed copy of itself, whose path says nothing.
pub(crate) fn recognise(program: Option<&Path>, comm: Option<&str>) -> Option<OciRuntime> {
    program.and_then(Path::to_str).and_then(of_program).or_else(|| comm.and_then(of_name))
}

fn of_program(path: &str) -> Option<OciRuntime> {
    let path = path.strip_suffix(" (deleted)").unwrap_or(path);
    // The sealed copies are called `memfd:runc_cloned:/proc/self/exe`.
    let name = match path.strip_prefix("/memfd:") {
        Some(name) => name.split(':').next()?,
        None => path.rsplit('/').next()?,
    };
    of_name(name)
}

/// The name itself, or with a version, a feature or a mark after it: `crun-1.8`, `crun-wasm`, `runc_cloned`.
fn of_name(name: &str) -> Option<OciRuntime> {
    OciRuntime::ALL.into_iter().find(|runtime| {
        let rest = name.strip_prefix(runtime.name());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_', '.']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(program: &str) -> Option<OciRuntime> {
        recognise(Some(Path::new(program)), None)
    }

    #[test]
    fn runtimes_are_recognised_by_their_executables() {
        for (path, runtime) in [
            ("/usr/bin/crun", OciRuntime::Crun),
            ("/usr/sbin/runc", OciRuntime::Runc),
            ("/usr/lib/cri-o-runc/sbin/runc", OciRuntime::Runc),
            ("/opt/youki", OciRuntime::Youki),
            ("/opt/crun-1.8.1-linux-amd64", OciRuntime::Crun),
            ("/usr/sbin/runc (deleted)", OciRuntime::Runc),
            ("/memfd:runc_cloned:/proc/self/exe (deleted)", OciRuntime::Runc),
            ("/memfd:crun_cloned:/proc/self/exe (deleted)", OciRuntime::Crun),
        ] {
            assert_eq!(of(path), Some(runtime), "{path}");
        }
    }

    /// crun 1.8 on a kernel that can mount a copy of one file: the link says `/`.
    #[test]
    fn the_name_of_the_process_tells_where_the_path_does_not() {
        assert_eq!(recognise(Some(Path::new("/")), Some("crun")), Some(OciRuntime::Crun));
        assert_eq!(recognise(None, Some("runc")), Some(OciRuntime::Runc));
        let both = recognise(Some(Path::new("/usr/bin/crun")), Some("runc"));
        assert_eq!(both, Some(OciRuntime::Crun), "the path is harder to change");
    }

    #[test]
    fn what_only_looks_like_a_runtime_is_none() {
        for path in ["/", "", "/usr/bin/podman", "/usr/bin/truncate", "/usr/bin/runcible", "/crun/bin/sh"] {
            assert_eq!(of(path), None, "{path}");
        }
        assert_eq!(recognise(None, None), None);
    }

    #[test]
    fn a_running_process_is_recognised_by_its_program() {
        let folder = tempfile::tempdir().unwrap();
        for (name, runtime) in [("crun", Some(OciRuntime::Crun)), ("other", None)] {
            let program = folder.path().join(name);
            fs::copy("/bin/cat", &program).unwrap();
            let mut child =
                std::process::Command::new(&program).stdin(std::process::Stdio::piped()).spawn().unwrap();
            let found = of_process(Pid::from_raw(child.id().try_into().unwrap()));
            drop(child.stdin.take());
            child.wait().unwrap();
            assert_eq!(found, runtime, "{name}");
        }
    }
}
