//! A slot while observation is being set up.

use crate::instance::Instance;

/// Gives a slot back if observation could not be set up.
pub(crate) struct SlotGuard<'a> {
    instance: &'a Instance,
    slot: Option<u16>,
    /// Whether tasks are in the slot; it is then used again when they have ended.
    pub(crate) armed: bool,
}

impl<'a> SlotGuard<'a> {
    /// Guards a slot that has just been taken.
    pub(crate) fn of(instance: &'a Instance, slot: u16) -> Self {
        Self { instance, slot: Some(slot), armed: false }
    }

    /// Leaves the slot to a session.
    pub(crate) fn keep(mut self) {
        self.slot = None;
    }
}

impl Drop for SlotGuard<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            if !self.armed {
                self.instance.tables().disarm(slot);
            }
            self.instance.release_slot(slot);
        }
    }
}
