//! From a view to the constants and tables that the programs go by. Pure.

use std::mem::{offset_of, size_of};

use seccomp_trace_core::{Length, Read, Results, Selection, Syscall, View, What, When};

use crate::skel::live::types;
use crate::wire;

/// Things that are read of one call at most.
pub(crate) const READS: usize = types::live_plan::READS;
/// Calls that a new thread returns from, with 0, without having entered them.
const FORKS: [&str; 4] = ["clone", "clone3", "fork", "vfork"];
/// Calls that end under the number of another ABI where they execute a program of it (`set_personality_ia32` of
/// `arch/x86/kernel/process_64.c`).
const EXECS: [&str; 2] = ["execve", "execveat"];

impl types::live_plan {
    const READS: usize = (size_of::<Self>() - offset_of!(Self, reads)) / size_of::<types::live_read>();
}

/// Why a view cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// More reads of a call than there is room for.
    #[error("a view can read {READS} things of one call, not {count} as of {call}")]
    TooManyReads {
        /// The call.
        call: Syscall,
        /// How many it should be.
        count: usize,
    },
    /// An argument that no call has.
    #[error("a view of {call} wants argument {arg}, and calls have arguments 0 to 5")]
    NoArgument {
        /// The call.
        call: Syscall,
        /// The argument.
        arg: u8,
    },
}

/// What the loader sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// By ABI and number.
    pub(crate) chosen: Vec<u16>,
    /// For numbers outside the table.
    pub(crate) odd_chosen: u16,
    /// The values of the map, each a `struct live_plan`.
    pub(crate) plans: Vec<Vec<u8>>,
}

/// What a view means for the programs.
pub(crate) fn compile(view: &View) -> Result<Program, ViewError> {
    let mut plans: Vec<&[Read]> = vec![&[]];
    let mut chosen = vec![0; wire::NR_MAX * wire::ABIS as usize];
    for (call, reads) in &view.reads {
        check(*call, reads)?;
    }
    let arches = (0..wire::ABIS).map(wire::arch_of);
    for (arch, row) in arches.zip(chosen.chunks_mut(wire::NR_MAX)) {
        let Some(arch) = arch else { continue };
        for (nr, choice) in (0i32..).zip(row) {
            let call = Syscall::new(arch, nr);
            if selects(&view.calls, call) {
                let reads = view.reads.get(&call).map_or(&[][..], Vec::as_slice);
                *choice = number(&mut plans, reads);
            }
            *choice |= elsewhere(call);
        }
    }
    let odd_chosen = u16::from(matches!(view.calls, Selection::Except(_)));
    Ok(Program { chosen, odd_chosen, plans: plans.into_iter().map(plan).collect() })
}

fn check(call: Syscall, reads: &[Read]) -> Result<(), ViewError> {
    if reads.len() > READS {
        return Err(ViewError::TooManyReads { call, count: reads.len() });
    }
    let others = reads.iter().filter_map(|read| match read.what {
        What::Iovec { count, .. } => Some(count),
        What::Buffer(length) | What::Struct(length) => match length {
            Length::Arg(arg) | Length::Elements { arg, .. } | Length::Pointed(arg) => Some(arg),
            _ => None,
        },
        _ => None,
    });
    let results = reads.iter().map(|read| read.arg).filter(|arg| *arg != seccomp_trace_core::RESULT);
    match others.chain(results).find(|arg| *arg > 5) {
        Some(arg) => Err(ViewError::NoArgument { call, arg }),
        None => Ok(()),
    }
}

fn selects(selection: &Selection, call: Syscall) -> bool {
    match selection {
        Selection::Only(calls) => calls.contains(&call),
        Selection::Except(calls) => !calls.contains(&call),
    }
}

