//! A file that is a profile or a recording, told apart by its content.

use seccomp_trace_core::Recording;

use super::ExportError;
use crate::Profile;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A profile.
    Profile(Box<Profile>),
    /// A recording, to be made into one.
    Recording(Box<Recording>),
}

impl Input {
    /// Reads either. What names itself a recording is taken for one, everything else for a profile.
    ///
    /// # Errors
    /// [`ExportError::Recording`], [`ExportError::Profile`]: with the place and the reason.
    ///
    /// ```
    /// use seccomp_trace_profile::Input;
    ///
    /// let text = r#"{"seccomp_trace_recording": 1, "runs": {}, "syscalls": []}"#;
    /// assert!(matches!(Input::from_json(text)?, Input::Recording(_)));
    /// let text = r#"{"defaultAction": "SCMP_ACT_ERRNO"}"#;
    /// assert!(matches!(Input::from_json(text)?, Input::Profile(_)));
    /// # Ok::<(), seccomp_trace_profile::ExportError>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self, ExportError> {
        #[derive(serde::Deserialize)]
        struct Header {
            #[serde(rename = "seccomp_trace_recording")]
            _version: serde::de::IgnoredAny,
        }
        if serde_json::from_str::<Header>(text).is_ok() {
            return Ok(Self::Recording(Box::new(Recording::from_json(text)?)));
        }
        Ok(Self::Profile(Box::new(Profile::from_json(text)?)))
    }
}
