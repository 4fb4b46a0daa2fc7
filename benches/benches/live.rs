//! Question: what does a live view cost the traced program, against no tracing, a recording, and strace?
//!
//! Measured: getppid(2) in a loop, wall-clock time of the loop by its own clock. All ways take turns, in one run; the
//! ratios are to the untraced loop of the same round. The reader is this process, which counts and prints nothing.

use std::io::Read as _;
use std::os::fd::AsRawFd;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::Context;
use nix::libc;
use seccomp_trace_benches::{monotonic, quartiles};
use seccomp_trace_bpf::{Tracer, TracerBuilder};
use seccomp_trace_core::{
    Arch, Collector, CommandSpec, Event, Flow, Selection, Session, Sink, Syscall, Target, View,
};

const ROUNDS: usize = 11;
/// The argument that makes this program the loop: descriptor and number of calls follow.
const LOOP: &str = "--loop";
/// Enough to be measured; strace takes seconds for more.
const CALLS: u64 = 1_000_000;
const STRACE_CALLS: u64 = 20_000;

/// How the loop is traced.
enum Way {
    Untraced,
    Ours(fn() -> TracerBuilder),
    Strace(&'static [&'static str]),
}

#[derive(Default)]
struct Count {
    shown: u64,
    lost: u64,
}

impl Sink for Count {
    fn event(&mut self, event: &Event) -> Flow {
        self.shown += u64::from(matches!(event, Event::Call(_)));
        Flow::Continue
    }

    fn lost(&mut self, count: u64) {
        self.lost += count;
    }
}

fn openat() -> View {
    let calls = Arch::native().and_then(|arch| Syscall::from_name(arch, "openat")).into_iter().collect();
    View { calls: Selection::Only(calls), ..View::default() }
}

const WAYS: [(&str, Way); 8] = [
    ("untraced", Way::Untraced),
    ("recording (`run`)", Way::Ours(Tracer::builder)),
    ("view of openat", Way::Ours(|| Tracer::builder().record(false).view(openat()))),
    ("recording and view of openat", Way::Ours(|| Tracer::builder().view(openat()))),
    ("view of all calls", Way::Ours(|| Tracer::builder().record(false).view(View::default()))),
    ("recording and view of all calls", Way::Ours(|| Tracer::builder().view(View::default()))),
    ("strace -f --seccomp-bpf -e openat", Way::Strace(&["--seccomp-bpf", "-e", "trace=openat"])),
    ("strace -f", Way::Strace(&[])),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == LOOP) {
        return run_loop(&words[at + 1..]);
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("live: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Calls, and writes how many nanoseconds a call took to a descriptor.
fn run_loop(words: &[String]) -> ExitCode {
    let [fd, calls] = words else { return ExitCode::from(2) };
    let (Ok(fd), Ok(calls)) = (fd.parse::<i32>(), calls.parse::<u64>()) else { return ExitCode::from(2) };
    let begun = monotonic();
    for _ in 0..calls {
        // SAFETY: takes nothing, and cannot fail.
        unsafe { libc::syscall(libc::SYS_getppid) };
    }
    let took = monotonic().saturating_sub(begun);
    let text = format!("{}\n", took.as_nanos() as f64 / calls as f64);
    // SAFETY: the bytes live across the call.
    let written = unsafe { libc::write(fd, text.as_ptr().cast(), text.len()) };
    if usize::try_from(written) == Ok(text.len()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Nanoseconds a call, and what was shown and lost.
fn once(way: &Way) -> anyhow::Result<(f64, Count)> {
    let calls = if matches!(way, Way::Strace(_)) { STRACE_CALLS } else { CALLS }.to_string();
    let (mut reader, writer) = std::io::pipe()?;
    let fd = writer.as_raw_fd();
    // SAFETY: changes a flag of a descriptor of ours, so that the loop inherits it.
    anyhow::ensure!(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) } == 0, "cannot keep a pipe open across exec");
    let fd = fd.to_string();
    let me = std::env::current_exe()?;
    let words = [LOOP, &fd, &calls];
    let mut count = Count::default();
    match way {
        Way::Untraced => {
            anyhow::ensure!(Command::new(&me).args(words).status()?.success(), "the loop failed");
        }
        Way::Ours(builder) => {
            let tracer = builder().load()?;
            let spec = CommandSpec::new(&me).args(words);
            let mut session = tracer.observe(Target::Command(spec))?;
            while !session.poll(Some(Duration::from_secs(1)), &mut count)? {}
        }
        Way::Strace(options) => {
            let mut strace = Command::new("strace");
            strace.args(["-f", "-o", "/dev/null"]).args(*options).arg("--").arg(&me).args(words);
            anyhow::ensure!(strace.stderr(Stdio::null()).status()?.success(), "strace failed");
        }
    }
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    Ok((text.trim().parse().context("the loop's own time")?, count))
}

fn measure() -> anyhow::Result<()> {
    let strace = Command::new("strace").arg("-V").output().is_ok();
    let ways: Vec<_> = WAYS.iter().filter(|(_, way)| strace || !matches!(way, Way::Strace(_))).collect();
    let mut ratios = vec![Vec::new(); ways.len()];
    let mut nanos = vec![Vec::new(); ways.len()];
    let mut shown = vec![(0, 0); ways.len()];
    for _ in 0..ROUNDS {
        let mut untraced = f64::NAN;
        for (index, (_, way)) in ways.iter().enumerate() {
            let (took, count) = once(way)?;
            if matches!(way, Way::Untraced) {
                untraced = took;
            }
            ratios[index].push(took / untraced);
            nanos[index].push(took);
            shown[index].0 += count.shown;
            shown[index].1 += count.lost;
        }
    }
    println!("What does a live view cost the traced program?");
    println!(
        "getppid(2) in a loop, {ROUNDS} rounds in turn; ns a call, quartiles of the ratio to the untraced loop\n"
    );
    println!("| | ns | | ratio | | shown | lost |");
    println!("|---|---|---|---|---|---|---|");
    for (index, (name, _)) in ways.iter().enumerate() {
        let [low, middle, high] = quartiles(&ratios[index]);
        let [_, ns, _] = quartiles(&nanos[index]);
        let (seen, lost) = shown[index];
        println!("| {name} | {ns:.0} | x{low:.2} | **x{middle:.2}** | x{high:.2} | {seen} | {lost} |");
    }
    let median = |name: &str| {
        let index = ways.iter().position(|(known, _)| *known == name);
        index.map(|index| quartiles(&ratios[index])[1])
    };
    if let (Some(all), Some(strace)) = (median("view of all calls"), median("strace -f")) {
        println!("\nA view of all calls is {:.1} times cheaper than strace -f.", strace / all);
    }
    Ok(())
}
