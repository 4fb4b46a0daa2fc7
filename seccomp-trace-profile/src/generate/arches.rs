//! Makes a profile cover ABIs.

use std::collections::BTreeSet;

use seccomp_trace_core::Arch;

use super::needs::Needs;
use crate::model::{ArchMapEntry, Field};
use crate::{ArchToken, Profile, ProfileError};

/// Adds what is missing: to `archMap` where the profile has one, else to `architectures`; never both, which
/// engines refuse.
pub(super) fn cover(profile: &mut Profile, needs: &Needs) -> Result<(), ProfileError> {
    if profile.arch_map().is_empty() {
        let listed: BTreeSet<ArchToken> = profile.architectures().iter().copied().collect();
        let missing: Vec<ArchToken> = needs
            .natives
            .iter()
            .chain(&needs.others)
            .filter(|arch| !listed.iter().any(|token| stands_for(*token, **arch, needs)))
            .map(|arch| ArchToken::from(*arch))
            .collect();
        if !missing.is_empty() {
            profile.architectures.get_or_default().extend(missing);
        }
        return Ok(());
    }
    if !profile.architectures().is_empty() {
        return Err(ProfileError::BothArchLists);
    }
    for native in &needs.natives {
        let map = profile.arch_map.get_or_default();
        let position = map.iter().position(|entry| entry.architecture.arch(*native) == Some(*native));
        let position = position.unwrap_or_else(|| {
            map.push(ArchMapEntry {
                architecture: ArchToken::from(*native),
                sub_architectures: Field::Set(Vec::new()),
                other: std::collections::BTreeMap::new(),
            });
            map.len() - 1
        });
        let entry = &mut map[position];
        for other in needs.others.iter().filter(|other| other.native_of() == *native) {
            if !entry.sub_architectures().contains(&ArchToken::from(*other)) {
                entry.sub_architectures.get_or_default().push(ArchToken::from(*other));
            }
        }
    }
    Ok(())
}

/// `SCMP_ARCH_NATIVE` stands for the machine's ABI only where there is one kind of machine.
fn stands_for(token: ArchToken, arch: Arch, needs: &Needs) -> bool {
    let native = needs.natives.first().filter(|_| needs.natives.len() == 1);
    token == ArchToken::from(arch) || native.is_some_and(|native| token.arch(*native) == Some(arch))
}
