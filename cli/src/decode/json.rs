//! Decoded values as JSON: numbers, names and texts as such, and objects for the rest. `docs/trace.md` has the forms.

use seccomp_trace_core::is_unprintable;
use serde_json::{Map, Value as Json, json};

use super::value::{Fields, Value};

/// The largest integer that every reader of JSON keeps exact.
const EXACT: u64 = 1 << 53;

/// A value as JSON.
pub(crate) fn value(value: &Value) -> Json {
    match value {
        Value::Signed(number) if number.unsigned_abs() <= EXACT => json!(number),
        Value::Signed(number) => json!(number.to_string()),
        Value::Unsigned(number) => unsigned(*number),
        Value::Hex(number) => json!(format!("{number:#x}")),
        Value::Address(0) => Json::Null,
        Value::Address(address) => json!({ "address": format!("{address:#x}") }),
        Value::Word(word) => json!(word),
        Value::Text(text) => {
            let mut object = Map::from_iter([("text".to_owned(), json!(escaped(&text.bytes)))]);
            if text.cut {
                object.insert("cut".to_owned(), json!(true));
            }
            Json::Object(object)
        }
        Value::AbstractName(name) => json!({ "abstract": escaped(name) }),
        Value::Converted(_, value) => self::value(value),
        Value::Address6(address) => json!(address.to_string()),
        Value::Fields(Fields { fields, more }) => {
            let mut object: Map<_, _> =
                fields.iter().map(|(name, field)| ((*name).to_owned(), self::value(field))).collect();
            if *more {
                object.insert("...".to_owned(), json!(true));
            }
            Json::Object(object)
        }
        Value::List { elements, more } => {
            let mut list: Vec<_> = elements.iter().map(self::value).collect();
            if *more {
                list.push(json!({ "...": true }));
            }
            Json::Array(list)
        }
        Value::Descriptor { number, directory, target } => match target {
            None if *directory && *number == super::text::AT_FDCWD => json!("AT_FDCWD"),
            None => json!(number),
            Some(target) => json!({ "fd": number, "path": target.as_ref().map(|path| escaped(path)) }),
        },
        Value::Remark(value, remark) => json!({ "value": self::value(value), "remark": remark }),
        Value::Change(before, after) => json!({ "before": self::value(before), "after": self::value(after) }),
        Value::Unreadable { address, read, .. } => {
            let mut object = Map::from_iter([
                ("address".to_owned(), json!(format!("{address:#x}"))),
                ("unreadable".to_owned(), json!(true)),
            ]);
            if !read.is_empty() {
                object.insert("text".to_owned(), json!(escaped(read)));
            }
            Json::Object(object)
        }
    }
}

/// A number, or, where JSON's would not be exact, a text.
pub(crate) fn unsigned(number: u64) -> Json {
    if number <= EXACT { json!(number) } else { json!(number.to_string()) }
}

/// Bytes as text that reads back to the same: UTF-8 that can do no harm on a terminal as it is, each other byte and the
/// backslash as `\xNN`.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let push = |text: &mut String, bytes: &[u8]| {
        for byte in bytes {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_unprintable(c) || c == '\\' {
                push(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                text.push(c);
            }
        }
        push(&mut text, chunk.invalid());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_any_kind_have_a_form_in_json() {
        assert_eq!(escaped("naïve\u{202e}".as_bytes()), "naïve\\xe2\\x80\\xae");
        assert_eq!(escaped(b"a\\b\n\xff"), "a\\x5cb\\x0a\\xff");
        assert_eq!(value(&Value::text(b"/etc", true)), json!({ "text": "/etc", "cut": true }));
        assert_eq!(
            value(&Value::Unreadable { address: 16, read: Vec::new(), told: true }),
            json!({ "address": "0x10", "unreadable": true })
        );
    }

    #[test]
    fn numbers_that_json_readers_would_round_are_texts() {
        assert_eq!(value(&Value::Unsigned(EXACT)), json!(EXACT));
        assert_eq!(value(&Value::Unsigned(u64::MAX)), json!("18446744073709551615"));
        assert_eq!(value(&Value::Signed(i64::MIN)), json!("-9223372036854775808"));
    }
}
