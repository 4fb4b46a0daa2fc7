//! A tracee chooses its name, its paths and its arguments; none of it may reach the terminal, or break a line or JSON.

use std::os::unix::ffi::OsStringExt;
use std::process::Command;

use seccomp_trace_core::is_unprintable;
use seccomp_trace_tests::trace::traced;
use seccomp_trace_tests::{finish, privileged, scratch, seccomp_trace, tracee};

/// Bytes that a terminal would act on, that are no UTF-8, that end a string, a comment or a line.
const HOSTILE: &[u8] = b"\x1b]0;pwned\x07\x1b[2J\xff\xfe\r\n\"*/\\<>\xe2\x80\xae";

#[test]
fn hostile_paths_and_arguments_stay_within_their_quotes() {
    privileged!();
    let folder = scratch();
    let log = folder.path().join("log");
    for json in [false, true] {
        let mut command = Command::new(seccomp_trace());
        command.args(["trace", "-s", "100", "-y", "-o"]).arg(&log);
        if json {
            command.arg("--json");
        }
        let hostile = std::ffi::OsString::from_vec(HOSTILE.to_vec());
        let finished = finish(command.args(["--", "ls", "--"]).arg(&hostile));
        assert_eq!(finished.code(), 2, "there is no such file");
        let text = String::from_utf8(std::fs::read(&log).unwrap()).unwrap();
        // Other programs' UTF-8 may stand in JSON as it is.
        let harmless = |c: char| c == '\n' || !is_unprintable(c) && (json || c.is_ascii());
        let harmful: Vec<_> = text.lines().filter(|line| !line.chars().all(harmless)).collect();
        assert!(harmful.is_empty(), "{harmful:?}");
        let line = text.lines().find(|line| line.contains("execve")).unwrap();
        if json {
            let exec: serde_json::Value = serde_json::from_str(line).unwrap();
            let argument = exec["args"][1]["value"][2]["text"].as_str().unwrap();
            assert!(
                argument.starts_with("\\x1b]0;pwned\\x07\\x1b[2J\\xff\\xfe\\x0d\\x0a\"*/\\x5c<>"),
                "{argument}"
            );
        } else {
            assert!(line.contains(r#""\33]0;pwned\7\33[2J\377\376\r\n\"*/\\<>\342\200\256""#), "{line}");
        }
    }
}

/// `calls` names itself with a line feed, and a file with a line feed and a quote.
#[test]
fn a_hostile_name_of_a_thread_is_escaped() {
    privileged!();
    let (text, _) = traced(&["--json", "-e", "prctl,personality"], &[&tracee("calls")]);
    let objects: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(objects.iter().any(|object| object["comm"] == "na\\x0ame"), "{text}");
}

#[test]
fn huge_arguments_are_cut_and_say_so() {
    privileged!();
    let long = "x".repeat(100_000);
    let many: Vec<String> = (0..2000).map(|number| number.to_string()).collect();
    let words: Vec<&str> =
        [&["true", long.as_str()][..], &many.iter().map(String::as_str).collect::<Vec<_>>()].concat();
    let (text, _) = traced(&["-e", "execve"], &words);
    let line = text.lines().next().unwrap();
    assert!(line.contains(&format!("\"{}\"..., \"0\", \"1\"", "x".repeat(32))), "{line}");
    assert!(line.contains(", ...], 0x"), "{line}");
    assert!(line.len() < 2000, "{} bytes", line.len());
}

/// A string that runs into a page that is not there is marked, with what precedes it; one that ends just before is
/// whole.
#[test]
fn strings_at_the_edge_of_an_unmapped_page_are_read_or_marked() {
    privileged!();
    let (text, _) = traced(&["--json", "-e", "faccessat"], &[&tracee("shown"), "paths"]);
    let values: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|object| object["type"] == "call")
        .map(|object| object["args"][1]["value"].clone())
        .collect();
    assert_eq!(values[2]["text"], "/end");
    assert_eq!(
        (&values[3]["unreadable"], &values[3]["text"]),
        (&true.into(), &"/edges".into()),
        "{}",
        values[3]
    );
    assert_eq!(values[4]["unreadable"], true, "{}", values[4]);
    assert!(values[5].is_null(), "{}", values[5]);
}
