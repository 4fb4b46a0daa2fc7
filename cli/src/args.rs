//! The command line, as it is written. What it means is resolved by each subcommand.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use seccomp_trace_profile::{Baseline, Errnos};

use crate::attach::AttachArgs;
use crate::compare::CompareArgs;
use crate::confined::ConfineArgs;
use crate::diff::TwoArgs;
use crate::documents::DocumentsArgs;
use crate::environment::EnvironmentArgs;
use crate::exit::Exit;
use crate::explain::ExplainArgs;
use crate::export::ExportArgs;
use crate::lint::LintArgs;
use crate::merge::MergeArgs;
use crate::outcome::OutcomeArgs;
use crate::shared::{CleanupArgs, StatusArgs};
use crate::trace::TraceArgs;
use crate::verify::VerifyArgs;

#[derive(Debug, Parser)]
#[command(
    name = "seccomp-trace",
    version,
    about = "Record the syscalls of a command with eBPF and write the tightest seccomp profile that still runs it",
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run a command and record the syscalls that it and its descendants make
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Record what runs already: processes, a cgroup, a container
    #[command(after_help = ATTACH_EXAMPLES)]
    Attach(AttachArgs),
    /// Print the calls of a command or of running processes as they happen, like strace but without stopping them
    #[command(after_help = TRACE_EXAMPLES)]
    Trace(TraceArgs),
    /// Make a profile from recordings, without running anything
    #[command(after_help = GENERATE_EXAMPLES)]
    Generate(GenerateArgs),
    /// Make one profile of several: what any of them allows, or what all of them allow
    #[command(after_help = MERGE_EXAMPLES)]
    Merge(MergeArgs),
    /// Say what B decides differently from A: what it adds, drops, loosens and tightens
    #[command(after_help = "Exit status: 0 where they decide alike, 1 where they differ, 2 in trouble.")]
    Diff(TwoArgs),
    /// Tell whether B allows everything that A allows
    #[command(after_help = "Exit status: 0 where it does, 1 where it does not, 2 in trouble.")]
    Subset(TwoArgs),
    /// Put a profile, or what a recording needs, into the form of another program
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Say which rule decides about a call, why it is there, and whether the call widens the attack surface
    Explain(ExplainArgs),
    /// Find what is wrong with a profile: what makes it unusable, dangerous, or other than it seems
    #[command(after_help = "Exit status: 0; 1 where --deny finds something; 2 in trouble.")]
    Lint(LintArgs),
    /// Run a command under a profile, and say what the profile denies it
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyArgs),
    /// Tell whether this machine can trace, and what is missing where it cannot
    Doctor(DoctorArgs),
    /// List what the OCI hook has under observation
    Status(StatusArgs),
    /// Finish containers that ended without their hook: write their profiles, and remove what was left
    Cleanup(CleanupArgs),
    /// Write manual pages, completions and the table of options
    #[command(hide = true)]
    Documents(DocumentsArgs),
}

const RUN_EXAMPLES: &str = "\
Examples:
  seccomp-trace run -o ls.json -- ls -l /       write a profile for `ls -l /`
  seccomp-trace run -- ./server                 print a table of the syscalls instead
  seccomp-trace run -o p.json -i base.json CMD  add to an existing profile what it lacks
  seccomp-trace run --recording r.json -o p.json CMD
                                                keep the recording, to merge it or derive again
  seccomp-trace run --compare p.json -- make check
                                                fail where p.json denies what the command needs

Exit status: that of the command, or death by the same signal. 125: tracing or writing failed, or the
command gave 0 and --compare found something;
126: the command cannot be executed; 127: it was not found.";

const ATTACH_EXAMPLES: &str = "\
Examples:
  seccomp-trace attach -p 4711 -o p.json        until ^C or the end of process 4711 and its descendants
  seccomp-trace attach --container web --quiet-for 5min -o p.json
                                                until nothing new was seen for five minutes
  seccomp-trace attach --cgroup system.slice/nginx.service --recording r.json
                                                a service, with whatever enters its cgroup
  seccomp-trace attach --container web --denied --profile p.json
                                                what p.json denies to it, from now on
  kill -USR1 $(pidof seccomp-trace)             write what was recorded so far, and go on

