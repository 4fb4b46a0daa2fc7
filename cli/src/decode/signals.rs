//! Names of signals, sets of them, what `siginfo_t` holds, and wait statuses.

use seccomp_trace_core::{Arch, Refused, Signal, Syscall, X32_SYSCALL_BIT};

use super::constants;
use super::value::Value;

/// The first real-time signal, as the kernel numbers them.
const REAL_TIME: i64 = 32;
const LAST: i64 = 64;
/// Codes of `include/uapi/asm-generic/siginfo.h` that come with more than a sender.
const SI_QUEUE: i32 = -1;
const SI_TIMER: i32 = -2;
const SI_MESGQ: i32 = -3;

/// `SIGINT`, `SIGRTMIN`, `SIGRT_2`; a number that is no signal as it is.
pub(crate) fn name(number: i64) -> String {
    let known =
        u64::try_from(number).ok().and_then(|number| constants::set("signal", Arch::X86_64)?.name(number));
    match (known, number) {
        (Some(name), _) => name.to_owned(),
        (None, REAL_TIME) => "SIGRTMIN".to_owned(),
        (None, REAL_TIME..=LAST) => format!("SIGRT_{}", number - REAL_TIME),
        (None, _) => number.to_string(),
    }
}

/// The number of a signal by its name, with or without `SIG`, or by its number.
pub(crate) fn number(text: &str) -> Option<i32> {
    let upper = text.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    let known = (1..=LAST).find(|number| name(*number).strip_prefix("SIG") == Some(short));
    let number = known.or_else(|| short.parse().ok().filter(|number| (1..=LAST).contains(number)))?;
    i32::try_from(number).ok()
}

/// A set as `[CHLD INT]`; one that most signals are in as `~[…]` of the others.
pub(crate) fn set(bits: u64) -> String {
    let inverted = bits.count_ones() >= 42;
    let listed = if inverted { !bits } else { bits };
    let names = (1..=LAST).filter(|number| listed >> (number - 1) & 1 == 1).map(name);
    let names: Vec<String> =
        names.map(|name| name.strip_prefix("SIG").map(str::to_owned).unwrap_or(name)).collect();
    format!("{}[{}]", if inverted { "~" } else { "" }, names.join(" "))
}

/// `si_code` by its name, which depends on the signal where it is positive.
pub(crate) fn code(signal: i64, code: i32) -> String {
    let of_signal = match name(signal).as_str() {
        "SIGCHLD" => "sigchld_code",
        "SIGILL" => "sigill_code",
        "SIGFPE" => "sigfpe_code",
        "SIGSEGV" => "sigsegv_code",
        "SIGBUS" => "sigbus_code",
        "SIGTRAP" => "sigtrap_code",
        "SIGIO" => "sigpoll_code",
        "SIGSYS" => "sigsys_code",
        _ => "si_code",
    };
    let bits = u64::from(code.cast_unsigned());
    let named = |set| constants::set(set, Arch::X86_64)?.name(bits);
    let found = if code > 0 { named(of_signal) } else { None };
    found.or_else(|| named("si_code")).map_or_else(|| code.to_string(), str::to_owned)
}

/// `si_status` of a `SIGCHLD`: an exit code, or a signal.
fn status(code: i32, status: i32) -> Value {
    const EXITED: i32 = 1;
    if code == EXITED { Value::Signed(status.into()) } else { Value::word(name(status.into())) }
}

