//! Programs that the kernel may skip for a task, because another one was preempted in them on that CPU.

use std::os::fd::AsFd;

use libbpf_rs::{Link, ProgramHandle, ProgramMut};

use crate::Error;
use crate::libbpf::{load_error, recursion_misses};

/// A program, and where there is one a second that does the same where the first was skipped.
pub(crate) struct Spared {
    pub(crate) name: &'static str,
    pub(crate) program: ProgramHandle,
    pub(crate) spare: Option<ProgramHandle>,
}

impl Spared {
    /// An attached program that nothing stands in for.
    pub(crate) fn of(name: &'static str, program: &ProgramMut<'_>) -> Result<Self, Error> {
        Ok(Self { name, program: handle(program)?, spare: None })
    }

    /// Attaches a program that nothing stands in for.
    pub(crate) fn alone(name: &'static str, program: &ProgramMut<'_>) -> Result<(Self, Link), Error> {
        let link = program.attach_trace().map_err(|source| Error::Attach { program: name, source })?;
        Ok((Self::of(name, program)?, link))
    }

    /// Attaches a program to its perf tracepoint, if that is where the kernel would not preempt it: it was loaded
    /// then. It costs more there and needs tracefs; where that is not mounted `program` is attached, and misses are
    /// counted as what they are: losses.
    pub(crate) fn unpreempted(
        name: &'static str,
        perf: &ProgramMut<'_>,
        program: &ProgramMut<'_>,
    ) -> Result<(Self, Link), Error> {
        if perf.autoload()
            && let Ok(link) = perf.attach()
        {
            return Ok((Self::of(name, perf)?, link));
        }
        Self::alone(name, program)
    }

    /// Attaches a program, and after it the spare one if that was loaded. One that needs tracefs is done without where
    /// that is not mounted.
    pub(crate) fn attach(
        name: &'static str,
        program: &ProgramMut<'_>,
        spare: &ProgramMut<'_>,
    ) -> Result<(Self, Vec<Link>), Error> {
        let (mut attached, link) = Self::alone(name, program)?;
        let mut links = vec![link];
        if spare.autoload()
            && let Ok(link) = spare.attach()
        {
            attached.spare = Some(handle(spare)?);
            links.push(link);
        }
        Ok((attached, links))
    }

    /// The names of both, as they are pinned and written down.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> + use<> {
        [self.name.to_owned(), spare_name(self.name)].into_iter().take(1 + usize::from(self.spare.is_some()))
    }

    /// How often neither may have run, at most: each was skipped at least that often. The difference of two of these
    /// is at least what was lost between them.
    pub(crate) fn misses(&self) -> Result<u64, Error> {
        let misses = recursion_misses(self.program.as_fd())?;
        match &self.spare {
            Some(spare) if misses != 0 => Ok(misses.min(recursion_misses(spare.as_fd())?)),
            _ => Ok(misses),
        }
    }
}

/// What the spare one of a program is called.
pub(crate) fn spare_name(name: &str) -> String {
    format!("{name}_spare")
}

fn handle(program: &ProgramMut<'_>) -> Result<ProgramHandle, Error> {
    ProgramHandle::try_from(program).map_err(load_error)
}

/// Whether any was skipped, though a spare one may have run. What a spare does may come later.
pub(crate) fn any(programs: &[Spared]) -> Result<bool, Error> {
    let mut skipped = programs.iter().map(|program| recursion_misses(program.program.as_fd()));
    skipped.try_fold(false, |any, misses| Ok(any || misses? != 0))
}

/// The misses of all.
pub(crate) fn misses(programs: &[Spared]) -> Result<u64, Error> {
    programs.iter().try_fold(0, |sum, program| Ok(sum + program.misses()?))
}
