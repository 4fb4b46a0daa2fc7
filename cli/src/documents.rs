//! `seccomp-trace documents`: what is generated from the definition of the command line: manual pages, completions of
//! shells, and the table of all options. Hidden: it is for whoever packages the command.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Arg, ArgAction, Args, Command};
use clap_complete::Shell;

use crate::exit::Exit;

/// `documents`
#[derive(Debug, Args)]
pub(crate) struct DocumentsArgs {
    /// Write `man1/`, `completions/` and `options.md` into this folder
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Runs `seccomp-trace documents`.
pub(crate) fn run(args: &DocumentsArgs, mut command: Command) -> anyhow::Result<Exit> {
    let man = folder(&args.folder, "man1")?;
    clap_mangen::generate_to(command.clone(), &man).with_context(|| failed(&man))?;
    let completions = folder(&args.folder, "completions")?;
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut command.clone(), "seccomp-trace", &completions)
            .with_context(|| failed(&completions))?;
    }
    let table = args.folder.join("options.md");
    command.build();
    fs::write(&table, options(&command)).with_context(|| failed(&table))?;
    Ok(Exit::SUCCESS)
}

fn failed(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

fn folder(root: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let folder = root.join(name);
    fs::create_dir_all(&folder).with_context(|| failed(&folder))?;
    Ok(folder)
}

/// Every option of every verb, in one table.
fn options(command: &Command) -> String {
    let mut text = String::from(
        "# Every option of `seccomp-trace`\n\nGenerated from the definition of the command line by `make documents`.\n\n\
         | verb | option | what it does |\n|---|---|---|\n",
    );
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        for arg in verb.get_arguments().filter(|arg| !arg.is_hide_set() && arg.get_id() != "help") {
            let line = format!("| {} | `{}` | {} |", verb.get_name(), written(arg), meaning(arg));
            // A string takes all that is written.
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// The option as it is written on a command line.
fn written(arg: &Arg) -> String {
    let value = || {
        let names = arg.get_value_names().unwrap_or_default();
        names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let name = [short, long].into_iter().flatten().collect::<Vec<_>>().join(", ");
    match (name.is_empty(), takes_value) {
        (true, _) => value(),
        (false, true) => format!("{name} {}", value()),
        (false, false) => name,
    }
}

fn meaning(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let is_flag = !matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    let note = if defaults.is_empty() || is_flag {
        String::new()
    } else {
        format!(" (default: `{}`)", defaults.join(" "))
    };
    format!("{}{note}", help.replace('\n', " ").replace('|', "\\|"))
}
