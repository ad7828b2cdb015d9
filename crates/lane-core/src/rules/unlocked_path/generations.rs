//! The generations that commits have, each held against who had the lock when.

use super::{Path, title};
use crate::facts::{Commit, Event, Oid, TakenLock};
use crate::policy::model::Level;
use crate::rules::Draft;

impl<'a> Path<'a> {
    /// The generations that a commit has for this path. A whole area's that was never given out is one
    /// too, if a wrong one.
    pub(super) fn tokens(&self, commit: &Commit) -> Vec<(u64, Option<&'a TakenLock>)> {
        let tokens = self.context.lock_tokens(commit).into_iter();
        let of_path = tokens.filter_map(|token| {
            let is_it = |taken: &&TakenLock| {
                taken.generation == token.generation
                    && taken.scope.text == token.scope
                    && self.is_on(&taken.scope.area, &taken.scope)
            };
            let taken = self.locks.taken.iter().find(is_it);
            (taken.is_some() || token.scope == self.area).then_some((token.generation, taken))
        });
        of_path.collect()
    }

    /// What is wrong with a commit that has generations: nothing if one of them is right.
    pub(super) fn stale_trailer(&self, commit: &Commit) -> Option<Draft> {
        let mut wrong = None;
        for (generation, taken) in self.tokens(commit) {
            let agent = self.context.agent();
            let draft = match taken {
                None => self.missing_trailer(format!(
                    "under generation {generation} of the lock `{}`, which was never taken",
                    self.area
                )),
                Some(taken) if Some(taken.agent.as_str()) != agent => {
                    let whose = title(self.context, &taken.agent);
                    let text = &taken.scope.text;
                    Draft {
                        owner: Some(taken.agent.clone()),
                        ..self.missing_trailer(format!(
                            "under generation {generation} of the lock `{text}`, which belonged to {whose}"
                        ))
                    }
                }
                Some(TakenLock { scope, pushed_by: Some(refspec), .. }) => {
                    self.unrecorded(&scope.text, refspec)
                }
                Some(taken) => match self.taken_since(generation, commit.oid) {
                    None if self.is_overtaken(taken) => self.overtaken(taken),
                    None => return None,
                    // Only `git lane push` writes down when it was; the hook judged any other push in its time.
                    Some(later)
                        if self.context.facts.event == Event::Ci
                            && !self.locks.pushed.contains(&commit.oid)
                            && !self.is_overtaken(taken) =>
                    {
                        Draft { at_most: Some(Level::Warn), ..self.lost_lock(taken, later) }
                    }
                    Some(later) => self.lost_lock(taken, later),
                },
            };
            wrong = Some(draft);
        }
        wrong
    }

    /// The first other agent's lock on this path since a generation, and before a commit was pushed.
    fn taken_since(&self, generation: u64, commit: Oid) -> Option<&'a TakenLock> {
        let agent = self.context.agent();
        self.locks.taken.iter().find(|taken| {
            taken.generation > generation
                && !taken.after.contains(&commit)
                && Some(taken.agent.as_str()) != agent
                && self.is_on(&taken.scope.area, &taken.scope)
        })
    }

    /// Whether the change is based on what others have landed on this path after that lock had ended.
    fn is_overtaken(&self, own: &TakenLock) -> bool {
        let merge_base = self.context.change.merge_base.map(|base| base.oid);
        merge_base.is_some_and(|oid| own.overtaken.contains(&(oid, self.touched.path.clone())))
    }
}
