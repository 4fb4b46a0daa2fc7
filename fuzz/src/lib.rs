//! Fuzz targets: for each parser a function that takes any bytes, and panics where a promise is broken.
//!
//! cargo-fuzz runs them through the programs in `fuzz_targets`; the program `stable` runs them without libFuzzer.
#![forbid(unsafe_code)]

pub mod mutator;
pub mod runner;
pub mod targets;

// The modules of the programs that read what others write. These are programs and no libraries, so they are included as
// they are, under the names by which they know each other.
#[path = "../../oci-hook/src/allow.rs"]
#[allow(unreachable_pub, reason = "the same file as the hook's")]
mod allow;
#[path = "../../oci-hook/src/annotation.rs"]
mod annotation;
#[path = "../../oci-hook/src/args.rs"]
#[allow(dead_code, reason = "the hook prints its usage, and this crate does not")]
mod args;
#[path = "../../cli/src/decode/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the command prints more of it than this crate")]
mod decode;
#[path = "../../cli/src/trace/expression.rs"]
#[allow(dead_code, reason = "the command acts on what was read")]
mod expression;
#[path = "../../oci-hook/src/flags.rs"]
mod flags;
#[path = "../../oci-hook/src/options.rs"]
mod options;
#[path = "../../oci-hook/src/state.rs"]
mod state;
#[path = "../../oci-hook/src/wanted.rs"]
mod wanted;
