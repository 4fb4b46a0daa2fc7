//! Socket addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use seccomp_trace_core::Arch;

use super::constants;
use super::value::{Text, Value};

/// A `struct sockaddr` of as many bytes as its length says; `None` where not even the family is there.
///
/// Layouts: `include/uapi/linux/{un,in,in6,netlink,if_packet,vm_sockets}.h`.
pub(crate) fn address(bytes: &[u8]) -> Option<Value> {
    let family = u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?);
    let name = constants::set("address_family", Arch::X86_64)?.show(family.into());
    let mut fields = vec![("sa_family", Value::word(name.clone()))];
    let rest = match name.as_str() {
        "AF_UNIX" => unix(&bytes[2..]),
        "AF_INET" => inet(bytes),
        "AF_INET6" => inet6(bytes),
        "AF_NETLINK" => netlink(bytes),
        "AF_PACKET" => packet(bytes),
        "AF_VSOCK" => vsock(bytes),
        _ => None,
    };
    match rest {
        Some(mut rest) => fields.append(&mut rest),
        None if bytes.len() > 2 => fields.push(("sa_data", Value::text(&bytes[2..], false))),
        None => {}
    }
    Some(Value::fields(fields))
}

type Named = Vec<(&'static str, Value)>;

/// A path, a name that begins with a NUL (shown as `@`), or none.
fn unix(path: &[u8]) -> Option<Named> {
    let value = match path.split_first() {
        None => return Some(Vec::new()),
        Some((0, name)) => Value::AbstractName(name.to_vec()),
        Some(_) => Value::c_string(path),
    };
    Some(vec![("sun_path", value)])
}

fn port(bytes: &[u8]) -> Option<Value> {
    let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
    Some(Value::network("htons", port))
}

fn inet(bytes: &[u8]) -> Option<Named> {
    let address: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
    let address = Value::text(Ipv4Addr::from(address).to_string().as_bytes(), false);
    Some(vec![("sin_port", port(bytes)?), ("sin_addr", Value::Converted("inet_addr", Box::new(address)))])
}

fn inet6(bytes: &[u8]) -> Option<Named> {
    let flow = u32::from_be_bytes(bytes.get(4..8)?.try_into().ok()?);
    let address: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
    let scope = u32::from_ne_bytes(bytes.get(24..28)?.try_into().ok()?);
    Some(vec![
        ("sin6_port", port(bytes)?),
        ("sin6_flowinfo", Value::network("htonl", flow)),
        ("sin6_addr", Value::Address6(Ipv6Addr::from(address))),
        ("sin6_scope_id", Value::Unsigned(scope.into())),
    ])
}

fn netlink(bytes: &[u8]) -> Option<Named> {
    let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let groups = word(8)?;
    let groups = if groups == 0 { "00000000".to_owned() } else { format!("{groups:#08x}") };
    Some(vec![("nl_pid", Value::Signed(word(4)?.cast_signed().into())), ("nl_groups", Value::word(groups))])
}

fn packet(bytes: &[u8]) -> Option<Named> {
    let protocol = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
    let index = i32::from_ne_bytes(bytes.get(4..8)?.try_into().ok()?);
    let length = usize::from(*bytes.get(11)?);
    let hardware = bytes.get(12..12 + length.min(8)).unwrap_or_default();
    Some(vec![
        ("sll_protocol", Value::Converted("htons", Box::new(Value::Hex(protocol.into())))),
        ("sll_ifindex", Value::Signed(index.into())),
        ("sll_hatype", Value::Hex(u16::from_ne_bytes(bytes.get(8..10)?.try_into().ok()?).into())),
        ("sll_pkttype", Value::Unsigned((*bytes.get(10)?).into())),
        ("sll_halen", Value::Unsigned(length as u64)),
        ("sll_addr", Value::Text(Text { bytes: hardware.to_vec(), cut: false, binary: true })),
    ])
}

fn vsock(bytes: &[u8]) -> Option<Named> {
    let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    Some(vec![("svm_cid", Value::Hex(word(8)?.into())), ("svm_port", Value::Hex(word(4)?.into()))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::{self, Hex};

    fn shown(bytes: &[u8]) -> String {
        let mut out = String::new();
        text::push(&mut out, &address(bytes).unwrap(), Hex::None);
        out
    }

    /// Each as strace 6.1 prints it.
    #[test]
    fn addresses_of_every_common_family_are_shown_as_strace_shows_them() {
        assert_eq!(
            shown(&[2, 0, 0, 53, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
            r#"{sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.1")}"#
        );
        let mut six = vec![10, 0, 0, 80, 0, 0, 0, 0];
        six.extend([0; 15]);
        six.extend([1, 0, 0, 0, 0]);
        assert_eq!(
            shown(&six),
            r#"{sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}"#
        );
        assert_eq!(shown(b"\x01\0/run/a\0rest"), r#"{sa_family=AF_UNIX, sun_path="/run/a"}"#);
        assert_eq!(shown(b"\x01\0\0abs\x01"), r#"{sa_family=AF_UNIX, sun_path=@"abs\1"}"#);
        assert_eq!(shown(b"\x01\0"), "{sa_family=AF_UNIX}");
        assert_eq!(
            shown(&[16, 0, 0, 0, 1, 0, 0, 0, 0x10, 0, 0, 0]),
            "{sa_family=AF_NETLINK, nl_pid=1, nl_groups=0x000010}"
        );
    }

    #[test]
    fn an_address_that_is_too_short_is_shown_as_far_as_it_goes() {
        assert_eq!(address(&[2]), None);
        assert_eq!(shown(&[2, 0, 1]), r#"{sa_family=AF_INET, sa_data="\1"}"#);
        assert_eq!(shown(&[10, 0]), "{sa_family=AF_INET6}");
    }
}
