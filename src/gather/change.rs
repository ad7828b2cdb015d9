//! From an event to the facts about it.

use std::path::PathBuf;

use super::collector::Collector;
use super::edit::EditSet;
use super::environment::Environment;
use super::identity::option_claim;
use super::policy_source::LoadedPolicy;
use super::push::PushLine;
use super::stack::Stacks;
use super::{approvals, locks, message, people, source};
use lane_core::facts::{
    Change, Event, Fact, Facts, IdentityProof, Locks, Message, Oid, PullRequest, Pusher, Unavailable, Waiver,
};
use lane_core::policy::Plan;
use lane_core::requests::record::Person;
use lane_core::rules::{self, Need};
use lane_git::{Head, Read, Repository};

/// What is to be judged.
#[derive(Debug, Clone)]
pub struct Request {
    /// What asks.
    pub event: Event,
    /// The agent, if it was named on the command line.
    pub agent: Option<String>,
    /// The branch, if it was named on the command line.
    pub branch: Option<String>,
    /// Which change.
    pub subject: Subject,
}

/// Which change is judged.
#[derive(Debug, Clone)]
pub enum Subject {
    /// The files of the commit that is being made; of an amended one, together with what it had.
    Made {
        /// Whether it takes the place of the last commit.
        is_amend: bool,
    },
    /// What is staged, on top of the branch.
    Staged,
    /// The message in a file, of what is staged.
    Message(PathBuf),
    /// The commits of the current branch, and what is staged.
    Branch,
    /// What one commit adds to another.
    Range {
        /// The base.
        from: Oid,
        /// The tip.
        to: Oid,
        /// The branch that the tip was named by, if it is not the one that is checked out.
        elsewhere: Option<String>,
    },
    /// What a pull request, or something like one, adds to its base.
    Proposed {
        /// The base.
        from: Oid,
        /// The tip.
        to: Oid,
        /// What is said about it outside of its commits.
        told: Box<HostFacts>,
    },
    /// What was merged before, whatever was known of it then: nobody works on it any more, and no lock of today is asked for.
    Landed {
        /// The base before.
        from: Oid,
        /// The tip.
        to: Oid,
    },
    /// The branch with everything in the working tree.
    Worktree,
    /// Files that a tool is about to change.
    Edited(EditSet),
    /// The refs of a push, as a server receives them.
    Received {
        /// The refs to judge.
        lines: Vec<PushLine>,
        /// All refs of the push.
        all: Vec<PushLine>,
    },
    /// The refs of a push.
    Push {
        /// The remote's name, or its address.
        remote: String,
        /// The refs.
        lines: Vec<PushLine>,
    },
}

/// What a host of repositories says about a change.
#[derive(Debug, Clone, Default)]
pub struct HostFacts {
    /// The pull request.
    pub request: PullRequest,
    /// Whose account it comes from.
    pub proofs: Vec<IdentityProof>,
    /// The author's account, on a host that is not GitHub.
    pub author: Option<Pusher>,
    /// What maintainers let stand.
    pub waivers: Vec<Waiver>,
    /// Who approves the pull request as it is now, where somebody asked for it.
    pub reviews: Fact<Vec<Person>>,
    /// A landing asks, where agents work, and not a job in a checkout of its own.
    pub is_landing: bool,
}

/// Gathers the facts that a plan needs, and no more.
///
/// # Errors
/// Something without which nothing can be judged cannot be read. What only some rules need becomes
/// a fact that is not available.
pub fn gather(
    repo: &dyn Repository,
    environment: &Environment,
    loaded: &LoadedPolicy,
    request: &Request,
) -> Read<Facts> {
    repo.budget().begin(repo, request.event.is_commit());
    let facts = facts(repo, environment, loaded, request);
    repo.budget().end();
    facts
}

fn facts(
    repo: &dyn Repository,
    environment: &Environment,
    loaded: &LoadedPolicy,
    request: &Request,
) -> Read<Facts> {
    let plan = &loaded.plan;
    let collector = Collector {
        repo,
        environment,
        plan,
        base: loaded.base.as_ref(),
        needs: rules::needs(plan, request.event.stages()),
        event: request.event,
        stacks: Stacks::default(),
    };
    let head = repo.head()?;
    let (changes, message) = changes(&collector, &head, request)?;
    let mut facts = Facts::of(request.event, environment.now, changes);
    facts.message = message;
    if matches!(request.subject, Subject::Message(_)) && collector.wants(Need::People) {
        facts.people = people::of_commit_in_progress(repo, environment).into();
    }
    facts.base_ref = loaded.base.as_ref().map(|base| collector.as_typed(&base.reference));
    if let Some(branch) = &request.branch {
        facts.changes.iter_mut().for_each(|change| change.branch = Some(branch.clone()));
    }
    let mut pushed: &[PushLine] = &[];
    match &request.subject {
        Subject::Received { all, .. } => {
            pushed = all;
            source::server(&collector, &mut facts);
        }
        Subject::Landed { .. } => facts.claims = option_claim(request.agent.as_deref()),
        Subject::Proposed { told, .. } => source::ci_change(&collector, request, told, &mut facts)?,
        _ => source::worktree(&collector, request, &mut facts)?,
    }
    if matches!(request.subject, Subject::Landed { .. }) {
        facts.locks = Fact::Known(Locks::default());
    } else if collector.wants(Need::Locks) {
        locks::landings(repo, plan, request.event, &mut facts.changes);
        facts.locks = locks::locks(repo, plan, request.event, &facts.changes, pushed);
    }
    if collector.wants(Need::Approvals) {
        facts.approvals = approvals::approvals(repo, plan, request, &facts.changes);
    }
    Ok(facts)
}

/// What is judged, and the message of the commit that is being made.
fn changes(collector: &Collector<'_>, head: &Head, request: &Request) -> Read<(Vec<Change>, Fact<Message>)> {
    let changes = match &request.subject {
        Subject::Made { is_amend } => vec![collector.commit_change(head, *is_amend)?],
        Subject::Staged => vec![collector.staged(head, false)?],
        Subject::Branch => vec![collector.staged(head, true)?],
        Subject::Worktree => vec![collector.worktree(head)?],
        Subject::Edited(edited) => vec![collector.edit_change(head, edited)?],
        Subject::Range { from, to, elsewhere } => {
            let change = collector.range(*from, *to)?;
            vec![Change { elsewhere: elsewhere.clone(), ..change }]
        }
        Subject::Landed { from, to } => vec![collector.range(*from, *to)?],
        Subject::Proposed { from, to, .. } => {
            vec![collector.proposed(*from, *to, request.branch.as_deref())?]
        }
        Subject::Push { remote, lines } => collector.pushed(head, remote, lines)?,
        Subject::Received { lines, .. } => collector.received(lines)?,
        Subject::Message(path) => {
            let draft = message::read(collector.repo, collector.environment, path)?;
            if collector.plan.is_bare(&draft.message) {
                return Err(Unavailable::new(
                    "the commit message is empty",
                    "describe the change, then commit again",
                ));
            }
            let asks_files = asks_files_of(collector.plan, &draft.message);
            let change = collector.message_only(head, asks_files)?;
            return Ok((vec![change], Fact::Known(draft.message)));
        }
    };
    Ok((changes, Fact::NotGathered))
}

/// A message that says whom it was coordinated with needs no look at the index.
fn asks_files_of(plan: &Plan, message: &Message) -> bool {
    rules::needs(plan, Event::CommitMsg.stages()).contains(&Need::Files)
        && message.trailer("Coordinated-with").is_empty()
}
