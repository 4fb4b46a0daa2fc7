//! `make bench-quick`, as a test: everything that is measured can be measured. No number counts.

use std::collections::BTreeSet;

use seccomp_trace_benches::questions::QUESTIONS;
use seccomp_trace_benches::table::Row;
use seccomp_trace_benches::{Scale, report};
use seccomp_trace_tests::{left_out, say};

/// A benchmark that nobody has run for a while does not run. Whether it is fast depends on who else is running.
#[test]
fn every_question_has_an_answer() {
    if let Some(reason) = left_out() {
        say(&format!("left out: the benchmarks that trace need root and BPF, but {reason}"));
    }
    let report = report(Scale::Quick, &[]).expect("a folder to work in");
    assert_eq!(report.failures().collect::<Vec<_>>(), [""; 0], "these could not be measured");

    for answer in &report.answers {
        let rows = answer.rows.as_ref().expect("no failure");
        assert!(!rows.is_empty(), "{} has no answer", answer.question.name);
        for row in rows {
            let measured = row.quartiles().is_none_or(|values| values.iter().all(|value| value.is_finite()));
            assert!(measured, "{}: {row:?}", answer.question.name);
        }
        let different: BTreeSet<_> = rows.iter().map(Row::what).collect();
        assert_eq!(different.len(), rows.len(), "two rows of {} are called the same", answer.question.name);
    }

    let document = report.markdown();
    for question in QUESTIONS {
        assert!(document.contains(&format!("## {}\n", question.text)), "{}", question.name);
    }
}

#[test]
fn an_unknown_question_is_refused_with_the_known_ones() {
    let error = report(Scale::Quick, &["nonsense".to_owned()]).expect_err("there is none of that name");
    let text = error.to_string();
    assert!(text.starts_with("there is no question \"nonsense\" (known: hot, bystander, "), "{text}");
}
