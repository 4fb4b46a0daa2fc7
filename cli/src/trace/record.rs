//! Events as JSON objects, one per line. `docs/trace.md` has the fields.

use seccomp_trace_core::{Call, Comm, Exited, Signal, Tgid, Tid, Timestamp};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::decode::{self, Decoded, Ended, Failure};

/// What every object begins with.
#[derive(Debug, Serialize)]
struct Head {
    r#type: &'static str,
    time: Timestamp,
    pid: Tgid,
    tid: Tid,
}

#[derive(Debug, Serialize)]
struct CallRecord<'a> {
    #[serde(flatten)]
    head: Head,
    comm: Comm,
    abi: &'static str,
    nr: i32,
    name: Option<&'a str>,
    args: Vec<ArgumentRecord>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ns: Option<u64>,
}

#[derive(Debug, Serialize)]
struct ArgumentRecord {
    name: &'static str,
    raw: String,
    value: Json,
}

/// A call.
pub(crate) fn call(call: &Call, decoded: &Decoded) -> String {
    let args = decoded.arguments.iter().map(|argument| ArgumentRecord {
        name: argument.name,
        raw: format!("{:#x}", argument.raw),
        value: decode::json_value(&argument.value),
    });
    let nanoseconds = |duration: std::time::Duration| u64::try_from(duration.as_nanos()).ok();
    let (outcome, result, duration_ns) = match &decoded.ended {
        Ended::Returned { raw, value, remark, duration } => {
            let mut result = json!({ "raw": raw, "value": decode::json_value(value) });
            if let Some(remark) = remark {
                result["remark"] = json!(remark);
            }
            ("returned", Some(result), nanoseconds(*duration))
        }
        Ended::Failed { raw, failure, duration } => {
            ("failed", Some(failed(*raw, failure)), nanoseconds(*duration))
        }
        Ended::Skipped { raw, failure: Some(failure), .. } => ("skipped", Some(failed(*raw, failure)), None),
        Ended::Skipped { raw, value, .. } => {
            ("skipped", Some(json!({ "raw": raw, "value": decode::json_value(value) })), None)
        }
        Ended::Pending => ("pending", None, None),
        Ended::Never => ("never", None, None),
    };
    line(&CallRecord {
        head: Head { r#type: "call", time: call.entered, pid: call.pid, tid: call.tid },
        comm: call.comm,
        abi: call.syscall.arch.name(),
        nr: call.syscall.nr.0,
        name: call.syscall.name(),
        args: args.collect(),
        outcome,
        result,
        duration_ns,
    })
}

fn failed(raw: i64, failure: &Failure) -> Json {
    json!({ "raw": raw, "errno": failure.name, "meaning": failure.meaning })
}

#[derive(Debug, Serialize)]
struct SignalRecord {
    #[serde(flatten)]
    head: Head,
    signal: String,
    number: i32,
    code: i32,
    info: Json,
}

/// A delivered signal.
pub(crate) fn signal(signal: &Signal) -> String {
    line(&SignalRecord {
        head: Head { r#type: "signal", time: signal.time, pid: signal.pid, tid: signal.tid },
        signal: decode::signal_name(signal.number.into()),
        number: signal.number,
        code: signal.code,
        info: decode::json_value(&decode::signal_info(signal)),
    })
}

#[derive(Debug, Serialize)]
struct ExitRecord {
    #[serde(flatten)]
    head: Head,
    status: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_by: Option<Tid>,
}

/// A thread that ended.
pub(crate) fn exited(exited: &Exited) -> String {
    let signal = exited.status & 0x7f;
    line(&ExitRecord {
        head: Head { r#type: "exit", time: exited.time, pid: exited.pid, tid: exited.tid },
        status: exited.status,
        code: (signal == 0).then_some((exited.status >> 8) & 0xff),
        signal: (signal != 0).then(|| decode::signal_name(signal.into())),
        superseded_by: exited.superseded_by,
    })
}

/// Events that are missing here.
pub(crate) fn lost(count: u64) -> String {
    line(&json!({ "type": "lost", "count": count }))
}

fn line(record: &impl Serialize) -> String {
    serde_json::to_string(record).expect("strings, numbers and lists can be written")
}
