//! A `siginfo_t`: which of its fields a signal has. The layout is that of signal(7) on 64-bit machines, and the kernel
//! keeps its own in the same form (`include/uapi/asm-generic/siginfo.h`).

use nix::libc;
use seccomp_trace_core::Refused;

use crate::wire;

/// `siginfo_t` as far as it tells something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Info {
    pub(crate) number: i32,
    pub(crate) code: i32,
    pub(crate) errno: i32,
    pub(crate) sender: Option<(i32, u32)>,
    pub(crate) status: Option<i32>,
    pub(crate) address: Option<u64>,
    pub(crate) timer: Option<(i32, i32)>,
    pub(crate) value: Option<u64>,
    pub(crate) refused: Option<Refused>,
}

/// Codes that a program gives (kill, tgkill, sigqueue, message queues): they have a sender.
const SENT: [i32; 4] = [libc::SI_USER, libc::SI_TKILL, libc::SI_QUEUE, libc::SI_MESGQ];
/// Those of which a value is sent along, beside timers.
const WITH_VALUE: [i32; 2] = [libc::SI_QUEUE, libc::SI_MESGQ];
/// Signals whose positive codes tell of an address.
const FAULTS: [i32; 5] = [libc::SIGILL, libc::SIGFPE, libc::SIGSEGV, libc::SIGBUS, libc::SIGTRAP];

/// Reads it; `None` where it is too short.
pub(crate) fn parse(bytes: &[u8]) -> Option<Info> {
    let field = |offset| wire::u32_at(bytes, offset).map(|value| i32::from_ne_bytes(value.to_ne_bytes()));
    let (number, errno, code) = (field(0)?, field(4)?, field(8)?);
    let child = number == libc::SIGCHLD && (1..=6).contains(&code);
    let fault = FAULTS.contains(&number) && code > 0;
    let timer = code == libc::SI_TIMER;
    let sender = (field(16)?, wire::u32_at(bytes, 20)?);
    let (status, address) = (field(24)?, wire::u64_at(bytes, 16)?);
    let refused = Refused { address, number: wire::u32_at(bytes, 24)?, arch: wire::u32_at(bytes, 28)? };
    Some(Info {
        number,
        code,
        errno,
        sender: (child || SENT.contains(&code)).then_some(sender),
        status: child.then_some(status),
        address: fault.then_some(address),
        timer: timer.then_some((field(16)?, field(20)?)),
        value: (timer || WITH_VALUE.contains(&code)).then_some(wire::u64_at(bytes, 24)?),
        refused: (number == libc::SIGSYS && code > 0).then_some(refused),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(number: i32, code: i32) -> Info {
        let mut bytes = vec![0; 48];
        wire::put(&mut bytes, 0, &number.to_ne_bytes());
        wire::put(&mut bytes, 8, &code.to_ne_bytes());
        wire::put(&mut bytes, 16, &42i32.to_ne_bytes());
        wire::put(&mut bytes, 20, &1000u32.to_ne_bytes());
        wire::put(&mut bytes, 24, &3i32.to_ne_bytes());
        parse(&bytes).unwrap()
    }

    #[test]
    fn a_signal_has_the_fields_that_its_code_says() {
        let sent = info(libc::SIGTERM, libc::SI_USER);
        assert_eq!((sent.sender, sent.status, sent.address), (Some((42, 1000)), None, None));
        let child = info(libc::SIGCHLD, libc::CLD_EXITED);
        assert_eq!((child.sender, child.status), (Some((42, 1000)), Some(3)));
        let fault = info(libc::SIGSEGV, 1);
        assert_eq!((fault.sender, fault.address), (None, Some(42 | 1000 << 32)));
        // A fault without an address of its own has 0 there.
        assert!(info(libc::SIGSEGV, 0x80).address.is_some());
        let timer = info(libc::SIGALRM, libc::SI_TIMER);
        assert_eq!((timer.sender, timer.timer, timer.value), (None, Some((42, 1000)), Some(3)));
        let queued = info(libc::SIGUSR1, libc::SI_QUEUE);
        assert_eq!((queued.sender, queued.timer, queued.value), (Some((42, 1000)), None, Some(3)));
        assert_eq!((sent.timer, sent.value, sent.refused), (None, None, None));
        let refused = Refused { address: 42 | 1000 << 32, number: 3, arch: 0 };
        assert_eq!(info(libc::SIGSYS, 1).refused, Some(refused));
        assert_eq!(info(libc::SIGSYS, libc::SI_USER).refused, None, "sent by a program");
    }

    #[test]
    fn a_short_one_is_none() {
        for len in 0..32 {
            assert_eq!(parse(&vec![0; len]), None);
        }
    }
}
