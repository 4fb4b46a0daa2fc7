//! What is read is written back the same.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use oci_spec::runtime::LinuxSeccomp;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use seccomp_trace_profile::{Operator, Profile, ProfileError, Rule};
use serde_json::{Map, Value, json};
use support::{FIXTURES, fixture, real_profiles};

fn assert_kept(name: &str, text: &str) {
    let value: Value = serde_json::from_str(text).unwrap();
    let profile = Profile::from_json(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let written = profile.to_json();
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value, "{name}");
    assert_eq!(Profile::from_json(&written).unwrap(), profile, "{name}");
    assert_eq!(Profile::from_json(&written).unwrap().to_json(), written, "{name}");
    assert!(written.ends_with("}\n"), "{name}");
}

#[test]
fn every_field_of_every_dialect_is_kept() {
    for name in FIXTURES {
        assert_kept(name, &fixture(name));
    }
}

#[test]
fn the_default_profiles_of_real_engines_are_kept() {
    for (path, text) in real_profiles() {
        assert_kept(&path.display().to_string(), &text);
    }
}

/// JavaScript's numbers end at 2^53; those of seccomp at 2^64.
#[test]
fn argument_values_are_exact() {
    let profile = Profile::from_json(&fixture("fixtures/every-field.json")).unwrap();
    let args = profile.rules()[1].args();
    assert_eq!(args[1].value(), u64::MAX);
    assert_eq!(args[2].value(), 9_007_199_254_740_993);
    assert_eq!(args[2].value_two(), u64::MAX - 1);
    assert_eq!((args[6].index().as_usize(), args[6].value(), args[6].op()), (0, 0, Operator::Greater));
}

/// People compare profiles by eye, and tools by line.
#[test]
fn keys_are_written_in_a_fixed_order() {
    let text = Profile::from_json(&fixture("fixtures/every-field.json")).unwrap().to_json();
    let top: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("  \"")?.split('"').next()).collect();
    assert_eq!(
        top,
        [
            "defaultAction",
            "defaultErrnoRet",
            "defaultErrno",
            "archMap",
            "syscalls",
            "flags",
            "listenerPath",
            "listenerMetadata",
            "x-top"
        ]
    );
    let rule = text.split("\"no_such_call\"").nth(1).unwrap().split("\n    },\n").next().unwrap();
    let keys: Vec<_> =
        rule.lines().filter_map(|line| line.strip_prefix("      \"")?.split('"').next()).collect();
    assert_eq!(keys, ["action", "args", "comment", "includes", "excludes", "errnoRet", "errno", "x-rule"]);
}

