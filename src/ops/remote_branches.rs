//! Pushed branches that no ref here tells of: a clone of a single branch and the checkout of a job keep none for them. The
//! remote itself is asked what it has, and only where a verdict hangs on it.

use std::collections::HashSet;
use std::time::Duration;

use super::Ui;
use crate::gather::Environment;
use lane_core::facts::{Event, Facts, Oid};
use lane_core::policy::Plan;
use lane_core::report::{Report, quote};
use lane_core::text::help_block;
use lane_git::command::{command, in_worktree, run};
use lane_git::{Read, Repository};

/// How long a remote may take to answer.
const LIMIT: Duration = Duration::from_secs(20);
/// The same while a commit waits.
const BRIEFLY: Duration = Duration::from_secs(5);
/// Nobody has more branches than this.
const MOST: usize = 10_000;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// A clone that somebody works in. What its refspecs bring is here as soon as it is pushed.
    Clone,
    /// A job, which has what was fetched for it and nothing else.
    Job,
}

/// The environment in which a change is to be judged again, since its size may count from a branch that only the remote
/// knows; `None` where the verdict stands.
///
/// # Errors
/// Configuration or objects cannot be read.
pub fn fetch_missing_branches(
    repo: &dyn Repository,
    plan: &Plan,
    environment: &Environment,
    facts: &Facts,
    report: &Report,
    asker: CallerKind,
    ui: &dyn Ui,
) -> Read<Option<Environment>> {
    let depends = report.findings.iter().any(|finding| finding.rule == "oversized-change");
    let remote = &plan.policy.remote.value;
    if !depends
        || facts.event.is_server()
        || facts.event == Event::RefUpdate
        || repo.config(&format!("remote.{remote}.url"))?.is_empty()
    {
        return Ok(None);
    }
    let limit = if facts.event.is_commit() { BRIEFLY } else { LIMIT };
    let mut prefixes: Vec<String> = Vec::new();
    for branch in facts.changes.iter().filter_map(|change| change.branch.as_deref()) {
        if let Some(prefix) = prefix(plan, branch).filter(|prefix| !prefixes.contains(prefix)) {
            prefixes.push(prefix);
        }
    }
    let mut found = Vec::new();
    for prefix in prefixes {
        if asker == CallerKind::Job || !is_tracked(repo, remote, &prefix)? {
            match list(repo, remote, &prefix, limit) {
                Ok(branches) => found.extend(branches),
                Err(why) => ui.note(&note(remote, &prefix, &why)),
            }
        }
    }
    // What is below a change is here with it.
    found.retain(|(_, oid)| repo.has(*oid));
    let is_empty = found.is_empty();
    Ok((!is_empty).then(|| Environment { remote_branches: found, ..environment.clone() }))
}

/// The branches that the remote has of the agent whose branch this is, where no refspec brings them here; nothing else is known
/// of them than what is here.
pub fn of_agent(repo: &dyn Repository, plan: &Plan, branch: &str, ui: &dyn Ui) -> Read<Vec<(String, Oid)>> {
    let remote = &plan.policy.remote.value;
    let Some(prefix) = prefix(plan, branch) else {
        return Ok(Vec::new());
    };
    if is_tracked(repo, remote, &prefix)? {
        return Ok(Vec::new());
    }
    let mut found = list(repo, remote, &prefix, LIMIT).unwrap_or_else(|why| {
        ui.note(&note(remote, &prefix, &why));
        Vec::new()
    });
    found.retain(|(_, oid)| repo.has(*oid));
    Ok(found)
}

/// How the names of all branches begin of the agent whose branch this is; `None` where the name names no agent.
fn prefix(plan: &Plan, branch: &str) -> Option<String> {
    let names = plan.branch.as_ref()?;
    let agent = names.parse(branch).filter(|agent| !agent.is_empty())?;
    Some(names.beginning_for(agent))
}

/// Whether each push and each fetch notes here what the remote has under such names.
fn is_tracked(repo: &dyn Repository, remote: &str, prefix: &str) -> Read<bool> {
    let refspecs = repo.config(&format!("remote.{remote}.fetch"))?;
    Ok(refspecs.iter().any(|refspec| {
        let source = refspec.trim_start_matches('+').split(':').next().unwrap_or_default();
        let source = source.strip_prefix("refs/heads/").and_then(|rest| rest.strip_suffix('*'));
        source.is_some_and(|source| prefix.starts_with(source))
    }))
}

fn list(
    repo: &dyn Repository,
    remote: &str,
    prefix: &str,
    limit: Duration,
) -> Result<Vec<(String, Oid)>, String> {
    // An address may be a path from the worktree.
    let layout = repo.layout();
    let mut git = layout.worktree.as_deref().map_or_else(|| command(&layout.common_dir), in_worktree);
    git.env("GIT_TERMINAL_PROMPT", "0");
    git.args(["ls-remote", "--", remote, &format!("refs/heads/{prefix}*")]);
    let ran = run(git, None, limit).map_err(|error| error.to_string())?;
    if !ran.ok {
        return Err(ran.error_text());
    }
    let mut seen = HashSet::new();
    let lines = ran.stdout.lines().filter_map(|line| {
        let (oid, name) = line.split_once('\t')?;
        let name = name.strip_prefix("refs/heads/").filter(|name| name.starts_with(prefix))?;
        seen.insert(name).then_some((name.to_owned(), Oid::from_hex(oid)?))
    });
    Ok(lines.take(MOST).collect())
}

fn note(remote: &str, prefix: &str, why: &str) -> String {
    let refspec = quote(format!("+refs/heads/{prefix}*:refs/remotes/{remote}/{prefix}*").as_bytes());
    format!(
        "the pushed branches {prefix}* could not be listed, so lines are counted from the base: {why}\n{}",
        help_block(&format!("git fetch --no-tags {remote} {refspec}"), false).trim_end()
    )
}
