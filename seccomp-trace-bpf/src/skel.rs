//! The skeletons that libbpf-cargo generates from `bpf/*.bpf.c`.
#![allow(
    clippy::all,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::undocumented_unsafe_blocks,
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    clippy::needless_pass_by_value,
    clippy::semicolon_if_nothing_returned,
    clippy::unwrap_used,
    elided_lifetimes_in_paths,
    missing_docs,
    unreachable_pub,
    unused_imports,
    unused_qualifications,
    reason = "generated code"
)]

pub(crate) mod recorder {
    include!(concat!(env!("OUT_DIR"), "/recorder.skel.rs"));
}

pub(crate) mod seed {
    include!(concat!(env!("OUT_DIR"), "/seed.skel.rs"));
}

pub(crate) mod denials {
    include!(concat!(env!("OUT_DIR"), "/denials.skel.rs"));
}

pub(crate) mod tally {
    include!(concat!(env!("OUT_DIR"), "/tally.skel.rs"));
}
