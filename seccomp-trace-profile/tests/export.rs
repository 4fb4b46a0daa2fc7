//! Every format, byte for byte and in the eyes of the programs that read it.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use oci_spec::runtime::LinuxSeccomp;
use seccomp_trace_core::Arch;
use seccomp_trace_profile::{
    ExportError, ExportOptions, Exported, Format, KernelVersion, Note, Profile, export,
};
use support::{fixture, real_profiles};

fn options() -> ExportOptions {
    let mut options = ExportOptions::new(Arch::X86_64);
    options.environment.kernel = KernelVersion { major: 6, minor: 1 };
    options.name = "My Profile.json".to_owned();
    options
}

fn profile() -> Profile {
    Profile::from_json(&fixture("fixtures/export.json")).unwrap()
}

fn text(exported: Exported) -> String {
    String::from_utf8(exported.bytes).unwrap()
}

/// The text of a rule list as a profile that denies with ENOSYS.
fn denying(rules: &str) -> Profile {
    let text = format!(r#"{{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"syscalls":[{rules}]}}"#);
    Profile::from_json(&text).unwrap()
}

/// Leaves a check out, loudly.
fn left_out(what: &str) {
    use std::io::Write;
    drop(writeln!(std::io::stderr(), "left out: {what}"));
}

fn data(name: &str) -> Option<PathBuf> {
    let data = std::env::var_os("SECCOMP_TRACE_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    Some(data.join(name)).filter(|path| path.exists())
}

/// `SECCOMP_TRACE_UPDATE_GOLDEN=1` writes the files anew.
#[test]
fn every_text_format_is_the_golden_file_byte_for_byte() {
    for (format, name) in [
        (Format::Oci, "oci.json"),
        (Format::Docker, "docker.json"),
        (Format::Kubernetes, "kubernetes.yaml"),
        (Format::Systemd, "systemd.conf"),
        (Format::Seccompiler, "seccompiler.json"),
        (Format::List, "list.txt"),
    ] {
        let exported = export(&profile(), format, &options()).unwrap();
        assert_eq!(exported, export(&profile(), format, &options()).unwrap(), "{format}: the same again");
        let notes: String = exported.notes.iter().map(|note| format!("{note}\n")).collect();
        for (name, found) in [(name.to_owned(), text(exported)), (format!("{name}.notes"), notes)] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/export").join(&name);
            if std::env::var_os("SECCOMP_TRACE_UPDATE_GOLDEN").is_some() {
                std::fs::write(&path, &found).unwrap();
            }
            assert_eq!(found, std::fs::read_to_string(&path).unwrap(), "{name}");
        }
    }
}

/// The runtime-spec's types, by another implementation.
#[test]
fn oci_and_docker_are_read_by_the_runtime_specs_types() {
    let mut profiles: Vec<Profile> =
        real_profiles().iter().map(|(_, text)| Profile::from_json(text).unwrap()).collect();
    profiles.push(profile());
    for profile in profiles {
        for format in [Format::Oci, Format::Docker] {
            let text = text(export(&profile, format, &options()).unwrap());
            let theirs: LinuxSeccomp = serde_json::from_str(&text).unwrap();
            let ours = Profile::from_json(&text).unwrap();
            assert_eq!(theirs.syscalls().as_ref().unwrap().len(), ours.rules().len());
        }
    }
}

const SCHEMA: &str = r"
import json, pathlib, sys
import jsonschema, referencing
from jsonschema import Draft4Validator
folder = pathlib.Path(sys.argv[1])
names = ['config-linux.json', 'defs-linux.json', 'defs.json']
load = lambda name: referencing.Resource.from_contents(json.loads((folder / name).read_text()), referencing.jsonschema.DRAFT4)
registry = referencing.Registry().with_resources([(name, load(name)) for name in names])
pointer = {'$ref': 'config-linux.json#/linux/properties/seccomp'}
errors = list(Draft4Validator(pointer, registry=registry).iter_errors(json.load(sys.stdin)))
sys.exit('\n'.join(e.json_path + ': ' + e.message for e in errors) or 0)
";

const RESOURCE: &str = r"
import sys, yaml
from jsonschema import Draft7Validator
definition = yaml.safe_load(open(sys.argv[1]))
document = yaml.safe_load(sys.stdin)
group, version = document['apiVersion'].split('/')
assert group == definition['spec']['group'] and document['kind'] == definition['spec']['names']['kind']
schema = next(v['schema']['openAPIV3Schema'] for v in definition['spec']['versions'] if v['name'] == version and v['served'])
def strict(node):
    # A server prunes what the definition does not name; here that is an error.
    if isinstance(node, dict):
        if 'properties' in node and node is not schema['properties']['metadata']:
            node['additionalProperties'] = False
        if node.get('x-kubernetes-list-type') == 'set':
            node['uniqueItems'] = True
        for value in node.values(): strict(value)
    elif isinstance(node, list):
        for value in node: strict(value)
strict(schema)
errors = list(Draft7Validator(schema).iter_errors(document))
sys.exit('\n'.join(e.json_path + ': ' + e.message for e in errors) or 0)
";

/// Runs a Python script with its modules. `None` where they are not installed.
fn python(script: &str, argument: &Path, input: &str) -> Option<Result<(), String>> {
    use std::io::Write;
    let there = Command::new("python3").args(["-c", "import jsonschema, referencing, yaml"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        left_out(
            "validation against a schema: python3 with jsonschema 4.18 or newer and yaml is not installed",
        );
        return None;
    }
    let mut child = Command::new("python3")
        .args(["-c", script])
        .arg(argument)
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Some(if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    })
}

/// A profile for each machine that the real ones are for.
fn samples() -> Vec<Profile> {
    let mut samples: Vec<Profile> =
        real_profiles().iter().map(|(_, text)| Profile::from_json(text).unwrap()).collect();
    samples.push(profile());
    samples
}

#[test]
fn oci_and_docker_are_valid_by_the_runtime_specs_schema() {
    let Some(folder) = data("runtime-spec") else { return left_out("the runtime-spec's schema is not here") };
    for profile in samples() {
        for format in [Format::Oci, Format::Docker] {
            let text = text(export(&profile, format, &options()).unwrap());
            let Some(result) = python(SCHEMA, &folder, &text) else { return };
            assert_eq!(result, Ok(()), "{format}");
        }
    }
    let broken =
        text(export(&profile(), Format::Oci, &options()).unwrap()).replace("ACT_ALLOW", "ACT_PERMIT");
    assert!(python(SCHEMA, &folder, &broken).unwrap().unwrap_err().contains("PERMIT"), "it can fail");
}

#[test]
fn kubernetes_is_valid_by_the_resource_definition_with_nothing_unknown() {
    let Some(file) = data("spo/seccompprofile.yaml") else {
        return left_out("the resource definition is not here");
    };
    for profile in samples() {
        let text = text(export(&profile, Format::Kubernetes, &options()).unwrap());
        let Some(result) = python(RESOURCE, &file, &text) else { return };
        assert_eq!(result, Ok(()), "{text}");
    }
    let good = text(export(&profile(), Format::Kubernetes, &options()).unwrap());
    let broken = good.replacen("  defaultAction", "  defaultErrnoRet: 1\n  defaultAction", 1);
    assert!(python(RESOURCE, &file, &broken).unwrap().is_err(), "it can fail");
}

#[test]
fn a_resources_name_is_one_that_kubernetes_takes() {
    for (given, expected) in [("My Profile.json", "my-profile-json"), ("--", "seccomp-trace"), ("a1", "a1")] {
        let options = ExportOptions { name: given.to_owned(), ..options() };
        let text = text(export(&profile(), Format::Kubernetes, &options).unwrap());
        assert!(text.contains(&format!("metadata:\n  name: {expected}\n")), "{text}");
    }
}

#[test]
fn kubernetes_has_no_place_for_the_number_of_the_default_action() {
    let notes = |action: &str, number: u32| {
        let text = format!(r#"{{"defaultAction":"SCMP_ACT_{action}","defaultErrnoRet":{number}}}"#);
        export(&Profile::from_json(&text).unwrap(), Format::Kubernetes, &options()).unwrap().notes
    };
    assert_eq!(notes("ERRNO", 38), [Note::DefaultErrno { was: 38 }]);
    assert_eq!(notes("TRACE", 7), [Note::DefaultMessage { was: 7 }]);
    assert_eq!(notes("TRACE", 1), []);
    assert_eq!(notes("KILL", 7), []);
}

/// Its numbers are signed 64-bit ones.
#[test]
fn kubernetes_refuses_a_number_that_the_definition_cannot_hold() {
    let rule = r#"{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":18446744073709551615,"op":"SCMP_CMP_EQ"}]}"#;
    let error = export(&denying(rule), Format::Kubernetes, &options()).unwrap_err();
    assert!(matches!(error, ExportError::Number { index: 0, value: u64::MAX, .. }), "{error}");
}

/// The crate that the format is for compiles it; its filter is asked through our interpreter, which is checked
/// against the kernel elsewhere.
#[test]
fn seccompiler_compiles_its_format_and_the_filter_says_the_same() {
    use seccomp_trace_profile::Verdict;
    use seccomp_trace_profile::bpf::{Program, SeccompData};

    let text = text(export(&profile(), Format::Seccompiler, &options()).unwrap());
    let filters = seccompiler::compile_from_json(text.as_bytes(), seccompiler::TargetArch::x86_64).unwrap();
    let bytes: Vec<u8> = filters["main_thread"]
        .iter()
        .flat_map(|i| [&i.code.to_ne_bytes()[..], &[i.jt, i.jf], &i.k.to_ne_bytes()].concat())
        .collect();
    let program = Program::decode(&bytes).unwrap();
    let verdict = |name, first| {
        let call = support::call(Arch::X86_64, name);
        let args = [first, 0, 0, 0, 0, 0];
        program.run(&SeccompData {
            nr: call.seccomp_nr(),
            arch: call.arch.audit(),
            instruction_pointer: 0,
            args,
        })
    };
    assert_eq!(verdict("read", 0), Verdict::Allow);
    assert_eq!(verdict("socket", 2), Verdict::Allow);
    assert_eq!(verdict("socket", 38), Verdict::Errno(38), "AF_ALG");
    assert_eq!(verdict("socket", 2 << 32), Verdict::Errno(38), "all 64 bits count");
    assert_eq!(verdict("capset", 0), Verdict::Errno(38), "a runtime's call is left out");
    assert_eq!(verdict("ptrace", 0), Verdict::Errno(38));
}

#[test]
fn seccompiler_takes_every_operator_and_refuses_two_actions() {
    let condition = |op| format!(r#"{{"index":1,"value":3,"valueTwo":2,"op":"SCMP_CMP_{op}"}}"#);
    for op in ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"] {
        let rule = format!(r#"{{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{}]}}"#, condition(op));
        let text = text(export(&denying(&rule), Format::Seccompiler, &options()).unwrap());
        assert!(
            seccompiler::compile_from_json(text.as_bytes(), seccompiler::TargetArch::x86_64).is_ok(),
            "{text}"
        );
    }
    let two = r#"{"names":["read"],"action":"SCMP_ACT_ALLOW"},{"names":["write"],"action":"SCMP_ACT_KILL"}"#;
    let error = export(&denying(two), Format::Seccompiler, &options()).unwrap_err();
    assert!(matches!(error, ExportError::Action { index: 1, .. }), "{error}");
}

/// systemd itself reads the drop-in: a word it does not know is a complaint.
#[test]
fn systemd_takes_the_drop_in_without_a_complaint() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("seccomp-trace-test.service");
    let verify = |drop_in: &str| {
        let sections = format!("{drop_in}ExecStart=/bin/true\nPrivateTmp=yes\n");
        std::fs::write(&unit, sections).unwrap();
        Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output()
    };
    let good = text(export(&profile(), Format::Systemd, &options()).unwrap());
    let Ok(output) = verify(&good) else { return left_out("systemd-analyze is not installed") };
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!complaints.contains("seccomp-trace-test"), "{complaints}\n{good}");
    let bad = good.replacen("SystemCallFilter=", "SystemCallFilter=no_such_call ", 1);
    let complaints = String::from_utf8_lossy(&verify(&bad).unwrap().stderr).into_owned();
    assert!(complaints.contains("no_such_call"), "it can fail: {complaints}");
}

#[test]
fn systemd_states_other_errnos_and_refuses_what_it_cannot_say() {
    let rule = r#"{"names":["read"],"action":"SCMP_ACT_ALLOW"},{"names":["bpf"],"action":"SCMP_ACT_ERRNO","errnoRet":1},{"names":["kexec_load"],"action":"SCMP_ACT_KILL_PROCESS"}"#;
    let drop_in = text(export(&denying(rule), Format::Systemd, &options()).unwrap());
    assert!(
        drop_in.contains("SystemCallFilter=read\nSystemCallFilter=~bpf:EPERM kexec_load:kill\n"),
        "{drop_in}"
    );

    let deny_list =
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["bpf"],"action":"SCMP_ACT_ERRNO"}]}"#;
    let drop_in = text(export(&Profile::from_json(deny_list).unwrap(), Format::Systemd, &options()).unwrap());
    assert!(
        drop_in.ends_with("[Service]\nSystemCallArchitectures=native\nSystemCallFilter=~bpf:EPERM\n"),
        "{drop_in}"
    );

    let refused = |profile: &Profile| export(profile, Format::Systemd, &options()).unwrap_err();
    let by_argument = denying(
        r#"{"names":["ioctl"],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":21505,"op":"SCMP_CMP_EQ"}]}"#,
    );
    assert!(matches!(refused(&by_argument), ExportError::Arguments { index: 0, .. }));
    let widened = ExportOptions { widen: true, ..options() };
    let exported = export(&by_argument, Format::Systemd, &widened).unwrap();
    assert!(exported.notes.contains(&Note::Widened { names: ["ioctl".to_owned()].into() }));
    let denied = denying(
        r#"{"names":["ioctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1,"args":[{"index":1,"value":21505,"op":"SCMP_CMP_EQ"}]}"#,
    );
    assert!(export(&denied, Format::Systemd, &widened).is_err(), "widening allows nothing that is denied");
    let notify = denying(r#"{"names":["mount"],"action":"SCMP_ACT_NOTIFY"}"#);
    assert!(matches!(refused(&notify), ExportError::Action { index: 0, .. }));
    assert!(matches!(refused(&denying("")), ExportError::NothingAllowed { .. }));
    let log = Profile::from_json(r#"{"defaultAction":"SCMP_ACT_LOG"}"#).unwrap();
    assert!(matches!(refused(&log), ExportError::DefaultAction { .. }));
}

/// Names are not checked when a profile is read: in a format that is no JSON, such ones could say something else.
#[test]
fn a_name_that_no_call_can_have_does_not_get_into_a_text() {
    let odd = ["", "@mount", "~read", "read:kill", "a b", "%n", "#x", "READ", "1", "\u{1b}[31mred"];
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for name in odd.into_iter().chain(["zz\nExecStartPre=/bin/touch /tmp/x"]) {
        let name = serde_json::to_string(name).unwrap();
        let rules = format!(
            r#"{{"names":["read",{name}],"action":"SCMP_ACT_ALLOW"}},{{"names":[{name},"bpf"],"action":"SCMP_ACT_KILL_PROCESS","args":[]}},
               {{"names":[{name}],"action":"SCMP_ACT_TRAP","args":[{{"index":1,"value":5,"op":"SCMP_CMP_EQ"}}]}}"#
        );
        let exported = export(&denying(&rules), Format::Systemd, &options()).unwrap();
        let left_out = exported.notes.iter().find(|note| matches!(note, Note::UnknownNames { .. }));
        let left_out = left_out.unwrap().to_string();
        assert!(!left_out.contains(['\n', '\u{1b}']), "{left_out:?}");
        let drop_in = text(exported);
        assert!(
            drop_in.ends_with("SystemCallFilter=read\nSystemCallFilter=~bpf:kill\n"),
            "{name}: {drop_in}"
        );
        assert_eq!(drop_in.lines().count(), 6, "{drop_in}");
        assert_eq!(words(&text(export(&denying(&rules), Format::List, &options()).unwrap())), ["read"]);

        let alone = denying(&format!(r#"{{"names":[{name}],"action":"SCMP_ACT_ALLOW"}}"#));
        let refused = export(&alone, Format::Systemd, &options()).unwrap_err();
        assert!(
            matches!(refused, ExportError::NothingAllowed { .. }),
            "an empty list is no filter: {refused}"
        );
    }
    // One that this program does not know, a later kernel may have: denied, it stays denied.
    let later = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["no_such_call"],"action":"SCMP_ACT_ERRNO"}]}"#;
    let drop_in = text(export(&Profile::from_json(later).unwrap(), Format::Systemd, &options()).unwrap());
    assert!(drop_in.ends_with("SystemCallFilter=~no_such_call:EPERM\n"), "{drop_in}");
}