/// Whether a call may end with 0 that was not entered under its number.
fn elsewhere(call: Syscall) -> u16 {
    let known = call.name().is_some_and(|name| FORKS.contains(&name) || EXECS.contains(&name));
    let bit = if known { types::live_chosen::LIVE_ELSEWHERE.0 } else { 0 };
    u16::try_from(bit).unwrap_or_default()
}

/// The number of a plan, from 1; calls with the same reads share one.
fn number<'a>(plans: &mut Vec<&'a [Read]>, reads: &'a [Read]) -> u16 {
    let index = plans.iter().position(|plan| *plan == reads).unwrap_or_else(|| {
        plans.push(reads);
        plans.len() - 1
    });
    // There are fewer calls in the table than plans that the number can have.
    u16::try_from(index + 1).unwrap_or(u16::MAX)
}

/// A `struct live_plan`.
fn plan(reads: &[Read]) -> Vec<u8> {
    let mut bytes = vec![0; size_of::<types::live_plan>()];
    let mask = |when| {
        let bits = reads.iter().enumerate().filter(|(_, read)| read.when == when);
        bits.fold(0u8, |mask, (index, _)| mask | 1 << index)
    };
    let count = u32::try_from(reads.len()).unwrap_or(u32::MAX);
    wire::put(&mut bytes, offset_of!(types::live_plan, count), &count.to_ne_bytes());
    bytes[offset_of!(types::live_plan, at_entry)] = mask(When::Entry);
    bytes[offset_of!(types::live_plan, at_exit)] = mask(When::Exit);
    for (index, read) in reads.iter().enumerate() {
        let at = offset_of!(types::live_plan, reads) + index * size_of::<types::live_read>();
        put_read(&mut bytes[at..at + size_of::<types::live_read>()], *read);
    }
    bytes
}

/// A `struct live_read`.
fn put_read(bytes: &mut [u8], read: Read) {
    use types::{live_length as length, live_what as what};
    let (kind, of) = match read.what {
        What::Path => (what::LIVE_WHAT_PATH, None),
        What::String => (what::LIVE_WHAT_STRING, None),
        What::Buffer(of) => (what::LIVE_WHAT_BUFFER, Some(of)),
        What::Struct(of) => (what::LIVE_WHAT_STRUCT, Some(of)),
        What::Strings => (what::LIVE_WHAT_STRINGS, None),
        What::Iovec { count, returned } => {
            bytes[offset_of!(types::live_read, length_arg)] = count;
            bytes[offset_of!(types::live_read, returned)] = u8::from(returned);
            (what::LIVE_WHAT_IOVEC, None)
        }
        // `What` may grow: what is not known here is read as what it is at least, a number.
        _ => (what::LIVE_WHAT_DESCRIPTOR, None),
    };
    bytes[offset_of!(types::live_read, arg)] = read.arg;
    bytes[offset_of!(types::live_read, what)] = wire::lowest_byte(kind.0);
    let Some(of) = of else { return };
    let (kind, arg, size) = match of {
        Length::Fixed(size) => (length::LIVE_LENGTH_FIXED, 0, size),
        Length::Arg(arg) => (length::LIVE_LENGTH_ARG, arg, 0),
        Length::Elements { arg, size } => (length::LIVE_LENGTH_ELEMENTS, arg, size),
        Length::Pointed(arg) => (length::LIVE_LENGTH_POINTED, arg, 0),
        Length::ReturnedElements(size) => (length::LIVE_LENGTH_RETURNED_ELEMENTS, 0, size),
        _ => (length::LIVE_LENGTH_RETURNED, 0, 0),
    };
    bytes[offset_of!(types::live_read, length)] = wire::lowest_byte(kind.0);
    bytes[offset_of!(types::live_read, length_arg)] = arg;
    wire::put(bytes, offset_of!(types::live_read, size), &size.to_ne_bytes());
}

