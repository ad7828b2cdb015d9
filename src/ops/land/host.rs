//! Landing on GitHub: where the base has a merge queue, or the pull request can be merged by GitHub, that is asked for it.

use crate::ops::Session;
use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};
use lane_core::landings::record::Landing as Waiting;
use lane_core::report::quote;
use lane_git::Repository;
use lane_github::{
    GitHub, Landing, LandingOutcome, LandingWay, MergeMethod, MergeRequest, NeitherReason, Obstacle,
    PullRequest, Settings,
};

/// What is to land.
#[derive(Debug, Clone, Copy)]
pub struct HostRequest<'a> {
    /// The branch, without `refs/heads/`.
    pub branch: &'a str,
    /// The branch that it is to land on, without `refs/heads/`.
    pub base: &'a str,
    /// The commit that is to land, in full.
    pub head: &'a str,
    /// Whether it is to land as one commit.
    pub squash: bool,
}

/// What GitHub says to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostAnswer {
    /// It is in the merge queue of the base.
    Queued {
        /// Its pull request.
        pull: PullRequest,
        /// Its place, from 1.
        position: u64,
        /// The page of the queue.
        queue_url: Option<String>,
    },
    /// GitHub merges the pull request as soon as everything that the base requires is there.
    AutoMerge {
        /// Its pull request.
        pull: PullRequest,
    },
    /// It is merged by now.
    Merged {
        /// Its pull request.
        pull: PullRequest,
        /// The commit on the base.
        commit: Option<String>,
    },
    /// GitHub leaves it to whoever lands.
    Ours {
        /// Its pull request, if there is one.
        pull: Option<PullRequest>,
    },
    /// It cannot land as it is.
    Refused {
        /// Its pull request, if there is one.
        pull: Option<PullRequest>,
        /// Why not.
        reason: String,
        /// What to do.
        help: String,
        /// Whether that is because the pull request has another head than the commit that is to land.
        is_moved: bool,
    },
}

/// The GitHub that the policy's remote is on; `None` where it is on none.
///
/// # Errors
/// There is no token for it.
pub fn host(session: &Session) -> Result<Option<GitHub>, Error> {
    let remote = &session.loaded.plan.policy.remote.value;
    let address = session.repo.config(&format!("remote.{remote}.url"))?.pop();
    let settings = Settings::find_of_process(address.as_deref()).map_err(Unavailable::from)?;
    let github = settings.map(|settings| GitHub::connect(&settings)).transpose();
    Ok(github.map_err(Unavailable::from)?)
}

/// Asks GitHub to land a branch, if it does that. However often this is asked, it lands once.
///
/// # Errors
/// GitHub does not answer, or not to this token.
pub fn ask_host(github: &GitHub, request: &HostRequest<'_>) -> Result<HostAnswer, Error> {
    Ok(ask(github, request).map_err(Unavailable::from)?)
}

/// The tip of the branch on the remote, where the branch is to be moved together with the base: GitHub shows a pull request as
/// merged once the base has its tip. `None` where the branch has none into that base.
pub fn branch_to_move(session: &Session, landing: &Waiting, base: &str) -> Option<Oid> {
    let moved = || -> Result<Option<Oid>, Error> {
        let Some(github) = host(session)? else { return Ok(None) };
        let open = github.pull_requests_for(&landing.branch, &github.repository().owner);
        let open = open.map_err(Unavailable::from)?;
        let is_own =
            |pull: &PullRequest| pull.base_ref == base && !pull.is_fork && pull.head_sha == landing.head;
        Ok(open.iter().any(is_own).then(|| Oid::from_hex(&landing.head)).flatten())
    };
    moved().unwrap_or_else(|error| {
        // It lands all the same.
        session.ui.note(&format!("the pull request of `{}` stays open: {error}", landing.branch));
        None
    })
}

fn ask(github: &GitHub, request: &HostRequest<'_>) -> Result<HostAnswer, lane_github::Error> {
    let HostRequest { branch, base, head, .. } = *request;
    let open = github.pull_requests_for(branch, &github.repository().owner)?;
    let pull = open.into_iter().find(|pull| pull.base_ref == base && !pull.is_fork);
    if pull.is_none()
        && let Some((pull, commit)) = github.merged_pull(branch, base, head)?
    {
        return Ok(HostAnswer::Merged { pull, commit });
    }
    let landing = github.landing(base, pull.as_ref().map(|pull| pull.number))?;
    let has_queue = matches!(landing.way, LandingWay::MergeQueue { .. });
    let (Some(pull), Some(state)) = (pull, landing.pull.clone()) else {
        return Ok(match has_queue {
            true => no_pull(request),
            false => ours(request, None, &landing),
        });
    };
    let is_ours = matches!(landing.way, LandingWay::Neither(_));
    match state.outcome(head) {
        None => {}
        // Whoever rebases finds the conflicts, with their files.
        Some(LandingOutcome::Refused(Obstacle::Conflicts)) if is_ours => {}
        Some(outcome) => return Ok(answer(request, &pull, &landing, outcome)),
    }
    let auto_merge = |method| github.enable_auto_merge(&state, &merge_request(request, method));
    let outcome = match &landing.way {
        LandingWay::MergeQueue { method, .. } => match github.enqueue(&state, head)? {
            // The queue takes no pull request whose own checks are not done; auto-merge waits for them.
            LandingOutcome::Refused(Obstacle::Other(_)) if state.can_enable_auto_merge => {
                auto_merge(method.unwrap_or(MergeMethod::Merge))?
            }
            outcome => outcome,
        },
        LandingWay::AutoMerge => match method(request, &landing) {
            Some(method) => auto_merge(method)?,
            None => return Ok(no_method(request, &pull)),
        },
        // What the base requires is there, and a push would go past it.
        LandingWay::Neither(NeitherReason::NothingToWaitFor) if landing.refuses_push() => {
            LandingOutcome::MergeableNow
        }
        LandingWay::Neither(_) => return Ok(ours(request, Some(pull), &landing)),
    };
    let outcome = match outcome {
        // Auto-merge has nothing to wait for: what it would do is done now.
        LandingOutcome::MergeableNow => match method(request, &landing) {
            Some(method) => github.merge_pull(pull.number, &merge_request(request, method))?,
            None => return Ok(no_method(request, &pull)),
        },
        outcome => outcome,
    };
    Ok(answer(request, &pull, &landing, outcome))
}

