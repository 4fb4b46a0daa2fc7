//! What all questions are asked with: the programs, the scale, a folder, and ways to run things.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::tracers::Tracer;

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Enough to rely on.
    Full,
    /// Enough to see that everything works. The numbers mean nothing.
    Quick,
}

impl Scale {
    /// One of two numbers.
    #[must_use]
    pub fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }

    /// How often what is compared is measured.
    #[must_use]
    pub fn rounds(self) -> usize {
        self.pick(15, 2)
    }
}

/// Words of a command line.
pub type Words = Vec<OsString>;

/// Words of a command line.
pub fn words<W: AsRef<OsStr>>(words: impl IntoIterator<Item = W>) -> Words {
    words.into_iter().map(|word| word.as_ref().to_owned()).collect()
}

/// What a loop took, for each call.
#[derive(Debug, Clone, Copy)]
pub struct PerCall {
    /// Nanoseconds of CPU time of the loop's thread.
    pub cpu: f64,
    /// Nanoseconds of wall time.
    pub wall: f64,
}

/// What a command took, with its descendants.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    /// Seconds of wall time.
    pub wall: f64,
    /// Seconds of CPU time.
    pub cpu: f64,
    /// The peak resident memory of the largest process, in MiB.
    pub peak: f64,
}

/// What the questions share.
#[derive(Debug)]
pub struct Context {
    /// How much is measured.
    pub scale: Scale,
    /// Why nothing can be traced here, where that is so.
    pub cannot_trace: Option<String>,
    folder: tempfile::TempDir,
}

impl Context {
    /// A folder on the disk where the benchmark was built: `/tmp` may be in memory.
    ///
    /// # Errors
    /// There is no folder to be had.
    pub fn new(scale: Scale) -> anyhow::Result<Self> {
        let me = std::env::current_exe()?;
        let beside = me.parent().context("the benchmark is in no folder")?;
        let folder = tempfile::tempdir_in(beside).context("cannot make a folder")?;
        let cannot_trace = if !seccomp_trace_tests::root() {
            Some("this is not root".to_owned())
        } else if std::env::var_os("SECCOMP_TRACE_TEST_PRIVILEGED").is_some_and(|value| value == "no") {
            Some("SECCOMP_TRACE_TEST_PRIVILEGED=no".to_owned())
        } else {
            seccomp_trace_tests::what_stops_bpf()
        };
        Ok(Self { scale, cannot_trace, folder })
    }

    /// A path in a folder of this run.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a loop of so many calls under a tracer.
    ///
    /// # Errors
    /// It could not be run to its end.
    pub fn looped(&self, tracer: &Tracer, call: &str, calls: u64) -> anyhow::Result<PerCall> {
        let file = self.path("loop");
        finish(&tracer.line(loop_words(call, calls, &file)))?;
        read_loop(&file, calls)
    }

    /// Runs a command inside `measure` under a tracer: the tracer's own start and end do not count.
    ///
    /// # Errors
    /// It could not be run to its end.
    pub fn measured(&self, tracer: &Tracer, command: Words) -> anyhow::Result<Spent> {
        let file = self.path("measure");
        let mut line = words([tracee("measure").as_os_str(), file.as_os_str()]);
        line.extend(command);
        finish(&tracer.line(line))?;
        let [wall, cpu, peak_kib] = numbers(&file)?;
        Ok(Spent { wall: wall / 1e9, cpu: cpu / 1e9, peak: peak_kib / 1024.0 })
    }
}

/// The words of a loop that writes its result to `file`.
#[must_use]
pub fn loop_words(call: &str, calls: u64, file: &Path) -> Words {
    words([tracee("loop").as_os_str(), call.as_ref(), calls.to_string().as_ref(), file.as_os_str()])
}

/// The path of a compiled tracee of `tracees`.
#[must_use]
pub fn tracee(name: &str) -> PathBuf {
    Path::new(concat!(env!("OUT_DIR"), "/tracees")).join(name)
}

/// A command without input whose output is thrown away.
///
/// # Errors
/// It could not be started, or failed; the error has what it said.
pub fn finish(line: &[OsString]) -> anyhow::Result<()> {
    let (program, arguments) = line.split_first().context("an empty command line")?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{line:?} failed with {}: {}", output.status, said.trim());
    Ok(())
}

/// What a loop wrote.
///
/// # Errors
/// It wrote nothing.
pub fn read_loop(file: &Path, calls: u64) -> anyhow::Result<PerCall> {
    let [cpu, wall] = numbers(file)?;
    #[expect(clippy::cast_precision_loss, reason = "some millions")]
    let calls = calls as f64;
    Ok(PerCall { cpu: cpu / calls, wall: wall / calls })
}

/// The numbers of a file, which is removed: a command that fails to write it must not be given the last one's.
///
/// # Errors
/// It is not there, or holds something else.
pub fn numbers<const COUNT: usize>(file: &Path) -> anyhow::Result<[f64; COUNT]> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    std::fs::remove_file(file)?;
    let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    numbers.try_into().map_err(|found| anyhow::anyhow!("{COUNT} numbers were expected: {found:?}"))
}
