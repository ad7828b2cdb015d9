//! The part of GraphQL that is asked for.

use std::cell::RefCell;

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use serde_json::{Value, json};

use super::repo::{Check, Entry, Pull, Repo, State};
use super::{Hub, ME};
use crate::github::graphql::{Known, Request, resolved};

type Resolved<'a> = Result<ResolvedValue<'a>, FieldError>;

/// The answer to a request that the schema allows.
pub fn answer(hub: &mut Hub, request: &Request) -> Value {
    let is_mutation = request.is_mutation();
    request.answer(&Root { hub: RefCell::new(hub), is_mutation })
}

struct Root<'h> {
    hub: RefCell<&'h mut Hub>,
    is_mutation: bool,
}

struct Repository(Repo);

fn error(message: impl Into<String>) -> FieldError {
    FieldError { message: message.into() }
}

fn unprocessable(message: &str) -> FieldError {
    error(format!("UNPROCESSABLE: {message}"))
}

impl ObjectValue for Root<'_> {
    fn type_name(&self) -> &str {
        if self.is_mutation { "Mutation" } else { "Query" }
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        let arguments = serde_json::to_value(info.arguments()).unwrap();
        let mut hub = self.hub.borrow_mut();
        match info.field_name() {
            "viewer" => Ok(resolved(json!({ "__typename": "User", "login": ME }))),
            "repository" => {
                let name = format!("{}/{}", text(&arguments["owner"]), text(&arguments["name"]));
                let repo = hub.repos.get_mut(&name).ok_or_else(|| {
                    error(format!("NOT_FOUND: Could not resolve to a Repository with the name '{name}'."))
                })?;
                let seen = Repository(repo.clone());
                repo.pulls.values_mut().for_each(|pull| pull.computing = pull.computing.saturating_sub(1));
                Ok(ResolvedValue::object(seen))
            }
            "enqueuePullRequest" => enqueue(pull_of(&mut hub, &arguments)?, &arguments["input"]),
            "enablePullRequestAutoMerge" => {
                enable_auto_merge(pull_of(&mut hub, &arguments)?, &arguments["input"])
            }
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

impl ObjectValue for Repository {
    fn type_name(&self) -> &str {
        "Repository"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        let Self(repo) = self;
        let arguments = serde_json::to_value(info.arguments()).unwrap();
        let allows = |method: &str| ResolvedValue::leaf(repo.settings.methods.iter().any(|it| it == method));
        Ok(match info.field_name() {
            "autoMergeAllowed" => ResolvedValue::leaf(repo.settings.auto_merge),
            "mergeCommitAllowed" => allows("MERGE"),
            "squashMergeAllowed" => allows("SQUASH"),
            "rebaseMergeAllowed" => allows("REBASE"),
            "mergeQueue" if repo.settings.hides_queue => {
                return Err(error("FORBIDDEN: Resource not accessible by personal access token"));
            }
            "mergeQueue" => {
                let branch = text(&arguments["branch"]);
                let queue = repo.has_queue(&branch).then(|| {
                    Known(json!({
                        "__typename": "MergeQueue",
                        "url": format!("https://github.com/{}/queue/{branch}", repo.name),
                        "configuration": {
                            "__typename": "MergeQueueConfiguration", "mergeMethod": repo.settings.queue,
                        },
                        "entries": {
                            "__typename": "MergeQueueEntryConnection", "totalCount": repo.queue.len(),
                        },
                    }))
                });
                ResolvedValue::nullable_object(queue)
            }
            "pullRequest" => {
                let number = arguments["number"].as_u64().unwrap_or_default();
                let pull = repo.pulls.get(&number).ok_or_else(|| {
                    error(format!(
                        "NOT_FOUND: Could not resolve to a PullRequest with the number of {number}."
                    ))
                })?;
                resolved(pull_json(repo, pull))
            }
            _ => return Err(self.unknown_field_error(info)),
        })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The pull request of a mutation, in a repository that the token may write to.
fn pull_of<'a>(hub: &'a mut Hub, arguments: &Value) -> Result<(&'a mut Repo, u64), FieldError> {
    let id = text(&arguments["input"]["pullRequestId"]);
    let named = id.strip_prefix("PR_").and_then(|id| id.rsplit_once('_'));
    let found = named.and_then(|(name, number)| Some((hub.repos.get_mut(name)?, number.parse().ok()?)));
    let Some((repo, number)) = found.filter(|(repo, number)| repo.pulls.contains_key(number)) else {
        return Err(error(format!("NOT_FOUND: Could not resolve to a node with the global id of '{id}'")));
    };
    match &repo.settings.forbidden {
        Some(words) => Err(error(format!("FORBIDDEN: {words}"))),
        None => Ok((repo, number)),
    }
}

/// What both mutations refuse.
fn refused(pull: &Pull, input: &Value) -> Result<(), FieldError> {
    let expected = &input["expectedHeadOid"];
    match () {
        () if pull.state != State::Open => Err(unprocessable("Pull request is closed")),
        () if pull.is_draft => Err(unprocessable("Pull request is in draft state")),
        () if !expected.is_null() && *expected != pull.head.to_string() => {
            Err(unprocessable("Head sha of the pull request did not match the expected head sha"))
        }
        () => Ok(()),
    }
}

fn enqueue<'a>((repo, number): (&mut Repo, u64), input: &Value) -> Resolved<'a> {
    let pull = &repo.pulls[&number];
    if !repo.has_queue(&pull.base) {
        return Err(unprocessable("Merge queue is not enabled for the base branch"));
    }
    refused(pull, input)?;
    if repo.position(number).is_some() {
        return Err(unprocessable("Pull request is already in the queue"));
    }
    if !repo.is_mergeable(pull) {
        return Err(unprocessable("Pull request Required status check \"ci\" is expected."));
    }
    repo.queue.push(Entry { number, group: None });
    let entry = entry_json(repo, number);
    Ok(resolved(json!({ "__typename": "EnqueuePullRequestPayload", "mergeQueueEntry": entry })))
}

fn enable_auto_merge<'a>((repo, number): (&mut Repo, u64), input: &Value) -> Resolved<'a> {
    let pull = &repo.pulls[&number];
    let method = text(&input["mergeMethod"]);
    if !repo.settings.auto_merge {
        return Err(unprocessable("Pull request Auto merge is not allowed for this repository"));
    }
    refused(pull, input)?;
    let state = repo.merge_state(pull);
    if repo.is_mergeable(pull) {
        let state = state.to_lowercase();
        return Err(unprocessable(&format!("Pull request Pull request is in {state} status")));
    }
    if !repo.settings.methods.contains(&method) && !repo.has_queue(&pull.base) {
        return Err(unprocessable("Merge method not allowed"));
    }
    repo.pulls.get_mut(&number).unwrap().auto_merge = Some(method);
    let pull = pull_json(repo, &repo.pulls[&number]);
    Ok(resolved(json!({ "__typename": "EnablePullRequestAutoMergePayload", "pullRequest": pull })))
}

fn entry_json(repo: &Repo, number: u64) -> Value {
    let Some(at) = repo.position(number) else { return Value::Null };
    let checks = repo.queue[at].group.map(|(made, _)| repo.check(made));
    let state = match checks {
        Some(Check::Pending) => "AWAITING_CHECKS",
        Some(Check::Passed) => "MERGEABLE",
        Some(Check::Failed) => "UNMERGEABLE",
        None => "QUEUED",
    };
    json!({ "__typename": "MergeQueueEntry", "position": at + 1, "state": state })
}

fn pull_json(repo: &Repo, pull: &Pull) -> Value {
    let rules = &repo.settings;
    let (state, is_mergeable) = (repo.merge_state(pull), repo.is_mergeable(pull));
    let decision = pull.review.clone().unwrap_or_else(|| "REVIEW_REQUIRED".to_owned());
    let reviews: Vec<Value> = pull
        .review
        .iter()
        .map(|state| json!({ "__typename": "PullRequestReview", "state": state }))
        .collect();
    let auto_merge = pull
        .auto_merge
        .as_ref()
        .map(|method| json!({ "__typename": "AutoMergeRequest", "mergeMethod": method }));
    let is_open = pull.state == State::Open && !pull.is_draft;
    json!({
        "__typename": "PullRequest",
        "id": format!("PR_{}_{}", repo.name, pull.number),
        "number": pull.number,
        "url": format!("https://github.com/{}/pull/{}", repo.name, pull.number),
        "state": format!("{:?}", pull.state).to_uppercase(),
        "isDraft": pull.is_draft,
        "baseRefName": pull.base,
        "headRefName": pull.head_ref,
        "headRefOid": pull.head.to_string(),
        "mergeCommit": pull.merge_commit.map(|oid| json!({ "__typename": "Commit", "oid": oid.to_string() })),
        "mergeStateStatus": state,
        "reviewDecision": rules.requires_reviews.then_some(decision),
        "isMergeQueueEnabled": repo.has_queue(&pull.base),
        "mergeQueueEntry": entry_json(repo, pull.number),
        "autoMergeRequest": auto_merge,
        "viewerCanEnableAutoMerge":
            rules.auto_merge && is_open && !is_mergeable && state != "UNKNOWN" && rules.forbidden.is_none(),
        "latestOpinionatedReviews": { "__typename": "PullRequestReviewConnection", "nodes": reviews },
    })
}
