//! Users: whom the command runs as, and whom new files belong to.

use std::ffi::CString;

use anyhow::{Context, bail};
use nix::unistd::{Uid, User, getgrouplist};
use seccomp_trace_core::Credentials;

/// The user that a name or a number means, with all groups. A number that no user has is taken as it is, with a group
/// of the same number and no others: images name such users.
pub(crate) fn resolve(text: &str) -> anyhow::Result<Credentials> {
    let number = text.parse().ok();
    let found = match number {
        Some(uid) => User::from_uid(Uid::from_raw(uid)),
        None => User::from_name(text),
    };
    let user = match (found.with_context(|| format!("cannot look up the user {text:?}"))?, number) {
        (Some(user), _) => user,
        (None, Some(uid)) => return Ok(Credentials { uid, gid: uid, groups: Vec::new() }),
        (None, None) => {
            bail!("there is no user {text:?}; give a name that `getent passwd` lists, or a number")
        }
    };
    let name = CString::new(user.name).with_context(|| format!("{text:?} is not the name of a user"))?;
    let groups =
        getgrouplist(&name, user.gid).with_context(|| format!("cannot look up the groups of {text:?}"))?;
    Ok(Credentials {
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
        groups: groups.into_iter().map(nix::unistd::Gid::as_raw).collect(),
    })
}

/// Whom a new file is to belong to: under sudo the user who called it.
pub(crate) fn invoking_user() -> Option<(u32, u32)> {
    if !Uid::effective().is_root() {
        return None;
    }
    let id = |name: &str| std::env::var(name).ok()?.parse().ok();
    Some((id("SUDO_UID")?, id("SUDO_GID")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name_and_by_number() {
        let by_name = resolve("root").unwrap();
        assert_eq!((by_name.uid, by_name.gid), (0, 0));
        assert_eq!(resolve("0").unwrap(), by_name);
        assert!(by_name.groups.contains(&0));
        assert_eq!(resolve("65533").unwrap(), Credentials { uid: 65533, gid: 65533, groups: Vec::new() });
        assert!(resolve("no-such-user").unwrap_err().to_string().contains("no user"));
    }
}
