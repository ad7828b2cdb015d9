//! How to get on with what a change has: the next steps that more than one rule names.

use super::context::{Context, TouchedPath};
use crate::facts::{CommitForm, Event, Oid};
use crate::policy::Owner;
use crate::policy::model::Access;
use crate::report::quote;

const UNSTAGE: &str = "unstage it (your edit stays in the working tree)";

impl Context<'_> {
    /// The command that rewrites messages, commit by commit: `amend` where one commit is all there
    /// is, else `rebase` with the place to rebase to.
    pub fn reword(&self, amend: &str, rebase: &str) -> String {
        self.reword_from(None, amend, rebase)
    }

    /// The same, from a commit on: what the remote has below it stays as it is, such as the branches that this one is based on.
    pub fn reword_from(&self, first: Option<Oid>, amend: &str, rebase: &str) -> String {
        if let Some(help) = self.first_step() {
            return help;
        }
        // They are on no branch that could be rebased.
        if self.facts.event == Event::RefUpdate {
            return "make the commits again, with git's hooks on".to_owned();
        }
        let all = self.change.commits.known().map(Vec::as_slice).unwrap_or_default();
        let pushed = all.iter().rposition(|commit| commit.is_pushed);
        let first = first.and_then(|first| all.iter().position(|commit| commit.oid == first));
        let below = pushed.filter(|pushed| first.is_some_and(|first| first > *pushed));
        let (start, commits) = match below {
            Some(at) => (Some(all[at].oid), &all[at + 1..]),
            None => (self.change.merge_base.map(|base| base.oid), all),
        };
        let merges = if commits.iter().any(|commit| commit.parents > 1) { " --rebase-merges" } else { "" };
        let command = match start {
            // What is staged meanwhile stays staged.
            _ if commits.len() == 1 => format!("{amend} --only"),
            Some(start) => format!("{rebase} --autostash{merges} {}", start.short()),
            None => format!("{rebase} --autostash{merges} --root"),
        };
        let push = if commits.iter().any(|commit| commit.is_pushed) { self.push_again() } else { "" };
        format!("{}{command}{push}", self.switch())
    }

    /// What has to be done before anything else about commits that are not the agent's: their base is another.
    pub fn first_step(&self) -> Option<String> {
        self.propose_elsewhere().or_else(|| self.push_base())
    }

    /// A change that goes into another branch than the one it was cut from has the commits of that one as well.
    pub fn propose_elsewhere(&self) -> Option<String> {
        let from = self.change.cut_from.as_ref()?;
        let number = self.facts.request.as_ref().and_then(|request| request.number);
        let step = match number {
            Some(number) => {
                format!("propose it there: gh pr edit {number} --base {}", quote(from.as_bytes()))
            }
            None => format!(
                "propose it there, and have the job judge it so: git lane ci --base {}",
                quote(from.as_bytes())
            ),
        };
        Some(format!("it was cut from {from}, whose commits it would bring along\n{step}"))
    }

    /// What to do about commits of the local base branch that the remote's does not have: they are not
    /// the agent's to take back.
    fn push_base(&self) -> Option<String> {
        let typed = self.facts.unpushed_base.as_ref()?;
        let remote = &self.plan.policy.remote.value;
        let name = &self.plan.policy.base.value;
        let onto = match self.facts.is_base_shadowed {
            true => format!("refs/remotes/{remote}/{name}"),
            false => format!("{remote}/{name}"),
        };
        let branch = self.change.elsewhere.as_ref().map(|name| format!(" {}", quote(name.as_bytes())));
        Some(format!(
            "your local {name} has commits that are not on {remote}\n\
             if they belong there, ask a maintainer to push them: git push {remote} {typed}\n\
             or drop them: git rebase --autostash --onto {onto} {typed}{}",
            branch.unwrap_or_default()
        ))
    }

    /// What has to be typed first where the change is on a branch that is not checked out.
    pub fn switch(&self) -> String {
        let branch = self.change.elsewhere.as_ref();
        branch.map(|name| format!("git switch {}\n", quote(name.as_bytes()))).unwrap_or_default()
    }

    /// How to push once commits are rewritten that the remote has.
    pub fn push_again(&self) -> &'static str {
        if self.facts.event.is_server() {
            ""
        } else {
            "\nthen replace the pushed branch: git lane push --force-with-lease"
        }
    }

    /// How to get on with a path that is somebody else's: take it out, and ask them; `by`: the command that
    /// does.
    pub fn leave_to(&self, touched: &TouchedPath<'_>, whom: &str, by: Option<&str>) -> String {
        if self.is_committed(touched)
            && self.facts.event != Event::RefUpdate
            && let Some(help) = self.first_step()
        {
            return help;
        }
        let by = by.map(|by| format!(": {by}")).unwrap_or_default();
        if self.facts.form == CommitForm::Edit {
            return format!("leave it as it is, and ask {whom} for the change{by}");
        }
        format!("{}\nthen ask {whom} for the change{by}", self.take_out(touched))
    }

    /// Whether a path is in the change by a commit that is made already.
    fn is_committed(&self, touched: &TouchedPath<'_>) -> bool {
        !touched.commits.is_empty() || (touched.in_whole && !touched.in_staged)
    }

    /// How paths are taken out of the change again, and where the edits are then; `{paths}` stands for the paths,
    /// `{pathspecs}` for the same as git reads them, `{others}` for all paths but these.
    pub fn take_out(&self, touched: &TouchedPath<'_>) -> String {
        // Without it a merge commit would be left, or commits of others whose files the push refuses. git alone made what
        // is staged here, so that nothing else goes with it.
        if self.facts.event == Event::PreMergeCommit {
            "give up the merge (your commits and edits stay): git merge --abort".to_owned()
        } else if self.facts.event == Event::RefUpdate {
            // The commits are on no branch: there is nothing to take them out of.
            "leave it out of the commits; the branch stays where it was".to_owned()
        } else if self.is_committed(touched) {
            self.take_out_of_commits(touched)
        } else {
            self.take_out_of_index()
        }
    }

    fn take_out_of_index(&self) -> String {
        let form = self.facts.form;
        let without_all = || format!("{UNSTAGE}: git add -u -- {{others}}\nthen commit again, without -a");
        let unstage = match self.change.head {
            Some(_) => format!("{UNSTAGE}: git restore --staged -- {{pathspecs}}"),
            None => format!("{UNSTAGE}: git reset -q -- {{pathspecs}}"),
        };
        // What is staged by `commit -a` or `commit PATH` is in an index of its own, which is gone once git gives up.
        match (form, &self.facts.retry_command) {
            (CommitForm::Edit, _) => "leave it as it is: nothing was changed".to_owned(),
            (CommitForm::Worktree, _) => {
                "stash your edit: git stash push --include-untracked -- {pathspecs}\n\
                                          to restore it: git stash pop"
                    .to_owned()
            }
            (CommitForm::All | CommitForm::Include | CommitForm::Paths, _) if !self.has_more() => {
                "nothing else is in this commit; your edit stays in the working tree".to_owned()
            }
            // What was staged before stays staged, and the same command would commit it again.
            (CommitForm::Include, retry) => {
                let retry = retry.as_ref().map(|retry| format!(": {retry}")).unwrap_or_default();
                format!("{unstage}\nthen commit the rest{retry}")
            }
            // git makes no partial commit in the middle of a merge.
            (CommitForm::All, _) if self.change.is_merging => without_all(),
            (CommitForm::All | CommitForm::Paths, Some(retry)) => {
                format!("commit the rest (your edit stays in the working tree): {retry}")
            }
            (CommitForm::All, None) => without_all(),
            (CommitForm::Paths, None) => "commit the other paths, without {paths}".to_owned(),
            _ => unstage,
        }
    }

    fn take_out_of_commits(&self, touched: &TouchedPath<'_>) -> String {
        if let Some(help) = self.first_step() {
            return help;
        }
        if self.change.reference.as_deref().is_some_and(|name| name.starts_with("refs/tags/")) {
            return "keep the tag as it is, and tag a commit without that file".to_owned();
        }
        match (self.change.merge_base, self.change.elsewhere.as_ref()) {
            // No commit is rewritten in the middle of a merge.
            (Some(base), _) if self.change.is_merging => {
                format!("{UNSTAGE}: git restore --staged --source={} -- {{pathspecs}}", base.oid.short())
            }
            (_, Some(name)) => format!(
                "remove it from the commits of {0}: git lane drop --branch {0} -- {{paths}}",
                quote(name.as_bytes())
            ),
            (_, None) => {
                let is_pushed = touched.commits.iter().any(|commit| commit.is_pushed);
                let push = if is_pushed { self.push_again() } else { "" };
                format!(
                    "remove it from your commits (your edit stays in the working tree): git lane drop -- {{paths}}{push}"
                )
            }
        }
    }

    /// Whether something is in the commit being made that may stay there.
    fn has_more(&self) -> bool {
        let may = |touched: &TouchedPath<'_>| match touched.decision.owner {
            Some(Owner::Area(area)) => match area.access.value {
                Access::Maintainer | Access::Never => false,
                Access::Owner => self.owns(touched),
                Access::Append => !touched.was_present,
                Access::Lock | Access::Coordinate | Access::Shared | Access::Open => true,
            },
            Some(Owner::Lane(_)) => self.owns(touched),
            None => true,
        };
        let touched = self.touched().unwrap_or_default();
        touched.iter().any(|touched| touched.in_staged && may(touched))
    }
}
