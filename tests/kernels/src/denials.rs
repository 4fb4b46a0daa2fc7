//! What a profile denies, for each action, and what only looks like a denial.

use std::collections::BTreeSet;
use std::path::PathBuf;

use seccomp_trace_tests::{Denied, Verified, verify};

use crate::Scenario::Trace;
use crate::{Test, tracee};

pub(crate) const TESTS: &[Test] = &[
    ("denials", Trace, actions),
    ("denial-of-a-thread", Trace, thread),
    ("no-denials", Trace, nothing),
    ("tracers-are-no-denials", Trace, tracers),
];

/// A profile that does this with one call, and allows all others.
fn profile(name: &str, action: &str) -> PathBuf {
    let path = PathBuf::from(format!("/tmp/{name}-{action}.json"));
    let text = format!(
        r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{{"names": ["{name}"], "action": "SCMP_ACT_{action}"}}]}}"#
    );
    std::fs::write(&path, text).expect("a file in a folder of ours");
    path
}

fn one(name: &str) -> BTreeSet<Denied> {
    BTreeSet::from([(name.to_owned(), std::env::consts::ARCH.to_owned(), 1)])
}

/// The kernel may have skipped programs, and then the report must say so: `LOSSY`.
fn expect(found: &Verified, denied: &BTreeSet<Denied>, what: &str) {
    let skipped = found.json["unreliable"].as_u64().expect("a count");
    assert!(
        skipped == 0,
        "{what}: storage_failures: 0, lookup_failures: 0, recursion_misses: {skipped}, number_overflow: 0"
    );
    assert_eq!(found.denied(), *denied, "{what}: {found:#?}");
}

fn actions() {
    for action in ["ERRNO", "LOG", "TRAP", "KILL_THREAD", "KILL_PROCESS"] {
        let found = verify(&profile("getsid", action), &[&tracee("caller"), "msync", "getsid"]);
        expect(&found, &one("getsid"), action);
    }
}

fn thread() {
    let script = format!("exec {} >&2", tracee("threads"));
    for action in ["ERRNO", "KILL_THREAD"] {
        let found = verify(&profile("semop", action), &["sh", "-c", &script]);
        expect(&found, &one("semop"), action);
    }
}

fn nothing() {
    for name in ["disturbed", "vfork", "exec_thread", "daemon"] {
        expect(&verify(&profile("swapon", "ERRNO"), &[&tracee(name)]), &BTreeSet::new(), name);
    }
}

fn tracers() {
    for mode in ["emulated", "skipped", "changed", "killed"] {
        let found = verify(&profile("getsid", "ERRNO"), &[&tracee("traced"), mode]);
        expect(&found, &BTreeSet::new(), mode);
    }
}
