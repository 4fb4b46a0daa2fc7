//! The command line of `trace`, as it is written. The letters are strace's.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::confined::ConfineArgs;
use crate::summary::SummaryArgs;

/// `trace`
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// Trace these processes, with all their threads and what they start, until ^C
    #[arg(short = 'p', long = "attach", value_name = "PID", value_delimiter = ',')]
    pub(crate) pids: Vec<u32>,
    /// Write to FILE, not to standard error
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Once: accepted, what a process starts is always traced. Twice (-ff): with -o, each thread to FILE.TID
    #[arg(short, long = "follow-forks", action = ArgAction::Count)]
    pub(crate) follow: u8,
    /// Which calls, signals and results: [trace=]NAMES, with %class, /regex and !; signal=, status=, quiet=
    #[arg(short, value_name = "EXPRESSION")]
    pub(crate) expressions: Vec<String>,
    /// Only calls that access PATH (repeatable)
    #[arg(short = 'P', long = "trace-path", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Only calls that succeed
    #[arg(short = 'z', long)]
    pub(crate) successful_only: bool,
    /// Only calls that fail
    #[arg(short = 'Z', long, conflicts_with = "successful_only")]
    pub(crate) failed_only: bool,
    /// The time before each line; -tt with microseconds, -ttt in seconds since 1970
    #[arg(short = 't', action = ArgAction::Count)]
    pub(crate) time: u8,
    /// The time since the line before
    #[arg(short = 'r', long)]
    pub(crate) relative_timestamps: bool,
    /// How long each call took
    #[arg(short = 'T', long = "syscall-times")]
    pub(crate) durations: bool,
    /// Show so many bytes of strings and buffers, at most 4096
    #[arg(short = 's', long, value_name = "N", default_value_t = 32)]
    pub(crate) string_limit: u32,
    /// What descriptors refer to
    #[arg(short = 'y', long = "decode-fds", action = ArgAction::Count)]
    pub(crate) descriptors: u8,
    /// Structures in full
    #[arg(short = 'v', long = "no-abbrev")]
    pub(crate) verbose: bool,
    /// Strings that are not ASCII in hexadecimal; -xx: all strings
    #[arg(short = 'x', long = "strings-in-hex", action = ArgAction::Count)]
    pub(crate) hex: u8,
    /// The column in which results begin
    #[arg(short = 'a', long = "columns", value_name = "N", default_value_t = 40)]
    pub(crate) column: usize,
    /// Do not say who is traced from when on; -qq: nor how threads end
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) quiet: u8,
    /// One JSON object per line; docs/trace.md has the fields
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) summary: SummaryArgs,
    /// When lines are coloured: `auto` (on a terminal, unless `NO_COLOR` is set), `always`, `never`
    #[arg(long, value_name = "WHEN", default_value = "auto", value_parser = ["auto", "always", "never"])]
    pub(crate) color: String,
    /// Run the command as USER (a name or a number), with that user's groups
    #[arg(short, long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// Keep so many MiB of events until they are written
    #[arg(long, value_name = "MIB", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) buffer: u32,
    #[command(flatten)]
    pub(crate) confine: ConfineArgs,
    /// The command and its arguments
    #[arg(
        trailing_var_arg = true,
        required_unless_present = "pids",
        conflicts_with = "pids",
        value_name = "CMD"
    )]
    pub(crate) command: Vec<OsString>,
}
