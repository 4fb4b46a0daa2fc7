//! Rows, their targets and verdicts, as Markdown.

use std::fmt::Write;

use crate::stats::Quartiles;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// So many times as much as what the row names.
    Ratio,
    /// Nanoseconds.
    Nanoseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// 1024 times 1024 bytes.
    Mebibytes,
    /// A number of things.
    Count,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Ratio if value >= 10.0 => format!("x{value:.0}"),
            Self::Ratio => format!("x{value:.2}"),
            Self::Nanoseconds => format!("{value:.0} ns"),
            Self::Milliseconds if value >= 10.0 => format!("{value:.0} ms"),
            Self::Milliseconds if value >= 1.0 => format!("{value:.1} ms"),
            Self::Milliseconds => format!("{value:.2} ms"),
            Self::Seconds => format!("{value:.2} s"),
            Self::Mebibytes => format!("{value:.1} MiB"),
            Self::Count => format!("{value:.0}"),
        }
    }
}

/// One result.
#[derive(Debug, Clone)]
pub struct Row {
    what: String,
    unit: Unit,
    result: Result<Quartiles, String>,
    target: Option<Target>,
}

/// What the median is to be.
#[derive(Debug, Clone, Copy)]
enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Row {
    /// A result with its spread.
    pub fn new(what: impl Into<String>, unit: Unit, result: Quartiles) -> Self {
        Self { what: what.into(), unit, result: Ok(result), target: None }
    }

    /// A single number.
    pub fn single(what: impl Into<String>, unit: Unit, value: f64) -> Self {
        Self::new(what, unit, [value; 3])
    }

    /// What could not be measured here, and why.
    pub fn left_out(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), unit: Unit::Count, result: Err(why.into()), target: None }
    }

    /// With a target: the median is to be no more than this.
    #[must_use]
    pub fn at_most(mut self, limit: f64) -> Self {
        self.target = Some(Target::AtMost(limit));
        self
    }

    /// With a target: the median is to be no less than this.
    #[must_use]
    pub fn at_least(mut self, limit: f64) -> Self {
        self.target = Some(Target::AtLeast(limit));
        self
    }

    /// What was measured.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The quartiles, where it was measured.
    #[must_use]
    pub fn quartiles(&self) -> Option<Quartiles> {
        self.result.as_ref().ok().copied()
    }

    /// Whether it has a target.
    #[must_use]
    pub fn has_target(&self) -> bool {
        self.target.is_some()
    }

    /// `met`, `missed`, or nothing where there is no target or no result.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        let (Some(target), Ok([_, median, _])) = (self.target, &self.result) else { return "" };
        let met = match target {
            Target::AtMost(limit) => *median <= limit,
            Target::AtLeast(limit) => *median >= limit,
        };
        if met { "met" } else { "**missed**" }
    }

    fn cells(&self, judged: bool) -> [String; 4] {
        let (median, spread) = match &self.result {
            Ok([low, median, high]) if low == high => (self.unit.show(*median), String::new()),
            Ok([low, median, high]) => {
                let spread = format!("{} – {}", self.unit.show(*low), self.unit.show(*high));
                (self.unit.show(*median), spread)
            }
            Err(why) => (format!("left out: {why}"), String::new()),
        };
        let target = match self.target {
            Some(Target::AtMost(limit)) => format!("≤ {}", self.unit.show(limit)),
            Some(Target::AtLeast(limit)) => format!("≥ {}", self.unit.show(limit)),
            None => String::new(),
        };
        let verdict = if judged { self.verdict() } else { "" };
        [median, spread, target, verdict.to_owned()]
    }
}

/// The rows of one question as a table. `judged`: with verdicts.
#[must_use]
pub fn table(rows: &[Row], judged: bool) -> String {
    let mut text = String::from("| | median | quartiles | target | verdict |\n|---|---|---|---|---|\n");
    for row in rows {
        line(&mut text, &[&row.what], row, judged);
    }
    text
}

/// The rows of all questions that have a target, as one table. A question stands at its first row.
/// `judged`: with verdicts.
#[must_use]
pub fn summary<'a>(rows: impl IntoIterator<Item = (&'a str, &'a Row)>, judged: bool) -> String {
    let mut text =
        String::from("| question | | median | quartiles | target | verdict |\n|---|---|---|---|---|---|\n");
    let mut last = "";
    for (question, row) in rows.into_iter().filter(|(_, row)| row.has_target()) {
        line(&mut text, &[if question == last { "" } else { question }, &row.what], row, judged);
        last = question;
    }
    text
}

fn line(text: &mut String, first: &[&str], row: &Row, judged: bool) {
    for cell in first.iter().map(ToString::to_string).chain(row.cells(judged)) {
        // Writing to a string cannot fail.
        let _ = write!(text, "| {} ", cell.replace('|', "\\|"));
    }
    text.push_str("|\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides_whether_a_target_is_met() {
        let row = |median| Row::new("a loop", Unit::Ratio, [1.0, median, 2.0]).at_most(1.17);
        assert_eq!(row(1.17).verdict(), "met");
        assert_eq!(row(1.18).verdict(), "**missed**");
        assert_eq!(row(f64::NAN).verdict(), "**missed**");
        assert_eq!(Row::single("a loop", Unit::Ratio, 9.0).verdict(), "");
        assert_eq!(Row::left_out("a loop", "not root").at_most(1.0).verdict(), "");
    }

    #[test]
    fn a_row_says_its_value_its_spread_and_its_target() {
        let rows = [
            Row::new("run | floor", Unit::Ratio, [1.051, 1.1, 1.2]).at_most(1.17),
            Row::single("lost", Unit::Count, 0.0),
            Row::left_out("bpftrace", "not installed"),
        ];
        let text = table(&rows, true);
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| run \\| floor | x1.10 | x1.05 – x1.20 | ≤ x1.17 | met |",
                "| lost | 0 |  |  |  |",
                "| bpftrace | left out: not installed |  |  |  |",
            ]
        );
    }

    /// A short run knows nothing, so it must not tell anybody that a target was missed.
    #[test]
    fn a_row_that_is_not_judged_has_its_target_and_no_verdict() {
        let row = Row::single("merging", Unit::Seconds, 2.0).at_most(1.0);
        assert!(table(std::slice::from_ref(&row), true).contains("| ≤ 1.00 s | **missed** |"));
        assert!(table(&[row], false).contains("| ≤ 1.00 s |  |"));
    }

    #[test]
    fn the_summary_has_what_has_a_target_and_names_a_question_once() {
        let one = Row::single("one", Unit::Count, 0.0).at_most(0.0);
        let other = Row::left_out("other", "not installed").at_most(1.0);
        let printed = Row::single("printed", Unit::Count, 0.0);
        let text = summary([("q?", &one), ("q?", &printed), ("q?", &other), ("r?", &one)], true);
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| q? | one | 0 |  | ≤ 0 | met |",
                "|  | other | left out: not installed |  | ≤ 1 |  |",
                "| r? | one | 0 |  | ≤ 0 | met |",
            ]
        );
    }
}
