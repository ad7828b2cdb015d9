//! The hooks of a commit: what is staged, the message that is prepared, the message that is finished.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{Hook, HookMode, HookVerdict, give_back, noted};
use crate::cli::output::print_error;
use crate::commands::hook::missing_hooks;
use crate::commands::hook::policy_repair;
use crate::gather::{Environment, Request, Subject};
use crate::install::verdict_notes;
use crate::ops::Session;
use crate::ops::by_hand;
use crate::ops::commit_message::{complete, prepare};
use lane_core::error::Error;
use lane_core::facts::Event;
use lane_core::hooks::Action;
use lane_git::{GitRepo, Repository};

impl Hook<'_> {
    /// Judges the commit that is being made.
    pub(super) fn commit(&self, event: Event, subject: Subject) -> Result<HookVerdict, Error> {
        let request = Request { event, agent: None, branch: None, subject };
        let session = match Session::open_for_commit(*self.output) {
            Err(error) => {
                let (session, report) = policy_repair::judge(error, &request, self.output)?;
                let code = self.output.hook_report(&report);
                return Ok(HookVerdict { code, input: None, repo: Some(session.last()) });
            }
            Ok(session) => session,
        };
        self.observes.set(session.loaded.plan.observes());
        if self.mode == HookMode::Renamed
            && self
                .is_judged_before(&session.repo, &missing_hooks::subject(&session.repo, self.row, self.args))
        {
            return Ok(HookVerdict { code: 0, input: None, repo: Some(session.last()) });
        }
        let foreign = self.missing_hooks(&session.repo);
        let (mut code, mut is_taken) = (0, false);
        if event == Event::CommitMsg && foreign.contains(&Event::PreCommit.name()) {
            (code, is_taken) = self.staged(&session)?;
        }
        if event == Event::PreCommit {
            give_back(&session, event);
        }
        if let Subject::Message(path) = &request.subject
            && code == 0
            && !complete(
                &session,
                path,
                is_taken || missing_hooks::is_edited_by_nobody(&session.environment),
            )?
        {
            return Ok(HookVerdict { code: 0, input: None, repo: Some(session.last()) });
        }
        if code == 0 {
            let judged = by_hand::judge(&session, &request).map(|(report, _)| report);
            let report = noted(&session, event, judged)?;
            code = self.output.hook_report(&report);
        }
        self.note(&session.repo, code);
        Ok(HookVerdict { code, input: None, repo: Some(session.last()) })
    }

    /// Judges the commit by its message.
    pub(super) fn message(&self, event: Event) -> Result<HookVerdict, Error> {
        self.commit(event, Subject::Message(message_file(self.row.name, self.args)?))
    }

    /// What pre-commit would have said, unless it has; and whether a manual claim has become a lock.
    fn staged(&self, session: &Session) -> Result<(u8, bool), Error> {
        self.observes.set(session.loaded.plan.observes());
        let event = Event::PreCommit;
        let subject = missing_hooks::staged_subject(&session.repo);
        if verdict_notes::is_judged(session.repo.layout(), event.name(), &subject) {
            return Ok((0, false));
        }
        let request = Request { event, agent: None, branch: None, subject: Subject::Staged };
        give_back(session, event);
        let mut is_taken = false;
        let judged = by_hand::judge(session, &request).map(|(report, taken)| {
            is_taken = taken;
            report
        });
        let report = noted(session, event, judged)?;
        Ok((self.output.hook_report(&report), is_taken))
    }

    /// Puts into a message what belongs there.
    pub(super) fn draft(&self) -> Result<HookVerdict, Error> {
        // A template that nobody edits is no message to git, and has to stay so.
        if self.args.get(1).is_some_and(|source| source == "template") {
            return Ok(HookVerdict::default());
        }
        let is_edited =
            self.mode != HookMode::Whole || !missing_hooks::is_edited_by_nobody(&Environment::of_process());
        let stamped = match Session::repository() {
            // Where another one is not ours any more, it is this hook that says so.
            Ok(repo) if !is_edited && missing_hooks::are_others_in_force(&repo, self.row) => {
                return Ok(HookVerdict { repo: Some(repo), ..HookVerdict::default() });
            }
            opened => opened.and_then(|repo| {
                prepare(repo, *self.output, &message_file(self.row.name, self.args)?, self.args)
            }),
        };
        let repo = match stamped {
            Err(error) if self.row.fails_open => {
                print_error(&format!("warning: the message was not completed: {error}\n"));
                None
            }
            stamped => Some(stamped?),
        };
        self.in_place(repo)
    }

    /// What is left to do for the hook that prepares the message, and refuses nothing as long as another one can.
    fn in_place(&self, repo: Option<GitRepo>) -> Result<HookVerdict, Error> {
        let Some(repo) = repo.filter(|_| self.row.action == Action::Commit) else {
            return Ok(HookVerdict::default());
        };
        if self.mode == HookMode::Renamed {
            missing_hooks::note_runner(&repo, self.row.name);
        }
        let foreign = self.missing_hooks(&repo);
        let is_alone =
            self.mode != HookMode::Configured && missing_hooks::is_alone(&repo, self.row, &foreign);
        let (code, is_taken) =
            if is_alone { self.staged(&Session::open_for_commit(*self.output)?)? } else { (0, false) };
        if code == 0 && is_taken {
            let path = message_file(self.row.name, self.args)?;
            prepare(Session::repository()?, *self.output, &path, self.args)?;
        }
        Ok(HookVerdict { code, input: None, repo: Some(repo) })
    }
}

fn message_file(name: &str, args: &[OsString]) -> Result<PathBuf, Error> {
    args.first().map(PathBuf::from).ok_or_else(|| {
        Error::usage(
            format!("{name} was given no message file"),
            format!("name it, as git does: git lane hook {name} FILE"),
        )
    })
}