/// A rule without conditions decides, also after those with conditions: widening those would allow what is denied.
#[test]
fn conditions_beside_a_rule_without_are_neither_widened_nor_refused() {
    let rules = r#"{"names":["read"],"action":"SCMP_ACT_ALLOW"},
        {"names":["ptrace"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]},
        {"names":["ptrace"],"action":"SCMP_ACT_ERRNO","errnoRet":1}"#;
    for widen in [false, true] {
        let exported =
            export(&denying(rules), Format::Systemd, &ExportOptions { widen, ..options() }).unwrap();
        let drop_in = text(exported);
        assert!(drop_in.ends_with("SystemCallFilter=read\nSystemCallFilter=~ptrace:EPERM\n"), "{drop_in}");
    }
    assert_eq!(text(export(&denying(rules), Format::List, &options()).unwrap()), "read\n");
}

/// Runtimes load these, so they keep what runtimes need; nobody else does, unless told to.
#[test]
fn only_formats_of_container_runtimes_keep_their_calls() {
    for format in Format::ALL {
        let exported = export(&profile(), *format, &options()).unwrap();
        let left_out = exported.notes.iter().any(|note| matches!(note, Note::RuntimeLeftOut { .. }));
        assert_eq!(left_out, format.sheds_runtime(), "{format}");
        let keep = ExportOptions { keep_runtime: true, ..options() };
        let kept = export(&profile(), *format, &keep).unwrap();
        assert!(!kept.notes.iter().any(|note| matches!(note, Note::RuntimeLeftOut { .. })), "{format}");
    }
}

