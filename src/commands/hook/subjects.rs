//! What each hook does, by what it works on: see `Subject` in `lane_core::hooks`.

use super::{Hook, HookMode, HookVerdict, missing_hooks};
use crate::gather;
use lane_core::error::Error;
use lane_core::hooks::Subject;

impl Hook<'_> {
    /// What a hook works on says what it does.
    pub(super) fn verdict(&self) -> Result<HookVerdict, Error> {
        match (self.row.subject, self.row.event) {
            (Subject::Staged, Some(event)) => self.commit(event, gather::Subject::Staged),
            (Subject::Message, Some(event)) => self.message(event),
            (Subject::Pushed, Some(event)) => self.push(event),
            (Subject::Received, Some(event)) => self.receive(event),
            (Subject::Moved, Some(event)) => self.moved(event),
            (Subject::Draft, _) => self.draft(),
            (Subject::Worktree, _) if self.mode == HookMode::Configured => {
                missing_hooks::after_checkout(self.args);
                Ok(HookVerdict::default())
            }
            (Subject::Worktree | Subject::Nothing | Subject::Occasion, _) | (_, None) => {
                Ok(HookVerdict::default())
            }
        }
    }
}
