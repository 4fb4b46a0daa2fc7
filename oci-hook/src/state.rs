//! The State of a container, as an OCI runtime or a container engine writes it to a hook's standard input.
//!
//! Read with a lenient type of our own: `oci_spec`'s takes a missing status for `stopped` and refuses one it does not
//! know, and a hook that is wrong about the stage loses a profile.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use seccomp_trace_core::Tgid;
use serde::Deserialize;

/// More than any State is: its annotations are what can be large, and engines bound them.
const LARGEST: u64 = 1 << 20;

/// What a hook file should say, where it says something else.
const STAGES: &str = "the stages prestart (or createRuntime) and poststop";

/// A State; fields that are not needed are not read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct State {
    id: Option<String>,
    status: Option<String>,
    pid: Option<i64>,
    bundle: Option<PathBuf>,
    annotations: Option<BTreeMap<String, String>>,
}

/// Why a State cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error("cannot read the container's State from standard input")]
    Json(#[source] serde_json::Error),
    #[error("the container's State on standard input is larger than 1 MiB")]
    Large,
    #[error(
        "invalid PID {0} (must be greater than 0): there is no container's process yet, as in the stage createContainer \
         of crun; install the hook for {STAGES}"
    )]
    NotPositive(i64),
    #[error("invalid PID {0} (no process has it)")]
    TooLarge(i64),
    #[error(
        "the container runs already (its status is running), as in the stage poststart: what it did so far was not \
         seen; install the hook for {STAGES}"
    )]
    Started,
    #[error(
        "invalid PID 1: the hook runs inside the container's namespaces, as in the stages createContainer and \
         startContainer; install it for {STAGES}"
    )]
    Inside,
}

/// Reads the first JSON value; what follows it is left unread.
pub(crate) fn read(input: impl Read) -> Result<State, StateError> {
    let mut limited = input.take(LARGEST);
    let state = State::deserialize(&mut serde_json::Deserializer::from_reader(&mut limited));
    state.map_err(|error| match limited.limit() {
        0 if error.is_eof() => StateError::Large,
        _ => StateError::Json(error),
    })
}

