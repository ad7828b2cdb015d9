//! The part of the REST API that a landing needs. Answers are GitHub's own examples with the values changed.

use serde_json::{Value, json};
use url::Url;

use super::repo::{Pull, Repo, State};
use super::{Hub, ME};
use crate::github::description::example;

pub fn answer(hub: &mut Hub, method: &str, url: &Url, body: &Value) -> (u16, Value) {
    let path = url.path().strip_prefix("/api/v3").unwrap_or(url.path()).to_owned();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    if let ("GET", ["user"]) = (method, parts.as_slice()) {
        let mut user = example("GET", "/user");
        user["login"] = json!(ME);
        return (200, user);
    }
    let ["repos", owner, name, rest @ ..] = parts.as_slice() else { return not_found() };
    let Some(repo) = hub.repos.get_mut(&format!("{owner}/{name}")) else { return not_found() };
    let forbidden = repo.settings.forbidden.clone().filter(|_| method != "GET");
    if let Some(words) = forbidden {
        return (403, json!({ "message": words }));
    }
    match (method, rest) {
        ("GET", ["pulls"]) => (200, list(repo, url)),
        ("POST", ["pulls"]) => open(repo, body),
        ("GET", ["pulls", number]) => match pull(repo, number) {
            Some(pull) => (200, full(repo, pull)),
            None => not_found(),
        },
        ("PUT", ["pulls", number, "merge"]) => match pull(repo, number).cloned() {
            Some(pull) => merge(repo, &pull, body),
            None => not_found(),
        },
        ("GET", ["rules", "branches", _]) if repo.settings.has_no_rules => {
            let words = "Upgrade to GitHub Pro or make this repository public to enable this feature.";
            (403, json!({ "message": words }))
        }
        ("GET", ["rules", "branches", branch]) => (200, rules(repo, branch)),
        ("GET", ["labels", _]) => (200, example("GET", "/repos/{owner}/{repo}/labels/{name}")),
        ("POST", ["issues", _, "labels"]) => {
            (200, example("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels"))
        }
        _ => not_found(),
    }
}

fn not_found() -> (u16, Value) {
    (404, json!({ "message": "Not Found" }))
}

fn pull<'a>(repo: &'a Repo, number: &str) -> Option<&'a Pull> {
    repo.pulls.get(&number.parse().ok()?)
}