What a program did before is not in the recording. One may attach to what one may trace with ptrace.
Exit status: 0; 1 where --compare or --denied finds something; 2 in trouble.";

const TRACE_EXAMPLES: &str = "\
Examples:
  seccomp-trace trace -- ls /                   every call of `ls /`, on standard error
  seccomp-trace trace -e %file -z -o log make   which files a build finds
  seccomp-trace trace -e trace=openat,connect -y -p 4711
                                                what a running server opens and connects to, until ^C
  seccomp-trace trace --json -o log.json CMD    one JSON object per line

Exit status: that of the command, or death by the same signal. 125: tracing or writing failed;
126: the command cannot be executed; 127: it was not found.";

const GENERATE_EXAMPLES: &str = "\
Examples:
  seccomp-trace generate run1.json run2.json -o p.json  one profile from two recordings
  seccomp-trace generate r.json --for crun              derive again, for crun alone
  seccomp-trace generate r1.json r2.json --compare p.json
                                                        is p.json enough for what was recorded?
                                                        (no profile is made without -o)

Exit status: 0; 1 where --compare finds something; 2 in trouble.";

const MERGE_EXAMPLES: &str = "\
Examples:
  seccomp-trace merge web.json worker.json -o both.json  what any of the two allows
  seccomp-trace merge --intersect mine.json default.json
                                                what both allow

Of two ways to deny a call, a union takes the less strict, an intersection the stricter, in the
kernel's order: KILL_PROCESS, KILL_THREAD, TRAP, ERRNO, NOTIFY, TRACE, LOG, ALLOW (of two errno
values the smaller is the stricter). A rule counts on all architectures of a profile: where the
files list different ones, a call that no rule can deny as each does is denied in one way on
all, and is named. Before it is written, the result is compiled, and its filter is compared
with those of the files. Exit status: 0, or 2 in trouble.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  seccomp-trace export --format systemd r.json -o /etc/systemd/system/my.service.d/seccomp.conf
                                                a drop-in for a service, from a recording of it
  seccomp-trace export --format kubernetes p.json --name nginx
                                                a resource of the Security Profiles Operator
  seccomp-trace export --format bpf p.json -o filter.bpf
                                                the compiled filter, for `bwrap --seccomp`

What a format cannot say is an error, or a note on standard error. Exit status: 0, or 2 in trouble.";

const VERIFY_EXAMPLES: &str = "\
Examples:
  seccomp-trace verify --profile p.json -- make check
                                                what does p.json deny to `make check`?
  seccomp-trace verify --profile p.json --log-only --update p2.json -- ./server
                                                what would it deny? p2.json allows that too

Calls that a filter of the program's own denies, or that its tracer skips, are listed apart. As somebody
who is not root, or with -u, the command runs with no_new_privs.

Exit status: 0 where nothing is denied, 1 where something is, 2 in trouble; with --status, the
command's own.";

/// How a profile is to be made.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// Write the profile to FILE (`-`: standard output)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Start from an existing profile; its rules stay as they are, and only names that none of them has are added
    #[arg(short = 'i', long = "input", value_name = "BASE")]
    pub(crate) base: Option<PathBuf>,
    /// The container runtime that will load the profile, whose own calls it must allow: runc, crun, any or none
    #[arg(long = "for", value_name = "RUNTIME", default_value = "any")]
    pub(crate) runtime: Baseline,
    /// What a denied call returns: enosys, eperm, a number, or `eperm-known[=VERSION]`: eperm where Linux VERSION (3.2)
    /// has the call, enosys for newer ones, so that C libraries fall back [default: that of BASE, else enosys]
    #[arg(long, value_name = "WHICH")]
    pub(crate) errno: Option<Errnos>,
    #[command(flatten)]
    pub(crate) comparison: CompareArgs,
    #[command(flatten)]
    pub(crate) environment: EnvironmentArgs,
}

