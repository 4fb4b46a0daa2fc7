//! A process that runs already, and `attach`, which is killed now and then.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;

use super::Soak;
use crate::attach::{Tracee, attached};
use crate::hook::Random;
use crate::objects::Objects;
use crate::read_recording;

pub(super) fn target(soak: &Soak, name: &str, own: &BTreeSet<&str>, random: &mut Random) {
    soak.count(|counts| counts.attached += 1);
    let file = soak.folder.path().join(format!("{name}.json"));
    let words: Vec<_> = ["wait"].into_iter().chain(own.iter().copied()).collect();
    let mut target = Tracee::start("rare", &words);
    let attach = attached(&["-p", &target.pid(), "--recording", file.to_str().expect("UTF-8")]);
    if random.below(10) == 0 {
        attach.stop();
        let objects = Objects::of(attach.pid());
        attach.signal(Signal::SIGKILL);
        // It panics where the process was harmed.
        target.go_on();
        drop(attach.wait());
        objects.wait_until_gone("a killed attach");
        soak.count(|counts| {
            counts.tracers_killed += 1;
            counts.objects += objects.count() as u64;
        });
        return;
    }
    target.go_on();
    let finished = attach.wait();
    let what = format!("attach {name}");
    if !finished.status.success() {
        soak.count(|counts| counts.harmed(&what, &format!("{finished:?}")));
        return;
    }
    let recording = read_recording(&file);
    soak.count(|counts| counts.compare(&what, &recording, &soak.oracle.of_attached(own)));
    std::fs::remove_file(&file).expect("it was read");
}
