//! `git lane check`

use std::path::PathBuf;

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::Output;
use crate::cli::session;
use crate::gather::{Request, Subject};
use crate::ops::Session;
use lane_core::error::Error;
use lane_core::facts::{Event, Oid, RepoPath, branch_of_ref};
use lane_core::report::{NotJudged, Report};
use lane_git::command::unstaged_files;
use lane_git::{Repository, revision};

/// Check this branch before any hook does
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Check what is staged, as the pre-commit hook does
    #[arg(long, group = "subject")]
    pub staged: bool,
    /// Check what B adds to A, any two commits
    #[arg(long, value_name = "A..B", group = "subject", allow_hyphen_values = true)]
    pub range: Option<String>,
    /// Check the branch with everything in the working tree, staged or not
    #[arg(long, group = "subject")]
    pub worktree: bool,
    /// Check it as a change by this agent
    #[arg(long, value_name = "ID", add = candidates::agents())]
    pub agent: Option<String>,
    /// Check it as a change on this branch
    #[arg(long, value_name = "NAME", add = candidates::branches())]
    pub branch: Option<String>,
    /// Use this policy, to try it out; hooks ignore it
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Judge as if the policy did not only observe
    #[arg(long)]
    pub enforce: bool,
    /// Show what each rule takes
    #[arg(long)]
    pub timings: bool,
}

/// Judges a change before any hook asks.
///
/// # Errors
/// What keeps it from a verdict.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let mut session = session::open_to_work(output, args.policy.as_deref())?;
    session.environment.timings |= args.timings;
    if args.enforce {
        session.loaded.plan.enforce();
    }
    if let Some(agent) = &args.agent {
        session.loaded.plan.agent(agent)?;
    }
    let subject = match &args.range {
        Some(range) => {
            let (from, to) = parse_range(&session.repo, range)?;
            Subject::Range { from, to, elsewhere: elsewhere(&session, range)? }
        }
        None if args.staged => Subject::Staged,
        None if args.worktree && session.repo.layout().worktree.is_some() => Subject::Worktree,
        // HEAD of such a repository is mostly the base itself: there is nothing to judge it against.
        None if session.repo.layout().worktree.is_none() => {
            return Err(Error::usage(
                "a bare repository has no branch checked out, and no working tree",
                "name two commits: git lane check --range A..B",
            ));
        }
        None => Subject::Branch,
    };
    let request = Request {
        event: if args.staged { Event::CheckStaged } else { Event::Check },
        agent: args.agent.clone(),
        branch: args.branch.clone(),
        subject,
    };
    let mut report = session.judge(&request)?;
    report.notes.extend(session.policy_note());
    if matches!(request.subject, Subject::Branch) {
        not_judged(&session, &mut report);
    }
    output.report(&report)
}

/// Notes what lies in the working tree beside what was judged; that it cannot be listed is no verdict.
fn not_judged(session: &Session, report: &mut Report) {
    let Some(root) = &session.repo.layout().worktree else { return };
    match unstaged_files(root) {
        Ok(files) => report.not_judged = Some(NotJudged::new(files.into_iter().map(RepoPath).collect())),
        Err(why) => {
            report
                .notes
                .push(format!("unstaged and untracked files were not judged, nor listed: {}", why.reason));
        }
    }
}

/// The branch that the end of a range names, where another one is checked out, or none.
fn elsewhere(session: &Session, range: &str) -> Result<Option<String>, Error> {
    let Session { repo, loaded, .. } = session;
    let to = range.rsplit_once("..").map_or("", |(_, to)| to.trim_start_matches('.').trim());
    let Some(name) = revision::branch_of(repo, to)? else { return Ok(None) };
    let branch = branch_of_ref(&name, &loaded.plan.policy.remote.value);
    let head = if repo.layout().worktree.is_some() { repo.head()?.branch } else { None };
    let is_here = |branch: &&str| head.as_deref() == Some(&format!("refs/heads/{branch}"));
    Ok(branch.filter(|branch| !is_here(branch)).map(str::to_owned))
}

pub(in crate::commands) fn parse_range(repo: &dyn Repository, range: &str) -> Result<(Oid, Oid), Error> {
    let Some((from, to)) = range.split_once("..") else {
        return Err(Error::usage(
            format!("`{range}` is not a range"),
            format!("separate two commits with two dots: --range {range}..HEAD"),
        ));
    };
    let side = |text: &str| {
        let text = text.trim();
        revision::resolve(repo, if text.is_empty() { "HEAD" } else { text })
    };
    // The change is taken from the merge base in any case, so three dots mean the same as two.
    Ok((side(from)?, side(to.strip_prefix('.').unwrap_or(to))?))
}
