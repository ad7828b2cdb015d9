//! A maintainer's repair of a policy that cannot be used.
//!
//! With a broken policy on the base nothing can be decided, and so its repair could not be committed either. What is
//! let through is the change of somebody without any agent identity that brings a policy which can be used: the change
//! is judged by that policy, as the first one of a repository is.

use crate::cli::output::{Output, note};
use crate::gather::{Environment, Request, Subject, claims, policy_source};
use crate::ops::Session;
use lane_core::error::{Error, Kind};
use lane_core::facts::Oid;
use lane_core::report::Report;
use lane_git::{GitRepo, Read, Repository, staged_tree};

/// Judges a change whose policy could not be read, if it mends it.
///
/// # Errors
/// The error as it was, where it is another one, or where an agent is at work.
pub fn judge(error: Error, request: &Request, output: &Output) -> Result<(Session, Report), Error> {
    if error.kind() != Kind::Policy {
        return Err(error);
    }
    match repaired(request, output) {
        Ok(Some((session, report))) => {
            note(&format!("{error}; this change fixes it, and is judged by the policy that it brings"));
            Ok((session, report))
        }
        // What is wrong with the policy of the change is the same as before, or the next thing to fix.
        Ok(None) => Err(error),
        Err(mine) if mine.kind() == Kind::Policy => Err(mine),
        Err(_) => Err(error),
    }
}

fn repaired(request: &Request, output: &Output) -> Result<Option<(Session, Report)>, Error> {
    let repo = GitRepo::open()?;
    let environment = Environment::of_process();
    if !claims(&repo, &environment, request.agent.as_deref())?.is_empty() {
        return Ok(None);
    }
    for tree in trees(&repo, &environment, &request.subject)? {
        if let Some(loaded) = policy_source::repaired(&repo, tree)? {
            let session = Session::with(repo, loaded, *output);
            let report = session.judge(request)?;
            let is_of_maintainer = report.changes.iter().all(|change| change.agent.is_none());
            return Ok(is_of_maintainer.then_some((session, report)));
        }
    }
    Ok(None)
}

/// The trees that a change would put in the place of the base's.
fn trees(repo: &GitRepo, environment: &Environment, subject: &Subject) -> Read<Vec<Oid>> {
    match subject {
        Subject::Push { lines, .. } => {
            let tips = lines.iter().filter_map(|line| line.local);
            let commits: Read<Vec<Oid>> = tips.filter_map(|tip| repo.peel(tip).transpose()).collect();
            commits?.into_iter().map(|commit| Ok(repo.commit(commit)?.tree)).collect()
        }
        _ => {
            let own = || repo.layout().git_dir.join("index");
            let index = environment.index_file.clone().unwrap_or_else(own);
            Ok(staged_tree(repo, &index)?.into_iter().collect())
        }
    }
}
