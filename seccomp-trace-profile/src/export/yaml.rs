//! As much of YAML as a resource needs: maps and lists in block style, and scalars that no reader takes for something
//! else. Every string that is not plainly a word is in double quotes with JSON's escapes, which are YAML's too
//! (YAML 1.2, 7.3.1). A crate that can read YAML as well would be the largest dependency of this one.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// What YAML 1.1 or 1.2 readers take for a truth value, a number or nothing.
const WORDS: [&str; 13] =
    ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf", "none", "undefined"];

/// A map in the order in which it is filled.
#[derive(Default)]
pub(super) struct Map(Vec<(&'static str, Node)>);

enum Node {
    Map(Map),
    Value(Value),
}

impl Map {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn text(mut self, key: &'static str, text: &str) -> Self {
        self.0.push((key, Node::Value(text.into())));
        self
    }

    pub(super) fn map(mut self, key: &'static str, map: Self) -> Self {
        self.0.push((key, Node::Map(map)));
        self
    }

    /// Anything that has a JSON form; keys in the order of the alphabet.
    pub(super) fn value(mut self, key: &'static str, value: &impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("strings, numbers and lists have a JSON form");
        self.0.push((key, Node::Value(value)));
        self
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        for (key, node) in &self.0 {
            write!(f, "{:depth$}{key}:", "")?;
            match node {
                Node::Map(map) => {
                    f.write_str("\n")?;
                    map.write(f, depth + 2)?;
                }
                Node::Value(value) => write_value(f, value, depth + 2)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

/// The value of a key or of a list's item, whose own column is two less than `depth`.
fn write_value(f: &mut fmt::Formatter<'_>, value: &Value, depth: usize) -> fmt::Result {
    match value {
        Value::Array(items) if !items.is_empty() => {
            f.write_str("\n")?;
            for item in items {
                write!(f, "{:width$}-", "", width = depth - 2)?;
                match item {
                    Value::Object(map) if !map.is_empty() => {
                        f.write_str(" ")?;
                        write_entries(f, map, depth, false)?;
                    }
                    other => write_value(f, other, depth)?,
                }
            }
            Ok(())
        }
        Value::Object(map) if !map.is_empty() => {
            f.write_str("\n")?;
            write_entries(f, map, depth, true)
        }
        Value::String(text) => writeln!(f, " {}", scalar(text)),
        // Numbers, truth values, null, and the empty list and map are written as in JSON.
        other => writeln!(f, " {other}"),
    }
}

fn write_entries(
    f: &mut fmt::Formatter<'_>,
    map: &serde_json::Map<String, Value>,
    depth: usize,
    indent_first: bool,
) -> fmt::Result {
    for (position, (key, value)) in map.iter().enumerate() {
        let width = if position > 0 || indent_first { depth } else { 0 };
        write!(f, "{:width$}{}:", "", scalar(key))?;
        write_value(f, value, depth + 2)?;
    }
    Ok(())
}

/// A string as a scalar.
fn scalar(text: &str) -> String {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if begins && text.chars().all(plain) && !WORDS.contains(&text.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '..='~' => quoted.push(c),
            other => quoted.push_str(&format!("\\U{:08X}", u32::from(other))),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_could_take_for_something_else_is_quoted() {
        for plain in ["read", "SCMP_ACT_ALLOW", "a.b/c", "x86_64"] {
            assert_eq!(scalar(plain), plain);
        }
        for (text, quoted) in [
            ("no", "\"no\""),
            ("NULL", "\"NULL\""),
            ("", "\"\""),
            ("7", "\"7\""),
            ("- a: b", "\"- a: b\""),
            ("a\"\\\n\u{85}", "\"a\\\"\\\\\\U0000000A\\U00000085\""),
        ] {
            assert_eq!(scalar(text), quoted);
        }
    }

    #[test]
    fn lists_and_maps_are_blocks() {
        let value = serde_json::json!({"a": [], "b": [1, {"c": "d", "e": ["f"]}], "g": {"h": null}});
        let text = Map::new().value("top", &value).to_string();
        let expected = "top:\n  a: []\n  b:\n  - 1\n  - c: d\n    e:\n    - f\n  g:\n    h: null\n";
        assert_eq!(text, expected);
    }
}
