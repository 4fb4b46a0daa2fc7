//! `seccomp-trace`: records the syscalls of a command and writes the tightest seccomp profile that still runs it.

mod args;
mod attach;
mod compare;
mod confined;
mod decode;
mod denials;
mod denied;
mod diagnostics;
mod diff;
mod doctor;
mod documents;
mod environment;
mod exit;
mod explain;
mod export;
mod generate;
mod inherited;
mod input;
mod lint;
mod load;
mod merge;
mod outcome;
mod profile;
mod profiled;
mod run;
mod say;
mod shared;
mod status;
mod subset;
mod summary;
mod table;
mod trace;
mod user;
mod verify;
mod watch;

use std::process::ExitCode;

use args::Verb;

fn main() -> ExitCode {
    let verb = match args::parse(std::env::args_os().collect()) {
        Ok(verb) => verb,
        Err(refused) => return refused.print(),
    };
    let trouble = verb.trouble();
    let result = diagnostics::begin().and_then(|()| match verb {
        Verb::Run(args) => run::run(args),
        Verb::Attach(args) => attach::attach(args),
        Verb::Trace(args) => trace::run(args),
        Verb::Generate(args) => generate::generate(&args),
        Verb::Merge(args) => merge::run(&args),
        Verb::Diff(args) => diff::run(&args),
        Verb::Subset(args) => subset::run(&args),
        Verb::Export(args) => export::run(&args),
        Verb::Explain(args) => explain::run(&args),
        Verb::Lint(args) => lint::run(&args),
        Verb::Verify(args) => verify::run(&args),
        Verb::Doctor(args) => doctor::doctor(&args),
        Verb::Status(args) => shared::status(&args),
        Verb::Cleanup(args) => shared::cleanup(&args),
        Verb::Documents(args) => documents::run(&args, args::definition()),
    });
    match result {
        Ok(status) => status.leave(),
        Err(error) => {
            confined::say_error(&error);
            exit::status_of(&error).unwrap_or(trouble).leave()
        }
    }
}