fn list(repo: &Repo, url: &Url) -> Value {
    let query = |wanted: &str| {
        url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let (state, base) = (query("state").unwrap_or_else(|| "open".to_owned()), query("base"));
    let head = query("head").and_then(|head| Some(head.split_once(':')?.1.to_owned()));
    let fits = |pull: &&Pull| {
        let is_open = pull.state == State::Open;
        (state == "all" || is_open == (state == "open"))
            && base.as_ref().is_none_or(|base| pull.base == *base)
            && head.as_ref().is_none_or(|head| pull.head_ref == *head)
    };
    let simple = |pull: &Pull| {
        let simple = example("GET", "/repos/{owner}/{repo}/pulls")[0].clone();
        filled(simple, repo, pull)
    };
    repo.pulls.values().filter(fits).map(simple).collect()
}

fn filled(mut out: Value, repo: &Repo, pull: &Pull) -> Value {
    let is_merged = pull.state == State::Merged;
    let time = (pull.state != State::Open).then_some("2026-02-02T02:40:01Z");
    for (key, value) in [
        ("number", json!(pull.number)),
        ("title", json!(pull.title)),
        ("body", json!(pull.body)),
        ("draft", json!(pull.is_draft)),
        ("state", json!(if pull.state == State::Open { "open" } else { "closed" })),
        ("html_url", json!(format!("https://github.com/{}/pull/{}", repo.name, pull.number))),
        ("merge_commit_sha", json!(pull.merge_commit.map(|oid| oid.to_string()))),
        ("closed_at", json!(time)),
        ("merged_at", json!(time.filter(|_| is_merged))),
        ("labels", json!([])),
    ] {
        out[key] = value;
    }
    let base = repo.git.tip(&pull.base).map(|oid| oid.to_string());
    for (side, name, sha) in
        [("base", &pull.base, base), ("head", &pull.head_ref, Some(pull.head.to_string()))]
    {
        out[side]["ref"] = json!(name);
        out[side]["sha"] = json!(sha.unwrap_or_default());
        out[side]["repo"]["full_name"] = json!(repo.name);
    }
    out
}

fn full(repo: &Repo, pull: &Pull) -> Value {
    let mut out = filled(example("GET", "/repos/{owner}/{repo}/pulls/{pull_number}"), repo, pull);
    out["merged"] = json!(pull.state == State::Merged);
    out["mergeable_state"] = json!(repo.merge_state(pull).to_lowercase());
    out
}

fn open(repo: &mut Repo, body: &Value) -> (u16, Value) {
    let text = |key: &str| body[key].as_str().unwrap_or_default();
    let is_draft = body["draft"].as_bool().unwrap_or_default();
    let head = text("head").rsplit(':').next().unwrap_or_default();
    match repo.open_pull(head, text("base"), text("title"), text("body"), is_draft) {
        Ok(number) => (201, full(repo, &repo.pulls[&number])),
        Err(words) => (422, json!({ "message": "Validation Failed", "errors": [{ "message": words }] })),
    }
}

fn merge(repo: &mut Repo, pull: &Pull, body: &Value) -> (u16, Value) {
    let method = body["merge_method"].as_str().unwrap_or("merge").to_uppercase();
    let refusal = match () {
        () if repo.has_queue(&pull.base) => {
            Some((405, "Repository rule violations found\n\nChanges must be made through the merge queue"))
        }
        () if pull.state != State::Open => Some((405, "Pull Request is not mergeable")),
        () if !repo.settings.methods.contains(&method) => {
            Some((405, "This merge method is not allowed on this repository."))
        }
        () if body["sha"].as_str().is_some_and(|sha| sha != pull.head.to_string()) => {
            Some((409, "Head branch was modified. Review and try the merge again."))
        }
        () if pull.is_draft => Some((405, "Pull Request is still a draft")),
        () if !repo.is_mergeable(pull) => Some((405, "Pull Request is not mergeable")),
        () => None,
    };
    if let Some((code, words)) = refusal {
        return (code, json!({ "message": words }));
    }
    let is_moving = repo.moving_base > 0;
    repo.moving_base = repo.moving_base.saturating_sub(1);
    let (title, text) = (body["commit_title"].as_str(), body["commit_message"].as_str());
    if is_moving || !repo.merge(pull.number, &method, title, text) {
        return (405, json!({ "message": "Base branch was modified. Review and try the merge again." }));
    }
    let sha = repo.pulls[&pull.number].merge_commit.map(|oid| oid.to_string());
    (200, json!({ "sha": sha, "merged": true, "message": "Pull Request successfully merged" }))
}

/// What rulesets say of a branch.
fn rules(repo: &Repo, branch: &str) -> Value {
    let branch = branch.replace("%2F", "/");
    let source = json!({
        "ruleset_source_type": "Repository", "ruleset_source": repo.name, "ruleset_id": 42,
    });
    let rule = |kind: &str, parameters: Value| {
        let mut rule = source.clone();
        (rule["type"], rule["parameters"]) = (json!(kind), parameters);
        rule
    };
    let queue = repo.settings.queue.as_ref().filter(|_| repo.settings.is_ruleset && repo.has_queue(&branch));
    let queue = queue.map(|method| {
        rule(
            "merge_queue",
            json!({
                "check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN",
                "max_entries_to_build": 5, "max_entries_to_merge": 5, "merge_method": method,
                "min_entries_to_merge": 1, "min_entries_to_merge_wait_minutes": 5,
            }),
        )
    });
    let pull_request = (repo.settings.requires_pull_request && branch == repo.settings.base).then(|| {
        rule(
            "pull_request",
            json!({
                "dismiss_stale_reviews_on_push": false, "require_code_owner_review": false,
                "require_last_push_approval": false, "required_approving_review_count": 0,
                "required_review_thread_resolution": false,
            }),
        )
    });
    queue.into_iter().chain(pull_request).collect()
}
