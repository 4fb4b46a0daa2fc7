//! The file form of a recording: versioned JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::document::{DocumentError, read_document};
use crate::{Arch, Observation, Phase, Recording, Run, RunId, Syscall, SyscallNr};

/// The version that this program writes, and the newest that it reads.
pub const RECORDING_VERSION: u32 = 1;

/// Why a text is not a recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// It is not JSON, or a field is missing, unknown or of the wrong type.
    #[error("not a recording: at {path}")]
    Shape {
        /// Where in the document, as a path of keys and indices.
        path: String,
        /// What is wrong there, with line and column.
        source: serde_json::Error,
    },
    /// It states version 0, which never was.
    #[error("not a recording: it has version 0, and versions begin with 1")]
    Zero,
    /// It was written by a newer program.
    #[error(
        "the recording has version {found}, and this program reads up to version {RECORDING_VERSION}; \
         use the seccomp-trace that wrote it, or a newer one"
    )]
    Newer {
        /// The version it states.
        found: u32,
    },
}

#[derive(Deserialize)]
struct Header {
    seccomp_trace_recording: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    /// The version of this format, under a name that says what the file is.
    seccomp_trace_recording: u32,
    runs: BTreeMap<RunId, Run>,
    syscalls: Vec<CallEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallEntry {
    arch: Arch,
    nr: SyscallNr,
    /// For readers; it follows from arch and number, and is not read back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    setup: Option<Observation>,
    #[serde(default, rename = "runtime-init", skip_serializing_if = "Option::is_none")]
    runtime_init: Option<Observation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workload: Option<Observation>,
}

fn check_version(found: u32) -> Result<(), RecordingError> {
    match found {
        0 => Err(RecordingError::Zero),
        RECORDING_VERSION => Ok(()),
        _ => Err(RecordingError::Newer { found }),
    }
}

impl Recording {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// [`RecordingError`]: not JSON, not of this shape (with the place), or of a newer version.
    pub fn from_json(text: &str) -> Result<Self, RecordingError> {
        let document = match read_document::<Document>(text) {
            Ok(document) => {
                check_version(document.seccomp_trace_recording)?;
                document
            }
            Err(DocumentError { path, source }) => {
                // A newer recording may have another shape, and is to be refused for its version.
                if let Ok(header) = serde_json::from_str::<Header>(text) {
                    check_version(header.seccomp_trace_recording)?;
                }
                return Err(RecordingError::Shape { path, source });
            }
        };
        let mut recording = Self { runs: document.runs, ..Self::default() };
        for entry in document.syscalls {
            let call = Syscall { arch: entry.arch, nr: entry.nr };
            let phases = [entry.setup, entry.runtime_init, entry.workload];
            for (phase, observation) in Phase::ALL.into_iter().zip(phases) {
                if let Some(observation) = observation {
                    recording.observe(call, phase, observation);
                }
            }
        }
        Ok(recording)
    }

    /// The JSON form, indented, with a final line feed. The same recording gives the same bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        let document = Document {
            seccomp_trace_recording: RECORDING_VERSION,
            runs: self.runs.clone(),
            syscalls: self
                .calls
                .iter()
                .map(|(call, phases)| CallEntry {
                    arch: call.arch,
                    nr: call.nr,
                    name: call.name().map(str::to_owned),
                    setup: phases.get(&Phase::Setup).cloned(),
                    runtime_init: phases.get(&Phase::RuntimeInit).cloned(),
                    workload: phases.get(&Phase::Workload).cloned(),
                })
                .collect(),
        };
        let mut text = serde_json::to_string_pretty(&document)
            .expect("a document of strings, numbers and arrays can be written");
        text.push('\n');
        text
    }
}
