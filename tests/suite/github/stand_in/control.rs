//! How a harness sets a stand-in up and looks at it, over the same address.
//!
//! | request | |
//! | --- | --- |
//! | `PUT /stand-in/repos/{owner}/{name}` | puts a bare repository (`git_dir`) there, in the place of one of that name |
//! | `GET /stand-in/repos/{owner}/{name}` | its pull requests and its queue |
//! | `PATCH /stand-in/repos/{owner}/{name}/pulls/{number}` | `review`, `is_draft` |
//! | `POST /stand-in/repos/{owner}/{name}/checks` | `state` of `commit`, or of all commits that nobody spoke of |
//! | `DELETE /stand-in/repos/{owner}/{name}` | forgets it |
//! | `POST /stand-in/lose` | loses each answer that is a multiple of `every`; `null` ends that |
//! | `GET /stand-in/wrong` | requests and answers that are not as GitHub describes them |

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::Oid;
use serde_json::{Value, json};
use url::Url;

use super::git::{Git, refuse_pushes};
use super::repo::{Check, Pull, Repo, Settings};
use super::{Hub, StandIn};

pub fn answer(hub: &mut Hub, method: &str, url: &Url, body: &Value) -> (u16, Value) {
    let parts: Vec<&str> = url.path().split('/').skip(2).collect();
    let done = (204, Value::Null);
    match (method, parts.as_slice()) {
        ("PUT", ["repos", owner, name]) => {
            let name = format!("{owner}/{name}");
            let Some(git) = body["git_dir"].as_str() else { return missing("git_dir") };
            let settings = settings(body);
            if let (Some(reason), git) = (body["refuse_pushes"].as_str(), Path::new(git)) {
                refuse_pushes(git, &settings.base, reason);
            }
            hub.repos.insert(name.clone(), Repo::new(&name, Git(PathBuf::from(git)), settings));
            done
        }
        ("DELETE", ["repos", owner, name]) => {
            hub.repos.remove(&format!("{owner}/{name}"));
            done
        }
        ("POST", ["lose"]) => {
            hub.lose_every = body["every"].as_u64().filter(|every| *every > 1);
            done
        }
        ("GET", ["wrong"]) => (200, json!(hub.wrong)),
        (method, ["repos", owner, name, rest @ ..]) => {
            let Some(repo) = hub.repos.get_mut(&format!("{owner}/{name}")) else {
                return missing("repository");
            };
            repo.refresh();
            let answered = of_repo(repo, method, rest, body);
            repo.refresh();
            answered
        }
        _ => missing("endpoint"),
    }
}

fn missing(what: &str) -> (u16, Value) {
    (404, json!({ "message": format!("no {what}") }))
}

fn settings(body: &Value) -> Settings {
    let default = Settings::default();
    let is = |key: &str| body[key].as_bool().unwrap_or_default();
    let text = |key: &str| body[key].as_str().map(str::to_owned);
    let methods = body["methods"].as_array();
    let methods = methods.map(|all| all.iter().filter_map(|it| Some(it.as_str()?.to_owned())).collect());
    Settings {
        base: text("base").unwrap_or(default.base),
        auto_merge: is("auto_merge"),
        methods: methods.unwrap_or(default.methods),
        queue: text("merge_queue"),
        is_ruleset: !is("classic_protection"),
        requires_checks: is("requires_checks"),
        requires_reviews: is("requires_reviews"),
        requires_pull_request: is("requires_pull_request"),
        forbidden: text("forbidden"),
        has_no_rules: is("has_no_rules"),
        hides_queue: is("hides_queue"),
    }
}

fn of_repo(repo: &mut Repo, method: &str, rest: &[&str], body: &Value) -> (u16, Value) {
    match (method, rest) {
        ("GET", []) => {
            let queue: Vec<u64> = repo.queue.iter().map(|entry| entry.number).collect();
            let pulls: Vec<Value> = repo.pulls.values().map(pull_json).collect();
            (200, json!({ "pulls": pulls, "queue": queue }))
        }
        ("PATCH", ["pulls", number]) => {
            let pull = number.parse().ok().and_then(|number: u64| repo.pulls.get_mut(&number));
            let Some(pull) = pull else { return missing("pull request") };
            if let Some(review) = body.get("review") {
                pull.review = review.as_str().map(str::to_owned);
            }
            pull.is_draft = body["is_draft"].as_bool().unwrap_or(pull.is_draft);
            (204, Value::Null)
        }
        ("POST", ["checks"]) => {
            let state = match body["state"].as_str() {
                Some("pending") => Check::Pending,
                Some("passed") => Check::Passed,
                Some("failed") => Check::Failed,
                _ => return missing("state: pending, passed or failed"),
            };
            match body["commit"].as_str().map(Oid::from_str) {
                Some(Ok(commit)) => drop(repo.checks.insert(commit, state)),
                Some(Err(_)) => return missing("commit"),
                None => repo.other_checks = state,
            }
            (204, Value::Null)
        }
        _ => missing("endpoint"),
    }
}

fn pull_json(pull: &Pull) -> Value {
    json!({
        "number": pull.number, "base": pull.base, "head_ref": pull.head_ref, "head": pull.head.to_string(),
        "state": format!("{:?}", pull.state).to_lowercase(), "auto_merge": pull.auto_merge,
        "merge_commit": pull.merge_commit.map(|oid| oid.to_string()),
    })
}

/// Runs until standard input ends. The queue moves by itself, not only when somebody asks.
#[test]
#[ignore = "a server for harnesses: scripts/github-stand-in"]
fn serve() {
    let stand_in = StandIn::start();
    let mut out = std::io::stdout();
    writeln!(out, "\nlistening on {}", stand_in.address()).unwrap();
    out.flush().unwrap();
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    while let Err(std::sync::mpsc::RecvTimeoutError::Timeout) = end.recv_timeout(Duration::from_millis(20)) {
        stand_in.hub().refresh();
    }
}
