//! The syntax of the command line: that of Go's `flag` package, which existing hook files and scripts are written
//! for. One or two dashes mean the same; a value follows `=` or is the next word; `--`, and the first word that is no
//! flag, end the flags.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing, or `=true` or `=false`.
    Switch,
    /// A value.
    Value,
}

/// A flag as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    Switch(bool),
    Value(OsString),
}

/// Why a command line cannot be read. The texts are those that users of the `flag` package know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FlagError {
    #[error("bad flag syntax: {0}")]
    Syntax(String),
    #[error("flag provided but not defined: -{0}")]
    Undefined(String),
    #[error("flag needs an argument: -{0}")]
    NeedsArgument(&'static str),
    #[error("invalid boolean value {value:?} for -{name}: parse error")]
    NotBoolean { name: &'static str, value: String },
    #[error("invalid value {value:?} for flag -{name}: parse error")]
    NotNumber { name: &'static str, value: String },
    /// Help was asked for.
    #[error("help requested")]
    Help,
}

/// Reads the words after the program's name: the flags in their order, each with its value. Words after the flags
/// are not looked at.
pub(crate) fn read(
    words: &[OsString],
    known: &[(&'static str, Takes)],
) -> Result<Vec<(&'static str, Given)>, FlagError> {
    let mut given = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let bytes = word.as_bytes();
        if bytes.len() < 2 || bytes[0] != b'-' || bytes == b"--" {
            break;
        }
        let text = bytes[1..].strip_prefix(b"-").unwrap_or(&bytes[1..]);
        if matches!(text.first(), None | Some(b'-' | b'=')) {
            return Err(FlagError::Syntax(word.to_string_lossy().into_owned()));
        }
        let (name, value) = match text.iter().position(|byte| *byte == b'=') {
            Some(end) => (&text[..end], Some(&text[end + 1..])),
            None => (text, None),
        };
        let Some((name, takes)) = known.iter().copied().find(|(known, _)| known.as_bytes() == name) else {
            return Err(match name {
                b"h" | b"help" => FlagError::Help,
                _ => FlagError::Undefined(String::from_utf8_lossy(name).into_owned()),
            });
        };
        let found = match (takes, value) {
            (Takes::Switch, None) => Given::Switch(true),
            (Takes::Switch, Some(value)) => Given::Switch(boolean(name, value)?),
            (Takes::Value, Some(value)) => Given::Value(OsStr::from_bytes(value).to_owned()),
            (Takes::Value, None) => Given::Value(words.next().ok_or(FlagError::NeedsArgument(name))?.clone()),
        };
        given.push((name, found));
    }
    Ok(given)
}

fn boolean(name: &'static str, value: &[u8]) -> Result<bool, FlagError> {
    match value {
        b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True" => Ok(true),
        b"0" | b"f" | b"F" | b"false" | b"FALSE" | b"False" => Ok(false),
        _ => {
            let value = OsString::from_vec(value.to_vec()).to_string_lossy().into_owned();
            Err(FlagError::NotBoolean { name, value })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[(&str, Takes)] = &[("s", Takes::Switch), ("o", Takes::Value)];

    fn line(line: &str) -> Result<Vec<(&'static str, Given)>, FlagError> {
        let words: Vec<_> = line.split(' ').filter(|word| !word.is_empty()).map(OsString::from).collect();
        read(&words, KNOWN)
    }

    fn value(text: &str) -> Given {
        Given::Value(text.into())
    }

    #[test]
    fn one_dash_and_two_dashes_an_equals_sign_and_a_second_word_mean_the_same() {
        for given in ["-o /x", "--o /x", "-o=/x", "--o=/x"] {
            assert_eq!(line(given), Ok(vec![("o", value("/x"))]), "{given}");
        }
        assert_eq!(line("-o=a=b"), Ok(vec![("o", value("a=b"))]));
        assert_eq!(line("-o="), Ok(vec![("o", value(""))]));
    }

    /// A value that looks like a flag is a value: it was asked for.
    #[test]
    fn the_word_after_a_flag_with_a_value_is_its_value_whatever_it_looks_like() {
        assert_eq!(line("-o -s"), Ok(vec![("o", value("-s"))]));
        assert_eq!(line("-o -- -s"), Ok(vec![("o", value("--")), ("s", Given::Switch(true))]));
    }

    #[test]
    fn two_dashes_and_the_first_other_word_end_the_flags() {
        let switch = vec![("s", Given::Switch(true))];
        for given in ["-s -- --nonsense", "-s word --nonsense", "-s - --nonsense"] {
            assert_eq!(line(given).as_ref(), Ok(&switch), "{given}");
        }
        assert_eq!(line("word -s"), Ok(vec![]));
    }

    #[test]
    fn switches_take_a_value_only_behind_an_equals_sign() {
        assert_eq!(line("-s=true"), Ok(vec![("s", Given::Switch(true))]));
        assert_eq!(line("-s=F"), Ok(vec![("s", Given::Switch(false))]));
        assert_eq!(line("-s false -o x"), Ok(vec![("s", Given::Switch(true))]), "false ends the flags");
        assert_eq!(line("-s=yes"), Err(FlagError::NotBoolean { name: "s", value: "yes".to_owned() }));
    }

    #[test]
    fn what_is_no_flag_of_ours_is_named() {
        assert_eq!(line("-x=1"), Err(FlagError::Undefined("x".to_owned())));
        assert_eq!(line("-so"), Err(FlagError::Undefined("so".to_owned())), "no clusters of letters");
        assert_eq!(line("-s -o"), Err(FlagError::NeedsArgument("o")));
        for bad in ["---s", "-=x", "--=x"] {
            assert_eq!(line(bad), Err(FlagError::Syntax(bad.to_owned())));
        }
    }

    #[test]
    fn help_is_asked_for_in_four_ways() {
        for given in ["-h", "--h", "-help", "--help"] {
            assert_eq!(line(given), Err(FlagError::Help), "{given}");
        }
    }

    #[test]
    fn a_path_that_is_no_text_arrives_as_it_is() {
        let odd = OsString::from_vec(b"/\xff".to_vec());
        let joined = OsString::from_vec(b"-o=/\xff".to_vec());
        for words in [vec!["-o".into(), odd.clone()], vec![joined]] {
            assert_eq!(read(&words, KNOWN), Ok(vec![("o", Given::Value(odd.clone()))]));
        }
    }
}
