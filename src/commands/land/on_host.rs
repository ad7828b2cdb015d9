//! What GitHub does with a branch that is to land.

use serde_json::{Value, json};

use crate::cli::output::Output;
use crate::ops::Session;
use crate::ops::land::host::{self, HostAnswer, HostRequest};
use crate::ops::land::{BasePlace, Wish};
use lane_core::error::Error;
use lane_github::PullRequest;

/// Who goes on with a landing.
pub enum Next {
    /// Nobody: it is done, or is not to be done. The exit code.
    Nobody(u8),
    /// This program.
    Ours,
    /// The branch was moved since it was looked at: it is to be looked at again.
    Again,
}

/// Asks GitHub to land it.
///
/// # Errors
/// GitHub does not answer.
pub fn ask(session: &Session, wish: &Wish, output: &Output) -> Result<Next, Error> {
    let Some(github) = host::host(session)? else { return Ok(Next::Ours) };
    let head = wish.head.to_string();
    let request = HostRequest { branch: &wish.branch, base: &wish.base, head: &head, squash: wish.squash };
    let answer = host::ask_host(&github, &request)?;
    if matches!(answer, HostAnswer::Refused { is_moved: true, .. })
        && BasePlace::new(session, &wish.base).tips(&wish.branch)?.branch != Some(wish.head)
    {
        return Ok(Next::Again);
    }
    Ok(tell(wish, &answer, output)?.map_or(Next::Ours, Next::Nobody))
}

fn tell(wish: &Wish, answer: &HostAnswer, output: &Output) -> Result<Option<u8>, Error> {
    let Wish { branch, base, .. } = wish;
    let (state, pull, text) = match answer {
        HostAnswer::Queued { pull, position, .. } => {
            let text = format!("{branch} is number {position} in GitHub's merge queue of {base}");
            ("queued", Some(pull), text)
        }
        HostAnswer::AutoMerge { pull } => {
            let text = format!("GitHub merges {branch} into {base} when its checks pass");
            ("auto-merge", Some(pull), text)
        }
        HostAnswer::Merged { pull, .. } => ("merged", Some(pull), format!("{branch} is merged into {base}")),
        HostAnswer::Ours { .. } => return Ok(None),
        HostAnswer::Refused { pull, reason, help, .. } => {
            return refuse(wish, pull.as_ref(), reason, help, output);
        }
    };
    if output.is_json() {
        output.print_json(&with(json_of(wish, state, pull), answer))?;
    } else {
        let page = pull.map_or(String::new(), |pull| format!(": {}", pull.url));
        output.print(&format!("{text}{page}\n"))?;
    }
    Ok(Some(0))
}

fn refuse(
    wish: &Wish,
    pull: Option<&PullRequest>,
    reason: &str,
    help: &str,
    output: &Output,
) -> Result<Option<u8>, Error> {
    if output.is_json() {
        let mut json = json_of(wish, "refused", pull);
        (json["reason"], json["help"]) = (json!(reason), json!(help));
        output.print_json(&json)?;
    }
    output.refuse(&format!("{} did not land: {reason}", wish.branch), help);
    Ok(Some(1))
}

fn json_of(wish: &Wish, state: &str, pull: Option<&PullRequest>) -> Value {
    let pull = pull.map(|pull| json!({ "number": pull.number, "url": pull.url }));
    json!({
        "schema": 1, "branch": wish.branch, "head": wish.head, "base": wish.base, "state": state, "by": "github",
        "pull_request": pull,
    })
}

fn with(mut json: Value, answer: &HostAnswer) -> Value {
    match answer {
        HostAnswer::Queued { position, queue_url, .. } => {
            (json["position"], json["queue_url"]) = (json!(position), json!(queue_url));
        }
        HostAnswer::Merged { commit, .. } => json["commit"] = json!(commit),
        _ => {}
    }
    json
}
