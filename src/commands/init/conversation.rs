//! The questions, all of them before anything is written: whoever stops at one of them has lost nothing.

use std::path::PathBuf;

use super::draft::{self, Draft};
use super::found::FoundThings;
use super::{Args, Choices};
use crate::cli::output::{Output, print_error};
use crate::cli::questions;
use crate::commands::policy::counted;
use crate::gather::policy_source;
use crate::init::Survey;
use crate::ops::trial::{self, Options};
use lane_core::error::Error;
use lane_git::GitRepo;

/// How many of the changes that were merged last a draft is tried on.
const TRIED: usize = 50;
/// Rules that are named beside the number of changes that they would refuse.
const NAMED: usize = 4;

/// Whether somebody is there to answer: people on a terminal, and no coding agent, which would wait for itself.
pub(super) fn is_possible(args: &Args, output: &Output, found: &FoundThings) -> bool {
    let is_asked_for = !args.yes && !args.stdout && output.is_text() && !output.is_quiet();
    is_asked_for && found.is_attended && questions::are_possible()
}

/// What was decided, and the policy of it.
///
/// # Errors
/// Nobody answers any more, or something cannot be read.
pub(super) fn hold(
    args: &Args,
    repo: &GitRepo,
    survey: &mut Survey,
    found: &FoundThings,
) -> Result<(Draft, Choices), Error> {
    let mut choices = Choices::of_flags(args, found)?;
    print_error(&found.lines(survey));
    if args.base.is_none() {
        let check =
            |name: &str| super::checked_base(repo, &survey.remote, name).map_err(|error| error.to_string());
        survey.base = questions::text("Into which branch are changes merged?", &survey.base, check)?;
    }
    let mut draft = lanes(args, repo, survey, found)?;
    if questions::yes("Show the whole policy?", false)? {
        print_error(&draft.text);
    }
    tried(repo, &draft, found)?;
    if !args.observe {
        choices.observe = !questions::yes("Enforce it from the start? (n: only observe at first)", true)?;
    }
    if !args.hooks {
        let place = if draft.is_of_worktrees { "the worktrees of the agents" } else { "this worktree" };
        choices.hooks = questions::yes(&format!("Install the git hooks in {place}?"), true)?;
    }
    if args.harness.is_empty() {
        for harness in &found.harnesses {
            if questions::yes(&format!("Install the hooks of {}?", harness.name), true)? {
                choices.harnesses.push(harness);
            } else {
                draft.without_harness(harness.id);
            }
        }
    }
    if args.ci.is_none()
        && !found.has_job
        && let Some(host) = found.host
    {
        let question = format!("Write a job for {}, {}?", host.name(), host.path());
        choices.job = questions::yes(&question, true)?.then_some(host);
    }
    Ok((if choices.observe { draft.observing() } else { draft }, choices))
}

/// Whose folders are whose.
fn lanes(args: &Args, repo: &GitRepo, survey: &Survey, found: &FoundThings) -> Result<Draft, Error> {
    if let Some(path) = &args.from {
        let draft = draft::from(repo, survey, path, args.host)?;
        show(&draft);
        return Ok(draft);
    }
    if let Some(place) = &found.codeowners
        && args.agents.is_none()
        && questions::yes(&format!("Take the lanes from {place}? (n: divide the folders)"), false)?
    {
        match draft::from(repo, survey, &PathBuf::from(place), None) {
            Ok(draft) => {
                show(&draft);
                return Ok(draft);
            }
            Err(error) => print_error(&format!("note: {error}; the folders are divided instead\n")),
        }
    }
    let mut proposed = draft::divided(survey, args.agents);
    show(&proposed);
    if args.agents.is_some() {
        return Ok(proposed);
    }
    if proposed.is_of_worktrees {
        if questions::yes("Are these worktrees the agents'?", true)? {
            return Ok(proposed);
        }
        proposed = draft::divided(&Survey { worktrees: Vec::new(), ..survey.clone() }, None);
        show(&proposed);
    }
    let count = proposed.plan()?.policy.agents.0.len();
    let check = |given: &str| match given.parse::<u16>() {
        Ok(count @ 1..=super::MOST_AGENTS) => Ok(count),
        _ => Err(format!("a number from 1 to {}", super::MOST_AGENTS)),
    };
    let wanted = questions::text("How many agents?", &count.to_string(), check)?;
    if usize::from(wanted) == count {
        return Ok(proposed);
    }
    let draft = draft::divided(survey, Some(wanted));
    show(&draft);
    Ok(draft)
}

fn show(draft: &Draft) {
    print_error(&draft.lines);
    draft.notes.iter().for_each(|note| print_error(&format!("note: {note}\n")));
}

/// Says what the policy would have refused of what was merged last.
fn tried(repo: &GitRepo, draft: &Draft, found: &FoundThings) -> Result<(), Error> {
    if !found.has_history {
        return Ok(());
    }
    let loaded = policy_source::of_plan(repo, draft.plan()?)?;
    let trial = match trial::run(repo, loaded, None, Options { last: TRIED, as_written: false }) {
        Ok(trial) => trial,
        Err(error) => {
            print_error(&format!("note: it was not tried on merged changes: {error}\n"));
            return Ok(());
        }
    };
    trial.notes.iter().for_each(|note| print_error(&format!("note: {note}\n")));
    if trial.judged == 0 {
        return Ok(());
    }
    let rules: Vec<String> =
        trial.rules.iter().take(NAMED).map(|rule| format!("{} {}", rule.rule, rule.changes)).collect();
    let named = if rules.is_empty() { String::new() } else { format!(" ({})", rules.join(", ")) };
    let changes = counted(trial.judged, "merged change");
    print_error(&format!("tried on the last {changes}: {} would be refused{named}\n", trial.refused));
    Ok(())
}
