//! Arguments: registers, and what was read where they point to.

use seccomp_trace_core::{Bytes, Call, Content, Extent, Outcome, RESULT, Read, What, When};

use super::number::{Form, Number, Width, word};
use super::plan::{self, Answers};
use super::signatures::{Length, Moment, Parameter, Returns, Type};
use super::structs::{self, Item};
use super::text::AT_FDCWD;
use super::value::{Fields, Text, Value};
use super::{Context, Failure, constants, sockets};

/// A call, with what was read of it.
pub(super) struct Reader<'a> {
    pub(super) call: &'a Call,
    pub(super) context: Context,
    pub(super) answers: Answers<'a>,
    pub(super) failure: Option<Failure>,
    pub(super) descriptors: bool,
    pub(super) string_limit: usize,
}

impl Reader<'_> {
    pub(super) fn register(&self, index: u8) -> u64 {
        self.call.args.get(usize::from(index)).copied().unwrap_or(0)
    }

    /// A number in two registers of 32 bits.
    pub(super) fn pair(&self, first: u8, high_first: bool) -> u64 {
        let (one, two) = (self.register(first) & 0xffff_ffff, self.register(first + 1));
        if high_first { one << 32 | two & 0xffff_ffff } else { two << 32 | one }
    }

    /// Whether the argument is known only when the call has returned.
    pub(super) fn is_late(&self, parameter: &Parameter) -> bool {
        let reads = plan::of_parameter(parameter, self.context.arch);
        let written = parameter.ty == Type::Interrupted || reads.iter().any(|read| read.when == When::Exit);
        // What is waited for is what one wants to know of a call that waits.
        let told = match parameter.ty {
            Type::DescriptorSet { .. } => true,
            Type::Memory { item, moment: Moment::InOut, .. } => told_by_result(item),
            _ => false,
        };
        written && !told && self.register(parameter.register) != 0
    }

    fn has_returned(&self) -> bool {
        matches!(self.call.outcome, Outcome::Returned { .. }) && self.failure.is_none()
    }

    /// Whether a call that waits for a child has written nothing, since none has changed.
    fn found_nobody(&self) -> bool {
        let waits = matches!(self.call.syscall.name(), Some("wait4" | "waitpid"));
        waits && matches!(self.call.outcome, Outcome::Returned { value: 0, .. })
    }

    /// Shows an argument.
    pub(super) fn argument(&self, parameter: &Parameter) -> Value {
        let raw = self.register(parameter.register);
        let reads = plan::of_parameter(parameter, self.context.arch);
        match parameter.ty {
            Type::Number(number) => self.number(parameter, number, raw),
            Type::Pair { number, high_first } => {
                number.show(self.pair(parameter.register, high_first), self.context)
            }
            Type::Interrupted => Value::Address(raw),
            _ if raw == 0 || self.found_nobody() => Value::Address(raw),
            Type::Memory { item, length, moment } => self.memory(item, length, moment, raw, &reads),
            Type::Answer { question, answer } => {
                let asked = self.memory(question, Length::One, Moment::In, raw, &reads[..1]);
                let known = reads.get(1).filter(|_| self.has_returned());
                known.map_or(asked, |read| self.memory(answer, Length::One, Moment::Out, raw, &[*read]))
            }
            Type::DescriptorSet { count } => {
                self.content(reads[0], raw, |bytes| descriptor_set(bytes, self.register(count)))
            }
            Type::Vectors { out, .. } => self.vectors(raw, out, &reads),
            Type::Environment => match self.answers.get(reads[0]) {
                Some(Content::Count(count)) => variables(raw, *count, true),
                _ => self.content(reads[0], raw, |bytes| self.environment(raw, bytes)),
            },
            Type::SocketAddress { .. } => {
                let whole = !matches!(
                    self.answers.get(reads[0]),
                    Some(Content::Bytes(Bytes { extent: Extent::Unreadable, .. }))
                );
                self.content(reads[0], raw, |bytes| Some(structs::finished(sockets::address(bytes)?, whole)))
            }
            Type::OptionValue { text, .. } => match self.answers.get(reads[0]) {
                Some(Content::Bytes(bytes)) if bytes.extent == Extent::Unreadable => {
                    self.unreadable(raw, &bytes.bytes)
                }
                _ => self.content(reads[0], raw, |bytes| Some(self.option(bytes, text))),
            },
            Type::Path | Type::Text | Type::WrittenPath | Type::Buffer { .. } | Type::Arguments => {
                let binary = matches!(parameter.ty, Type::Buffer { binary: true, .. });
                match self.answers.get(reads[0]) {
                    Some(Content::Bytes(bytes)) => self.text(bytes, raw, binary),
                    Some(Content::List { elements, extent }) => strings(elements, *extent),
                    _ => self.unanswered(reads[0], raw),
                }
            }
        }
    }

    fn number(&self, parameter: &Parameter, number: Number, raw: u64) -> Value {
        let value = number.show(raw, self.context);
        let Value::Descriptor { number, directory, .. } = value else { return value };
        let read = Read { arg: parameter.register, what: What::Descriptor, when: When::Entry };
        let mut target = self.target(read);
        // The kernel side knows no kinds of descriptors, and found the working directory.
        if number == AT_FDCWD && !directory {
            target = target.map(|_| None);
        }
        Value::Descriptor { number, directory, target }
    }

    fn target(&self, read: Read) -> Option<Option<Vec<u8>>> {
        if !self.descriptors {
            return None;
        }
        Some(match self.answers.get(read) {
            Some(Content::Descriptor(bytes)) if bytes.extent == Extent::Whole => Some(bytes.bytes.clone()),
            _ => None,
        })
    }

    /// What is shown where there is no answer: at exit because there was none to read, else because it failed.
    fn unanswered(&self, read: Read, raw: u64) -> Value {
        if read.when == When::Exit && !self.has_returned() {
            Value::Address(raw)
        } else {
            self.unreadable(raw, &[])
        }
    }

    fn unreadable(&self, address: u64, read: &[u8]) -> Value {
        // A call that failed with `EFAULT` says so itself.
        let told = self.failure.as_ref().is_some_and(|failure| failure.is("EFAULT"));
        Value::Unreadable { address, read: read.to_vec(), told }
    }

    fn text(&self, bytes: &Bytes, raw: u64, binary: bool) -> Value {
        match bytes.extent {
            Extent::Unreadable => self.unreadable(raw, &bytes.bytes),
            extent => Value::Text(Text { bytes: bytes.bytes.clone(), cut: extent == Extent::Cut, binary }),
        }
    }

    /// Shows the bytes that a read found, as far as they go.
    fn content(&self, read: Read, raw: u64, show: impl Fn(&[u8]) -> Option<Value>) -> Value {
        match self.answers.get(read) {
            Some(Content::Bytes(bytes)) => match show(&bytes.bytes) {
                Some(value) => value,
                None if bytes.extent == Extent::Unreadable => self.unreadable(raw, &bytes.bytes),
                // The caller said that there is less than the kernel takes.
                None => Value::Address(raw),
            },
            Some(Content::Null) => Value::Address(raw),
            _ => self.unanswered(read, raw),
        }
    }

    fn memory(&self, item: Item, length: Length, moment: Moment, raw: u64, reads: &[Read]) -> Value {
        let show = |read: Read| self.content(read, raw, |bytes| self.items(item, length, bytes));
        match (moment, reads) {
            (Moment::InOut, [entry, exit]) => {
                let before = show(*entry);
                if !self.has_returned() || self.answers.get(*exit).is_none() || told_by_result(item) {
                    return before;
                }
                change(item, before, show(*exit))
            }
            (_, [read]) => show(*read),
            _ => Value::Address(raw),
        }
    }

    /// Elements in brackets; a structure of which there is one without them.
    fn items(&self, item: Item, length: Length, bytes: &[u8]) -> Option<Value> {
        let arch = self.context.arch;
        let (size, _) = item.layout(arch)?;
        let count = match length {
            Length::One => {
                let value = item.show(bytes, self.context)?;
                return Some(if let Item::Number(_) = item {
                    Value::list(vec![value])
                } else {
                    bare(item, structs::finished(value, bytes.len() >= size))
                });
            }
            Length::Bytes(_) | Length::ReturnedBytes => {
                let length = match length {
                    Length::Bytes(register) => usize::try_from(self.register(register)).unwrap_or(usize::MAX),
                    _ => bytes.len(),
                };
                // A caller of an older interface has less than all of it.
                let wanted = if let Item::Struct(_) = item { length.min(size) } else { length };
                if bytes.is_empty() && wanted > 0 {
                    return None;
                }
                let value = item.show(bytes, self.context)?;
                return Some(structs::finished(value, bytes.len() >= wanted));
            }
            Length::Fixed(count) => usize::from(count),
            Length::Register(register) => usize::try_from(self.register(register)).unwrap_or(usize::MAX),
            Length::Returned => match self.call.outcome {
                Outcome::Returned { value, .. } => usize::try_from(value).unwrap_or(0),
                _ => 0,
            },
        };
        // No structure has no bytes.
        let there = bytes.len() / size.max(1);
        let elements = (0..count.min(there)).map(|index| item.show(&bytes[index * size..], self.context));
        let elements: Vec<_> = elements.collect::<Option<_>>()?;
        if elements.is_empty() && count > 0 {
            return None;
        }
        Some(Value::List { elements, more: count > there })
    }

    fn vectors(&self, raw: u64, out: bool, reads: &[Read]) -> Value {
        let size = word(self.context.arch);
        let Some(Content::Bytes(vectors)) = self.answers.get(reads[0]) else {
            return self.unanswered(reads[0], raw);
        };
        let numbers = |at: usize| -> Vec<u64> {
            let of = |vector: &[u8]| structs::raw(&vector[at..], size);
            vectors.bytes.chunks_exact(2 * size).filter_map(of).collect()
        };
        let (bases, lengths) = (numbers(0), numbers(size));
        if bases.is_empty() && vectors.extent == Extent::Unreadable {
            return self.unreadable(raw, &[]);
        }
        let (elements, extent) = match self.answers.get(reads[1]) {
            Some(Content::List { elements, extent }) => (&elements[..], *extent),
            _ if out => (&[][..], Extent::Whole),
            _ => return self.unanswered(reads[1], raw),
        };
        let shown = bases.iter().zip(&lengths).enumerate().map(|(index, (base, length))| {
            let content = match elements.get(index) {
                Some(bytes) => self.text(bytes, *base, false),
                None if out && self.has_returned() => Value::text(b"", false),
                None => Value::Address(*base),
            };
            Value::Fields(Fields {
                fields: vec![("iov_base", content), ("iov_len", Value::Unsigned(*length))],
                more: false,
            })
        });
        let more = vectors.extent != Extent::Whole || extent == Extent::Cut;
        Value::List { elements: shown.collect(), more }
    }

    /// Shows a socket option that the tables do not know: a number, or bytes.
    fn option(&self, bytes: &[u8], text: bool) -> Value {
        let cut = |bytes: &[u8]| {
            let limit = self.string_limit.min(bytes.len());
            Value::text(&bytes[..limit], limit < bytes.len())
        };
        match structs::raw(bytes, 4) {
            _ if text => cut(bytes.split(|byte| *byte == 0).next().unwrap_or_default()),
            Some(number) if bytes.len() == 4 => {
                #[expect(clippy::cast_possible_truncation, reason = "four bytes were read")]
                let number = (number as u32).cast_signed();
                Value::list(vec![Value::Signed(number.into())])
            }
            _ => cut(bytes),
        }
    }

    fn environment(&self, raw: u64, bytes: &[u8]) -> Option<Value> {
        let pointers = bytes.chunks_exact(word(self.context.arch));
        let all = pointers.len();
        let count = pointers.take_while(|pointer| pointer.iter().any(|byte| *byte != 0)).count();
        (all > 0).then(|| variables(raw, count as u64, count < all))
    }

    /// Shows a result, and what is said about it in parentheses.
    pub(super) fn result(&self, returns: Returns, raw: i64) -> (Value, Option<String>) {
        let bits = raw.cast_unsigned();
        match returns {
            Returns::Number(number) => match (number.show(bits, self.context), number.form) {
                (Value::Descriptor { number, directory, .. }, _) => {
                    let read = Read { arg: RESULT, what: What::Descriptor, when: When::Exit };
                    (Value::Descriptor { number, directory, target: self.target(read) }, None)
                }
                (Value::Word(word), Form::Set(set)) => {
                    let is_flags = constants::set(set, self.context.arch).is_some_and(|set| set.is_flags);
                    let value = if is_flags { Value::Hex(bits & 0xffff_ffff) } else { Value::Signed(raw) };
                    (value, Some(word))
                }
                (Value::Word(word), Form::IoPriority) => (Value::Signed(raw), Some(word)),
                // NULL is for arguments.
                (Value::Address(0), _) => (Value::Hex(0), None),
                (value, _) => (value, None),
            },
            Returns::Flags(set) => {
                let shown =
                    constants::set(set, self.context.arch).map(|set| set.show(bits)).unwrap_or_default();
                let kind = if set == "seals" { "seals" } else { "flags" };
                (Value::Hex(bits), (shown != "0").then(|| format!("{kind} {shown}")))
            }
            Returns::Ready => (Value::Signed(raw), self.ready(raw)),
            Returns::Selected => (Value::Signed(raw), self.selected(raw)),
        }
    }

    /// The descriptors that select(2) found ready, and the time that was left.
    fn selected(&self, count: i64) -> Option<String> {
        if count == 0 {
            return Some("Timeout".to_owned());
        }
        let name = self.call.syscall.name()?;
        let form = super::signatures::forms(self.context.arch, name).first()?;
        let mut parts = Vec::new();
        let mut kinds = ["in", "out", "except"].into_iter();
        for parameter in &form.parameters {
            let reads = plan::of_parameter(parameter, self.context.arch);
            let exit = reads.iter().find(|read| read.when == When::Exit);
            let bytes = match exit.and_then(|exit| self.answers.get(*exit)) {
                Some(Content::Bytes(bytes)) => Some(&bytes.bytes[..]),
                _ => None,
            };
            let text = |value: &Value| {
                let mut text = String::new();
                super::text::push(&mut text, value, super::text::Hex::None);
                text
            };
            match parameter.ty {
                Type::DescriptorSet { count } => {
                    let (kind, set) =
                        (kinds.next()?, bytes.and_then(|bytes| descriptor_set(bytes, self.register(count))));
                    if let Some(set) = set.filter(|set| *set != Value::word("[]")) {
                        parts.push(format!("{kind} {}", text(&set)));
                    }
                }
                Type::Memory { item, .. } if told_by_result(item) => {
                    if let Some(left) = bytes.and_then(|bytes| item.show(bytes, self.context)) {
                        parts.push(format!("left {}", text(&left)));
                    }
                }
                _ => {}
            }
        }
        Some(parts.join(", ")).filter(|parts| !parts.is_empty())
    }

    /// The descriptors that poll(2) found ready, or that it found none.
    fn ready(&self, count: i64) -> Option<String> {
        if count == 0 {
            return Some("Timeout".to_owned());
        }
        let name = self.call.syscall.name()?;
        let form = super::signatures::forms(self.context.arch, name).first()?;
        let parameter = form.parameters.first()?;
        let reads = plan::of_parameter(parameter, self.context.arch);
        let exit = reads.iter().find(|read| read.when == When::Exit)?;
        let Some(Content::Bytes(bytes)) = self.answers.get(*exit) else { return None };
        let events = constants::set("poll_events", self.context.arch)?;
        let ready = bytes.bytes.chunks_exact(8).filter_map(|entry| {
            let descriptor = i32::from_ne_bytes(entry[..4].try_into().ok()?);
            let found = u64::from(u16::from_ne_bytes(entry[6..].try_into().ok()?));
            (found != 0).then(|| format!("{{fd={descriptor}, revents={}}}", events.show(found)))
        });
        Some(format!("[{}]", ready.collect::<Vec<_>>().join(", ")))
    }
}

