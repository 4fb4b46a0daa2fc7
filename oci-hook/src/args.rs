//! The command line: what is asked for. The syntax is in [`flags`](crate::flags).

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use seccomp_trace_bpf::shared::STATE_DIR;
use seccomp_trace_core::Tgid;

use crate::flags::{FlagError, Given, Takes, read};

/// What `-h` prints, and what follows the complaint about a wrong flag.
pub(crate) const USAGE: &str = "\
Usage of oci-seccomp-bpf-hook:
  -s              run as an OCI hook: read the container's State from standard input
  -r PID          trace the process PID until it exits
  -o PATH         write the profile to PATH, with -r (absolute)
  -i PATH         start from the profile PATH, with -r (absolute)
  --unconfined    keep privileges that are needed no more, where giving them up is in the way
  -version        print the version
  -h              print this text
of hook mode (-s):
  --poststop      the hook file has the poststop stage as well, so no process stays behind to wait for the end
  --again         say nothing where the hook that ran before has left nothing to do
  --allow-dir DIR read and write only in DIR what annotations name (absolute, repeatable)
  --state-dir DIR where the state that hooks share is kept (absolute) [default: /run/seccomp-trace]
";

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// `-s`
    Hook(HookRequest),
    /// `-r`
    Trace(TraceRequest),
    /// `-version`
    Version,
    /// `-h`
    Help,
}

/// One stage of a container's life.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HookRequest {
    /// Whether the hook is installed for the stage poststop as well.
    pub(crate) poststop: bool,
    /// Whether another hook has had the same State before, and has most likely done everything.
    pub(crate) again: bool,
    /// Where annotations may point; empty: anywhere.
    pub(crate) allow_dirs: Vec<PathBuf>,
    /// Where the state that hooks share is kept.
    pub(crate) state_dir: PathBuf,
    /// Whether processes of the hook keep privileges that they need no more.
    pub(crate) unconfined: bool,
}

/// A process that runs already.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TraceRequest {
    /// The process, by its id in our pid namespace.
    pub(crate) pid: Tgid,
    /// Where the profile goes; absolute.
    pub(crate) output: PathBuf,
    /// The profile to start from; absolute.
    pub(crate) input: Option<PathBuf>,
    /// Whether this process keeps privileges that it needs no more.
    pub(crate) unconfined: bool,
}

