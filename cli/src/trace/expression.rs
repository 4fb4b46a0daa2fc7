//! The grammar of `-e`: which calls, signals and results are shown. strace(1), "Filtering".
//!
//! Pure: a fuzz target includes this file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex_lite::Regex;
use seccomp_trace_core::{Arch, Selection, Syscall};
use seccomp_trace_profile::similar_names;

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Wrong {
    /// A call that no ABI of this machine has.
    #[error("no syscall is called {name:?}{}", did_you_mean(near))]
    Call { name: String, near: Vec<&'static str> },
    /// A class that is not known.
    #[error("there is no class %{name} (known: {known})", known = classes())]
    Class { name: String },
    /// What stands after a slash is no regular expression.
    #[error("/{text} is no regular expression: {reason}")]
    Regex { text: String, reason: String },
    /// An ABI that is not known.
    #[error("@{0} is no ABI (known: @64, @32, @x32)")]
    Abi(String),
    /// Neither a name nor a number of a signal.
    #[error("{0:?} is no signal")]
    Signal(String),
    /// Not a word that this expression takes.
    #[error("{word:?} is not one of: {}", known.join(", "))]
    Word { word: String, known: &'static [&'static str] },
    /// An expression of strace's that this program has not.
    #[error("-e {name}= is not offered: {reason}")]
    NotOffered { name: String, reason: &'static str },
    /// Not the name of an expression.
    #[error("-e {0}= is unknown (known: trace, signal, status, quiet, abbrev, decode-fds)")]
    Unknown(String),
    /// A list with nothing in it.
    #[error("an empty name in {0:?}")]
    Empty(String),
}

fn classes() -> String {
    CLASSES.keys().map(|name| format!("%{name}")).collect::<Vec<_>>().join(", ")
}

fn did_you_mean(near: &[&str]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) }
}

/// How calls end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    Successful,
    Failed,
    Unfinished,
}

/// What all `-e` of a command line say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) calls: Selection,
    /// Signals as bits, signal 1 the lowest.
    pub(crate) signals: u64,
    pub(crate) statuses: BTreeSet<Status>,
    /// Threads that begin and end are not told of.
    pub(crate) quiet_attach: bool,
    pub(crate) quiet_exit: bool,
    /// Structures in full.
    pub(crate) verbose: bool,
    /// Descriptors with their paths.
    pub(crate) descriptors: bool,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            calls: Selection::Except(BTreeSet::new()),
            signals: u64::MAX,
            statuses: STATUSES.into_iter().map(|(_, status)| status).collect(),
            quiet_attach: false,
            quiet_exit: false,
            verbose: false,
            descriptors: false,
        }
    }
}

const STATUSES: [(&str, Status); 3] =
    [("successful", Status::Successful), ("failed", Status::Failed), ("unfinished", Status::Unfinished)];

impl Filter {
    /// Whether every result is wanted.
    pub(crate) fn any_status(&self) -> bool {
        self.statuses.len() == STATUSES.len()
    }

    /// Takes one `-e`, on a machine whose kernel's ABI is `native`. As with strace, of several about the same thing
    /// the last counts.
    pub(crate) fn add(&mut self, expression: &str, native: Arch) -> Result<(), Wrong> {
        // A regular expression can hold an equals sign.
        let name = expression.split_once('=').filter(|(name, _)| !name.contains(['/', ',', '!', '%']));
        let (name, list) = name.unwrap_or(("trace", expression));
        match name {
            "trace" | "t" => self.calls = calls(list, native)?,
            "signal" | "signals" | "s" => self.signals = signals(list)?,
            "status" => self.statuses = statuses(list)?,
            "quiet" | "silent" | "silence" | "q" => {
                for word in words(list, &["attach", "exit", "personality", "path-resolution", "all", "none"])?
                {
                    self.quiet_attach |= matches!(word, "attach" | "personality" | "all");
                    self.quiet_exit |= matches!(word, "exit" | "all");
                }
            }
            "abbrev" | "a" => {
                self.verbose = words(list, &["all", "none"])?.last() == Some(&"none");
            }
            "decode-fds" | "decode-fd" => {
                self.descriptors = words(list, &["all", "path", "none"])?.last() != Some(&"none");
            }
            "inject" | "fault" => {
                return Err(not_offered(name, "this program only watches, and changes nothing"));
            }
            "read" | "write" | "reads" | "writes" | "r" | "w" => {
                return Err(not_offered(name, "use -s to see more of what is read and written"));
            }
            "raw" | "x" | "verbose" | "v" | "kvm" => {
                return Err(not_offered(name, "--json has the raw value of every argument"));
            }
            _ => return Err(Wrong::Unknown(name.to_owned())),
        }
        Ok(())
    }
}

fn not_offered(name: &str, reason: &'static str) -> Wrong {
    Wrong::NotOffered { name: name.to_owned(), reason }
}