/// `run`
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) outcome: OutcomeArgs,
    /// Keep the command's arguments in the recording (they may hold secrets)
    #[arg(long)]
    pub(crate) argv: bool,
    /// Run the command as USER (a name or a number), with that user's groups
    #[arg(short, long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// Stop when the command has ended, even if processes it started live on
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// Show a line on the terminal that tells how it goes; it shares the terminal with the command
    #[arg(long)]
    pub(crate) status: bool,
    #[command(flatten)]
    pub(crate) confine: ConfineArgs,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// `generate`
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// Recordings, to be merged (`-`: standard input)
    #[arg(required = true, value_name = "RECORDING")]
    pub(crate) recordings: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// Whether recorded arguments become conditions: `recorded` or `none`
    #[arg(long, value_name = "WHICH", default_value = "recorded", value_parser = ["recorded", "none"])]
    pub(crate) args: String,
    /// Fail if one of the recordings may be incomplete
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print nothing but errors and losses
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// `doctor`
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

impl Verb {
    /// The status that says that this verb itself failed.
    pub(crate) fn trouble(&self) -> Exit {
        match self {
            Self::Run(_) | Self::Trace(_) => Exit::RUN_TROUBLE,
            _ => Exit::TROUBLE,
        }
    }
}

/// A command line that asks for help, or that is wrong.
pub(crate) struct Refused {
    error: clap::Error,
    status: Exit,
}

impl Refused {
    /// Prints what clap has to say, to the stream it belongs to.
    pub(crate) fn print(self) -> ExitCode {
        // Where the stream is closed there is nobody to tell.
        let _ = self.error.print();
        if self.error.use_stderr() { self.status.leave() } else { ExitCode::SUCCESS }
    }
}

/// The definition of the command line.
pub(crate) fn definition() -> clap::Command {
    Cli::command()
}

/// Parses the words of a command line, the program's name first.
pub(crate) fn parse(words: Vec<OsString>) -> Result<Verb, Refused> {
    // A wrong line of `run` must not be taken for a status of the command.
    let runs = words.get(1).is_some_and(|word| word == "run" || word == "trace");
    let status = if runs { Exit::RUN_TROUBLE } else { Exit::TROUBLE };
    Cli::command()
        .try_get_matches_from(words)
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map(|cli| cli.verb)
        .map_err(|error| Refused { error, status })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    fn run(line: &str) -> RunArgs {
        match parse(words(line)) {
            Ok(Verb::Run(args)) => args,
            other => panic!("{line}: {:?}", other.map_err(|refused| refused.error.to_string())),
        }
    }

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// As with strace, sudo and env: what follows the command belongs to it, with or without `--`.
    #[test]
    fn options_after_the_command_are_the_commands() {
        for line in
            ["seccomp-trace run -o p -- ls -o -q --strict", "seccomp-trace run -o p ls -o -q --strict"]
        {
            let args = run(line);
            assert_eq!(args.command, words("ls -o -q --strict"), "{line}");
            assert!(!args.outcome.quiet && !args.outcome.strict, "{line}");
        }
        assert_eq!(run("seccomp-trace run -- -odd").command, words("-odd"));
    }

    #[test]
    fn a_wrong_line_of_run_is_125_and_of_the_others_2() {
        let status = |line| match parse(words(line)) {
            Ok(verb) => panic!("{line}: {verb:?}"),
            Err(refused) => refused.status,
        };
        assert_eq!(status("seccomp-trace run"), Exit::RUN_TROUBLE);
        assert_eq!(status("seccomp-trace run --no-such-option -- ls"), Exit::RUN_TROUBLE);
        assert_eq!(status("seccomp-trace run --for docker ls"), Exit::RUN_TROUBLE);
        assert_eq!(status("seccomp-trace generate"), Exit::TROUBLE);
        assert_eq!(status("seccomp-trace nonsense"), Exit::TROUBLE);
    }
}
