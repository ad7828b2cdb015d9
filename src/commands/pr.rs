//! `git lane pr`

use std::io::IsTerminal;

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::{Output, note_with_help, print_error};
use crate::cli::session;
use crate::commands::push;
use crate::gather::{Request, Subject};
use crate::ops::pr::{self, Proposal, PullOptions, PullOutcome};
use crate::ops::push::{PushOptions, has_remote};
use lane_core::error::Error;
use lane_core::facts::Event;
use lane_core::policy::Plan;
use lane_core::report::{Verdict, quote};
use lane_core::text::help_block;
use lane_github::PullRequest;

/// Open a pull request for this branch
///
/// Pushes the branch first. The pull request gets the agent's tag, the policy's labels and the report.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The title; the tag is put in front of it [default: the subject of the first commit]
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// The text above the list of commits
    #[arg(long, value_name = "TEXT")]
    pub body: Option<String>,
    /// The branch to merge it into [default: the policy's base]
    #[arg(long, value_name = "NAME", add = candidates::branches())]
    pub base: Option<String>,
    /// Open it as a draft
    #[arg(long)]
    pub draft: bool,
    /// Push and open it without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Replace the branch on the remote, unless someone else pushed to it meanwhile
    #[arg(short, long)]
    pub force_with_lease: bool,
}

/// Judges the branch, pushes it with its locks renewed, and opens a pull request, or finds the one that is open.
///
/// # Errors
/// No branch, nothing to propose, no token, or GitHub does not take it.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let plan = &session.loaded.plan;
    has_remote(&session, "pr")?;
    let (base, title, body) = (args.base.as_deref(), args.title.as_deref(), args.body.as_deref());
    let proposal = Proposal::new(&session, &PullOptions { base, title, body })?;
    let request = Request { event: Event::Check, agent: None, branch: None, subject: Subject::Branch };
    let report = session.judge(&request)?;
    if report.verdict != Verdict::Pass {
        print_error("nothing was pushed, and no pull request was opened\n");
        return output.report(&report);
    }
    // Whoever has no token is told before anything is pushed.
    let github = pr::connect(&session)?;
    if !args.yes && !is_wanted(&proposal, plan)? {
        print_error("nothing was pushed, and no pull request was opened\n");
        return Ok(1);
    }
    let options = PushOptions { replaces: args.force_with_lease, with_stack: false };
    let (code, _) = push::branch(&session, options, output)?;
    if code != 0 {
        return Ok(code);
    }
    let PullOutcome { pull, is_new, labels, parent_pull: below } =
        proposal.propose(&session, &github, &report, args.draft)?;
    if output.is_json() {
        output.print_json(&json!({
            "number": pull.number, "url": pull.url, "title": pull.title, "labels": labels, "opened": is_new,
            "base": pull.base_ref, "stacked_on": proposal.lower,
            "stacked_on_pull": below.as_ref().map(|below| below.number),
        }))?;
    } else {
        let done = if is_new { "opened" } else { "already open:" };
        output.print(&format!("{done} pull request {}: {}\n", pull.number, pull.url))?;
        if let Some(lower) = &proposal.lower {
            output.print(&words(&pull, lower, below.as_ref()))?;
        }
    }
    if pull.base_ref != proposal.base {
        note_with_help(
            &format!(
                "the pull request goes into {}, but the branch is based on {}",
                pull.base_ref, proposal.base
            ),
            &format!("gh pr edit {} --base {}", pull.number, quote(proposal.base.as_bytes())),
        );
    }
    Ok(0)
}

/// What whoever reads the answer has to know of the branch below.
fn words(pull: &PullRequest, lower: &str, below: Option<&PullRequest>) -> String {
    match below {
        Some(below) => format!(
            "it goes into {lower}, the branch of pull request {}, which has to land first: {}\n",
            below.number, below.url
        ),
        None if pull.base_ref == lower => format!(
            "it goes into {lower}, which has not landed and has no open pull request\n{}",
            help_block(&format!("open one for it: git switch {lower}\ngit lane pr --yes"), false)
        ),
        None => String::new(),
    }
}

/// Asks whoever sits there.
fn is_wanted(proposal: &Proposal, plan: &Plan) -> Result<bool, Error> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::usage(
            "this pushes and opens a pull request, but there is no terminal to confirm it",
            "add --yes to confirm",
        ));
    }
    let commits = match proposal.commits.len() {
        1 => "1 commit".to_owned(),
        count => format!("{count} commits"),
    };
    print_error(&format!(
        "push {} ({commits}) to {}, and open a pull request into {}: {}? [y/N] ",
        proposal.branch, plan.policy.remote.value, proposal.base, proposal.title
    ));
    let mut answer = String::new();
    let _ = std::io::stdin().read_line(&mut answer);
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes"))
}