/// A command line that nothing can be done with.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArgsError {
    /// It cannot be read: exit status 2, with the usage.
    #[error("{0}")]
    Flag(#[from] FlagError),
    /// The rest are fatal errors, with exit status 1.
    #[error("Output filepath is not absolute")]
    Output,
    #[error("Input filepath is not absolute")]
    Input,
    #[error("the directory of --{flag} is not absolute: {}", directory.display())]
    Directory { flag: &'static str, directory: PathBuf },
    #[error("Unsupported arguments: --{0} belongs to hook mode (-s)")]
    HookOnly(&'static str),
    #[error("Unsupported arguments: {}", .0.join(" "))]
    Unsupported(Vec<String>),
}

const FLAGS: &[(&str, Takes)] = &[
    ("s", Takes::Switch),
    ("r", Takes::Value),
    ("o", Takes::Value),
    ("i", Takes::Value),
    ("version", Takes::Switch),
    ("poststop", Takes::Switch),
    ("again", Takes::Switch),
    ("allow-dir", Takes::Value),
    ("state-dir", Takes::Value),
    ("unconfined", Takes::Switch),
];

/// The flags as they were given; the last of those that cannot be repeated counts.
#[derive(Default)]
struct Flags {
    hook: bool,
    version: bool,
    poststop: bool,
    again: bool,
    pid: i64,
    output: PathBuf,
    input: PathBuf,
    allow_dirs: Vec<PathBuf>,
    state_dir: Option<PathBuf>,
    unconfined: bool,
}

impl Flags {
    fn read(words: &[OsString]) -> Result<Self, FlagError> {
        let mut flags = Self::default();
        for given in read(words, FLAGS)? {
            match given {
                ("s", Given::Switch(on)) => flags.hook = on,
                ("version", Given::Switch(on)) => flags.version = on,
                ("poststop", Given::Switch(on)) => flags.poststop = on,
                ("again", Given::Switch(on)) => flags.again = on,
                ("unconfined", Given::Switch(on)) => flags.unconfined = on,
                ("r", Given::Value(value)) => flags.pid = number("r", &value)?,
                ("o", Given::Value(value)) => flags.output = value.into(),
                ("i", Given::Value(value)) => flags.input = value.into(),
                ("allow-dir", Given::Value(value)) => flags.allow_dirs.push(value.into()),
                ("state-dir", Given::Value(value)) => flags.state_dir = Some(value.into()),
                (name, _) => unreachable!("-{name} is in the list, and has an arm"),
            }
        }
        Ok(flags)
    }

    /// The flags of hook mode only, as far as they were given.
    fn hook_only(&self) -> Option<&'static str> {
        let given = [
            (self.poststop, "poststop"),
            (self.again, "again"),
            (!self.allow_dirs.is_empty(), "allow-dir"),
            (self.state_dir.is_some(), "state-dir"),
        ];
        given.into_iter().find(|(given, _)| *given).map(|(_, name)| name)
    }
}

/// Reads a command line, the program's name first.
pub(crate) fn parse(words: &[OsString]) -> Result<Request, ArgsError> {
    let flags = match Flags::read(words.get(1..).unwrap_or_default()) {
        Err(FlagError::Help) => return Ok(Request::Help),
        flags => flags?,
    };
    if flags.version {
        return Ok(Request::Version);
    }
    // An empty path is as none: a script may pass on a variable that is not set.
    let given = |path: &Path| path != Path::new("");
    if given(&flags.output) && !flags.output.is_absolute() {
        return Err(ArgsError::Output);
    }
    if given(&flags.input) && !flags.input.is_absolute() {
        return Err(ArgsError::Input);
    }
    match u32::try_from(flags.pid) {
        Ok(pid) if pid > 0 => {
            if let Some(flag) = flags.hook_only() {
                return Err(ArgsError::HookOnly(flag));
            }
            if !given(&flags.output) {
                return Err(ArgsError::Output);
            }
            let input = Some(flags.input).filter(|path| given(path));
            Ok(Request::Trace(TraceRequest {
                pid: Tgid(pid),
                output: flags.output,
                input,
                unconfined: flags.unconfined,
            }))
        }
        _ if flags.hook => {
            let state_dir = flags.state_dir.unwrap_or_else(|| STATE_DIR.into());
            let named = flags.allow_dirs.iter().map(|directory| ("allow-dir", directory));
            for (flag, directory) in named.chain([("state-dir", &state_dir)]) {
                if !directory.is_absolute() {
                    return Err(ArgsError::Directory { flag, directory: directory.clone() });
                }
            }
            Ok(Request::Hook(HookRequest {
                poststop: flags.poststop,
                again: flags.again,
                allow_dirs: flags.allow_dirs,
                state_dir,
                unconfined: flags.unconfined,
            }))
        }
        _ => {
            let words = words.iter().map(|word| word.to_string_lossy().into_owned());
            Err(ArgsError::Unsupported(words.collect()))
        }
    }
}

fn number(name: &'static str, value: &OsStr) -> Result<i64, FlagError> {
    let text = value.to_string_lossy();
    // A leading zero means octal to the flag package: refused, so that nobody's PID is taken for another.
    let plain = text == "0" || !text.trim_start_matches(['-', '+']).starts_with('0');
    let number = text.parse::<i32>().ok().filter(|_| plain);
    number.map(i64::from).ok_or_else(|| FlagError::NotNumber { name, value: text.into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(line: &str) -> Result<Request, ArgsError> {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        parse(&words)
    }

    fn hook() -> HookRequest {
        HookRequest {
            poststop: false,
            again: false,
            allow_dirs: Vec::new(),
            state_dir: STATE_DIR.into(),
            unconfined: false,
        }
    }

    fn trace(input: Option<&str>) -> Request {
        Request::Trace(TraceRequest {
            pid: Tgid(7),
            output: "/o".into(),
            input: input.map(PathBuf::from),
            unconfined: false,
        })
    }

    /// The first line is that of the hook file that users have.
    #[test]
    fn hook_mode_has_flags_of_its_own() {
        assert_eq!(line("oci-seccomp-bpf-hook -s"), Ok(Request::Hook(hook())));
        let ours = "oci-seccomp-bpf-hook -s --poststop --again --allow-dir /a --allow-dir=/b --state-dir /run/x --unconfined";
        let expected = HookRequest {
            poststop: true,
            again: true,
            allow_dirs: vec!["/a".into(), "/b".into()],
            state_dir: "/run/x".into(),
            unconfined: true,
        };
        assert_eq!(line(ours), Ok(Request::Hook(expected)));
    }

    #[test]
    fn a_process_is_traced_into_an_output() {
        assert_eq!(line("hook -r 7 -o /o"), Ok(trace(None)));
        assert_eq!(line("hook --r=7 -o=/o -i /i"), Ok(trace(Some("/i"))));
        assert_eq!(line("hook -s -r 7 -o /o"), Ok(trace(None)), "-r goes before -s");
        let empty = ["hook", "-r", "7", "-o", "/o", "-i", ""].map(OsString::from);
        assert_eq!(parse(&empty), Ok(trace(None)), "an empty input is none");
    }

    #[test]
    fn paths_that_are_not_absolute_are_refused_in_the_known_words() {
        for (given, text) in [
            ("hook -r 7 -o o", "Output filepath is not absolute"),
            ("hook -r 7", "Output filepath is not absolute"),
            ("hook -s -o o", "Output filepath is not absolute"),
            ("hook -r 7 -o /o -i ./i", "Input filepath is not absolute"),
        ] {
            assert_eq!(line(given).unwrap_err().to_string(), text, "{given}");
        }
    }

    /// Relative to whatever directory the runtime runs hooks in, they would mean nothing.
    #[test]
    fn directories_that_are_not_absolute_are_refused_by_name() {
        for flag in ["allow-dir", "state-dir"] {
            let text = line(&format!("hook -s --{flag} here/x")).unwrap_err().to_string();
            assert!(text.contains(flag) && text.contains("here/x"), "{text}");
        }
    }

    #[test]
    fn without_an_action_the_words_are_repeated() {
        let text = line("hook -o /o more").unwrap_err().to_string();
        assert_eq!(text, "Unsupported arguments: hook -o /o more");
        for given in ["hook", "hook -r 0", "hook -r -7 -o /o", "hook -s=false", "hook --poststop"] {
            assert!(matches!(line(given), Err(ArgsError::Unsupported(_))), "{given}");
        }
    }

    /// Whoever confines what is written must not believe that this is confined too.
    #[test]
    fn what_belongs_to_hook_mode_is_refused_elsewhere() {
        for flag in ["--poststop", "--again", "--allow-dir /a", "--state-dir /a"] {
            let text = line(&format!("hook -r 7 -o /o {flag}")).unwrap_err().to_string();
            let name = flag.split(' ').next().expect("a name");
            assert!(text.starts_with("Unsupported arguments: ") && text.contains(name), "{text}");
        }
    }

    #[test]
    fn a_pid_is_a_plain_decimal_number() {
        for text in ["x", "", "1.5", "010", "0x10", "4294967296"] {
            let error = parse(&["hook", "-r", text, "-o", "/o"].map(OsString::from)).unwrap_err();
            let expected = FlagError::NotNumber { name: "r", value: text.to_owned() };
            assert_eq!(error, ArgsError::Flag(expected), "{text}");
        }
    }

    #[test]
    fn version_and_help_go_before_everything_else() {
        assert_eq!(line("hook -version -o o"), Ok(Request::Version));
        assert_eq!(line("hook -s --help"), Ok(Request::Help));
        for (name, _) in FLAGS {
            assert!(
                USAGE.contains(&format!("  -{name} ")) || USAGE.contains(&format!("  --{name} ")),
                "{name}"
            );
        }
        assert!(USAGE.contains(STATE_DIR));
    }
}
