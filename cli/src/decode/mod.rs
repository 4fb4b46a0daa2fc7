//! Calls, decoded: what their arguments are by name, in the words of the manual pages. Pure, and without the kernel.

mod by_abi;
mod constants;
mod errors;
mod json;
mod memory;
mod number;
pub(crate) mod plan;
mod signals;
mod signatures;
mod sockets;
mod structs;
#[cfg(test)]
mod tests;
pub(crate) mod text;
pub(crate) mod value;

use std::time::Duration;

use seccomp_trace_core::{Arch, Call, Outcome};

pub(crate) use errors::Failure;
pub(crate) use json::value as json_value;
use number::Number;
pub(crate) use signals::{info as signal_info, name as signal_name, number as signal_number};
use signatures::{Returns, Signature, Type};
use value::Value;

/// What decoding depends on beside the bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    arch: Arch,
    /// Whether structures are shown in full.
    verbose: bool,
}

/// A decoded call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) arguments: Vec<Argument>,
    pub(crate) ended: Ended,
}

/// A decoded argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    /// Whether it is printed with its name.
    pub(crate) named: bool,
    /// The register; of a pair both.
    pub(crate) raw: u64,
    pub(crate) value: Value,
    /// Whether it is known only when the call has returned.
    pub(crate) late: bool,
}

/// How a call went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    Returned {
        raw: i64,
        value: Value,
        remark: Option<String>,
        duration: Duration,
    },
    Failed {
        raw: i64,
        failure: Failure,
        duration: Duration,
    },
    /// It returned without having been executed.
    Skipped {
        raw: i64,
        value: Value,
        failure: Option<Failure>,
    },
    Pending,
    Never,
}

/// How calls are decoded.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Decoder {
    /// Structures are shown in full (`-v`).
    pub(crate) verbose: bool,
    /// Descriptors have what they refer to (`-y`).
    pub(crate) descriptors: bool,
    /// Bytes that are shown of buffers (`-s`).
    pub(crate) string_limit: usize,
}

impl Decoder {
    /// Decodes a call.
    pub(crate) fn decode(self, call: &Call) -> Decoded {
        let arch = call.syscall.arch;
        let context = Context { arch, verbose: self.verbose };
        let name = call.syscall.name().unwrap_or_default();
        let form = signatures::forms(arch, name).iter().find(|form| form.admits(&call.args, arch));
        let plan = plan::of_call(arch, name, self.descriptors);
        let answers = plan::Answers::new(plan, &call.data);
        let Self { descriptors, string_limit, .. } = self;
        let reader =
            memory::Reader { call, context, answers, failure: failure(call), descriptors, string_limit };
        match form {
            Some(form) => {
                Decoded { arguments: arguments(form, &reader), ended: ended(form.returns, &reader) }
            }
            // What is known of a call without a name is its registers.
            None => Decoded {
                arguments: call.args.iter().map(|raw| unknown(*raw)).collect(),
                ended: ended(Returns::Number(Number::LONG), &reader),
            },
        }
    }
}

fn unknown(raw: u64) -> Argument {
    Argument { name: "arg", named: false, raw, value: Value::Hex(raw), late: false }
}

fn failure(call: &Call) -> Option<Failure> {
    match call.outcome {
        // The kernel does not extend the sign of its `int` (`arch/x86/kernel/ldt.c`).
        Outcome::Returned { value, .. } if call.syscall.name() == Some("modify_ldt") => {
            Failure::of((value << 32) >> 32)
        }
        Outcome::Returned { value, .. } | Outcome::Skipped { value } => Failure::of(value),
        _ => None,
    }
}

fn arguments(form: &Signature, reader: &memory::Reader<'_>) -> Vec<Argument> {
    let call = reader.call;
    let there = form.parameters.iter().filter(|parameter| parameter.is_there(&call.args, call.syscall.arch));
    there
        .map(|parameter| Argument {
            name: parameter.name,
            named: parameter.named,
            raw: match parameter.ty {
                Type::Pair { high_first, .. } => reader.pair(parameter.register, high_first),
                _ => reader.register(parameter.register),
            },
            value: reader.argument(parameter),
            late: reader.is_late(parameter),
        })
        .collect()
}

fn ended(returns: Returns, reader: &memory::Reader<'_>) -> Ended {
    match (reader.call.outcome, &reader.failure) {
        (Outcome::Returned { value: raw, duration }, Some(failure)) => {
            Ended::Failed { raw, failure: failure.clone(), duration }
        }
        (Outcome::Returned { value: raw, duration }, None) => {
            let (value, remark) = reader.result(returns, raw);
            Ended::Returned { raw, value, remark, duration }
        }
        (Outcome::Skipped { value: raw }, failure) => {
            Ended::Skipped { raw, value: reader.result(returns, raw).0, failure: failure.clone() }
        }
        (Outcome::Pending, _) => Ended::Pending,
        _ => Ended::Never,
    }
}
