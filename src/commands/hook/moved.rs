//! reference-transaction, where the policy says `history: { unverified: deny }`: an agent's branch is moved only to commits that
//! the hooks of a commit would let through, whoever made them and however.

use super::{Hook, HookVerdict, noted};
use crate::cli::output::warn;
use crate::commands::hook::policy_repair;
use crate::gather::{PushLine, Request, Subject, parse_moved_lines};
use crate::ops::Session;
use lane_core::error::Error;
use lane_core::facts::{Event, Oid};
use lane_core::identity::Actor;
use lane_core::policy::model::Unverified;
use lane_core::report::quote;
use lane_git::in_progress::in_progress;
use lane_git::{Read, Repository, staged_tree};

/// Where the branches of a repository lie.
const HEADS: &str = "refs/heads/";

/// When git asks: before that it may still be without the locks, and after that it tells.
const PREPARED: &str = "prepared";

impl Hook<'_> {
    /// Judges the commits that branches are about to be moved to, if nobody has yet. All that moves no branch is let through
    /// before anything is opened.
    pub(super) fn moved(&self, event: Event) -> Result<HookVerdict, Error> {
        if self.args.first().is_none_or(|state| state != PREPARED) {
            return Ok(HookVerdict::default());
        }
        let input = self.input("what git moves")?.unwrap_or_default();
        let moved = parse_moved_lines(&input)?;
        // A branch that is deleted has nothing to be judged.
        if !moved.iter().any(|line| line.local.is_some() && line.local_ref.starts_with(HEADS)) {
            return Ok(HookVerdict { code: 0, input: Some(input), repo: None });
        }
        let request = |lines: Vec<PushLine>, remote: &str| Request {
            event,
            agent: None,
            branch: None,
            subject: Subject::Push { remote: remote.to_owned(), lines },
        };
        let session = match Session::open_for_commit(*self.output) {
            Ok(session) => session,
            Err(error) => {
                let (session, report) = policy_repair::judge(error, &request(moved, ""), self.output)?;
                let code = self.output.hook_report(&report);
                return Ok(HookVerdict { code, input: Some(input), repo: Some(session.last()) });
            }
        };
        self.observes.set(session.loaded.plan.observes());
        let policy = &session.loaded.plan.policy;
        let is_asked = policy.history.unverified.value == Unverified::Deny;
        let mut code = 0;
        if is_asked && session.actor(None)? != Actor::Maintainer {
            let lines = unverified(&session, &moved)?;
            if !lines.is_empty() {
                let on_head = head_branch(&session, &lines)?;
                let judged = session.judge(&request(lines, &policy.remote.value));
                code = self.output.hook_report(&noted(&session, event, judged)?);
                if code != 0
                    && let Some(branch) = on_head
                {
                    warn_of_remains(&session, &branch)?;
                }
            }
        }
        Ok(HookVerdict { code, input: Some(input), repo: Some(session.last()) })
    }
}

/// The branch that is checked out here, if it is among those that are to be moved, or a rebase is about to.
fn head_branch(session: &Session, lines: &[PushLine]) -> Read<Option<String>> {
    let head = session.repo.symbolic_ref("HEAD")?;
    let is_moved = |head: &String| lines.iter().any(|line| line.local_ref == *head);
    let is_rebased = || in_progress(&session.repo.layout().git_dir).is_some();
    Ok(match head {
        Some(head) => Some(head).filter(is_moved),
        None => lines.first().filter(|_| is_rebased()).map(|line| line.local_ref.clone()),
    })
}

/// Says what the command has changed by now, though the branch stays, and how to come back from there: git has written the
/// index and the files before it asks.
fn warn_of_remains(session: &Session, reference: &str) -> Read<()> {
    let repo = &session.repo;
    let git_dir = &repo.layout().git_dir;
    if let Some((it, (_, abort))) =
        in_progress(git_dir).and_then(|it| Some((it, it.help.rsplit_once("\nor ")?)))
    {
        warn(&format!("{} is still in progress", it.what), abort);
        return Ok(());
    }
    let Some(tip) = repo.find_ref(reference)? else { return Ok(()) };
    // Both note first where the branch was. What a plain commit was to take stays staged.
    let is_noted = repo.find_ref("ORIG_HEAD")? == Some(tip);
    if is_noted && staged_tree(repo, &git_dir.join("index"))? != Some(repo.commit(tip)?.tree) {
        let branch = quote(reference.strip_prefix(HEADS).unwrap_or(reference).as_bytes());
        warn(
            &format!(
                "{branch} was not moved, but the index differs from it: git writes the index and the files of a reset \
                 or a fast-forward merge before it asks"
            ),
            "set the index and the files back to the branch; what they had is kept in a stash: git stash push\n\
             your own edits are in there too, if you had any: git stash show --patch",
        );
    }
    Ok(())
}

/// The branches that are to be moved to commits of which neither the remote, nor a branch here, nor this transaction has
/// any; those of agents alone.
fn unverified(session: &Session, moved: &[PushLine]) -> Read<Vec<PushLine>> {
    let (repo, plan) = (&session.repo, &session.loaded.plan);
    let is_protected = |branch: &str| plan.protected(branch).is_some();
    let tracking = format!("refs/remotes/{}/", plan.policy.remote.value);
    let mut known: Option<Vec<Oid>> = None;
    let mut lines = Vec::new();
    for line in moved {
        let Some(branch) = line.local_ref.strip_prefix(HEADS).filter(|branch| !is_protected(branch)) else {
            continue;
        };
        let Some(new) = line.local else { continue };
        // git says what is to be there, which need not be what is.
        if repo.find_ref(&line.local_ref)? == Some(new) {
            continue;
        }
        let known = match &known {
            Some(known) => known,
            None => {
                let mut tips = repo.tips("refs/remotes/")?;
                for name in repo.ref_names(HEADS)? {
                    // What is on a protected branch here, and nowhere else, nobody has judged.
                    if !is_protected(&name[HEADS.len()..]) {
                        tips.extend(repo.find_ref(&name)?);
                    }
                }
                let fetched = moved.iter().filter(|line| line.local_ref.starts_with("refs/remotes/"));
                tips.extend(fetched.filter_map(|line| line.local));
                &*known.insert(tips)
            }
        };
        if !repo.commits(&[new], known)?.is_empty() {
            let remote = repo.find_ref(&format!("{tracking}{branch}"))?;
            lines.push(PushLine { remote, remote_ref: line.local_ref.clone(), ..line.clone() });
        }
    }
    Ok(lines)
}