#[test]
fn an_error_names_the_place_and_the_reason() {
    let long = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["a"],"action":"SCMP_ACT_ALLOW"},"#;
    for (text, path, reason) in [
        ("", "the top level", "EOF while parsing a value at line 1 column 0"),
        ("[]", "the top level", "expected struct Profile"),
        ("{}", "the top level", "missing field `defaultAction`"),
        (
            r#"{"defaultAction":"allow"}"#,
            "defaultAction",
            "unknown variant `allow`, expected one of `SCMP_ACT_KILL`",
        ),
        (r#"{"defaultAction":"SCMP_ACT_ALLOW"} x"#, "the end", "trailing characters at line 1 column 36"),
        (
            r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X8664"]}"#,
            "architectures[0]",
            "unknown architecture \"SCMP_ARCH_X8664\"",
        ),
        (
            r#"{"defaultAction":"SCMP_ACT_ALLOW","defaultErrno":"ENOPE"}"#,
            "the top level",
            "unknown error name \"ENOPE\" in `defaultErrno`",
        ),
        (&format!("{long}\n{{\"names\":[\"b\"]}}]}}"), "syscalls[1]", "missing field `action` at line 2"),
        (
            &format!("{long}{{\"name\":\"a\",\"names\":[\"b\"],\"action\":\"SCMP_ACT_LOG\"}}]}}"),
            "syscalls[1]",
            "`name` or `names`, not both at line 1",
        ),
        (
            &format!("{long}{{\"nmaes\":[\"b\"],\"action\":\"SCMP_ACT_LOG\"}}]}}"),
            "syscalls[1]",
            "unknown field \"nmaes\"",
        ),
        (
            &format!("{long}{{\"names\":\"b\",\"action\":\"SCMP_ACT_LOG\"}}]}}"),
            "syscalls[1].names",
            "invalid type: string",
        ),
        (
            &format!("{long}{{\"names\":[\"b\"],\"action\":\"SCMP_ACT_ERRNO\",\"errno\":\"38\"}}]}}"),
            "syscalls[1]",
            "unknown error name \"38\"",
        ),
        (
            &format!(
                "{long}{{\"names\":[\"b\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{{\"index\":6,\"op\":\"SCMP_CMP_EQ\"}}]}}]}}"
            ),
            "syscalls[1].args[0].index",
            "invalid argument index 6, expected 0 to 5",
        ),
        (
            &format!(
                "{long}{{\"names\":[\"b\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{{\"value\":-1,\"op\":\"SCMP_CMP_EQ\"}}]}}]}}"
            ),
            "syscalls[1].args[0].value",
            "expected u64",
        ),
        (
            &format!(
                "{long}{{\"names\":[\"b\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{{\"op\":\"EQ\"}}]}}]}}"
            ),
            "syscalls[1].args[0].op",
            "unknown variant `EQ`",
        ),
        (
            &format!(
                "{long}{{\"names\":[\"b\"],\"action\":\"SCMP_ACT_LOG\",\"includes\":{{\"minKernel\":\"four\"}}}}]}}"
            ),
            "syscalls[1].includes.minKernel",
            "invalid kernel version \"four\"",
        ),
    ] {
        match Profile::from_json(text) {
            Err(ProfileError::Parse { path: found, source }) => {
                assert_eq!(found, path, "{text}");
                assert!(source.to_string().contains(reason), "{text}: {source}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

/// Whether the runtime-spec's own types take the profile.
#[test]
fn profiles_in_the_runtime_specs_dialect_are_read_by_another_implementation() {
    let profile = Profile::from_json(&fixture("fixtures/old-form.json")).unwrap();
    assert!(serde_json::from_str::<LinuxSeccomp>(&profile.to_json()).is_err(), "it has the old `name`");
    let mut read = 0;
    for (path, text) in real_profiles() {
        let profile = Profile::from_json(&text).unwrap();
        if !text.contains("\"name\":") {
            let theirs: LinuxSeccomp = serde_json::from_str(&profile.to_json()).unwrap();
            let names: Vec<_> =
                theirs.syscalls().iter().flatten().flat_map(|rule| rule.names().clone()).collect();
            let ours: Vec<_> = profile.rules().iter().flat_map(Rule::names).map(str::to_owned).collect();
            assert_eq!(names, ours, "{}", path.display());
            read += 1;
        }
    }
    println!("{read} profiles compared");
}

/// A field's states: absent, null, or one of the values.
fn field(values: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![Just(None), Just(Some(Value::Null)), values.prop_map(Some)]
}

fn strings() -> impl Strategy<Value = Value> {
    vec("[a-z_]{0,9}", 0..4).prop_map(|list| json!(list))
}

fn unknown() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(2, 8, 3, |inner| vec(inner, 0..3).prop_map(Value::from));
    btree_map("x-[a-z]{1,4}", value, 0..2).prop_map(|map| map.into_iter().collect())
}

fn object(fields: Vec<(&'static str, Option<Value>)>, mut other: Map<String, Value>) -> Value {
    other.extend(fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    Value::Object(other)
}

fn arg() -> impl Strategy<Value = Value> {
    let op = proptest::sample::select(vec!["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"]);
    let number = || field(any::<u64>().prop_map(Value::from));
    (field((0..6_u64).prop_map(Value::from)), number(), number(), op, unknown()).prop_map(
        |(index, value, two, op, other)| {
            let op = Some(json!(format!("SCMP_CMP_{op}")));
            object(vec![("index", index), ("value", value), ("valueTwo", two), ("op", op)], other)
        },
    )
}

fn condition() -> impl Strategy<Value = Value> {
    let kernel = "[1-9]\\.[0-9]{1,2}".prop_map(Value::from);
    (field(strings()), field(strings()), field(kernel), unknown()).prop_map(
        |(caps, arches, kernel, other)| {
            object(vec![("caps", caps), ("arches", arches), ("minKernel", kernel)], other)
        },
    )
}

fn action() -> impl Strategy<Value = Option<Value>> {
    let names =
        vec!["KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "ERRNO", "TRACE", "ALLOW", "LOG", "NOTIFY"];
    proptest::sample::select(names).prop_map(|name| Some(json!(format!("SCMP_ACT_{name}"))))
}

fn rule() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        field(strings()).prop_map(|names| ("names", Some(names.unwrap_or_default()))),
        field("[a-z_]{0,9}".prop_map(Value::from)).prop_map(|name| ("name", Some(name.unwrap_or_default()))),
    ];
    let errno = (field(any::<u32>().prop_map(Value::from)), field(Just(json!("EPERM"))));
    let text = field(".{0,8}".prop_map(Value::from));
    let conditions = (field(condition()), field(condition()));
    (name, action(), field(vec(arg(), 0..3).prop_map(Value::from)), text, conditions, errno, unknown())
        .prop_map(|(name, action, args, comment, (includes, excludes), (number, errno), other)| {
            let fields = vec![
                name,
                ("action", action),
                ("args", args),
                ("comment", comment),
                ("includes", includes),
                ("excludes", excludes),
                ("errnoRet", number),
                ("errno", errno),
            ];
            object(fields, other)
        })
}

fn profile() -> impl Strategy<Value = Value> {
    let arches = || {
        let known = proptest::sample::select(vec!["X86_64", "X86", "AARCH64", "S390X", "RISCV64", "SHEB"]);
        field(vec(known.prop_map(|name| format!("SCMP_ARCH_{name}")), 0..3).prop_map(|list| json!(list)))
    };
    let map = (arches(), unknown()).prop_map(|(sub, other)| {
        object(vec![("architecture", Some(json!("SCMP_ARCH_PPC64LE"))), ("subArchitectures", sub)], other)
    });
    let errno = (field(any::<u32>().prop_map(Value::from)), field(Just(json!("ENOSYS"))));
    let listener = (field(".{0,8}".prop_map(Value::from)), field(".{0,8}".prop_map(Value::from)));
    let lists = (
        arches(),
        field(vec(map, 0..3).prop_map(Value::from)),
        field(vec(rule(), 0..4).prop_map(Value::from)),
    );
    (action(), errno, lists, field(strings()), listener, unknown()).prop_map(
        |(action, (number, errno), (arches, map, rules), flags, (path, metadata), other)| {
            let fields = vec![
                ("defaultAction", action),
                ("defaultErrnoRet", number),
                ("defaultErrno", errno),
                ("architectures", arches),
                ("archMap", map),
                ("syscalls", rules),
                ("flags", flags),
                ("listenerPath", path),
                ("listenerMetadata", metadata),
            ];
            object(fields, other)
        },
    )
}

/// Found by fuzzing: such a number came back in its last digit different.
#[test]
fn numbers_in_unknown_fields_keep_their_value() {
    let text = r#"{"defaultAction":"SCMP_ACT_ERRNO","x":184467440737095516118446744073709551616,"y":0.1e-7}"#;
    let written = Profile::from_json(text).unwrap().to_json();
    let again = Profile::from_json(&written).unwrap();
    assert_eq!(again.to_json(), written);
    assert_eq!(
        serde_json::from_str::<Value>(&written).unwrap(),
        serde_json::from_str::<Value>(text).unwrap()
    );
}

proptest! {
    #[test]
    fn any_profile_is_kept(value in profile()) {
        let text = value.to_string();
        let profile = Profile::from_json(&text).map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
        prop_assert_eq!(serde_json::from_str::<Value>(&profile.to_json()).unwrap(), value);
    }

    #[test]
    fn nonsense_is_an_error_and_never_a_panic(text in ".{0,200}") {
        prop_assert!(Profile::from_json(&text).is_err());
    }
}