/// A delivered signal as `siginfo_t` has it.
pub(crate) fn info(signal: &Signal) -> Value {
    let number = i64::from(signal.number);
    let mut fields =
        vec![("si_signo", Value::word(name(number))), ("si_code", Value::word(code(number, signal.code)))];
    if signal.errno != 0 {
        let errno = constants::errno(u64::from(signal.errno.unsigned_abs()));
        fields.push(("si_errno", errno.map_or(Value::Signed(signal.errno.into()), Value::word)));
    }
    if let Some((pid, uid)) = signal.sender {
        fields.push(("si_pid", Value::Signed(pid.into())));
        fields.push(("si_uid", Value::Unsigned(uid.into())));
    }
    if let Some(child) = signal.status {
        fields.push(("si_status", status(signal.code, child)));
    }
    if let Some(address) = signal.address {
        fields.push(("si_addr", Value::Address(address)));
    }
    if let Some((timer, overrun)) = signal.timer {
        fields.push(("si_timerid", Value::Hex(u64::from(timer.cast_unsigned()))));
        fields.push(("si_overrun", Value::Signed(overrun.into())));
    }
    if let Some(value) = signal.value {
        // A union: the number is the low half of the pointer.
        let [a, b, c, d, ..] = value.to_le_bytes();
        fields.push(("si_int", Value::Signed(i32::from_le_bytes([a, b, c, d]).into())));
        fields.push(("si_ptr", Value::Address(value)));
    }
    if let Some(call) = signal.refused {
        fields.push(("si_call_addr", Value::Address(call.address)));
        fields.push(("si_syscall", refused(call)));
        fields.push(("si_arch", audit_arch(call.arch)));
    }
    Value::fields(fields)
}

/// The number of a call by its name in its ABI.
fn refused(call: Refused) -> Value {
    let find = |number: u32| {
        let is_x32 = call.arch == Arch::X32.audit() && number & X32_SYSCALL_BIT != 0;
        let fits = |arch: &Arch| arch.audit() == call.arch && (*arch == Arch::X32) == is_x32;
        let arch = Arch::ALL.into_iter().find(fits)?;
        let number = if is_x32 { number & !X32_SYSCALL_BIT } else { number };
        Syscall::new(arch, number.cast_signed()).name()
    };
    match find(call.number) {
        Some(name) => Value::word(format!("__NR_{name}")),
        None => Value::Hex(call.number.into()),
    }
}

fn audit_arch(arch: u32) -> Value {
    let set = constants::set("audit_arch", Arch::X86_64);
    set.map_or(Value::Hex(arch.into()), |set| Value::word(set.show(arch.into())))
}

