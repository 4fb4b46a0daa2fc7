//! `under PROFILE CMD [ARG...]`: executes a command under a profile, loaded with libseccomp as a runtime loads it.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;

use seccomp_trace_profile::{Environment, NoNewPrivs, Profile, load};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args_os().skip(1);
    let profile = words.next().ok_or("usage: under PROFILE CMD [ARG...]")?;
    let profile = Profile::from_json(&std::fs::read_to_string(profile)?)?;
    let command: Vec<CString> = words.map(|word| CString::new(word.as_bytes())).collect::<Result<_, _>>()?;
    let program = command.first().ok_or("usage: under PROFILE CMD [ARG...]")?;
    load(&profile, &Environment::default(), NoNewPrivs::Set)?;
    // Nothing but execve from here on: the profile may allow no more.
    nix::unistd::execvp(program, &command)?;
    Ok(())
}
