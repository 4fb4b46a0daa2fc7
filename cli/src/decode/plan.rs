//! What is to be read of a call for its arguments to be shown, and where the answer is.

use std::collections::BTreeMap;

use seccomp_trace_core::{Arch, Content, Datum, Length as Limit, RESULT, Read, Syscall, What, When};

use super::number::{Form, word};
use super::signatures::{self, Length, Parameter, Returns, Signature, Type};
use super::structs::Item;

/// Bytes of a `struct fd_set` of 1024 descriptors.
const DESCRIPTOR_SET: u16 = 128;
/// Bytes of an environment's pointers that are counted: a structure is read to 512 bytes.
pub(crate) const ENVIRONMENT: u16 = 512;

/// The reads of every call that an ABI of this machine has.
pub(crate) fn reads(native: Arch, descriptors: bool) -> BTreeMap<Syscall, Vec<Read>> {
    let arches = Arch::ALL.into_iter().filter(|arch| arch.native_of() == native);
    let calls = arches.flat_map(|arch| (0..0xf_0010).map(move |nr| Syscall::new(arch, nr)));
    calls
        .filter_map(|call| Some((call, of_call(call.arch, call.name()?, descriptors))))
        .filter(|(_, r)| !r.is_empty())
        .collect()
}

/// The reads of a call, for all forms that it can have: those at entry before those at exit.
pub(crate) fn of_call(arch: Arch, name: &str, descriptors: bool) -> Vec<Read> {
    let mut plan: Vec<Read> = Vec::new();
    for form in signatures::forms(arch, name) {
        for read in form.parameters.iter().flat_map(|parameter| of_parameter(parameter, arch)) {
            add(&mut plan, read);
        }
        if descriptors {
            form.descriptors().for_each(|read| add(&mut plan, read));
        }
    }
    plan.sort_by_key(|read| (read.when == When::Exit, read.arg));
    plan
}

/// Adds a read, unless another reads as much at the same place.
fn add(plan: &mut Vec<Read>, read: Read) {
    for known in plan.iter_mut().filter(|known| known.arg == read.arg && known.when == read.when) {
        match (&mut known.what, read.what) {
            (What::Struct(Limit::Fixed(known)), What::Struct(Limit::Fixed(size))) => {
                *known = size.max(*known);
                return;
            }
            (known, what) if *known == what => return,
            _ => {}
        }
    }
    plan.push(read);
}

impl Signature {
    /// The descriptors among arguments and result.
    fn descriptors(&self) -> impl Iterator<Item = Read> + '_ {
        let is_descriptor = |form| matches!(form, Form::Descriptor | Form::Directory);
        let arguments = self.parameters.iter().filter_map(move |parameter| match parameter.ty {
            Type::Number(number) if is_descriptor(number.form) => {
                Some(Read { arg: parameter.register, what: What::Descriptor, when: When::Entry })
            }
            _ => None,
        });
        let result = match self.returns {
            Returns::Number(number) if is_descriptor(number.form) => {
                Some(Read { arg: RESULT, what: What::Descriptor, when: When::Exit })
            }
            _ => None,
        };
        arguments.chain(result)
    }
}

/// What is read for a parameter.
pub(crate) fn of_parameter(parameter: &Parameter, arch: Arch) -> Vec<Read> {
    let read = |what, when| Read { arg: parameter.register, what, when };
    let entry_or_exit = |out| if out { When::Exit } else { When::Entry };
    match parameter.ty {
        Type::Number(_) | Type::Pair { .. } | Type::Interrupted => Vec::new(),
        Type::Path => vec![read(What::Path, When::Entry)],
        Type::Text => vec![read(What::String, When::Entry)],
        Type::WrittenPath => vec![read(What::Path, When::Exit)],
        Type::Arguments => vec![read(What::Strings, When::Entry)],
        Type::Environment => vec![read(What::Struct(Limit::Fixed(ENVIRONMENT)), When::Entry)],
        Type::Buffer { length, out, .. } => {
            let length = match length {
                Length::Register(register) => Limit::Arg(register),
                _ => Limit::Returned,
            };
            vec![read(What::Buffer(length), entry_or_exit(out))]
        }
        Type::Vectors { count, out } => {
            let size = if word(arch) == 4 { 8 } else { 16 };
            let vectors = What::Struct(Limit::Elements { arg: count, size });
            vec![read(vectors, When::Entry), read(What::Iovec { count, returned: out }, entry_or_exit(out))]
        }
        Type::SocketAddress { length, out } | Type::OptionValue { length, out, .. } => {
            let length = if out { Limit::Pointed(length) } else { Limit::Arg(length) };
            vec![read(What::Struct(length), entry_or_exit(out))]
        }
        Type::DescriptorSet { .. } => {
            let set = What::Struct(Limit::Fixed(DESCRIPTOR_SET));
            vec![read(set, When::Entry), read(set, When::Exit)]
        }
        Type::Answer { question, answer } => {
            let whole = |item, when| Some(read(What::Struct(limit(item, Length::One, arch)?), when));
            whole(question, When::Entry).into_iter().chain(whole(answer, When::Exit)).collect()
        }
        Type::Memory { item, length, moment } => {
            let Some(limit) = limit(item, length, arch) else { return Vec::new() };
            let entry = moment.is_in().then(|| read(What::Struct(limit), When::Entry));
            let exit = moment.is_out().then(|| read(What::Struct(limit), When::Exit));
            entry.into_iter().chain(exit).collect()
        }
    }
}

