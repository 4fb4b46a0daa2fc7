//! A hook that cannot do what was asked for stops the container before it starts, and says why where somebody looks.

use std::fs;
use std::path::Path;

use seccomp_trace_tests::podman::{Settings, of, options, traced};
use seccomp_trace_tests::{Entry, Podman, finish, read_recording, scratch, with_each_runtime};

with_each_runtime!(
    a_bad_annotation_stops_the_container,
    an_input_that_cannot_be_used_stops_the_container,
    an_output_that_has_no_place_stops_the_container,
    bad_options_stop_the_container,
    a_file_that_another_container_writes_stops_the_container,
    what_the_administrator_does_not_allow_stops_the_container,
    without_btf_the_container_does_not_start,
    good_annotations_are_accepted,
);

const END: &str = ": please refer to the syslog (e.g., journalctl(1)) for more details";

/// The container must not have run, and the reason, which holds `words`, must be in the system log and, where the
/// runtime hands it on, on the user's screen. All bytes of the log's last entry are looked at.
fn refused(podman: &Podman, runtime: &str, annotation: &str, more: &[&str], words: &[&str]) {
    let before = podman.log().entries().len();
    let ran = podman.trace(annotation, more, &["echo", "it runs"]);
    assert_eq!(ran.code(), 126, "{annotation:?}: {ran:?}; the log: {:#?}", podman.said());
    assert!(!ran.stdout.contains("it runs"), "{ran:?}");
    let entries = podman.log().entries().split_off(before);
    let fatal: Vec<_> = entries.iter().filter(|entry| entry.priority == Entry::CRIT).collect();
    let [fatal] = fatal[..] else { panic!("not one reason for {annotation:?}: {entries:#?}") };
    assert_eq!(fatal.tag, "oci-seccomp-bpf-hook");
    assert_ne!(fatal.pid, 0);
    assert!(fatal.text.ends_with(END), "{fatal:?}");
    for word in words {
        assert!(fatal.text.contains(word), "{word:?} is not in {fatal:?}");
    }
    if runtime == "runc" {
        // podman quotes what runc quotes.
        let reason = fatal.text.replace(['\\', '"'], "");
        let shown = ran.stderr.replace(['\\', '"'], "");
        assert!(shown.contains(&reason), "{reason} is not on standard error: {shown}");
    }
}

