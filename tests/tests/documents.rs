//! What is generated from the definition of the command line.

use std::fs;
use std::path::Path;
use std::process::Command;

use seccomp_trace_tests::{finish, scratch, seccomp_trace};

/// The verbs that `--help` lists.
fn verbs() -> Vec<String> {
    let help = finish(Command::new(seccomp_trace()).arg("--help")).success().stdout;
    let commands =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let verbs: Vec<_> = commands
        .filter(|line| !line.starts_with("    "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(verbs.len() > 10, "{help}");
    verbs.into_iter().map(str::to_owned).collect()
}

#[test]
fn each_verb_has_a_manual_page_and_each_option_a_line_in_the_table() {
    let folder = scratch();
    let _ = finish(Command::new(seccomp_trace()).arg("documents").arg(folder.path())).success();
    let table = fs::read_to_string(folder.path().join("options.md")).expect("a table");
    for verb in verbs() {
        let page =
            fs::read_to_string(folder.path().join(format!("man1/seccomp-trace-{verb}.1"))).expect("a page");
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
        let help = finish(Command::new(seccomp_trace()).args([&verb, "--help"])).success().stdout;
        let options = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
        let ends = |c: char| c != '-' && !c.is_ascii_alphanumeric();
        let options = options.filter_map(|word| word[2..].split(ends).next());
        for option in options.filter(|option| *option != "help") {
            let lines = table.lines().filter(|line| line.starts_with(&format!("| {verb} |")));
            // Help texts name options of other programs, too.
            let known =
                help.contains(&format!("      --{option}")) || help.contains(&format!(", --{option}"));
            assert!(
                !known || lines.clone().any(|line| line.contains(&format!("--{option}"))),
                "{verb} --{option}"
            );
        }
    }
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/options.md");
    assert_eq!(
        fs::read_to_string(repository).expect("docs/options.md"),
        table,
        "`make documents` writes it anew"
    );
}

/// bash is the judge: it reads the file and asks it.
#[test]
fn bash_completes_verbs_and_options() {
    let folder = scratch();
    let _ = finish(Command::new(seccomp_trace()).arg("documents").arg(folder.path())).success();
    let script = folder.path().join("completions/seccomp-trace.bash");
    let ask = |words: &str, at: usize| {
        let line = format!(
            "source {}; function=$(complete -p seccomp-trace | sed 's/.*-F *\\([^ ]*\\).*/\\1/'); COMP_WORDS=({words}); \
             COMP_CWORD={at}; \"$function\" seccomp-trace \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{at}-1]}}\"; \
             echo \"${{COMPREPLY[@]}}\"",
            script.display()
        );
        finish(Command::new("bash").args(["--norc", "-c", &line])).success().stdout
    };
    assert_eq!(ask("seccomp-trace diff", 1).trim(), "diff");
    assert_eq!(ask("seccomp-trace run --rec", 2).trim(), "--recording");
}

#[test]
fn diagnostics_are_printed_where_they_are_asked_for() {
    let doctor =
        |log: &str| finish(Command::new(seccomp_trace()).arg("doctor").env("SECCOMP_TRACE_LOG", log));
    assert_eq!(doctor("").stderr, "");
    let refused = doctor("seccomp_trace_bpf=nonsense");
    assert_ne!(refused.code(), 0);
    assert!(refused.stderr.contains("SECCOMP_TRACE_LOG=seccomp_trace_bpf=nonsense"), "{}", refused.stderr);
}