fn limit(item: Item, length: Length, arch: Arch) -> Option<Limit> {
    let size = u16::try_from(item.layout(arch)?.0).ok()?;
    Some(match length {
        Length::One => Limit::Fixed(size),
        Length::Fixed(count) => Limit::Fixed(size.checked_mul(count)?),
        Length::Register(arg) => Limit::Elements { arg, size },
        Length::Returned => Limit::ReturnedElements(size),
        Length::Bytes(arg) => Limit::Arg(arg),
        Length::ReturnedBytes => Limit::Returned,
    })
}

/// The answers to the reads of a call.
pub(crate) struct Answers<'a> {
    plan: Vec<Read>,
    data: Vec<Option<&'a Datum>>,
}

impl<'a> Answers<'a> {
    /// Pairs the reads of each argument with what there is of it, in order. Of a call that failed, nothing was read at
    /// exit, and what was read at entry comes first.
    pub(crate) fn new(plan: Vec<Read>, data: &'a [Datum]) -> Self {
        let mut used = vec![false; data.len()];
        let answers = plan.iter().map(|read| {
            let at = data.iter().zip(&used).position(|(datum, used)| !used && fits(read, datum))?;
            used[at] = true;
            data.get(at)
        });
        Self { data: answers.collect(), plan }
    }

    /// The answer to a read: what was found at this place by one that reads as much.
    pub(crate) fn get(&self, wanted: Read) -> Option<&'a Content> {
        let same = |read: &Read| {
            read.arg == wanted.arg
                && read.when == wanted.when
                && match (read.what, wanted.what) {
                    (What::Struct(Limit::Fixed(size)), What::Struct(Limit::Fixed(wanted))) => size >= wanted,
                    (what, wanted) => what == wanted,
                }
        };
        let at = self.plan.iter().position(same)?;
        self.data.get(at).copied().flatten().map(|datum| &datum.content)
    }
}

fn fits(read: &Read, datum: &Datum) -> bool {
    let of_descriptor = matches!(datum.content, Content::Descriptor(_) | Content::NoDescriptor);
    datum.arg == read.arg && of_descriptor == (read.what == What::Descriptor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NATIVE: Arch = Arch::X86_64;

    /// The live view has room for eight, and refuses a view with more.
    #[test]
    fn no_call_has_more_reads_than_a_view_can_do() {
        for native in [Arch::X86_64, Arch::Aarch64] {
            for (call, reads) in reads(native, true) {
                assert!(reads.len() <= 8, "{} {call}: {reads:#?}", call.arch);
                assert!(reads.iter().all(|read| read.arg <= RESULT), "{call}: {reads:?}");
            }
        }
    }

    #[test]
    fn forms_that_read_the_same_place_share_a_read() {
        let reads = of_call(NATIVE, "ioctl", false);
        let whats: Vec<_> = reads.iter().map(|read| (read.arg, read.when)).collect();
        assert_eq!(whats, [(2, When::Entry), (2, When::Exit)], "{reads:?}");
        assert_eq!(reads[0].what, What::Struct(Limit::Fixed(36)), "as much as the largest needs");
    }

    #[test]
    fn descriptors_are_asked_for_only_where_they_are_shown() {
        let has = |descriptors| {
            let reads = of_call(NATIVE, "openat", descriptors);
            reads.iter().filter(|read| read.what == What::Descriptor).map(|read| read.arg).collect::<Vec<_>>()
        };
        assert_eq!(has(false), Vec::<u8>::new());
        assert_eq!(has(true), [0, RESULT]);
    }

    /// What was read at entry comes first, so that nothing is mistaken where a call failed.
    #[test]
    fn answers_are_paired_with_reads_also_where_some_are_missing() {
        let plan = of_call(NATIVE, "recvfrom", false);
        let length = Content::Bytes(seccomp_trace_core::Bytes {
            bytes: vec![128, 0, 0, 0],
            extent: seccomp_trace_core::Extent::Whole,
        });
        let data = [Datum { arg: 5, content: length.clone() }];
        let answers = Answers::new(plan, &data);
        let read = |when| Read { arg: 5, what: What::Struct(Limit::Fixed(4)), when };
        assert_eq!(answers.get(read(When::Entry)), Some(&length));
        assert_eq!(answers.get(read(When::Exit)), None);
    }
}
