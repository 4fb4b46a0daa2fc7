//! Why a call is allowed or denied, and what that means.

mod danger;

pub use danger::{DANGERS, Danger, DangerKind};
