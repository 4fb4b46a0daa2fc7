//! The laws of recordings: merging is a union, and the JSON form holds everything.

use proptest::collection::vec;
use proptest::prelude::*;
use seccomp_trace_core::{
    Arch, ArgValue, ArgValues, Armed, Comm, Ended, FirstSeen, Host, Losses, Observation, Phase, Recording,
    RecordingError, Run, RunId, Syscall, Tgid, Tid, Timestamp,
};

fn run() -> impl Strategy<Value = (RunId, Run)> {
    (0..4u8, any::<[u64; 4]>(), 0..4usize, 0..2usize).prop_map(|(id, n, ended, armed)| {
        let run = Run {
            tool: "seccomp-trace test".to_owned(),
            host: Host { kernel: "6.1.0".to_owned(), arch: Arch::X86_64 },
            runtime: None,
            container: None,
            command: None,
            started: Timestamp::from_unix_nanos(n[0]),
            until: Timestamp::from_unix_nanos(n[1]),
            armed: [Armed::BeforeExec, Armed::Attached][armed],
            ended: [Ended::Running, Ended::CommandEnded, Ended::Interrupted, Ended::TargetEnded][ended],
            processes: n[2],
            losses: Losses { storage_failures: n[3], ..Losses::default() },
        };
        (RunId(format!("run-{id}")), run)
    })
}

fn observation() -> impl Strategy<Value = Observation> {
    let first =
        (any::<u64>(), any::<u32>(), any::<u32>(), any::<[u8; 16]>()).prop_map(|(time, pid, tid, comm)| {
            FirstSeen {
                time: Timestamp::from_unix_nanos(time),
                pid: Tgid(pid),
                tid: Tid(tid),
                comm: Comm::from_kernel(comm),
            }
        });
    let args = (0..2u8, proptest::collection::btree_map(0..4u64, any::<u64>(), 0..3), any::<bool>());
    let args = args.prop_map(|(index, values, widened)| ArgValues {
        index,
        values: values.into_iter().map(|(value, count)| (ArgValue(value), count)).collect(),
        widened,
    });
    (proptest::option::of(first), proptest::option::of(any::<u64>()), proptest::option::of(args))
        .prop_map(|(first, count, args)| Observation { first, count, args })
}

fn recording() -> impl Strategy<Value = Recording> {
    let call = (0..5usize, -2..8i32, 0..3usize, observation());
    (vec(run(), 0..3), vec(call, 0..12)).prop_map(|(runs, calls)| {
        let mut recording = Recording::default();
        for (id, run) in runs {
            recording.merge(Recording::of_run(id, run));
        }
        for (arch, nr, phase, observation) in calls {
            recording.observe(Syscall::new(Arch::ALL[arch], nr), Phase::ALL[phase], observation);
        }
        recording
    })
}

fn union(mut a: Recording, b: &Recording) -> Recording {
    a.merge(b.clone());
    a
}

proptest! {
    #[test]
    fn merging_is_commutative(a in recording(), b in recording()) {
        prop_assert_eq!(union(a.clone(), &b), union(b, &a));
    }

    #[test]
    fn merging_is_associative(a in recording(), b in recording(), c in recording()) {
        prop_assert_eq!(union(union(a.clone(), &b), &c), union(a, &union(b, &c)));
    }

    #[test]
    fn merging_is_idempotent(a in recording(), b in recording()) {
        prop_assert_eq!(union(a.clone(), &a), a.clone());
        let both = union(a, &b);
        prop_assert_eq!(union(both.clone(), &b), both);
    }

    #[test]
    fn a_union_holds_every_call_of_both(a in recording(), b in recording()) {
        let both = union(a.clone(), &b);
        for phase in Phase::ALL {
            let expected: std::collections::BTreeSet<_> = a.syscalls(phase).chain(b.syscalls(phase)).collect();
            prop_assert_eq!(both.syscalls(phase).collect::<std::collections::BTreeSet<_>>(), expected);
        }
    }

    #[test]
    fn json_holds_everything(a in recording()) {
        let text = a.to_json();
        let back = Recording::from_json(&text).unwrap();
        prop_assert_eq!(&back, &a);
        prop_assert_eq!(back.to_json(), text);
    }

    #[test]
    fn nonsense_is_an_error_and_never_a_panic(text in ".{0,200}") {
        prop_assert!(Recording::from_json(&text).is_err());
    }
}

/// A profile, or a recording of a later time, must not be taken for an empty recording.
#[test]
fn what_is_not_a_recording_is_refused_with_its_place() {
    let shape = |text| match Recording::from_json(text) {
        Err(RecordingError::Shape { path, source }) => format!("{path}: {source}"),
        other => panic!("{text}: {other:?}"),
    };
    assert!(shape(r#"{"defaultAction": "SCMP_ACT_ERRNO"}"#).contains("defaultAction"));
    assert!(
        shape(r#"{"seccomp_trace_recording":1,"runs":{},"syscalls":[{"arch":"mips","nr":1}]}"#)
            .starts_with("syscalls[0].arch: ")
    );
    assert!(shape("{\"seccomp_trace_recording\":1,\n\"runs\":{},\"syscalls\":[]} x").contains("line 2"));
    assert!(
        shape(r#"{"seccomp_trace_recording":1,"runs":{"a":{"tool":"t","surprise":1}},"syscalls":[]}"#)
            .starts_with("runs.a")
    );
}

#[test]
fn a_newer_version_is_refused_for_its_version_whatever_its_shape() {
    let error = Recording::from_json(r#"{"seccomp_trace_recording": 2, "novelty": []}"#).unwrap_err();
    assert!(matches!(error, RecordingError::Newer { found: 2 }), "{error}");
    assert!(error.to_string().contains("version 2"));
    let zero = Recording::from_json(r#"{"seccomp_trace_recording": 0, "runs": {}, "syscalls": []}"#);
    assert!(matches!(zero, Err(RecordingError::Zero)), "{zero:?}");
}
