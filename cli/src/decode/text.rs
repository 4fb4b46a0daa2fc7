//! Decoded values as strace prints them. Every byte that comes from a tracee is quoted here, so none reaches the
//! terminal as it is.

use super::value::{Fields, Text, Value};

/// Which bytes of strings are printed in hexadecimal (`-x`, `-xx`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Hex {
    #[default]
    None,
    /// All of a string that holds one that is not printable ASCII.
    NonAscii,
    All,
}

/// Appends a value.
pub(crate) fn push(out: &mut String, value: &Value, hex: Hex) {
    match value {
        Value::Signed(number) => out.push_str(&number.to_string()),
        Value::Unsigned(number) => out.push_str(&number.to_string()),
        Value::Hex(0) => out.push('0'),
        Value::Address(0) => out.push_str("NULL"),
        Value::Hex(number) | Value::Address(number) => out.push_str(&format!("{number:#x}")),
        Value::Word(word) => out.push_str(word),
        Value::Text(text) => push_text(out, text, hex),
        Value::AbstractName(name) => {
            out.push('@');
            push_quoted(out, name, hex == Hex::All);
        }
        Value::Converted(function, value) => {
            out.push_str(function);
            out.push('(');
            push(out, value, hex);
            out.push(')');
        }
        Value::Address6(address) => out.push_str(&format!("inet_pton(AF_INET6, \"{address}\", &sin6_addr)")),
        Value::Fields(fields) => push_fields(out, fields, hex),
        Value::List { elements, more } => push_list(out, elements, *more, hex),
        Value::Descriptor { number, directory, target } => {
            if *directory && *number == AT_FDCWD {
                out.push_str("AT_FDCWD");
            } else {
                out.push_str(&number.to_string());
            }
            push_target(out, *number, target.as_ref(), hex);
        }
        Value::Remark(value, remark) => {
            push(out, value, hex);
            out.push_str(&format!(" /* {remark} */"));
        }
        Value::Change(before, after) => {
            push(out, before, hex);
            out.push_str(" => ");
            push(out, after, hex);
        }
        Value::Unreadable { address, read, told } => {
            push(out, &Value::Address(*address), hex);
            if !told {
                push_unread(out, read, hex);
            }
        }
    }
}

/// Says that nothing more could be read than this.
fn push_unread(out: &mut String, read: &[u8], hex: Hex) {
    if read.is_empty() {
        out.push_str(" /* unreadable */");
        return;
    }
    let mut quoted = String::new();
    push_quoted(&mut quoted, read, hex == Hex::All);
    // Nothing within may end the comment.
    out.push_str(&format!(" /* unreadable after {} */", quoted.replace("*/", "*\\57")));
}

fn push_fields(out: &mut String, fields: &Fields, hex: Hex) {
    out.push('{');
    for (index, (name, value)) in fields.fields.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        if !matches!(value, Value::Address6(_)) {
            out.push_str(name);
            out.push('=');
        }
        push(out, value, hex);
    }
    if fields.more {
        out.push_str(if fields.fields.is_empty() { "..." } else { ", ..." });
    }
    out.push('}');
}

fn push_list(out: &mut String, elements: &[Value], more: bool, hex: Hex) {
    out.push('[');
    for (index, value) in elements.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        push(out, value, hex);
    }
    if more {
        out.push_str(if elements.is_empty() { "..." } else { ", ..." });
    }
    out.push(']');
}

/// `AT_FDCWD`, which stands for the working directory where a descriptor is wanted.
pub(crate) const AT_FDCWD: i64 = -100;

fn push_target(out: &mut String, number: i64, target: Option<&Option<Vec<u8>>>, hex: Hex) {
    match target {
        None => {}
        Some(None) if number < 0 => {}
        Some(None) => out.push_str("<?>"),
        Some(Some(target)) => {
            out.push('<');
            // `<` and `>` enclose it.
            let mut path = String::new();
            push_escaped(&mut path, target, hex == Hex::All);
            out.push_str(&path.replace('<', "\\74").replace('>', "\\76").replace("\\\"", "\""));
            out.push('>');
        }
    }
}

fn push_text(out: &mut String, text: &Text, hex: Hex) {
    let printable = |byte: &u8| matches!(byte, 0x20..=0x7e | b'\t'..=b'\r');
    let all = text.binary || hex == Hex::All || (hex == Hex::NonAscii && !text.bytes.iter().all(printable));
    push_quoted(out, &text.bytes, all);
    if text.cut {
        out.push_str("...");
    }
}

