//! `-c`: a table of how often each call was made, how often it failed, and how long it took, as strace prints it.

use std::fmt::Write;
use std::time::Duration;

use clap::{Args, ValueEnum};
use seccomp_trace_bpf::tally::{Tally, TallyBy, TallyGroup, TallyRow, TallySpec, TallyTime};
use seccomp_trace_core::Arch;
use serde_json::{Value, json};

use crate::say::{self, say};

/// The options.
#[derive(Debug, Args)]
pub(crate) struct SummaryArgs {
    /// Count calls, errors and time, and print a summary at the end instead of anything else
    #[arg(short = 'c', long, group = "summary_wanted")]
    summary_only: bool,
    /// The same besides everything else
    #[arg(short = 'C', long, group = "summary_wanted")]
    summary: bool,
    /// Sort the summary by time, avg-time, calls, errors, name or nothing
    #[arg(short = 'S', long, value_name = "SORTBY", default_value = "time", requires = "summary_wanted")]
    summary_sort_by: SortBy,
    /// Summarise the time that passed, instead of the time on a CPU
    #[arg(short = 'w', long, requires = "summary_wanted")]
    summary_wall_clock: bool,
    /// Summarise each process, thread or phase by itself
    #[arg(long, value_name = "WHAT", requires = "summary_wanted")]
    by: Option<By>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Process,
    Thread,
    Phase,
}

/// With the other names that strace has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortBy {
    #[value(aliases = ["total-time", "total_time", "time_total"])]
    Time,
    #[value(aliases = ["avg_time", "avgtime", "time_avg"])]
    AvgTime,
    #[value(alias = "count")]
    Calls,
    #[value(alias = "error")]
    Errors,
    #[value(aliases = ["syscall", "syscall-name"])]
    Name,
    #[value(alias = "none")]
    Nothing,
}

impl SummaryArgs {
    /// What is to be counted; `None`: nothing.
    pub(crate) fn spec(&self) -> Option<TallySpec> {
        let by = match self.by {
            None => TallyBy::All,
            Some(By::Process) => TallyBy::Process,
            Some(By::Thread) => TallyBy::Thread,
            Some(By::Phase) => TallyBy::Phase,
        };
        self.is_wanted().then(|| TallySpec::new().by(by).time(self.time()))
    }

    /// Whether there is to be a summary.
    pub(crate) fn is_wanted(&self) -> bool {
        self.summary_only || self.summary
    }

    /// Whether there is to be nothing else.
    pub(crate) fn is_only(&self) -> bool {
        self.summary_only
    }

    fn time(&self) -> TallyTime {
        if self.summary_wall_clock { TallyTime::Wall } else { TallyTime::Cpu }
    }

    /// Prints a summary: as a table on standard error, or as one JSON object on standard output.
    pub(crate) fn print(&self, tally: &Tally, as_json: bool) {
        if as_json {
            say::document(&format!("{:#}", document(tally, self.time())));
        } else {
            say::raw(&self.text(tally));
        }
        Self::warn(tally);
    }

    /// The summary as a table.
    pub(crate) fn text(&self, tally: &Tally) -> String {
        text(tally, self.summary_sort_by)
    }

    /// Says what is not in the summary.
    pub(crate) fn warn(tally: &Tally) {
        if tally.uncounted > 0 {
            say!("warning: {} calls with unknown numbers are not in the summary", tally.uncounted);
        }
        if tally.missed > 0 {
            say!(
                "warning: up to {} calls are missing from the summary: the kernel skipped them",
                tally.missed
            );
        }
        let others = tally.rows.iter().filter(|row| row.group == TallyGroup::Others);
        let others: u64 = others.map(|row| row.calls).sum();
        if others > 0 {
            say!("warning: {others} calls are not told apart in the summary: there were too many of whom");
        }
    }
}

/// The tables: one for each group.
fn text(tally: &Tally, sort: SortBy) -> String {
    let mut text = String::new();
    for group in tally.rows.chunk_by(|one, other| one.group == other.group) {
        if let Some(name) = group.first().and_then(|row| name_of(row.group)) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name}:");
        }
        text.push_str(&table(group, sort));
    }
    if tally.rows.is_empty() {
        text.push_str(&table(&[], sort));
    }
    text
}

fn name_of(group: TallyGroup) -> Option<String> {
    Some(match group {
        TallyGroup::Process(pid, comm) => format!("process {pid} ({comm})"),
        TallyGroup::Thread(tid, comm) => format!("thread {tid} ({comm})"),
        TallyGroup::Phase(phase) => format!("phase {phase}"),
        TallyGroup::Others => "others".to_owned(),
        _ => return None,
    })
}

const RULE: &str = "------ ----------- ----------- --------- --------- ----------------";

fn table(rows: &[TallyRow], sort: SortBy) -> String {
    let mut rows = rows.to_vec();
    sort_by(&mut rows, sort);
    let total: Duration = rows.iter().map(|row| row.time).sum();
    let mut text = String::from("% time     seconds  usecs/call     calls    errors syscall\n");
    let line = |time: Duration, mean: u128, calls: u64, errors: u64, name: &str| {
        let share = if total.is_zero() { 0.0 } else { 100.0 * time.as_secs_f64() / total.as_secs_f64() };
        let errors = if errors == 0 { String::new() } else { errors.to_string() };
        format!("{share:6.2} {:11.6} {mean:11} {calls:9} {errors:>9} {name}\n", time.as_secs_f64())
    };
    let lines: String = rows
        .iter()
        .map(|row| line(row.time, row.mean().as_micros(), row.calls, row.errors, &shown(row)))
        .collect();
    let (calls, errors) = (rows.iter().map(|row| row.calls).sum(), rows.iter().map(|row| row.errors).sum());
    let mean = total.as_micros().checked_div(u128::from(calls)).unwrap_or_default();
    let last = line(total, mean, calls, errors, "total");
    let _ = write!(text, "{RULE}\n{lines}{RULE}\n{last}");
    text
}