/// What the contract names, and nothing is left of it.
fn a_bad_annotation_stops_the_container(runtime: &str) {
    let podman = Podman::new(runtime);
    let out = |name: &str| podman.out(name).display().to_string();
    let (a, b, c) = (out("a"), out("b"), out("c"));
    let input = podman.path("good.json");
    fs::write(&input, r#"{"defaultAction":"SCMP_ACT_ERRNO"}"#).expect("a file in a folder of ours");
    let input = input.display();
    for (annotation, words) in [
        (String::new(), "invalid annotation"),
        (format!("if:{a};if:{b};of:{c}"), "invalid annotation: more than one semi-colon: "),
        (format!("if:{input}"), "providing output file is mandatory"),
        (format!("if:a;of:{b}"), "invalid annotation"),
        (format!("if:{input};of:b"), "invalid annotation"),
        ("of:b".to_owned(), "invalid annotation"),
        (format!(" of:{a}"), "invalid annotation"),
        (format!("if:{input}; of:{a}"), "invalid annotation"),
        (format!("OF:{a}"), "invalid annotation"),
        (a.clone(), "invalid annotation"),
    ] {
        refused(&podman, runtime, &annotation, &[], &["invalid annotation", words]);
    }
    podman.left(&[]).nothing();
}

fn an_input_that_cannot_be_used_stops_the_container(runtime: &str) {
    let podman = Podman::new(runtime);
    let (output, input) = (podman.out("out.json"), podman.path("in.json"));
    let annotation = format!("if:{};of:{}", input.display(), output.display());
    let named = input.display().to_string();
    refused(&podman, runtime, &annotation, &[], &["invalid annotation", &named, "does not exist"]);
    for bad in ["", "{", "[]", r#"{"defaultAction":"SCMP_ACT_NONSENSE"}"#] {
        fs::write(&input, bad).expect("a file in a folder of ours");
        refused(&podman, runtime, &annotation, &[], &["invalid annotation", &named]);
    }
    podman.left(&[]).nothing();
}

/// Found at the end it would be too late.
fn an_output_that_has_no_place_stops_the_container(runtime: &str) {
    let podman = Podman::new(runtime);
    let missing = podman.out("missing").join("out.json");
    refused(&podman, runtime, &of(&missing), &[], &["invalid annotation", &missing.display().to_string()]);
    let folder = podman.out("folder");
    fs::create_dir(&folder).expect("a folder in a folder of ours");
    refused(&podman, runtime, &of(&folder), &[], &["invalid annotation", &folder.display().to_string()]);
    podman.left(&["folder"]).nothing();
}

/// An option that was misread in silence gives a profile that nobody asked for.
fn bad_options_stop_the_container(runtime: &str) {
    let podman = Podman::new(runtime);
    let annotation = of(&podman.out("out.json"));
    for (bad, word) in [
        ("colour=red", "colour"),
        ("for=", "for"),
        ("for=crun;for=runc", "for"),
        ("for=docker", "docker"),
        ("recording=r.json", "r.json"),
        ("format=systemd", "systemd"),
    ] {
        refused(
            &podman,
            runtime,
            &annotation,
            &["--annotation", &options(bad)],
            &["invalid annotation", word],
        );
    }
    podman.left(&[]).nothing();
}

/// The last to end would write over what the first wrote.
fn a_file_that_another_container_writes_stops_the_container(runtime: &str) {
    let podman = Podman::new(runtime);
    let (one, two, recording) =
        (podman.out("one.json"), podman.out("two.json"), podman.out("recording.json"));
    let recorded = options(&format!("recording={}", recording.display()));
    let annotation = traced(&of(&one));
    podman.detach("one", &["--annotation", &annotation, "--annotation", &recorded], &["sleep", "1000"]);
    let words = [&*recording.display().to_string(), "container"];
    refused(&podman, runtime, &of(&two), &["--annotation", &recorded], &words);
    refused(&podman, runtime, &of(&recording), &[], &words);
    let elsewhere = options(&format!("recording={}", one.display()));
    refused(
        &podman,
        runtime,
        &of(&two),
        &["--annotation", &elsewhere],
        &[&one.display().to_string(), "container"],
    );
    drop(podman.podman(&["rm", "-f", "-t", "0", "one"]).success());
    drop(read_recording(&recording));
    podman.left(&["one.json", "recording.json"]).nothing();
}

/// Whoever chooses the annotation of a pod must not write everywhere on the host.
fn what_the_administrator_does_not_allow_stops_the_container(runtime: &str) {
    let allowed = scratch();
    let mut settings = Settings::default();
    for file in &mut settings.hook_files {
        let args = file["hook"]["args"].as_array_mut().expect("a list");
        args.extend(["--allow-dir".into(), allowed.path().to_str().expect("UTF-8").into()]);
    }
    let podman = Podman::with(runtime, &settings);
    refused(&podman, runtime, &of(&podman.out("out.json")), &[], &["invalid annotation"]);
    let round = allowed.path().join("..").join("out.json");
    refused(&podman, runtime, &of(&round), &[], &["invalid annotation"]);
    let inside = allowed.path().join("out.json");
    drop(podman.trace(&of(&inside), &[], &["ls", "/"]).success());
    assert!(inside.exists());
    podman.left(&[]).nothing();
}

/// A machine that cannot trace says so before the container starts, and not by an empty profile.
fn without_btf_the_container_does_not_start(runtime: &str) {
    let podman = Podman::new(runtime);
    let hide = ["-t", "tmpfs", "none", "/sys/kernel/btf"];
    drop(finish(podman.inside("mount").args(hide)).success());
    refused(&podman, runtime, &of(&podman.out("out.json")), &[], &["BTF"]);
    podman.left(&[]).nothing();
}

/// The grammar's other side: all that users have written for years.
fn good_annotations_are_accepted(runtime: &str) {
    let podman = Podman::new(runtime);
    let (input, output) = (podman.path("in.json"), podman.out("out.json"));
    fs::write(&input, r#"{"defaultAction":"SCMP_ACT_ERRNO"}"#).expect("a file in a folder of ours");
    let (input, output) = (input.display(), output.display());
    let other = podman.out("other.json");
    for annotation in [
        format!("of:{output}"),
        format!("if:{input};of:{output}"),
        format!("of:{output};if:{input}"),
        format!("of: {output} "),
        format!("of:{};of:{output}", other.display()),
    ] {
        drop(podman.trace(&annotation, &[], &["ls", "/"]).success());
        let profile = podman.profile("out.json");
        assert!(profile.workload_has(&["getdents64"]), "{annotation}: {profile:?}");
        fs::remove_file(Path::new(&podman.out("out.json"))).expect("a file of ours");
    }
    podman.left(&[]).nothing();
}
