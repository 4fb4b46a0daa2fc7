//! How long after its command's end has the tracer written the profile, and ended?

use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::time::{ClockId, clock_gettime};

use super::Question;
use crate::context::{Context, numbers, tracee, words};
use crate::stats::{Contender, in_turn};
use crate::table::{Row, Unit};
use crate::tracers::Tracer;

pub(super) const QUESTION: Question = Question {
    name: "ending",
    text: "How long after the command's end is the profile there, and the tracer gone?",
    how: "The command writes down the time and ends. From there to the profile's rename into its place (seen by \
          inotify), and to the tracer's end. In memory (`/dev/shm`), where fsync does nothing, and on this disk.",
    traces: true,
    ask,
};

/// Milliseconds after the command's end.
#[derive(Debug, Clone, Copy)]
struct After {
    written: f64,
    ended: f64,
}

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let memory = tempfile::tempdir_in("/dev/shm").context("/dev/shm cannot be used")?;
    let disk = context.path("disk");
    std::fs::create_dir_all(&disk)?;
    let contenders = vec![
        Contender::new("memory", || once(context, memory.path())),
        Contender::new("disk", || once(context, &disk)),
    ];
    let rounds = in_turn(context.scale.rounds(), contenders)?;
    let written = |place: &str| rounds.quartiles(place, |after: &After| after.written);
    let ended = |place: &str| rounds.quartiles(place, |after: &After| after.ended);
    let unit = Unit::Milliseconds;
    Ok(vec![
        Row::new("profile written, without fsync", unit, written("memory")).at_most(15.0),
        Row::new("tracer ended, without fsync", unit, ended("memory")),
        Row::new("profile written, on a disk", unit, written("disk")),
        Row::new("tracer ended, on a disk", unit, ended("disk")),
    ])
}

fn once(context: &Context, folder: &Path) -> anyhow::Result<After> {
    let stamp = context.path("end");
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC).context("cannot use inotify")?;
    inotify.add_watch(folder, AddWatchFlags::IN_MOVED_TO).context("cannot watch a folder")?;
    let profile = folder.join("profile.json");
    let tracer = Tracer::ours("run", &["-q", "-o", &profile.to_string_lossy()]);
    let line = tracer.line(words([tracee("stamp").as_os_str(), stamp.as_os_str()]));
    let (program, arguments) = line.split_first().context("an empty command line")?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .spawn()
        .context("cannot start a tracer")?;
    let seen = wait_for_event(&inotify);
    let written = now();
    let status = child.wait()?;
    let ended = now();
    anyhow::ensure!(status.success(), "the tracer ended with {status}");
    seen?;
    let [end] = numbers(&stamp)?;
    std::fs::remove_file(&profile)?;
    Ok(After { written: (written - end) / 1e6, ended: (ended - end) / 1e6 })
}

/// The time that the commands write down: nanoseconds of `CLOCK_MONOTONIC`.
fn now() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default();
    time.as_secs_f64() * 1e9
}

/// Bounded, since a tracer that fails writes nothing.
fn wait_for_event(inotify: &Inotify) -> anyhow::Result<()> {
    let mut fds = [PollFd::new(inotify.as_fd(), PollFlags::POLLIN)];
    let ready = poll(&mut fds, PollTimeout::from(60_000_u16)).context("cannot wait for a profile")?;
    anyhow::ensure!(ready == 1, "there is no profile after a minute");
    Ok(())
}
