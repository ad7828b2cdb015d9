//! Whose a merged change was. A branch that is merged is not judged again: what is known is what its commits and the
//! message of the merge say.

use super::history::HistoryCommit;
use super::merge_subject::MergeSubject;
use crate::facts::Message;
use crate::identity::{of_branch, tagged_agent};
use crate::policy::Plan;

/// What an address of GitHub ends in that hides the real one.
const NO_REPLY: &str = "@users.noreply.github.com";
/// The variables by which the policy gives an agent an address of its own.
const EMAILS: [&str; 2] = ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"];

/// An agent, and how it is known: `branch`, `tag`, `trailer`, `account`, `e-mail`.
pub type Attribution = (String, &'static str);

/// The agent of a change. `own`: the message of the commit on the base's line, `commits`: those of the change.
///
/// The name of the merged branch speaks first, as it does while the change is judged; then the title, then the tags of
/// the commits. Where these name several agents, somebody put the work of agents together, and it is of none. Only
/// where nothing is said do accounts and addresses speak.
pub fn whose(
    plan: &Plan,
    merged: &MergeSubject,
    own: &Message,
    commits: &[&HistoryCommit],
) -> Option<Attribution> {
    if plan.policy.agents.0.is_empty() {
        return None;
    }
    if let Some(agent) = merged.branch.as_deref().and_then(|branch| of_branch(plan, branch)) {
        return Some((agent.to_owned(), "branch"));
    }
    let title = title(own);
    for message in [own, &title] {
        if let [agent] = plan.tagged(message)[..] {
            return Some((agent.to_owned(), tag_kind(plan, message, agent)));
        }
    }
    let mut tagged =
        commits.iter().map(|commit| &commit.message).filter(|text| !plan.tagged(text).is_empty());
    if let Some(first) = tagged.next() {
        let agent = tagged_agent(plan, std::iter::once(first).chain(tagged))?;
        let kind = tag_kind(plan, first, &agent);
        return Some((agent, kind));
    }
    let owner = merged.owner.as_deref().and_then(|owner| plan.agent_of_account(owner));
    let of_account = owner.or_else(|| one(commits, |commit| plan.agent_of_account(login(&commit.author)?)));
    if let Some(agent) = of_account {
        return Some((agent.to_owned(), "account"));
    }
    one(commits, |commit| of_email(plan, &commit.author)).map(|agent| (agent.to_owned(), "e-mail"))
}

/// What stands below the subject that a host wrote for a merge: the title of the pull request.
fn title(own: &Message) -> Message {
    let rest = own.text.trim_start().split_once('\n').map_or("", |(_, rest)| rest);
    Message { text: rest.to_owned() }
}

fn tag_kind(plan: &Plan, message: &Message, agent: &str) -> &'static str {
    let subject = Message { text: message.subject() };
    if plan.tagged(&subject).contains(&agent) { "tag" } else { "trailer" }
}

/// The one agent that all commits are of, merges left out.
fn one<'p>(commits: &[&HistoryCommit], agent: impl Fn(&HistoryCommit) -> Option<&'p str>) -> Option<&'p str> {
    let mut found = commits.iter().filter(|commit| commit.parents.len() < 2).map(|commit| agent(commit));
    let first = found.next()??;
    found.all(|other| other == Some(first)).then_some(first)
}

/// The account that an address of GitHub's names: `1234+login@users.noreply.github.com`.
fn login(email: &str) -> Option<&str> {
    let at = email.len().checked_sub(NO_REPLY.len())?;
    let (name, end) = email.split_at_checked(at)?;
    let login = name.split_once('+').map_or(name, |(_, login)| login);
    end.eq_ignore_ascii_case(NO_REPLY).then_some(login)
}

fn of_email<'p>(plan: &'p Plan, email: &str) -> Option<&'p str> {
    let mut agents = plan.policy.agents.0.iter().filter(|agent| {
        let values = EMAILS.iter().filter_map(|name| agent.env.get(*name));
        values.into_iter().any(|value| value.value.eq_ignore_ascii_case(email))
    });
    agents.next().map(|agent| agent.id.value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::testing::{commit, plan};

    fn of(own: &str, commits: &[(&str, &str)]) -> Option<(String, &'static str)> {
        let own = Message { text: own.into() };
        let commits: Vec<_> = commits
            .iter()
            .map(|(author, text)| HistoryCommit { author: (*author).into(), ..commit(1, &[], text) })
            .collect();
        whose(&plan(), &MergeSubject::of(&own), &own, &commits.iter().collect::<Vec<_>>())
    }

    fn is(agent: &str, by: &'static str) -> Option<(String, &'static str)> {
        Some((agent.to_owned(), by))
    }

    #[test]
    fn a_branch_speaks_first() {
        assert_eq!(of("Merge pull request #1 from o/feat/a2/x", &[("x@y", "[A1] f")]), is("a2", "branch"));
        assert_eq!(of("Merge branch 'fix'", &[("x@y", "[A1] f"), ("x@y", "g")]), is("a1", "tag"));
        assert_eq!(of("Merge branch 'fix'", &[("x@y", "[A1] f"), ("x@y", "[A2] g")]), None);
        assert_eq!(of("Merge pull request #1 from o/fix\n\n[A2] title", &[("x@y", "f")]), is("a2", "tag"));
        assert_eq!(of("feat: x (#1)\n\nAgent: a1", &[]), is("a1", "trailer"));
    }

    #[test]
    fn accounts_and_addresses_speak_last() {
        let bot = ("12+a1-bot@users.noreply.github.com", "f");
        assert_eq!(of("x (#1)", &[bot]), is("a1", "account"));
        assert_eq!(of("x (#1)", &[bot, ("human@example.com", "g")]), None);
        assert_eq!(
            of("Merge pull request #1 from a1-bot/fix", &[("human@example.com", "g")]),
            is("a1", "account")
        );
        assert_eq!(of("x", &[("A2@agents.example.com", "f")]), is("a2", "e-mail"));
        assert_eq!(of("x", &[("other@example.com", "f")]), None);
    }
}
