//! `calls` for cargo-fuzz.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    seccomp_trace_fuzz::targets::calls::target(data);
});
