//! From an event to the facts about it.

use std::path::{Path, PathBuf};

use super::address;
use super::environment::Environment;
use super::gatherer::Gatherer;
use super::identity::{claims, named};
use super::invocation::Invocation;
use super::policy_source::Loaded;
use super::push::PushLine;
use super::stacked::Stacks;
use super::{locks, message};
use lane_core::facts::{
    CommitForm, Event, Fact, Facts, IdentityProof, Message, Oid, PullRequest, Pusher, Unavailable, Waiver,
};
use lane_core::policy::Plan;
use lane_core::rules::{self, Need};
use lane_git::revision;
use lane_git::{Read, Repository};

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
    /// No files at all: who works here, and on which branch.
    Nothing,
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
    },
    /// What a pull request, or something like one, adds to its base.
    Proposed {
        /// The base.
        from: Oid,
        /// The tip.
        to: Oid,
        /// What is said about it outside of its commits.
        told: Box<Told>,
    },
    /// The branch with everything in the working tree.
    Worktree,
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
pub struct Told {
    /// The pull request.
    pub request: PullRequest,
    /// Whose account it comes from.
    pub proofs: Vec<IdentityProof>,
    /// The author's account, on a host that is not GitHub.
    pub author: Option<Pusher>,
    /// What maintainers let stand.
    pub waivers: Vec<Waiver>,
}

/// Gathers the facts that a plan needs, and no more.
///
/// # Errors
/// Something without which nothing can be judged cannot be read. What only some rules need becomes
/// a fact that is not available.
pub fn gather(
    repo: &dyn Repository,
    environment: &Environment,
    loaded: &Loaded,
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
    loaded: &Loaded,
    request: &Request,
) -> Read<Facts> {
    let plan = &loaded.plan;
    let gatherer = Gatherer {
        repo,
        environment,
        plan,
        base: loaded.base.as_ref(),
        needs: rules::needs(plan, request.event.stages()),
        event: request.event,
        stacks: Stacks::default(),
    };
    let head = repo.head()?;
    let mut message = Fact::NotGathered;
    let changes = match &request.subject {
        Subject::Nothing => vec![gatherer.message_only(&head, false)?],
        Subject::Made { is_amend } => vec![gatherer.made(&head, *is_amend)?],
        Subject::Staged => vec![gatherer.staged(&head, false)?],
        Subject::Branch => vec![gatherer.staged(&head, true)?],
        Subject::Worktree => vec![gatherer.worktree(&head)?],
        Subject::Range { from, to } => vec![gatherer.range(*from, *to)?],
        Subject::Proposed { from, to, .. } => {
            vec![gatherer.proposed(*from, *to, request.branch.as_deref())?]
        }
        Subject::Push { remote, lines } => gatherer.pushed(&head, remote, lines)?,
        Subject::Received { lines, .. } => gatherer.received(lines)?,
        Subject::Message(path) => {
            let draft = message::read(repo, environment, path)?;
            if plan.is_bare(&draft.message) {
                return Err(Unavailable::new(
                    "the commit message is empty",
                    "say what the commit does, then commit again",
                ));
            }
            let asks_files = asks_files_of(plan, &draft.message);
            message = Fact::Known(draft.message);
            vec![gatherer.message_only(&head, asks_files)?]
        }
    };
    // The environment and the configuration there are the server's own, whoever pushes.
    let is_server = request.event.is_server();
    let told = match &request.subject {
        Subject::Proposed { told, .. } => Some(told.as_ref().clone()),
        _ => None,
    };
    let claims = match (is_server, &told) {
        (true, _) => Vec::new(),
        // Nothing in the checkout of a change says whose it is.
        (false, Some(_)) => named(request.agent.as_deref()),
        (false, None) => claims(repo, environment, request.agent.as_deref())?,
    };
    let is_here = !is_server && told.is_none();
    let (asked, proofs, waivers, author) = match told {
        Some(told) => (Some(told.request), told.proofs, told.waivers, told.author),
        None => (None, Vec::new(), Vec::new(), None),
    };
    let mut facts = Facts {
        event: request.event,
        now: environment.now,
        claims,
        proofs,
        waivers,
        harness: if is_here { environment.harness(plan) } else { None },
        email: if is_here { email(repo, environment)? } else { None },
        request: asked,
        pusher: environment.pusher.clone().filter(|_| is_server).or(author),
        locks: Fact::NotGathered,
        message,
        changes,
        base_ref: loaded.base.as_ref().map(|base| gatherer.as_typed(&base.reference)),
        form: match request.subject {
            Subject::Worktree => CommitForm::Worktree,
            _ => commit_form(environment),
        },
        is_base_shadowed: false,
        again: match commit_form(environment) {
            CommitForm::All | CommitForm::Include | CommitForm::Paths if is_here => {
                Invocation::of_process().again.clone()
            }
            _ => None,
        },
        unpushed_base: None,
        repository: match request.event {
            Event::Check | Event::CheckStaged | Event::Ci => {
                address::of_remote(repo, &plan.policy.remote.value)?
            }
            _ => None,
        },
        in_subfolder: is_here && is_in_subfolder(repo, environment),
    };
    if let Some(branch) = &request.branch {
        for change in &mut facts.changes {
            change.branch = Some(branch.clone());
        }
    }
    // A commit that is made names the base only where it merges; it is not to wait for a look at more refs.
    let is_merging = || facts.changes.iter().any(|change| change.is_merging);
    if let Some(base) = loaded.base.as_ref().filter(|_| !request.event.is_commit() || is_merging()) {
        facts.is_base_shadowed = !is_server && revision::is_shadowed(repo, &base.reference)?;
    }
    if is_here {
        facts.unpushed_base = gatherer.unpushed_base(&facts.changes)?;
    }
    if gatherer.needs.contains(&Need::Locks) {
        let pushed = match &request.subject {
            Subject::Received { all, .. } => all.as_slice(),
            _ => &[],
        };
        locks::landings(repo, plan, request.event, &mut facts.changes);
        facts.locks = locks::locks(repo, plan, request.event, &facts.changes, pushed);
    }
    Ok(facts)
}

fn commit_form(environment: &Environment) -> CommitForm {
    let index = environment.index_file.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    match index {
        Some("index.lock") if Invocation::of_process().includes => CommitForm::Include,
        Some("index.lock") => CommitForm::All,
        Some(name) if name.starts_with("next-index-") => CommitForm::Paths,
        _ => CommitForm::Index,
    }
}

/// A hook is started at the root, and git says where it was itself.
fn is_in_subfolder(repo: &dyn Repository, environment: &Environment) -> bool {
    if let Some(prefix) = &environment.prefix {
        return !prefix.as_os_str().is_empty();
    }
    let root = repo.layout().worktree.as_deref().and_then(|root| root.canonicalize().ok());
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    root.is_some() && here.is_some() && root != here
}

fn email(repo: &dyn Repository, environment: &Environment) -> Read<Option<String>> {
    let given = environment.config.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case("user.email"));
    match environment.committer_email.as_ref().or(given.map(|(_, email)| email)) {
        Some(email) => Ok(Some(email.clone())),
        None => Ok(repo.config("user.email")?.pop()),
    }
}

/// A message that says whom it was coordinated with needs no look at the index.
fn asks_files_of(plan: &Plan, message: &Message) -> bool {
    rules::needs(plan, Event::CommitMsg.stages()).contains(&Need::Files)
        && message.trailer("Coordinated-with").is_empty()
}
