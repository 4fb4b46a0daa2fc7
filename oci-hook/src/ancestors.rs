//! Whose child this process is.

use std::fs;

use seccomp_trace_core::Tgid;

/// More generations than there are between a hook and the first process.
const GENERATIONS: usize = 64;

/// Whether `process` is this one, or a parent, or a parent's parent, …: it runs the hook, so it does not wait in a
/// container for the hook's end.
pub(crate) fn are_or_include(process: Tgid) -> bool {
    let line = std::iter::successors(Some(Tgid(std::process::id())), |child| parent(*child));
    line.take(GENERATIONS).any(|one| one == process)
}

fn parent(process: Tgid) -> Option<Tgid> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()?;
    (parent != 0).then_some(Tgid(parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_run_the_hook_and_children_do_not() {
        let parent = u32::try_from(nix::unistd::getppid().as_raw()).unwrap();
        assert!(are_or_include(Tgid(std::process::id())) && are_or_include(Tgid(parent)));
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        assert!(!are_or_include(Tgid(child.id())));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
