//! The small grammars: names, numbers, versions, lists.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::str::FromStr;

use seccomp_trace_core::{
    Arch, ArgValue, CaptureError, Comm, FirstSeen, Syscall, Timestamp, captures, is_unprintable,
};
use seccomp_trace_profile::{
    ArchToken, Baseline, Danger, Errno, Format, Group, KernelVersion, Reason, Severity, similar_names,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The same text goes through all of them. What is read is shown in a form that reads back to the same.
pub fn target(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let mut any = shown_reads_back::<Errno>(text);
    any |= shown_reads_back::<Arch>(text);
    any |= shown_reads_back::<Baseline>(text);
    any |= shown_reads_back::<Format>(text);
    any |= shown_reads_back::<KernelVersion>(text);
    any |= shown_reads_back::<Severity>(text);
    any |= json_reads_back::<ArgValue>(text);
    any |= json_reads_back::<ArchToken>(text);
    any |= json_reads_back::<Timestamp>(text);
    any |= json_reads_back::<FirstSeen>(text);
    any |= comm(text) | call(text) | arguments(text);
    any |= Reason::from_comment(text).inspect(|reason| assert_eq!(read_reason(reason), *reason)).is_some();
    let _ = (Group::of(text).count(), Danger::of(text));
    any
}

/// The error may be a text, hence no bound on it.
fn shown_reads_back<T: FromStr<Err: Debug + Display> + Display + Debug + PartialEq>(text: &str) -> bool {
    match text.parse::<T>() {
        Ok(read) => {
            let again = read.to_string();
            assert_eq!(again.parse::<T>().expect("what was shown"), read);
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return false;
        }
    }
    true
}

fn json_reads_back<T: DeserializeOwned + Serialize + Debug + PartialEq>(text: &str) -> bool {
    let quoted = serde_json::Value::String(text.to_owned());
    let Some(read) = serde_json::from_value::<T>(quoted).or_else(|_| serde_json::from_str(text)).ok() else {
        return false;
    };
    let again = serde_json::to_string(&read).expect("what was read can be written");
    assert_eq!(serde_json::from_str::<T>(&again).expect("what was written"), read);
    true
}

fn comm(text: &str) -> bool {
    let Some(comm) = Comm::parse(text) else { return false };
    let shown = comm.to_string();
    assert!(!shown.contains(is_unprintable), "{shown:?}");
    assert_eq!(Comm::parse(&shown), Some(comm));
    true
}

fn call(text: &str) -> bool {
    let mut any = false;
    // It compares with some thousand names, in time that grows with the text.
    if text.len() <= 32 && text.starts_with('~') {
        let _ = similar_names(text);
    }
    for arch in Arch::ALL {
        if let Some(call) = Syscall::from_name(arch, text) {
            assert_eq!(call.name(), Some(text));
            any = true;
        }
    }
    any
}

fn arguments(text: &str) -> bool {
    match captures(text, Arch::X86_64) {
        Ok(captures) => assert!(captures.values().all(|index| *index < 6)),
        Err(error @ (CaptureError::InMemory(_) | CaptureError::Unknown { .. })) => {
            assert!(error.source().is_none() && !error.to_string().is_empty());
            return false;
        }
        Err(error) => panic!("{error}"),
    }
    true
}

fn read_reason(reason: &Reason) -> Reason {
    Reason::from_comment(&reason.to_string()).expect("what was shown")
}
