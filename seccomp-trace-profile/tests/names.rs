//! The kernel's names of calls against libseccomp's.
#![cfg(feature = "libseccomp")]

use libseccomp::{ScmpArch, ScmpSyscall};
use seccomp_trace_core::{Arch, Syscall};

/// Every call of every ABI that has a name, with the number as libseccomp counts.
fn named() -> impl Iterator<Item = (Syscall, &'static str, i32)> {
    Arch::ALL
        .into_iter()
        .flat_map(|arch| (0..1024).chain(0xf_0000..0xf_0010).map(move |nr| Syscall::new(arch, nr)))
        .filter_map(|call| Some((call, call.name()?, i32::from_ne_bytes(call.seccomp_nr().to_ne_bytes()))))
}

/// A runtime resolves the names of a profile with libseccomp, so a name of ours that it has under another one
/// would be allowed in the profile and denied in the container.
#[test]
fn every_name_is_libseccomps_name_or_unknown_to_it() {
    let (mut same, mut unknown) = (0, 0);
    for (call, name, number) in named() {
        let token: ScmpArch = call.arch.scmp().parse().unwrap();
        let theirs = ScmpSyscall::from(number).get_name_by_arch(token).ok();
        let resolved = ScmpSyscall::from_name_by_arch(name, token).ok().map(ScmpSyscall::as_raw_syscall);
        if let Some(theirs) = theirs {
            assert_eq!(theirs, name, "{} {number}", call.arch);
            // Negative: a call that libseccomp turns into socketcall or ipc besides.
            assert!(resolved.is_some_and(|back| back == number || back < 0), "{} {name}", call.arch);
            same += 1;
        } else {
            assert!(resolved.is_none_or(|number| number < 0), "{} {name} has number {resolved:?}", call.arch);
            unknown += 1;
        }
    }
    assert!(same > 1500, "only {same} names are known to libseccomp, {unknown} are not");
}

#[test]
fn every_name_in_a_profile_leads_back_to_its_call() {
    for (call, name, _) in named() {
        assert_eq!(Syscall::from_name(call.arch, name), Some(call), "{name}");
    }
}