/// How GitHub is to merge: the way that comes closest to a landing of our own, of those that the repository allows.
fn method(request: &HostRequest<'_>, landing: &Landing) -> Option<MergeMethod> {
    let wanted: &[MergeMethod] =
        if request.squash { &[MergeMethod::Squash] } else { &[MergeMethod::Rebase, MergeMethod::Merge] };
    wanted.iter().copied().find(|method| landing.methods.contains(method))
}

fn merge_request<'a>(request: &HostRequest<'a>, method: MergeMethod) -> MergeRequest<'a> {
    MergeRequest { head: request.head, method, title: None, body: None }
}

fn answer(
    request: &HostRequest<'_>,
    pull: &PullRequest,
    landing: &Landing,
    outcome: LandingOutcome,
) -> HostAnswer {
    let pull = pull.clone();
    match outcome {
        LandingOutcome::Queued(entry) => {
            let queue_url = match &landing.way {
                LandingWay::MergeQueue { url, .. } => url.clone(),
                _ => None,
            };
            HostAnswer::Queued { pull, position: entry.position, queue_url }
        }
        LandingOutcome::AutoMerge(_) => HostAnswer::AutoMerge { pull },
        LandingOutcome::Merged { commit } => HostAnswer::Merged { pull, commit },
        LandingOutcome::MergeableNow => ours(request, Some(pull), landing),
        LandingOutcome::Refused(obstacle) => {
            let (reason, help) = (obstacle.to_string(), help_for(request, &pull, &obstacle));
            let is_moved = matches!(obstacle, Obstacle::HeadMoved { .. });
            HostAnswer::Refused { pull: Some(pull), reason, help, is_moved }
        }
    }
}

/// It lands by a push, which the base has to take.
fn ours(request: &HostRequest<'_>, pull: Option<PullRequest>, landing: &Landing) -> HostAnswer {
    if !landing.refuses_push() {
        return HostAnswer::Ours { pull };
    }
    let base = request.base;
    let (reason, help) = match &pull {
        Some(pull) => (
            format!("{base} takes pull requests alone, and GitHub has no auto-merge for it"),
            format!(
                "merge it on GitHub: {}\nor allow auto-merge in the repository's settings there",
                pull.url
            ),
        ),
        None => (format!("{base} takes pull requests alone"), "open one: git lane pr --yes".to_owned()),
    };
    HostAnswer::Refused { pull, reason, help, is_moved: false }
}

fn help_for(request: &HostRequest<'_>, pull: &PullRequest, obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Draft => format!("mark it as ready for review: {}", pull.url),
        Obstacle::Closed => format!("reopen it: {}", pull.url),
        // Whoever asks has looked at the remote: it is GitHub that has not seen the last push.
        Obstacle::HeadMoved { .. } => {
            format!(
                "ask again when GitHub shows the last push: git lane land {}",
                quote(request.branch.as_bytes())
            )
        }
        Obstacle::Conflicts => "git lane sync".to_owned(),
        Obstacle::ChangesRequested => format!("answer the review: {}", pull.url),
        Obstacle::Other(_) => format!("see what the pull request is waiting for: {}", pull.url),
    }
}

/// A merge queue takes pull requests alone.
fn no_pull(request: &HostRequest<'_>) -> HostAnswer {
    let HostRequest { branch, base, .. } = request;
    HostAnswer::Refused {
        pull: None,
        reason: format!(
            "{base} has a merge queue on GitHub, and `{branch}` has no open pull request into it"
        ),
        help: "open one: git lane pr --yes".to_owned(),
        is_moved: false,
    }
}

fn no_method(request: &HostRequest<'_>, pull: &PullRequest) -> HostAnswer {
    let wanted = if request.squash { "squash merges" } else { "rebases and merge commits" };
    HostAnswer::Refused {
        pull: Some(pull.clone()),
        reason: format!("the repository on GitHub does not allow {wanted}"),
        help: "set `land: { squash }` in the policy as the repository's settings have it".to_owned(),
        is_moved: false,
    }
}
