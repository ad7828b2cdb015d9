//! What is known beside the change itself, by where it is judged: on a server, in a job, or in a worktree.

use std::path::Path;

use super::address;
use super::change::{HostFacts, Request, Subject};
use super::collector::Collector;
use super::environment::Environment;
use super::identity::{claims, email, option_claim};
use super::invocation::Invocation;
use lane_core::facts::{CommitForm, Event, Facts};
use lane_git::{Read, Repository, revision};
use lane_os::is_same;

/// On a server: the environment and the configuration are its own, whoever pushes.
pub(super) fn server(collector: &Collector<'_>, facts: &mut Facts) {
    facts.form = commit_form(collector.environment);
    facts.pusher = collector.environment.pusher.clone();
}

/// In a job: the host says whose it is, and nothing in the checkout of a change does.
pub(super) fn ci_change(
    collector: &Collector<'_>,
    request: &Request,
    told: &HostFacts,
    facts: &mut Facts,
) -> Read<()> {
    facts.form = commit_form(collector.environment);
    facts.claims = option_claim(request.agent.as_deref());
    facts.proofs.clone_from(&told.proofs);
    facts.waivers.clone_from(&told.waivers);
    facts.request = Some(told.request.clone());
    facts.pusher.clone_from(&told.author);
    facts.repository = repository(collector)?;
    facts.is_base_shadowed = is_base_shadowed(collector, facts)?;
    Ok(())
}

/// In a worktree: its own configuration, environment and files say who works here.
pub(super) fn worktree(collector: &Collector<'_>, request: &Request, facts: &mut Facts) -> Read<()> {
    let Collector { repo, environment, .. } = *collector;
    let form = commit_form(environment);
    facts.claims = claims(repo, environment, request.agent.as_deref())?;
    facts.harness = environment.harness(collector.plan);
    facts.email = email(repo, environment)?;
    facts.form = match request.subject {
        Subject::Worktree => CommitForm::Worktree,
        Subject::Edited(_) => CommitForm::Edit,
        _ => form,
    };
    facts.retry_command = match form {
        CommitForm::All | CommitForm::Include | CommitForm::Paths => {
            Invocation::of_process().without_all.clone()
        }
        _ => None,
    };
    if let Subject::Edited(edited) = &request.subject {
        facts.elsewhere.clone_from(&edited.foreign);
    }
    facts.repository = repository(collector)?;
    facts.in_subfolder = is_in_subfolder(repo, environment);
    facts.unpushed_base = collector.unpushed_base(&facts.changes)?;
    facts.is_base_shadowed = is_base_shadowed(collector, facts)?;
    Ok(())
}

/// The address that reports of a check name.
fn repository(collector: &Collector<'_>) -> Read<Option<String>> {
    match collector.event {
        Event::Check | Event::CheckStaged | Event::Ci => {
            address::of_remote(collector.repo, &collector.plan.policy.remote.value)
        }
        _ => Ok(None),
    }
}

/// A commit that is made names the base only where it merges, or is based on what is not pushed; any other is not to wait for a
/// look at more refs.
fn is_base_shadowed(collector: &Collector<'_>, facts: &Facts) -> Read<bool> {
    let is_named = || facts.unpushed_base.is_some() || facts.changes.iter().any(|change| change.is_merging);
    match collector.base.filter(|_| !collector.event.is_commit() || is_named()) {
        Some(base) => revision::is_shadowed(collector.repo, &base.reference),
        None => Ok(false),
    }
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
    let Some(root) = repo.layout().worktree.as_deref() else { return false };
    let here = Path::new(".");
    matches!((root.metadata(), here.metadata()), (Ok(a), Ok(b)) if !is_same((root, &a), (here, &b)))
}