impl State {
    /// Whether the container has ended: the stage is poststop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.status.as_deref() == Some("stopped")
    }

    /// The container's first process, in our pid namespace. Meaningless once the container has stopped.
    ///
    /// # Errors
    /// There is none, it is numbered in the container's own namespace, or it has executed its program already.
    pub(crate) fn init(&self) -> Result<Tgid, StateError> {
        if self.status.as_deref() == Some("running") {
            return Err(StateError::Started);
        }
        match self.pid.unwrap_or(0) {
            pid @ ..=0 => Err(StateError::NotPositive(pid)),
            1 => Err(StateError::Inside),
            pid => u32::try_from(pid).map(Tgid).map_err(|_| StateError::TooLarge(pid)),
        }
    }

    /// The id that the engine gave the container.
    pub(crate) fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    /// The folder of the container's `config.json`.
    pub(crate) fn bundle(&self) -> Option<&Path> {
        self.bundle.as_deref()
    }

    /// The value of an annotation.
    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What runc 1.1, crun 1.8 and podman 4.3 wrote for the stages prestart and poststop, but for the id, the bundle,
    /// and most of podman's annotations.
    const RUNC: &str = r#"{"ociVersion":"1.0.2-dev","id":"web","status":"creating","pid":12904,"bundle":"/run/b","annotations":{"io.containers.trace-syscall":"of:/o.json"}}"#;
    const CRUN: &str = r#"{"ociVersion":"1.0","id":"web","pid":12904,"root":"rootfs","bundle":"/run/b","status":"created","annotations":{"io.containers.trace-syscall":"of:/o.json"}}"#;
    const RUNC_STOPPED: &str = r#"{"ociVersion":"1.0.2-dev","id":"web","status":"stopped","bundle":"/run/b","annotations":{"io.containers.trace-syscall":"of:/o.json"}}"#;
    const CRUN_STOPPED: &str = r#"{"ociVersion":"1.0","id":"web","pid":0,"root":"rootfs","bundle":"/run/b","status":"stopped","annotations":{"io.containers.trace-syscall":"of:/o.json"}}"#;

    const PODMAN_STOPPED: &str = r#"{"ociVersion":"1.0.2-dev","id":"web","status":"stopped","bundle":"/run/b","annotations":{"io.containers.trace-syscall":"of:/o.json","io.podman.annotations.autoremove":"TRUE"}}"#;

    fn state(text: &str) -> State {
        read(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_states_of_runc_and_crun_are_understood() {
        for text in [RUNC, CRUN] {
            let state = state(text);
            assert!(!state.is_stopped(), "{text}");
            assert_eq!(state.init().unwrap(), Tgid(12904), "{text}");
        }
        for text in [RUNC, CRUN, RUNC_STOPPED, CRUN_STOPPED, PODMAN_STOPPED] {
            let state = state(text);
            assert_eq!(state.id(), "web");
            assert_eq!(state.bundle(), Some(Path::new("/run/b")));
            assert_eq!(state.annotation(crate::annotation::KEY), Some("of:/o.json"));
            assert_eq!(state.annotation("other"), None);
        }
        for text in [RUNC_STOPPED, CRUN_STOPPED, PODMAN_STOPPED] {
            assert!(state(text).is_stopped(), "{text}");
        }
    }

    /// An oracle that others wrote, where it is not too strict.
    #[test]
    fn oci_spec_reads_the_same() {
        for text in [RUNC, CRUN, RUNC_STOPPED, CRUN_STOPPED, PODMAN_STOPPED] {
            let (ours, theirs) =
                (state(text), serde_json::from_str::<oci_spec::runtime::State>(text).unwrap());
            assert_eq!(ours.id(), theirs.id());
            assert_eq!(ours.status, Some(theirs.status().to_string()));
            assert_eq!(ours.pid, theirs.pid().map(i64::from));
            assert_eq!(ours.bundle(), Some(theirs.bundle().as_path()));
            let annotations = theirs.annotations().clone().unwrap_or_default();
            assert_eq!(ours.annotations, Some(annotations.into_iter().collect()));
        }
    }

    /// A runtime that keeps its end of the pipe open must not hang us, and the State may not be all that is sent.
    #[test]
    fn only_the_first_value_is_read() {
        let mut input = Vec::from(RUNC);
        input.extend(b"\n{\"id\": \"second\"} garbage");
        assert_eq!(read(&input[..]).unwrap(), state(RUNC));

        struct Open<'a>(&'a [u8]);
        impl Read for Open<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                assert!(!self.0.is_empty(), "read beyond the State, where a pipe would block");
                self.0.read(buffer)
            }
        }
        assert_eq!(read(Open(RUNC.as_bytes())).unwrap(), state(RUNC));
    }

    /// A status that is missing or new is not `stopped`: the container is about to run and is to be traced.
    #[test]
    fn fields_may_be_missing_null_or_unknown() {
        let lenient = state(r#"{"pid":7,"annotations":null,"status":null,"new":{"a":[1,{"b":null}]}}"#);
        assert!(!lenient.is_stopped());
        assert_eq!((lenient.id(), lenient.bundle()), ("", None));
        assert_eq!(lenient.annotation("a"), None);
        assert!(!state(r#"{"status":"paused"}"#).is_stopped());
    }

    #[test]
    fn a_pid_that_is_no_process_of_the_host_is_refused() {
        let none = "(must be greater than 0): there is no container's process yet, as in the stage createContainer of crun; \
                    install the hook for the stages prestart (or createRuntime) and poststop";
        for (pid, text) in [
            ("0", format!("invalid PID 0 {none}")),
            ("-3", format!("invalid PID -3 {none}")),
            ("4294967296", "invalid PID 4294967296 (no process has it)".to_owned()),
        ] {
            let state = state(&format!(r#"{{"status":"created","pid":{pid}}}"#));
            assert_eq!(state.init().unwrap_err().to_string(), text);
        }
        let missing = state(r#"{"status":"created"}"#).init().unwrap_err().to_string();
        assert_eq!(missing, format!("invalid PID 0 {none}"));
    }

    /// Each names the stages that are right.
    #[test]
    fn a_wrong_stage_is_told_from_a_wrong_pid() {
        for (status, pid, stage) in
            [("running", 7, "poststart"), ("created", 0, "createContainer"), ("created", 1, "startContainer")]
        {
            let state = state(&format!(r#"{{"status":"{status}","pid":{pid}}}"#));
            let error = state.init().unwrap_err().to_string();
            assert!(error.contains(stage) && error.contains("the stages prestart"), "{error}");
        }
    }

    /// Inside the container, the hook sees it as pid 1; the user must learn which stages to install it for.
    #[test]
    fn pid_1_is_refused_with_the_stages_that_work() {
        let text = state(r#"{"status":"created","pid":1}"#).init().unwrap_err().to_string();
        assert!(text.starts_with("invalid PID 1"), "{text}");
        let (fact, remedy) = text.split_once("; ").expect("fact; remedy");
        assert!(fact.contains("createContainer") && fact.contains("startContainer"), "{text}");
        assert!(
            ["prestart", "createRuntime", "poststop"].iter().all(|stage| remedy.contains(stage)),
            "{text}"
        );
    }

    #[test]
    fn what_is_no_state_is_refused_with_the_place() {
        for (text, why) in [
            ("", "EOF"),
            ("{\"id\":", "EOF"),
            ("[]", "line 1"),
            ("not JSON", "line 1"),
            (r#"{"pid":"7"}"#, "line 1 column 10"),
        ] {
            let error = anyhow::Error::from(read(text.as_bytes()).unwrap_err());
            let shown = format!("{error:#}");
            assert!(shown.starts_with("cannot read the container's State"), "{text}: {shown}");
            assert!(shown.contains(why), "{text}: {shown}");
        }
    }

    #[test]
    fn a_state_of_1_mib_is_read_and_a_larger_one_is_not() {
        let of_size = |size: u64| {
            let frame = r#"{"id":""}"#;
            let id = "x".repeat(usize::try_from(size).unwrap() - frame.len());
            format!(r#"{{"id":"{id}"}}"#)
        };
        assert!(read(of_size(LARGEST).as_bytes()).is_ok());
        let error = read(of_size(LARGEST + 1).as_bytes()).unwrap_err();
        assert!(matches!(error, StateError::Large), "{error}");
        assert!(error.to_string().contains("larger than 1 MiB"));
    }
}
