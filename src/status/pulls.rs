//! The open pull requests of the agents' branches: only where there is a token, and never for long.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::{Line, Pull};
use lane_core::locks::record::plain;
use lane_core::policy::Plan;
use lane_git::Repository;
use lane_github::{Clock, GitHub, Patience, Settings};

/// What GitHub says of one branch.
type Answer = (String, Result<Vec<Pull>, String>);

/// Answers that are under way.
pub(super) struct PendingAnswer {
    answers: Receiver<Answer>,
    since: Instant,
}

/// A clock that waits for no limit.
struct NoWaitClock;

impl Clock for NoWaitClock {
    fn now(&self) -> i64 {
        jiff::Timestamp::now().as_second()
    }

    fn sleep(&self, _: Duration) {}
}

/// Asks in a thread of its own, which nobody waits for longer than they like. `None`: no token, no repository on
/// GitHub, or no branch that was pushed.
pub(super) fn start(repo: &dyn Repository, plan: &Plan, lines: &[Line]) -> Option<PendingAnswer> {
    let remote = &plan.policy.remote.value;
    let address = repo.config(&format!("remote.{remote}.url")).ok()?.pop();
    let settings = Settings::of_process(address.as_deref()).ok()?;
    let is_pushed = |branch: &&String| {
        let tracking = format!("refs/remotes/{remote}/{branch}");
        **branch != plan.policy.base.value && matches!(repo.find_ref(&tracking), Ok(Some(_)))
    };
    let branches: Vec<String> =
        lines.iter().filter_map(|line| line.branch.as_ref()).filter(is_pushed).cloned().collect();
    if branches.is_empty() {
        return None;
    }
    let (sender, answers) = channel();
    std::thread::spawn(move || {
        let second = Duration::from_secs(1);
        let patience = Patience { connect: second, answer: 2 * second, limits: Duration::ZERO };
        let github = match GitHub::with(&settings, &patience, Box::new(NoWaitClock)) {
            Ok(github) => github,
            Err(error) => {
                let _ = sender.send((String::new(), Err(error.to_string())));
                return;
            }
        };
        let owner = github.repository().owner.clone();
        for branch in branches {
            let found = github.pull_requests_for(&branch, &owner).map_err(|error| error.to_string());
            let pulls = found.map(|pulls| {
                let pull = |pull: lane_github::PullRequest| Pull {
                    number: pull.number,
                    url: plain(&pull.url),
                    is_draft: pull.is_draft,
                };
                pulls.into_iter().map(pull).collect()
            });
            let is_over = pulls.is_err();
            if sender.send((branch, pulls)).is_err() || is_over {
                return;
            }
        }
    });
    Some(PendingAnswer { answers, since: Instant::now() })
}

/// Puts into the lines whatever came within the time, counted from when it was asked.
pub(super) fn fill(
    lines: &mut [Line],
    asked: Option<PendingAnswer>,
    limit: Duration,
    notes: &mut Vec<String>,
) {
    let Some(PendingAnswer { answers, since }) = asked else { return };
    loop {
        match answers.recv_timeout(limit.saturating_sub(since.elapsed())) {
            Ok((branch, Ok(pulls))) => {
                for line in lines.iter_mut().filter(|line| line.branch.as_ref() == Some(&branch)) {
                    line.pulls.clone_from(&pulls);
                }
            }
            Ok((_, Err(why))) => notes.push(format!("pull requests: {}", plain(&why))),
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                notes.push(format!("pull requests: no answer within {} s", limit.as_secs()));
                return;
            }
        }
    }
}
