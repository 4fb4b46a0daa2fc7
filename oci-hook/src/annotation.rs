//! The annotation `io.containers.trace-syscall`: where the profile goes, and which one it starts from.
//!
//! One or two parts separated by a semicolon, each `of:PATH` (output, mandatory) or `if:PATH` (input). The grammar is
//! older than this program and is kept as it is; what is new goes into a second annotation ([`options`](crate::options)).

use std::path::PathBuf;

/// The annotation's key.
pub(crate) const KEY: &str = "io.containers.trace-syscall";

/// What the annotation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Annotation {
    /// The profile to start from; absolute.
    pub(crate) input: Option<PathBuf>,
    /// Where the profile goes; absolute.
    pub(crate) output: PathBuf,
}

/// Why the annotation cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AnnotationError {
    #[error("invalid annotation: more than one semi-colon: {0:?}")]
    Parts(String),
    #[error("invalid annotation: {0:?} starts neither with if: nor with of:")]
    Prefix(String),
    #[error("invalid annotation: paths must be absolute: {0:?}")]
    Relative(String),
    #[error("invalid annotation: providing output file is mandatory: {0:?} has no of: with a path")]
    NoOutput(String),
}

/// Reads the text of the annotation.
pub(crate) fn parse(text: &str) -> Result<Annotation, AnnotationError> {
    if text.matches(';').count() > 1 {
        return Err(AnnotationError::Parts(text.to_owned()));
    }
    let (mut input, mut output) = (None, None);
    if !text.is_empty() {
        for part in text.split(';') {
            // Of a repeated prefix the last counts.
            if let Some(path) = part.strip_prefix("if:") {
                input = Some(absolute(path)?);
            } else if let Some(path) = part.strip_prefix("of:") {
                output = Some(absolute(path)?);
            } else {
                return Err(AnnotationError::Prefix(part.to_owned()));
            }
        }
    }
    let output = output.ok_or_else(|| AnnotationError::NoOutput(text.to_owned()))?;
    Ok(Annotation { input, output })
}

fn absolute(path: &str) -> Result<PathBuf, AnnotationError> {
    let path = path.trim();
    if path.starts_with('/') { Ok(path.into()) } else { Err(AnnotationError::Relative(path.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation(input: Option<&str>, output: &str) -> Annotation {
        Annotation { input: input.map(PathBuf::from), output: output.into() }
    }

    #[test]
    fn output_and_input_come_in_any_order() {
        assert_eq!(parse("of:/o.json"), Ok(annotation(None, "/o.json")));
        assert_eq!(parse("if:/i.json;of:/o.json"), Ok(annotation(Some("/i.json"), "/o.json")));
        assert_eq!(parse("of:/o.json;if:/i.json"), Ok(annotation(Some("/i.json"), "/o.json")));
    }

    #[test]
    fn paths_are_trimmed_and_the_last_of_a_prefix_counts() {
        assert_eq!(parse("of: /o.json\t;if:\u{a0}/a b \n"), Ok(annotation(Some("/a b"), "/o.json")));
        assert_eq!(parse("of:/a;of:/b"), Ok(annotation(None, "/b")));
        assert_eq!(parse("of:/a:b=c"), Ok(annotation(None, "/a:b=c")));
    }

    /// The container engine shows the text, and scripts look for its beginning.
    #[test]
    fn every_error_says_that_the_annotation_is_invalid_and_why() {
        for (text, why) in [
            ("if:/a;if:/b;of:/c", "more than one semi-colon: \"if:/a;if:/b;of:/c\""),
            ("of:/a;;", "more than one semi-colon"),
            ("if:/a", "providing output file is mandatory"),
            ("if:/a;if:/b", "providing output file is mandatory"),
            ("", "providing output file is mandatory"),
            ("if:a;of:/b", "paths must be absolute: \"a\""),
            ("if:/a;of:b", "paths must be absolute: \"b\""),
            ("of:", "paths must be absolute: \"\""),
            ("of:/a;", "\"\" starts neither with if: nor with of:"),
            (" of:/a", "\" of:/a\" starts neither"),
            ("of:/a; if:/b", "\" if:/b\" starts neither"),
            ("/a", "\"/a\" starts neither"),
            ("OF:/a", "\"OF:/a\" starts neither"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with("invalid annotation: "), "{text:?}: {error}");
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }
}
