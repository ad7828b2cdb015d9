//! The questions, all of them before anything is written: whoever stops at one of them has lost nothing.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, Input};

use super::draft::{self, Draft};
use super::found::FoundThings;
use super::{Args, Choices};
use crate::cli::output::{Output, print_error};
use crate::gather::Environment;
use crate::gather::policy_source;
use crate::init::Survey;
use crate::ops::trial::{self, Options};
use lane_core::error::Error;
use lane_core::policy::Plan;
use lane_git::GitRepo;

/// How many of the changes that were merged last a draft is tried on.
const TRIED: usize = 50;
/// Rules that are named beside the number of changes that they would refuse.
const NAMED: usize = 4;

/// Whether somebody is there to answer: people on a terminal, and no coding agent, which would wait for itself.
pub(super) fn is_possible(args: &Args, output: &Output, plan: &Plan) -> bool {
    let is_asked_for = !args.yes && !args.stdout && output.is_text() && !output.is_quiet();
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal();
    is_asked_for && is_terminal && Environment::of_process().harness(plan).is_none()
}

/// What was decided, and the policy of it.
pub(super) fn hold(
    args: &Args,
    repo: &GitRepo,
    survey: &Survey,
    found: &FoundThings,
    output: &Output,
) -> Result<(Draft, Choices), Error> {
    let asks = Questions::new(output);
    print_error(&found.lines(survey));
    let mut draft = lanes(args, repo, survey, found, &asks)?;
    print_error(&draft.lines);
    draft.notes.iter().for_each(|note| print_error(&format!("note: {note}\n")));
    if asks.yes("Show the whole policy?", false)? {
        print_error(&draft.text);
    }
    let refuses = tried(repo, &draft, found)?;
    let mut choices = Choices::of_flags(args, found)?;
    if !args.observe {
        let question = "Refuse what breaks it from the start? (no: only note it at first)";
        choices.observe = !asks.yes(question, !refuses)?;
    }
    if !args.hooks {
        let place = if draft.is_of_worktrees { "the worktrees of the agents" } else { "this worktree" };
        choices.hooks = asks.yes(&format!("Install the git hooks in {place}?"), true)?;
    }
    if args.harness.is_empty() {
        let mut wanted = Vec::new();
        for harness in &found.harnesses {
            if asks.yes(&format!("Install the hooks of {} here?", harness.name), true)? {
                wanted.push(*harness);
            }
        }
        choices.harnesses = wanted;
    }
    if args.ci.is_none()
        && let Some(host) = found.host
    {
        let question = format!("Write the job that judges each change on {}, {}?", host.name(), host.path());
        choices.job = asks.yes(&question, true)?.then_some(host);
    }
    if choices.observe {
        draft = draft.observing();
    }
    Ok((draft, choices))
}

/// Whose folders are whose.
fn lanes(
    args: &Args,
    repo: &GitRepo,
    survey: &Survey,
    found: &FoundThings,
    asks: &Questions,
) -> Result<Draft, Error> {
    if let Some(path) = &args.from {
        return draft::from(repo, survey, path, args.host);
    }
    if let Some(place) = &found.codeowners
        && args.agents.is_none()
        && asks.yes(&format!("Take the lanes from {place}? (no: divide the folders)"), false)?
    {
        match draft::from(repo, survey, &PathBuf::from(place), None) {
            Ok(draft) => return Ok(draft),
            Err(error) => print_error(&format!("note: {error}; the folders are divided instead\n")),
        }
    }
    let proposed = draft::divided(survey, args.agents);
    if args.agents.is_some() {
        return Ok(proposed);
    }
    let count = u16::try_from(proposed.plan()?.policy.agents.0.len()).unwrap_or(1);
    print_error(&proposed.lines);
    match asks.number("How many agents?", count, super::MOST_AGENTS)? {
        same if same == count => Ok(Draft { lines: String::new(), ..proposed }),
        other => Ok(draft::divided(survey, Some(other))),
    }
}

/// Says what the policy would have refused of what was merged last, and whether it was anything.
fn tried(repo: &GitRepo, draft: &Draft, found: &FoundThings) -> Result<bool, Error> {
    if !found.has_history {
        return Ok(false);
    }
    let loaded = policy_source::of_plan(repo, draft.plan()?)?;
    let options = Options { last: TRIED, as_written: false };
    let trial = match trial::run(repo, loaded, None, options) {
        Ok(trial) if trial.judged > 0 => trial,
        Ok(_) => return Ok(false),
        Err(error) => {
            print_error(&format!("note: it was not tried on merged changes: {error}\n"));
            return Ok(false);
        }
    };
    let rules: Vec<String> =
        trial.rules.iter().take(NAMED).map(|rule| format!("{} {}", rule.rule, rule.changes)).collect();
    let named = if rules.is_empty() { String::new() } else { format!(" ({})", rules.join(", ")) };
    print_error(&format!(
        "tried on the last {} merged changes: {} would be refused{named}\n",
        trial.judged, trial.refused
    ));
    Ok(trial.refused > 0)
}

/// How questions look.
struct Questions {
    theme: Box<dyn Theme>,
}

impl Questions {
    fn new(output: &Output) -> Self {
        Self {
            theme: if output.error_color() {
                Box::new(ColorfulTheme::default())
            } else {
                Box::new(SimpleTheme)
            },
        }
    }

    fn yes(&self, question: &str, default: bool) -> Result<bool, Error> {
        let asked = Confirm::with_theme(&*self.theme).with_prompt(question).default(default);
        asked.interact_opt().map_err(|error| unanswered(&error))?.ok_or_else(stopped)
    }

    fn number(&self, question: &str, default: u16, most: u16) -> Result<u16, Error> {
        let is_fine = move |count: &u16| match *count {
            0 => Err(format!("from 1 to {most}")),
            count if count > most => Err(format!("from 1 to {most}")),
            _ => Ok(()),
        };
        let asked =
            Input::with_theme(&*self.theme).with_prompt(question).default(default).validate_with(is_fine);
        asked.interact_text().map_err(|error| unanswered(&error))
    }
}

fn stopped() -> Error {
    Error::usage("stopped; nothing was written", "start again, or take every proposal: git lane init --yes")
}

fn unanswered(error: &dialoguer::Error) -> Error {
    Error::usage(
        format!("no answer could be read: {error}; nothing was written"),
        "take every proposal without questions: git lane init --yes",
    )
}