/// Whether results of either kind are shown: successes, failures.
pub(crate) fn wanted(results: Results) -> (bool, bool) {
    (results != Results::Failures, results != Results::Successes)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use seccomp_trace_core::Arch;

    use super::*;

    fn call(name: &str) -> Syscall {
        Syscall::from_name(Arch::native().unwrap(), name).unwrap()
    }

    fn at(program: &Program, call: Syscall) -> u16 {
        program.chosen[usize::try_from(call.nr.0).unwrap()]
    }

    fn view(calls: Selection, reads: &[(&str, Vec<Read>)]) -> View {
        let reads = reads.iter().map(|(name, reads)| (call(name), reads.clone())).collect();
        View { calls, reads, ..View::default() }
    }

    fn shown(program: &Program) -> usize {
        let plan = u16::try_from(types::live_chosen::LIVE_PLAN.0).unwrap();
        program.chosen.iter().filter(|choice| **choice & plan != 0).count()
    }

    const PATH: Read = Read { arg: 1, what: What::Path, when: When::Entry };

    #[test]
    fn only_what_is_selected_has_a_plan() {
        let only = Selection::Only(BTreeSet::from([call("openat")]));
        let program = compile(&view(only, &[("openat", vec![PATH]), ("mkdirat", vec![PATH])])).unwrap();
        assert_eq!(at(&program, call("openat")), 2);
        assert_eq!(shown(&program), 1);
        assert_eq!((program.odd_chosen, program.plans.len()), (0, 2));
    }

    /// Numbers without a name are part of everything, and of no list of names.
    #[test]
    fn all_but_some_is_all_numbers_but_those() {
        let program = compile(&view(Selection::Except([call("read")].into()), &[])).unwrap();
        assert_eq!((at(&program, call("read")), at(&program, call("write"))), (0, 1));
        assert_eq!(program.odd_chosen, 1);
        assert_eq!(program.chosen[wire::NR_MAX - 1], 1, "a number that has no name yet");
    }

    #[test]
    fn calls_with_the_same_reads_share_a_plan() {
        let reads = [("openat", vec![PATH]), ("mkdirat", vec![PATH])];
        let program = compile(&view(Selection::Except(BTreeSet::new()), &reads)).unwrap();
        assert_eq!(at(&program, call("openat")), at(&program, call("mkdirat")));
        assert_eq!(program.plans.len(), 2);
    }

    /// A child returns from clone without having entered it, and an exec of a program of another ABI ends under another
    /// number, whether that is shown or not: neither is a denial.
    #[test]
    fn calls_that_end_where_they_did_not_begin_are_marked() {
        let elsewhere = u16::try_from(types::live_chosen::LIVE_ELSEWHERE.0).unwrap();
        for calls in [Selection::Except(BTreeSet::new()), Selection::Only(BTreeSet::new())] {
            let program = compile(&view(calls, &[])).unwrap();
            for name in ["clone", "execve"] {
                assert_eq!(at(&program, call(name)) & elsewhere, elsewhere, "{name}");
            }
            assert_eq!(at(&program, call("openat")) & elsewhere, 0);
        }
    }

    #[test]
    fn a_plan_says_when_each_thing_is_read() {
        let buffer = What::Buffer(Length::Returned);
        let read = Read { arg: 1, what: buffer, when: When::Exit };
        let bytes = plan(&[PATH, read, PATH]);
        assert_eq!(bytes[offset_of!(types::live_plan, at_entry)], 0b101);
        assert_eq!(bytes[offset_of!(types::live_plan, at_exit)], 0b010);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_call() {
        let refuse = |reads: Vec<Read>| {
            let reads = BTreeMap::from([(call("openat"), reads)]);
            compile(&View { reads, ..View::default() }).unwrap_err().to_string()
        };
        assert!(refuse(vec![PATH; READS + 1]).contains("openat"));
        let wrong = What::Buffer(Length::Arg(6));
        assert!(refuse(vec![Read { what: wrong, ..PATH }]).contains("argument 6"));
        assert!(refuse(vec![Read { arg: 7, ..PATH }]).contains("argument 7"));
    }
}
