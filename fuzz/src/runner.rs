//! Runs a target without libFuzzer: the corpus as it is, then changed, for a time.
//!
//! An input that the target understands joins the pool, if none of its shape is there yet, so that changes add up. The
//! same seed gives the same inputs.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{fs, io};

use crate::mutator::{Mutator, Random};
use crate::targets::Target;

/// Longer than any input of the corpus by far.
const LONGEST: usize = 16 * 1024;
/// Inputs that are kept besides the corpus.
const POOL: usize = 2000;

/// What a target is run on.
#[derive(Debug)]
pub struct Runner {
    target: Target,
    corpus: Vec<Vec<u8>>,
    mutator: Mutator,
    /// What is being run, and since when: for whoever looks whether it hangs.
    pub now: Mutex<Option<(Instant, Vec<u8>)>>,
}

/// What a run showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Inputs that were run.
    pub run: u64,
    /// Inputs that the target understood.
    pub understood: u64,
}

impl Runner {
    /// Reads the corpus and the dictionary of a target from `folder`.
    ///
    /// # Errors
    /// The corpus cannot be read, or is empty: a run would show nothing.
    pub fn new(target: Target, folder: &Path) -> io::Result<Self> {
        let mut files: Vec<PathBuf> = fs::read_dir(folder.join("corpus").join(target.name))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.sort();
        let corpus = files.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?;
        if corpus.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("{} has no corpus", target.name)));
        }
        let dictionary = match fs::read_to_string(folder.join("dictionaries").join(target.name)) {
            Ok(text) => text.lines().filter_map(word).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let mutator = Mutator { dictionary, longest: LONGEST };
        Ok(Self { target, corpus, mutator, now: Mutex::new(None) })
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> Target {
        self.target
    }

    /// Runs the corpus, then changes of it until `time` is over.
    ///
    /// # Errors
    /// The input that the target panicked on.
    pub fn run(&self, seed: u64, time: Duration) -> Result<Count, Vec<u8>> {
        let end = Instant::now() + time;
        let mut random = Random::new(seed);
        let mut count = Count::default();
        let mut pool = self.corpus.clone();
        let mut kept = BTreeSet::new();
        for input in &self.corpus {
            self.one(input, &mut count)?;
        }
        while Instant::now() < end {
            let input = random.pick(&pool).map_or(&[][..], Vec::as_slice);
            let other = random.pick(&pool).map_or(&[][..], Vec::as_slice);
            let input = self.mutator.mutate(&mut random, input, other);
            if self.one(&input, &mut count)?
                && pool.len() < self.corpus.len() + POOL
                && kept.insert(shape(&input))
            {
                pool.push(input);
            }
        }
        Ok(count)
    }

    /// Runs one input, and tells whether it was understood.
    ///
    /// # Errors
    /// The input, where the target panicked.
    pub fn one(&self, input: &[u8], count: &mut Count) -> Result<bool, Vec<u8>> {
        let set = |now| {
            if let Ok(mut place) = self.now.lock() {
                *place = now;
            }
        };
        set(Some((Instant::now(), input.to_vec())));
        let result = catch_unwind(AssertUnwindSafe(|| (self.target.run)(input)));
        set(None);
        let understood = result.map_err(|_| input.to_vec())?;
        count.run += 1;
        count.understood += u64::from(understood);
        Ok(understood)
    }
}

/// A hash of the input with its numbers and repetitions taken out: inputs of one shape are alike.
fn shape(input: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut before = 0;
    for byte in input {
        let class = if byte.is_ascii_digit() { b'0' } else { *byte };
        if class != before {
            hasher.write_u8(class);
        }
        before = class;
    }
    hasher.finish()
}

/// A line of a dictionary in libFuzzer's form: a word between quotes, with `\"`, `\\` and `\xNN`.
fn word(line: &str) -> Option<Vec<u8>> {
    let text = line.trim().strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'\\', [b'x', high, low, ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                rest = &after[3..];
            }
            (b'\\', [escaped, ..]) => {
                bytes.push(*escaped);
                rest = &after[1..];
            }
            _ => bytes.push(*first),
        }
    }
    Some(bytes)
}