/// The classes of calls by name.
static CLASSES: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let mut classes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = "";
    for line in include_str!("classes.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let names = match line.split_once(": ") {
            Some((class, names)) => {
                current = class;
                names
            }
            None => line,
        };
        classes.entry(current).or_default().extend(names.split_whitespace());
    }
    classes
});

/// One above the largest number in any table of public calls.
const NUMBERS: i32 = 1024;

fn arches(native: Arch) -> impl Iterator<Item = Arch> {
    Arch::ALL.into_iter().filter(move |arch| arch.native_of() == native)
}

fn items(list: &str) -> Result<(bool, impl Iterator<Item = &str>), Wrong> {
    let (negated, rest) = list.strip_prefix('!').map_or((false, list), |rest| (true, rest));
    if rest.is_empty() || (!rest.starts_with('/') && rest.split(',').any(str::is_empty)) {
        return Err(Wrong::Empty(list.to_owned()));
    }
    Ok((negated, rest.split(',')))
}

/// A set of calls: names, numbers, `%class`, `/regex`, `all`, `none`, each with `@ABI` and `?`; all but these after `!`.
fn calls(list: &str, native: Arch) -> Result<Selection, Wrong> {
    let (mut negated, items) = items(list)?;
    let mut chosen = BTreeSet::new();
    for item in items {
        match item {
            // All but none are all.
            "all" => {
                chosen.clear();
                negated = !negated;
                break;
            }
            "none" => {}
            item => chosen.append(&mut one(item, native)?),
        }
    }
    Ok(if negated { Selection::Except(chosen) } else { Selection::Only(chosen) })
}

fn one(item: &str, native: Arch) -> Result<BTreeSet<Syscall>, Wrong> {
    let (optional, item) = item.strip_prefix('?').map_or((false, item), |item| (true, item));
    if let Some(pattern) = item.strip_prefix('/') {
        let regex = Regex::new(pattern).map_err(|error| Wrong::Regex {
            text: pattern.to_owned(),
            // The last line says what; those before it point at the place.
            reason: error
                .to_string()
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned(),
        })?;
        let all = arches(native).flat_map(|arch| (0..NUMBERS).map(move |nr| Syscall::new(arch, nr)));
        return Ok(all.filter(|call| call.name().is_some_and(|name| regex.is_match(name))).collect());
    }
    let (word, abi) = item.split_once('@').map_or((item, None), |(word, abi)| (word, Some(abi)));
    let chosen = || -> Result<Vec<Arch>, Wrong> {
        let wanted = |arch: &Arch| match abi {
            None => Ok(true),
            Some("64") => Ok(*arch == native),
            Some("32") => Ok(matches!(arch, Arch::X86 | Arch::Arm)),
            Some("x32") => Ok(*arch == Arch::X32),
            Some(other) => Err(Wrong::Abi(other.to_owned())),
        };
        let mut found = Vec::new();
        for arch in arches(native) {
            if wanted(&arch)? {
                found.push(arch);
            }
        }
        Ok(found)
    };
    let arches = chosen()?;
    let named = |names: &[&str]| -> BTreeSet<Syscall> {
        let calls =
            names.iter().flat_map(|name| arches.iter().map(move |arch| Syscall::from_name(*arch, name)));
        calls.flatten().collect()
    };
    if let Some(class) = word.strip_prefix('%') {
        let names = CLASSES.get(class).ok_or_else(|| Wrong::Class { name: class.to_owned() })?;
        return Ok(named(names));
    }
    if let Ok(number) = word.parse::<i32>() {
        return Ok(arches.iter().map(|arch| Syscall::new(*arch, number)).collect());
    }
    let mut found = named(&[word]);
    // strace's old form of a class; of those only these are not also names of calls.
    if let (true, Some(names)) = (OLD_CLASSES.contains(&word), CLASSES.get(word)) {
        found = named(names);
    }
    if found.is_empty() && !optional {
        return Err(Wrong::Call { name: word.to_owned(), near: similar_names(word) });
    }
    Ok(found)
}

const OLD_CLASSES: [&str; 7] = ["file", "process", "network", "signal", "ipc", "desc", "memory"];

fn signals(list: &str) -> Result<u64, Wrong> {
    let (negated, items) = items(list)?;
    let mut bits = 0u64;
    for item in items {
        match item {
            "all" => bits = u64::MAX,
            "none" => {}
            item => {
                let number =
                    crate::decode::signal_number(item).ok_or_else(|| Wrong::Signal(item.to_owned()))?;
                bits |= 1 << (number - 1);
            }
        }
    }
    Ok(if negated { !bits } else { bits })
}

fn statuses(list: &str) -> Result<BTreeSet<Status>, Wrong> {
    let (negated, _) = items(list)?;
    let known = &["successful", "failed", "unfinished", "unavailable", "detached", "all", "none"];
    let mut chosen = BTreeSet::new();
    for word in words(list.trim_start_matches('!'), known)? {
        chosen
            .extend(STATUSES.into_iter().filter(|(name, _)| *name == word || word == "all").map(|(_, s)| s));
        // They do not return either.
        if matches!(word, "unavailable" | "detached") {
            chosen.insert(Status::Unfinished);
        }
    }
    let all = STATUSES.into_iter().map(|(_, status)| status);
    Ok(all.filter(|status| chosen.contains(status) != negated).collect())
}