/// A call of another ABI than the machine's is named with it.
fn shown(row: &TallyRow) -> String {
    match Arch::native() == Some(row.call.arch) {
        true => row.call.to_string(),
        false => format!("{} ({})", row.call, row.call.arch),
    }
}

/// What costs most comes first; what is the same stays in the order of the calls.
fn sort_by(rows: &mut [TallyRow], sort: SortBy) {
    use std::cmp::Reverse;
    match sort {
        SortBy::Time => rows.sort_by_key(|row| Reverse(row.time)),
        SortBy::AvgTime => rows.sort_by_key(|row| Reverse(row.mean())),
        SortBy::Calls => rows.sort_by_key(|row| Reverse(row.calls)),
        SortBy::Errors => rows.sort_by_key(|row| Reverse(row.errors)),
        SortBy::Name => rows.sort_by_key(|row| row.call.to_string()),
        SortBy::Nothing => {}
    }
}

/// The same for programs.
fn document(tally: &Tally, time: TallyTime) -> Value {
    let rows: Vec<Value> = tally
        .rows
        .iter()
        .map(|row| {
            let mut value = json!({
                "syscall": row.call.to_string(),
                "arch": row.call.arch.to_string(),
                "nr": row.call.nr.0,
                "calls": row.calls,
                "errors": row.errors,
                "time_ns": u64::try_from(row.time.as_nanos()).unwrap_or(u64::MAX),
            });
            let (key, group, comm) = match row.group {
                TallyGroup::Process(pid, comm) => ("pid", json!(pid), Some(comm)),
                TallyGroup::Thread(tid, comm) => ("tid", json!(tid), Some(comm)),
                TallyGroup::Phase(phase) => ("phase", json!(phase), None),
                TallyGroup::Others => ("others", json!(true), None),
                _ => return value,
            };
            value[key] = group;
            if let Some(comm) = comm {
                value["comm"] = json!(comm);
            }
            value
        })
        .collect();
    let time = if time == TallyTime::Cpu { "cpu" } else { "wall" };
    json!({ "summary": rows, "time": time, "uncounted": tally.uncounted, "missed": tally.missed })
}

#[cfg(test)]
mod tests {
    use seccomp_trace_core::{Comm, Syscall, Tgid};

    use super::*;

    fn row(group: TallyGroup, name: &str, calls: u64, errors: u64, micros: u64) -> TallyRow {
        let call = Syscall::from_name(Arch::native().unwrap(), name).unwrap();
        TallyRow::new(group, call, calls, errors, Duration::from_micros(micros))
    }

    fn two() -> Vec<TallyRow> {
        vec![row(TallyGroup::All, "close", 3, 1, 45), row(TallyGroup::All, "openat", 2, 0, 135)]
    }

    /// The columns are strace's, so that what reads the one reads the other.
    #[test]
    fn the_table_is_straces() {
        let expected = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 75.00    0.000135          67         2           openat
 25.00    0.000045          15         3         1 close
------ ----------- ----------- --------- --------- ----------------
100.00    0.000180          36         5         1 total
";
        assert_eq!(table(&two(), SortBy::Time), expected);
    }

    #[test]
    fn each_order_puts_first_what_it_names() {
        for (sort, first) in [
            (SortBy::Time, "openat"),
            (SortBy::AvgTime, "openat"),
            (SortBy::Calls, "close"),
            (SortBy::Errors, "close"),
            (SortBy::Name, "close"),
        ] {
            let mut rows = two();
            sort_by(&mut rows, sort);
            assert_eq!(rows[0].call.name(), Some(first), "{sort:?}");
        }
    }

    #[test]
    fn each_group_has_a_table_of_its_own_and_its_name() {
        let group = |pid| TallyGroup::Process(Tgid(pid), Comm::parse("sh").unwrap());
        let rows = vec![row(group(7), "close", 1, 0, 1), row(group(8), "close", 1, 0, 1)];
        let tally = tally_of(rows);
        let text = text(&tally, SortBy::Time);
        assert!(text.starts_with("process 7 (sh):\n% time"), "{text}");
        assert_eq!(text.matches("total\n").count(), 2);
        let document = document(&tally, TallyTime::Wall);
        assert_eq!(document["summary"][1]["pid"], json!(8));
        assert_eq!(document["summary"][1]["comm"], json!("sh"));
        assert_eq!(document["time"], json!("wall"));
    }

    fn tally_of(rows: Vec<TallyRow>) -> Tally {
        let mut tally = Tally::default();
        tally.rows = rows;
        tally
    }

    #[test]
    fn a_summary_of_nothing_divides_by_nothing() {
        assert!(
            text(&tally_of(Vec::new()), SortBy::Time)
                .ends_with("  0.00    0.000000           0         0           total\n")
        );
    }
}