fn push_quoted(out: &mut String, bytes: &[u8], all_hex: bool) {
    out.push('"');
    push_escaped(out, bytes, all_hex);
    out.push('"');
}

/// Bytes with everything but printable ASCII escaped as in C: letters where there are, else octal numbers, as short as
/// what follows allows.
pub(crate) fn push_escaped(out: &mut String, bytes: &[u8], all_hex: bool) {
    for (index, byte) in bytes.iter().enumerate() {
        if all_hex {
            out.push_str(&format!("\\x{byte:02x}"));
            continue;
        }
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x0b => out.push_str("\\v"),
            0x0c => out.push_str("\\f"),
            0x20..=0x7e => out.push(char::from(*byte)),
            _ if bytes.get(index + 1).is_some_and(|next| matches!(next, b'0'..=b'7')) => {
                out.push_str(&format!("\\{byte:03o}"));
            }
            _ => out.push_str(&format!("\\{byte:o}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(value: &Value) -> String {
        let mut out = String::new();
        push(&mut out, value, Hex::None);
        out
    }

    /// As strace prints the head of every ELF file.
    #[test]
    fn bytes_are_escaped_as_strace_escapes_them() {
        assert_eq!(
            shown(&Value::text(b"\x7fELF\x02\x01\x01\x000\0\x018", true)),
            r#""\177ELF\2\1\1\0000\0\18"..."#
        );
        assert_eq!(shown(&Value::text(b"a\tb\"c\\\n\xff", false)), r#""a\tb\"c\\\n\377""#);
        let text = Value::text(b"plain", false);
        let mut out = String::new();
        push(&mut out, &text, Hex::All);
        assert_eq!(out, r#""\x70\x6c\x61\x69\x6e""#);
        let mut out = String::new();
        push(&mut out, &text, Hex::NonAscii);
        push(&mut out, &Value::text(b"\x01a", false), Hex::NonAscii);
        assert_eq!(out, r#""plain""\x01\x61""#);
    }

    #[test]
    fn structures_and_lists_say_when_there_is_more() {
        let fields = Fields { fields: vec![("st_size", Value::Signed(3))], more: true };
        assert_eq!(shown(&Value::Fields(fields)), "{st_size=3, ...}");
        assert_eq!(
            shown(&Value::List { elements: vec![Value::Signed(1), Value::Signed(2)], more: true }),
            "[1, 2, ...]"
        );
        assert_eq!(shown(&Value::List { elements: Vec::new(), more: true }), "[...]");
        let size = |number| Box::new(Value::Signed(number));
        assert_eq!(shown(&Value::list(vec![Value::Change(size(128), size(16))])), "[128 => 16]");
    }

    #[test]
    fn descriptors_have_what_they_refer_to() {
        let fd = |number, target| shown(&Value::Descriptor { number, directory: number == -100, target });
        assert_eq!(fd(3, None), "3");
        assert_eq!(fd(3, Some(Some(b"/a>b\n".to_vec()))), "3</a\\76b\\n>");
        assert_eq!(fd(-100, Some(Some(b"/".to_vec()))), "AT_FDCWD</>");
        assert_eq!(fd(9, Some(None)), "9<?>", "marked where it could not be found out");
        assert_eq!(fd(-1, Some(None)), "-1");
    }

    #[test]
    fn what_could_not_be_read_is_never_empty() {
        let unreadable =
            |read: &[u8]| shown(&Value::Unreadable { address: 0x1000, read: read.to_vec(), told: false });
        assert_eq!(unreadable(b""), "0x1000 /* unreadable */");
        assert_eq!(unreadable(b"a*/b"), r#"0x1000 /* unreadable after "a*\57b" */"#);
    }

    proptest! {
        #[test]
        fn no_byte_of_a_tracee_reaches_the_terminal_as_it_is(bytes: Vec<u8>, number: i64) {
            for hex in [Hex::None, Hex::NonAscii, Hex::All] {
                let mut out = String::new();
                push(&mut out, &Value::text(&bytes, true), hex);
                push(&mut out, &Value::Descriptor { number, directory: true, target: Some(Some(bytes.clone())) }, hex);
                push(&mut out, &Value::Unreadable { address: 1, read: bytes.clone(), told: false }, hex);
                prop_assert!(out.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{out:?}");
            }
        }
    }
}
