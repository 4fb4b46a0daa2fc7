//! The program that tests seccomp-trace inside a virtual machine with another kernel. It is linked statically, runs as
//! root beside the tracees of `tests/tracees` and `tests/kernels/tracees`, and one process of it runs one test.
//!
//! ```text
//! kernel-tests list SCENARIO             prints the names of the tests of a scenario
//! kernel-tests run NAME                  runs one; a failed one panics
//! kernel-tests observe DIR ID PID        what a hook does before the container starts
//! ```

mod attaching;
mod cgroups;
mod commands;
mod container;
mod denials;
mod entering;
mod phases;
mod refusals;
mod skipping;
mod summaries;
mod viewing;

use std::process::ExitCode;

/// What a virtual machine is booted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scenario {
    /// Everything must work.
    Trace,
    /// The kernel is too old.
    Old,
    /// The kernel's type information is hidden.
    NoBtf,
    /// The kernel is locked down.
    Lockdown,
    /// The CPU has no compare-and-swap of two words, and the kernel needs it.
    NoDoubleWord,
    /// The kernel preempts programs.
    Preempted,
}

impl Scenario {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "trace" => Some(Self::Trace),
            "old" => Some(Self::Old),
            "no-btf" => Some(Self::NoBtf),
            "lockdown" => Some(Self::Lockdown),
            "no-double-word" => Some(Self::NoDoubleWord),
            "preempted" => Some(Self::Preempted),
            _ => None,
        }
    }
}

/// A test: its name, the scenario it is for, and its body.
type Test = (&'static str, Scenario, fn());

fn tests() -> impl Iterator<Item = Test> {
    let all = [
        commands::TESTS,
        attaching::TESTS,
        summaries::TESTS,
        phases::TESTS,
        entering::TESTS,
        viewing::TESTS,
        denials::TESTS,
        refusals::TESTS,
        skipping::TESTS,
        attaching::LAST,
    ];
    all.into_iter().flatten().copied()
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list", scenario] => {
            let scenario = Scenario::parse(scenario).unwrap_or_else(|| panic!("no scenario {scenario}"));
            tests().filter(|(_, of, _)| *of == scenario).for_each(|(name, ..)| println!("{name}"));
        }
        ["run", wanted] => {
            let test = tests().find(|(name, ..)| *name == wanted);
            test.unwrap_or_else(|| panic!("no test {wanted}")).2();
        }
        ["observe", directory, id, pid] => container::observe(directory, id, pid),
        _ => {
            eprintln!("usage: kernel-tests list SCENARIO | run NAME | observe DIR ID PID");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// The path of a tracee in the virtual machine.
fn tracee(name: &str) -> String {
    format!("/tracees/{name}")
}
