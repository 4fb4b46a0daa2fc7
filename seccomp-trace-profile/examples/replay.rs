//! Runs a command under a profile, as a container would run under it:
//! `cargo run --features libseccomp --example replay -- PROFILE COMMAND [ARG...]`.
//!
//! The filter is installed in this process, which then executes the command.

use std::error::Error;
use std::os::unix::process::CommandExt;
use std::process::Command;

use seccomp_trace_profile::{Environment, NoNewPrivs, Profile, load};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(path), Some(program)) = (args.next(), args.next()) else {
        return Err("usage: replay PROFILE COMMAND [ARG...]".into());
    };
    let profile = Profile::from_json(&std::fs::read_to_string(path)?)?;
    let mut command = Command::new(program);
    command.args(args);
    load(&profile, &Environment::default(), NoNewPrivs::Set)?;
    Err(command.exec().into())
}