/// A `siginfo_t` as it lies in memory: three numbers, and what belongs to the code (`include/uapi/asm-generic/siginfo.h`).
pub(crate) fn info_in_memory(bytes: &[u8], word: usize) -> Option<Value> {
    let int = |at: usize| Some(i32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (number, errno, code) = (int(0)?, int(4)?, int(8)?);
    if (number, code) == (0, 0) {
        return Some(Value::fields(Vec::new()));
    }
    // The union is aligned as its addresses are.
    let at = if word == 8 { 16 } else { 12 };
    let pair = Some((int(at)?, int(at + 4)?));
    let child = name(number.into()) == "SIGCHLD" && code > 0;
    let timer = code == SI_TIMER;
    let valued = timer || matches!(code, SI_QUEUE | SI_MESGQ);
    let value = bytes.get(at + 8..).and_then(|bytes| super::structs::raw(bytes, word));
    let sender = (child || code <= 0) && !timer;
    let refused = name(number.into()) == "SIGSYS" && code > 0;
    let refused = if refused {
        Some(Refused {
            address: super::structs::raw(bytes.get(at..)?, word)?,
            number: int(at + word)?.cast_unsigned(),
            arch: int(at + word + 4)?.cast_unsigned(),
        })
    } else {
        None
    };
    Some(info(&Signal {
        pid: seccomp_trace_core::Tgid(0),
        tid: seccomp_trace_core::Tid(0),
        time: seccomp_trace_core::Timestamp::from_unix_nanos(0),
        number,
        code,
        errno,
        sender: pair.filter(|_| sender).map(|(pid, uid)| (pid, uid.cast_unsigned())),
        status: if child { int(at + 8) } else { None },
        address: None,
        timer: pair.filter(|_| timer),
        value: value.filter(|_| valued),
        refused,
    }))
}

/// A wait status with the macros of wait(2).
pub(crate) fn wait_status(status: i32) -> String {
    let (code, signal) = ((status >> 8) & 0xff, status & 0x7f);
    match status & 0xff {
        _ if status == 0xffff => "WIFCONTINUED(s)".to_owned(),
        0 => format!("WIFEXITED(s) && WEXITSTATUS(s) == {code}"),
        0x7f => {
            let event = status >> 16;
            let event = if event == 0 { String::new() } else { format!(" | {event} << 16") };
            // A stop of ptrace has bit 7 set.
            let traced = if code & 0x80 == 0 { "" } else { " | 0x80" };
            format!("WIFSTOPPED(s) && WSTOPSIG(s) == {}{traced}{event}", name((code & 0x7f).into()))
        }
        _ => {
            let core = if status & 0x80 == 0 { "" } else { " && WCOREDUMP(s)" };
            format!("WIFSIGNALED(s) && WTERMSIG(s) == {}{core}", name(signal.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_the_names_that_strace_gives_them() {
        assert_eq!(name(9), "SIGKILL");
        assert_eq!(name(32), "SIGRTMIN");
        assert_eq!(name(34), "SIGRT_2");
        assert_eq!(name(0), "0");
        assert_eq!(name(65), "65");
        for text in ["SIGUSR1", "usr1", "10"] {
            assert_eq!(number(text), Some(10), "{text}");
        }
        assert_eq!(number("rt_2"), Some(34));
        assert_eq!(number("nosuch"), None);
        assert_eq!(number("0"), None);
    }

    /// What strace 6.1 printed for the mask that dash blocks all signals with.
    #[test]
    fn a_set_of_nearly_all_is_shown_by_what_is_missing() {
        assert_eq!(set(0), "[]");
        assert_eq!(set(1 << 16 | 1 << 1), "[INT CHLD]");
        assert_eq!(set(!(1 << 31 | 1 << 32)), "~[RTMIN RT_1]");
        assert_eq!(set(u64::MAX), "~[]");
    }

    /// A number means nothing without its ABI.
    #[test]
    fn a_refused_call_has_the_name_that_its_abi_gives_it() {
        let shown = |arch, number| {
            let Value::Word(word) = refused(Refused { address: 0, number, arch }) else { panic!() };
            word
        };
        assert_eq!(shown(0xc000_003e, 102), "__NR_getuid");
        assert_eq!(shown(0x4000_0003, 102), "__NR_socketcall");
        assert_eq!(shown(0xc000_003e, X32_SYSCALL_BIT | 513), "__NR_rt_sigreturn");
        let unknown = refused(Refused { address: 0, number: 9999, arch: 0xc000_003e });
        assert_eq!(unknown, Value::Hex(9999));
        assert_eq!(audit_arch(0xc000_00b7), Value::word("AUDIT_ARCH_AARCH64"));
    }

    #[test]
    fn a_refused_call_is_read_where_the_abi_has_it() {
        let mut bytes = [31u32, 0, 1, 0, 0x1000, 0, 39, 0xc000_003e].map(u32::to_ne_bytes).concat();
        bytes.resize(128, 0);
        let shown = |bytes: &[u8], word| {
            let mut out = String::new();
            let value = info_in_memory(bytes, word).unwrap();
            crate::decode::text::push(&mut out, &value, crate::decode::text::Hex::None);
            out
        };
        let tail = "si_call_addr=0x1000, si_syscall=__NR_getpid, si_arch=AUDIT_ARCH_X86_64}";
        assert_eq!(shown(&bytes, 8), format!("{{si_signo=SIGSYS, si_code=SYS_SECCOMP, {tail}"));
        let mut narrow = [31u32, 0, 1, 0x1000, 20, 0x4000_0003].map(u32::to_ne_bytes).concat();
        narrow.resize(128, 0);
        let tail = "si_call_addr=0x1000, si_syscall=__NR_getpid, si_arch=AUDIT_ARCH_I386}";
        assert_eq!(shown(&narrow, 4), format!("{{si_signo=SIGSYS, si_code=SYS_SECCOMP, {tail}"));
    }

    #[test]
    fn wait_statuses_are_told_by_the_macros() {
        assert_eq!(wait_status(0x0300), "WIFEXITED(s) && WEXITSTATUS(s) == 3");
        assert_eq!(wait_status(9), "WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL");
        assert_eq!(wait_status(0x8b), "WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)");
        assert_eq!(wait_status(0x137f), "WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP");
        assert_eq!(wait_status(0xffff), "WIFCONTINUED(s)");
    }
}
