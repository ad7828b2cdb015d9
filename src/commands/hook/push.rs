//! pre-push.

use super::{Hook, HookMode, HookVerdict, give_back, noted};
use crate::commands::hook::policy_repair;
use crate::gather::{Request, Subject, parse_push_lines};
use crate::install::chain;
use crate::install::verdict_notes;
use crate::ops::push::pushed_subject;
use crate::ops::{Session, conflict_note};
use lane_core::error::Error;
use lane_core::facts::Event;
use lane_git::Repository;

impl Hook<'_> {
    /// Judges what is pushed.
    pub(super) fn push(&self, event: Event) -> Result<HookVerdict, Error> {
        let input = self.input("what git pushes")?.unwrap_or_default();
        let lines = parse_push_lines(&input)?;
        let remote = self.args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if lines.is_empty() {
            return Ok(HookVerdict { code: 0, input: Some(input), repo: None });
        }
        let subject = Subject::Push { remote, lines };
        let request = Request { event, agent: None, branch: None, subject };
        let session = match Session::open(*self.output, None) {
            Err(error) => {
                let (session, report) = policy_repair::judge(error, &request, self.output)?;
                let code = self.output.hook_report(&report);
                return Ok(HookVerdict { code, input: Some(input), repo: Some(session.last()) });
            }
            Ok(session) => session,
        };
        self.observes.set(session.loaded.plan.observes());
        let subject = match &request.subject {
            Subject::Push { lines, .. } => pushed_subject(&session.loaded.plan, lines),
            _ => verdict_notes::Subject::default(),
        };
        if self.is_judged_before(&session.repo, &subject) {
            return Ok(HookVerdict { code: 0, input: Some(input), repo: Some(session.last()) });
        }
        self.missing_hooks(&session.repo);
        give_back(&session, event);
        let code = self.output.hook_report(&noted(&session, event, session.judge(&request))?);
        if code == 0
            && let Subject::Push { lines, .. } = &request.subject
        {
            conflict_note::note_at_push(&session, lines);
        }
        // A hook from the configuration is followed by that of the folder, and ours by those that were there before.
        let layout = session.repo.layout();
        let hooks_paths = session.repo.config("core.hooksPath")?;
        let is_followed = || !chain::previous_hooks(&hooks_paths, layout, self.row.name).is_empty();
        if self.mode == HookMode::Configured || self.mode.chains() && code == 0 && is_followed() {
            verdict_notes::note_for_next_hook(layout, self.row.name, &subject);
        }
        Ok(HookVerdict { code, input: Some(input), repo: Some(session.last()) })
    }
}