fn words<'a>(list: &'a str, known: &'static [&'static str]) -> Result<Vec<&'a str>, Wrong> {
    list.split(',')
        .map(|word| match known.contains(&word) {
            true => Ok(word),
            false => Err(Wrong::Word { word: word.to_owned(), known }),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(expressions: &[&str]) -> Result<Filter, Wrong> {
        let mut filter = Filter::default();
        for expression in expressions {
            filter.add(expression, Arch::X86_64)?;
        }
        Ok(filter)
    }

    fn shows(filter: &Filter, arch: Arch, name: &str) -> bool {
        let call = Syscall::from_name(arch, name).unwrap();
        match &filter.calls {
            Selection::Only(calls) => calls.contains(&call),
            Selection::Except(calls) => !calls.contains(&call),
        }
    }

    #[test]
    fn calls_are_chosen_as_with_strace() {
        let native =
            |expression: &str, name: &str| shows(&filter(&[expression]).unwrap(), Arch::X86_64, name);
        for expression in
            ["openat,close", "trace=openat,close", "t=openat,close", "/^(openat|close)$", "257,3"]
        {
            assert!(native(expression, "openat") && native(expression, "close"), "{expression}");
            assert!(!native(expression, "read"), "{expression}");
        }
        assert!(native("!read", "write") && !native("!read", "read"));
        assert!(native("trace=!%file", "read") && !native("trace=!%file", "openat"));
        assert!(native("%file", "openat") && native("file", "openat") && !native("%file", "read"));
        assert!(native("all", "read") && !native("none", "read") && native("!none", "read"));
        assert!(!native("!all", "read"));
        assert!(native("?nonsense,read", "read"));
        assert!(native("/^open", "openat") && !native("/^open", "close"));
    }

    #[test]
    fn a_name_means_the_calls_of_all_abis_unless_it_says_which() {
        let filter = |expression: &str| filter(&[expression]).unwrap();
        assert!(
            shows(&filter("getpid"), Arch::X86, "getpid") && shows(&filter("getpid"), Arch::X86_64, "getpid")
        );
        assert!(!shows(&filter("getpid@64"), Arch::X86, "getpid"));
        assert!(shows(&filter("getpid@32"), Arch::X86, "getpid"));
        assert!(shows(&filter("waitpid"), Arch::X86, "waitpid"), "a call of i386 alone");
    }

    #[test]
    fn of_several_the_last_counts() {
        let filter = filter(&["read", "trace=write", "signal=!SIGCHLD", "status=failed"]).unwrap();
        assert!(!shows(&filter, Arch::X86_64, "read") && shows(&filter, Arch::X86_64, "write"));
        assert_eq!(filter.signals, !(1 << 16));
        assert_eq!(filter.statuses, BTreeSet::from([Status::Failed]));
    }

    #[test]
    fn statuses_and_quietness_are_read() {
        let filter = |expression: &str| filter(&[expression]).unwrap();
        assert!(filter("status=all").any_status() && filter("status=!none").any_status());
        assert_eq!(
            filter("status=!failed").statuses,
            BTreeSet::from([Status::Successful, Status::Unfinished])
        );
        assert!(filter("quiet=exit").quiet_exit && !filter("quiet=exit").quiet_attach);
        assert!(filter("quiet=attach,exit").quiet_attach && filter("q=all").quiet_exit);
        assert!(filter("abbrev=none").verbose && filter("decode-fds=path").descriptors);
        assert_eq!(filter("signal=none").signals, 0);
    }

    #[test]
    fn a_misspelt_name_is_refused_with_what_it_may_mean() {
        let text = |expression: &str| filter(&[expression]).unwrap_err().to_string();
        assert!(text("opnat").contains("\"opnat\"; did you mean openat"), "{}", text("opnat"));
        assert!(text("%fil").contains("no class %fil") && text("%fil").contains("%file"));
        assert!(text("/[").contains("no regular expression"), "{}", text("/["));
        assert!(text("read@16").contains("@64"));
        assert!(text("signal=SIGFOO").contains("SIGFOO"));
        assert!(text("status=bad").contains("successful"));
        assert!(text("inject=all:error=EPERM").contains("not offered"));
        assert!(text("nonsense=1").contains("unknown"));
        for empty in ["", "!", "read,,write", "trace="] {
            assert!(matches!(filter(&[empty]), Err(Wrong::Empty(_))), "{empty:?}");
        }
    }

    #[test]
    fn every_name_of_every_class_is_a_call() {
        assert_eq!(CLASSES.len(), 17);
        for (class, names) in CLASSES.iter() {
            for name in names {
                let known = Arch::ALL.iter().any(|arch| Syscall::from_name(*arch, name).is_some());
                assert!(known, "%{class}: {name}");
            }
        }
    }
}