#[test]
fn a_list_has_no_end_where_everything_is_allowed() {
    let profile = Profile::from_json(r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#).unwrap();
    assert!(export(&profile, Format::List, &options()).is_err());
    assert!("yaml".parse::<Format>().unwrap_err().to_string().contains("kubernetes"));
}

/// What only the file's author knows, and what no rule can be made of, is not lost silently.
#[test]
fn what_is_left_out_is_said() {
    let profile = Profile::from_json(&fixture("fixtures/every-field.json")).unwrap();
    for format in [Format::Oci, Format::Docker] {
        let notes = export(&profile, format, &options()).unwrap().notes;
        let fields = notes.iter().find_map(|note| match note {
            Note::UnknownFields { paths } => Some(paths),
            _ => None,
        });
        assert!(fields.unwrap().iter().any(|path| path == "x-top"), "{notes:?}");
    }
}

/// The kernel's own checks are in the decoder; a process loads the same bytes in the end-to-end tests.
#[cfg(feature = "libseccomp")]
#[test]
fn bpf_is_a_filter_for_every_abi_of_the_profile_or_for_one() {
    use seccomp_trace_profile::Verdict;
    use seccomp_trace_profile::bpf::{Program, SeccompData};

    let ask = |bytes: &[u8], arch, name| {
        let call = support::call(arch, name);
        let data = SeccompData { nr: call.seccomp_nr(), arch: arch.audit(), ..SeccompData::default() };
        Program::decode(bytes).unwrap().run(&data)
    };
    let both = export(&profile(), Format::Bpf, &options()).unwrap();
    assert_eq!(both, export(&profile(), Format::Bpf, &options()).unwrap(), "the same again");
    assert_eq!(ask(&both.bytes, Arch::X86_64, "read"), Verdict::Allow);
    assert_eq!(ask(&both.bytes, Arch::X86, "read"), Verdict::Allow);
    assert_eq!(ask(&both.bytes, Arch::X86_64, "capset"), Verdict::Errno(38));

    let one = ExportOptions { only: Some(Arch::X86_64), ..options() };
    let one = export(&profile(), Format::Bpf, &one).unwrap();
    assert_eq!(ask(&one.bytes, Arch::X86_64, "read"), Verdict::Allow);
    assert_eq!(ask(&one.bytes, Arch::X86, "read"), Verdict::KillThread);
    assert!(one.notes.iter().any(|note| matches!(note, Note::OneAbi { .. })));

    let arm = ExportOptions { only: Some(Arch::Arm), ..options() };
    assert!(matches!(
        export(&profile(), Format::Bpf, &arm),
        Err(ExportError::NotCovered { arch: Arch::Arm })
    ));
    let code = text(export(&profile(), Format::Pfc, &options()).unwrap());
    assert!(code.contains("# pseudo filter code start") && code.contains("\"capset\""), "{code}");
}