/// What poll(2) and select(2) change is told with their result.
fn told_by_result(item: Item) -> bool {
    matches!(item, Item::Struct("pollfd" | "timespec" | "timespec64" | "timeval"))
}

/// Before and after a call; of a length in brackets within these, as strace shows it.
fn change(item: Item, before: Value, after: Value) -> Value {
    if before == after {
        return before;
    }
    let is_length = matches!(item, Item::Number(number) if number.width == Width::Bits(32));
    match (before, after) {
        (Value::List { elements: mut one, .. }, Value::List { elements: mut two, .. })
            if is_length && one.len() == 1 && two.len() == 1 =>
        {
            let pair = one.pop().zip(two.pop());
            Value::list(
                pair.into_iter().map(|(one, two)| Value::Change(Box::new(one), Box::new(two))).collect(),
            )
        }
        (before, after) => Value::Change(Box::new(before), Box::new(after)),
    }
}

/// A name that the kernel gives back is shown without the structure that the table describes it by.
fn bare(item: Item, value: Value) -> Value {
    match value {
        Value::Fields(mut fields) if item == Item::Struct("comm") => {
            fields.fields.pop().map_or(Value::Address(0), |(_, value)| value)
        }
        value => value,
    }
}

fn strings(elements: &[Bytes], extent: Extent) -> Value {
    let element = |bytes: &Bytes| match bytes.extent {
        Extent::Unreadable => Value::word("/* unreadable */"),
        extent => Value::text(&bytes.bytes, extent == Extent::Cut),
    };
    let mut shown: Vec<_> = elements.iter().map(element).collect();
    if extent == Extent::Unreadable {
        shown.push(Value::word("/* unreadable */"));
    }
    Value::List { elements: shown, more: extent == Extent::Cut }
}

/// Their number stands for the variables of an environment: their values may be secrets.
fn variables(raw: u64, count: u64, whole: bool) -> Value {
    let at_least = if whole { "" } else { "at least " };
    let plural = if whole && count == 1 { "" } else { "s" };
    Value::Remark(Box::new(Value::Address(raw)), format!("{at_least}{count} var{plural}"))
}

/// The descriptors of a set, of which the first `count` are asked for; `None` where nothing of it is there.
fn descriptor_set(bytes: &[u8], count: u64) -> Option<Value> {
    // The kernel takes an int, and none that is negative.
    let count = usize::try_from(count & 0xffff_ffff).ok().filter(|count| i32::try_from(*count).is_ok())?;
    if bytes.is_empty() && count > 0 {
        return None;
    }
    let there = count.min(bytes.len() * 8);
    let set = |at: &usize| bytes[at / 8] >> (at % 8) & 1 == 1;
    let numbers: Vec<String> = (0..there).filter(set).map(|at| at.to_string()).collect();
    Some(structs::finished(Value::word(format!("[{}]", numbers.join(" "))), there == count))
}
