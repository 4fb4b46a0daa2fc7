//! Question: what does a live view cost the traced program, against no tracing, a recording, and strace?
//!
//! Measured: getppid(2) in a loop, by the loop's own clocks: the wall's, and the processor's, which other programs on the
//! machine disturb less and which does not run while strace does. All ways take turns, in one run; the ratios are to the
//! untraced loop of the same round. The reader is this process, which counts and prints nothing.

use std::io::Read as _;
use std::os::fd::AsRawFd;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::Context;
use nix::libc;
use nix::time::{ClockId, clock_gettime};
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

fn processor() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// Calls, and writes how many nanoseconds a call took, of the wall's and of the processor's, to a descriptor.
fn run_loop(words: &[String]) -> ExitCode {
    let [fd, calls] = words else { return ExitCode::from(2) };
    let (Ok(fd), Ok(calls)) = (fd.parse::<i32>(), calls.parse::<u64>()) else { return ExitCode::from(2) };
    let begun = (monotonic(), processor());
    for _ in 0..calls {
        // SAFETY: takes nothing, and cannot fail.
        unsafe { libc::syscall(libc::SYS_getppid) };
    }
    let (wall, own) = (monotonic().saturating_sub(begun.0), processor().saturating_sub(begun.1));
    let each = |took: Duration| took.as_secs_f64() * 1e9 / calls as f64;
    let text = format!("{} {}\n", each(wall), each(own));
    // SAFETY: the bytes live across the call.
    let written = unsafe { libc::write(fd, text.as_ptr().cast(), text.len()) };
    if usize::try_from(written) == Ok(text.len()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Nanoseconds a call of the wall and of the processor, and what was shown and lost.
fn once(way: &Way) -> anyhow::Result<([f64; 2], Count)> {
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
    let (wall, own) = text.trim().split_once(' ').context("the loop's own times")?;
    Ok(([wall.parse()?, own.parse()?], count))
}

fn measure() -> anyhow::Result<()> {
    let strace = Command::new("strace").arg("-V").output().is_ok();
    let ways: Vec<_> = WAYS.iter().filter(|(_, way)| strace || !matches!(way, Way::Strace(_))).collect();
    let mut rows = vec![Row::default(); ways.len()];
    for _ in 0..ROUNDS {
        let mut untraced = [f64::NAN; 2];
        for (row, (_, way)) in rows.iter_mut().zip(&ways) {
            let (took, count) = once(way)?;
            if matches!(way, Way::Untraced) {
                untraced = took;
            }
            row.own.push(took[1]);
            row.wall_ratio.push(took[0] / untraced[0]);
            row.own_ratio.push(took[1] / untraced[1]);
            row.shown += count.shown;
            row.lost += count.lost;
        }
    }
    println!("What does a live view cost the traced program?");
    println!(
        "getppid(2) in a loop, {ROUNDS} rounds in turn; medians, and quartiles, of the ratio to the untraced loop\n"
    );
    println!("| | processor, ns a call | ratio | | wall, ratio | | shown | lost |");
    println!("|---|---|---|---|---|---|---|---|");
    for (row, (name, _)) in rows.iter().zip(&ways) {
        let [_, ns, _] = quartiles(&row.own);
        let ([low, own, high], [fast, wall, slow]) = (quartiles(&row.own_ratio), quartiles(&row.wall_ratio));
        print!(
            "| {name} | {ns:.0} | **x{own:.2}** | {low:.2} to {high:.2} | x{wall:.2} | {fast:.2} to {slow:.2} "
        );
        println!("| {} | {} |", row.shown, row.lost);
    }
    let median = |name: &str| {
        let index = ways.iter().position(|(known, _)| *known == name);
        index.map(|index| quartiles(&rows[index].wall_ratio)[1])
    };
    if let (Some(all), Some(strace)) = (median("view of all calls"), median("strace -f")) {
        println!(
            "\nOn the wall's clock a view of all calls is {:.1} times cheaper than strace -f.",
            strace / all
        );
    }
    Ok(())
}

/// What one way showed.
#[derive(Debug, Clone, Default)]
struct Row {
    own: Vec<f64>,
    own_ratio: Vec<f64>,
    wall_ratio: Vec<f64>,
    shown: u64,
    lost: u64,
}
