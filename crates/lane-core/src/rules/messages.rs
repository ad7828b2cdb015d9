//! Messages of a change as the rules about their words read them.

use super::context::{Context, Draft, Findings};
use crate::facts::{Commit, Message, Stage, Unavailable, is_of_revert, without_fixup};
use crate::policy::Span;

/// A message that somebody wrote.
pub struct OwnMessage<'a> {
    /// The commit that has it; `None` while that is being made.
    pub commit: Option<&'a Commit>,
    /// All of it.
    pub message: &'a Message,
    /// The subject, without `fixup! ` and its like.
    pub subject: String,
    /// Whether it waits to be squashed into another commit.
    pub is_fixup: bool,
    /// Whether git wrote the subject for a revert.
    pub is_revert: bool,
}

/// What is said of a message: while it is being made, and of a commit that has it.
pub struct Said {
    /// As a sentence: `the message has no body`.
    pub made: String,
    /// Below the commit: `without a body`.
    pub committed: String,
    /// What is to be done about it, as a command: `describe the change`.
    pub fix: String,
    /// The words of the policy that decided.
    pub span: Option<Span>,
    /// The commands that do it to a commit, and to several: `git commit --amend`, `git rebase`; none: somebody words them again.
    pub rewrite: Option<(&'static str, &'static str)>,
}

impl<'a> Context<'a> {
    /// The messages that are judged: of the commit that is being made, or of those that the remote does not have. What git or
    /// a host wrote for a merge is left out.
    ///
    /// # Errors
    /// They are not known.
    pub fn own_messages(&self) -> Result<Vec<OwnMessage<'a>>, Unavailable> {
        let own = |commit: Option<&'a Commit>, message: &'a Message| {
            let whole = message.subject();
            let subject = without_fixup(&whole);
            let is_revert = is_of_revert(self.plan.without_bracket(subject));
            let is_fixup = subject.len() < whole.len();
            OwnMessage { commit, message, subject: subject.to_owned(), is_fixup, is_revert }
        };
        if self.facts.event.stages() == [Stage::CommitMsg] {
            let message = self.facts.message.get()?;
            let is_gits = self.change.is_merging && self.is_of_merge(message);
            return Ok(if is_gits { Vec::new() } else { vec![own(None, message)] });
        }
        let commits = self.commits()?.iter().filter(|commit| {
            let is_gits = commit.parents > 1 && self.is_of_merge(&commit.message);
            !(commit.is_published || commit.is_pushed || is_gits)
        });
        Ok(commits.map(|commit| own(Some(commit), &commit.message)).collect())
    }

    /// Whether git or a host wrote a message for a merge, whatever tag the hook put before it.
    fn is_of_merge(&self, message: &Message) -> bool {
        let first = self.plan.without_bracket(message.first_line().trim_start());
        Message { text: first.to_owned() }.is_of_merge()
    }

    /// Adds a finding about a message.
    pub fn message_finding(&self, message: &OwnMessage<'_>, said: Said, findings: &mut Findings) {
        let Said { made, committed, fix, span, rewrite } = said;
        findings.add(match message.commit {
            None => {
                Draft { headline: made, help: format!("{fix}, then commit again"), span, ..Draft::default() }
            }
            Some(commit) => {
                let (amend, rebase) =
                    rewrite.unwrap_or(("git commit --amend", "`reword` it in: git rebase -i"));
                let reword = self.reword_from(Some(commit.oid), amend, rebase);
                let help = self.first_step().unwrap_or_else(|| format!("{fix}\n{reword}"));
                Draft { headline: committed, help, span, ..Draft::of_commit(commit) }
            }
        });
    }
}
