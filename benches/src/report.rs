//! All questions asked, as one Markdown document.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::context::{Context, Scale};
use crate::machine::{date, load_average, machine, others_at_sys_enter, version};
use crate::questions::{QUESTIONS, Question};
use crate::table::{Row, summary, table};
use crate::tracers::PEERS;

/// A question, and what came of it.
#[derive(Debug)]
pub struct Answer {
    /// The question.
    pub question: &'static Question,
    /// The rows, or why there are none.
    pub rows: anyhow::Result<Vec<Row>>,
}

/// What was found, on what.
#[derive(Debug)]
pub struct Report {
    /// In the order of the questions.
    pub answers: Vec<Answer>,
    scale: Scale,
    busy: Busy,
}

/// What else was going on when it began.
#[derive(Debug)]
struct Busy {
    load: String,
    others: Option<usize>,
}

/// Asks the questions of these names, or all of them where none is named. One that fails does not end it.
///
/// # Errors
/// A name that no question has; no folder to work in.
pub fn report(scale: Scale, names: &[String]) -> anyhow::Result<Report> {
    if let Some(unknown) = names.iter().find(|name| QUESTIONS.iter().all(|one| one.name != **name)) {
        let known: Vec<_> = QUESTIONS.iter().map(|one| one.name).collect();
        anyhow::bail!("there is no question {unknown:?} (known: {})", known.join(", "));
    }
    let busy = Busy { load: load_average(), others: others_at_sys_enter() };
    let context = Context::new(scale)?;
    let asked = |one: &&Question| names.is_empty() || names.iter().any(|name| one.name == name);
    let answers = QUESTIONS.iter().filter(asked).map(|question| ask(&context, question)).collect();
    Ok(Report { answers, scale, busy })
}

fn ask(context: &Context, question: &'static Question) -> Answer {
    eprintln!("bench: {}: {}", question.name, question.text);
    let rows = match &context.cannot_trace {
        Some(why) if question.traces => Ok(vec![Row::left_out("all of it", why.clone())]),
        // The tests' helpers panic where something is not as it should be.
        _ => catch_unwind(AssertUnwindSafe(|| (question.ask)(context))).unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            Err(anyhow::anyhow!("{}", said.unwrap_or_default()))
        }),
    };
    Answer { question, rows }
}

impl Report {
    /// The questions that could not be answered, and why.
    pub fn failures(&self) -> impl Iterator<Item = String> + '_ {
        self.answers.iter().filter_map(|answer| {
            let error = answer.rows.as_ref().err()?;
            Some(format!("{}: {error:#}", answer.question.name))
        })
    }

    /// As a document.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::from("# Performance\n\n");
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let (how, rounds) = match self.scale {
            Scale::Full => ("make bench", self.scale.rounds()),
            Scale::Quick => ("make bench-quick", self.scale.rounds()),
        };
        let judged = self.scale == Scale::Full;
        if !judged {
            writeln!(
                text,
                "A short run, which shows that everything works. **The numbers mean nothing.**\n"
            )?;
        }
        let peers: Vec<_> = PEERS.iter().map(|peer| version(peer.program())).collect();
        writeln!(text, "Written by `{how}` on {}.\n", date())?;
        writeln!(text, "- Machine: {}.", machine())?;
        let others = self.busy.others.map_or("an unknown number of".to_owned(), |count| count.to_string());
        writeln!(
            text,
            "- When it began: load average {}, {others} BPF programs of others at every syscall.",
            self.busy.load
        )?;
        writeln!(text, "- Peers: {}.", peers.join(", "))?;
        writeln!(
            text,
            "\nWhat is compared was measured in one run and in turn (A B C A B C …), mostly in {rounds} rounds. A ratio is \
             the median of the rounds' ratios, with its quartiles. Another machine gives other numbers.\n"
        )?;
        let answered = self.answers.iter().flat_map(|answer| {
            let rows = answer.rows.as_ref().map_or(&[][..], Vec::as_slice);
            rows.iter().map(|row| (answer.question.text, row))
        });
        writeln!(text, "## The targets\n\n{}", summary(answered, judged))?;
        for Answer { question, rows } in &self.answers {
            writeln!(text, "## {}\n\n{}\n", question.text, question.how)?;
            match rows {
                Ok(rows) => writeln!(text, "{}", table(rows, judged))?,
                Err(error) => writeln!(text, "**Failed:** {error:#}\n")?,
            }
        }
        // One line break at the end.
        text.truncate(text.trim_end().len());
        writeln!(text)
    }
}
