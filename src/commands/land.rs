//! `git lane land`

mod on_host;
mod text;

use serde_json::{Value, json};

use crate::cli::Outcome;
use crate::cli::candidates;
use crate::cli::output::Output;
use crate::cli::session;
use crate::commands::push;
use crate::landings::queue::Queues;
use crate::locks::manager::LockManager;
use crate::machine::ThisMachine;
use crate::ops::land::{self, BasePlace, Goal, Wish};
use crate::ops::push::PushOptions;
use crate::ops::{Session, auto_release, request};
use lane_core::error::Error;
use lane_core::landings::record::{LandingEnd, LandingResult};
use lane_core::report::quote;
use lane_git::Repository;

/// Land this branch on its base, in turn with all others
///
/// Rebases it in a temporary worktree, judges the result by the policy and by the commands under `land`, and moves the base.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The branch [default: the current one, which is pushed first]
    #[arg(value_name = "BRANCH", add = candidates::branches())]
    pub branch: Option<String>,
    /// The branch to land on [default: the one that it was cut from]
    #[arg(long, value_name = "NAME", add = candidates::branches())]
    pub base: Option<String>,
    /// Only ask: whoever lands next, or `git lane land --all`, lands it in its turn
    #[arg(long, conflicts_with_all = ["all", "list", "withdraw"])]
    pub no_wait: bool,
    /// Land everything that waits, then end
    #[arg(long, conflicts_with_all = ["branch", "list", "withdraw"])]
    pub all: bool,
    /// Show what waits, who is at work, and what became of the last ones
    #[arg(long, conflicts_with_all = ["branch", "withdraw"])]
    pub list: bool,
    /// Take the branch out of the queue
    #[arg(long)]
    pub withdraw: bool,
    /// Replace the branch on the remote, unless someone else pushed to it meanwhile
    #[arg(short, long)]
    pub force_with_lease: bool,
}

/// How often a branch is looked at that others move meanwhile.
const LOOKS: u32 = 5;

/// Lands a branch, or shows and changes what waits. Exit code 1 where it may not land, 2 where that could not be decided.
///
/// # Errors
/// There is nothing to land, the queue cannot be read or written, or it could not be decided.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let world = ThisMachine::new();
    let queues = land::queues(&session, &world)?;
    if args.list {
        return text::list(&queues, output);
    }
    if args.withdraw {
        return withdraw(args, &session, &queues, output);
    }
    if args.all {
        let base = args.base.clone().unwrap_or_else(|| session.loaded.plan.policy.base.value.clone());
        return all(&session, &queues, &base, output);
    }
    let mut looks = 0;
    let wish = loop {
        looks += 1;
        let wish = land::wish(&session, args.branch.as_deref(), args.base.as_deref())?;
        if let Some(code) = pushed(args, &session, &wish, output)? {
            return Ok(code);
        }
        match on_host::ask(&session, &wish, output)? {
            on_host::Next::Nobody(code) => return Ok(code),
            on_host::Next::Ours => break wish,
            on_host::Next::Again if looks < LOOKS => {}
            on_host::Next::Again => {
                return Err(Error::usage(
                    format!("`{}` is pushed to again and again while it is to land", wish.branch),
                    format!(
                        "land it once nobody pushes to it: git lane land {}",
                        quote(wish.branch.as_bytes())
                    ),
                ));
            }
        }
    };
    let (id, was_there) = land::ask(&queues, &wish)?;
    if args.no_wait {
        return asked(&queues, &wish, id, was_there, output);
    }
    let mut teller = text::Teller::new(output, &wish.branch, &wish.base);
    match land::drive(&session, &queues, &wish.base, Goal::One(id), &mut |waiting| teller.tell(waiting))? {
        land::Outcome::Ended(Some(result)) => ended(&session, &wish.base, &result, output),
        land::Outcome::Ended(None) => Err(Error::usage(
            format!("the queue of `{}` was emptied by somebody else", wish.base),
            "land it again: git lane land",
        )),
        land::Outcome::Interrupted(signal) => Ok(interrupted(&wish.branch, signal, output)),
    }
}

/// Pushes the current branch where the remote has not its tip yet; the exit code where that did not work.
fn pushed(args: &Args, session: &Session, wish: &Wish, output: &Output) -> Result<Option<u8>, Error> {
    let place = BasePlace::new(session, &wish.base);
    let head = session.repo.head()?;
    let is_current = head.branch.as_deref() == Some(format!("refs/heads/{}", wish.branch).as_str());
    if !is_current {
        return Ok(None);
    }
    if let Some(root) = &session.repo.layout().worktree {
        let left = lane_git::command::changed_files(root)?.len();
        if left > 0 && !output.is_quiet() {
            let files = if left == 1 { "1 file has".to_owned() } else { format!("{left} files have") };
            crate::cli::output::note(&format!("{files} uncommitted changes, which do not land"));
        }
    }
    if place.remote.is_none() || place.tips(&wish.branch)?.branch == Some(wish.head) {
        return Ok(None);
    }
    let options = PushOptions { replaces: args.force_with_lease, with_stack: false };
    let (code, _) = push::branch(session, options, output)?;
    Ok((code != 0).then_some(code))
}

fn asked(queues: &Queues<'_>, wish: &Wish, id: u64, was_there: bool, output: &Output) -> Outcome {
    let head = queues.read(&wish.base)?;
    let ahead = head.as_ref().and_then(|head| head.record.ahead(id));
    if output.is_json() {
        output.print_json(&json!({
            "schema": 1, "id": id, "branch": wish.branch, "head": wish.head, "base": wish.base,
            "state": if ahead.is_some() { "waiting" } else { "ended" }, "ahead": ahead,
        }))?;
        return Ok(0);
    }
    let already = if was_there { " already" } else { "" };
    output.print(&format!("{} waits{already} to land on {}\n", wish.branch, wish.base))?;
    output.print(&lane_core::text::help_block(
        &format!("land what waits: git lane land --all\nsee how it stands: {}", text::LIST),
        output.color(),
    ))?;
    Ok(0)
}

fn withdraw(args: &Args, session: &Session, queues: &Queues<'_>, output: &Output) -> Outcome {
    let head = session.repo.head()?.branch;
    let current = head.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
    let Some(branch) = args.branch.as_deref().or(current) else {
        return Err(Error::usage("HEAD is detached", "name the branch: git lane land --withdraw BRANCH"));
    };
    let by = request::person(session, None)?;
    let (base, landing) = land::withdraw(queues, branch, &by)?;
    if output.is_json() {
        output.print_json(&json!({
            "schema": 1, "id": landing.id, "branch": landing.branch, "base": base, "state": "withdrawn",
        }))?;
    } else {
        output.print(&format!("{branch} no longer waits to land on {base}\n"))?;
    }
    Ok(0)
}

fn all(session: &Session, queues: &Queues<'_>, base: &str, output: &Output) -> Outcome {
    let before = queues.read(base)?;
    let from = before.map_or(0, |head| head.record.queue.first().map_or(head.record.last, |one| one.id - 1));
    let mut teller = text::Teller::new(output, "", base);
    let outcome = land::drive(session, queues, base, Goal::All, &mut |waiting| teller.tell(waiting))?;
    if let land::Outcome::Interrupted(signal) = outcome {
        return Ok(128_u8.saturating_add(signal));
    }
    let mut results: Vec<LandingResult> = Vec::new();
    if let Some(head) = queues.read(base)? {
        for id in from + 1..=head.record.last {
            results.extend(queues.result(&head, id)?);
        }
    }
    if output.is_json() {
        let results: Vec<Value> = results.iter().map(|result| text::json(base, result)).collect();
        output.print_json(&json!({ "schema": 1, "base": base, "results": results }))?;
    } else if results.is_empty() {
        output.print(&format!("nothing waits to land on {base}\n"))?;
    } else {
        for result in &results {
            output.print(&text::line(base, result))?;
        }
    }
    let is_good =
        |result: &LandingResult| !matches!(result.end, LandingEnd::Refused(_) | LandingEnd::Failed(_));
    Ok(u8::from(!results.iter().all(is_good)))
}

/// What became of the landing that was asked for.
fn ended(session: &Session, base: &str, result: &LandingResult, output: &Output) -> Outcome {
    if matches!(result.end, LandingEnd::Landed { .. } | LandingEnd::Present) {
        release(session)?;
    }
    if output.is_json() {
        output.print_json(&text::json(base, result))?;
    }
    match &result.end {
        LandingEnd::Landed { .. } | LandingEnd::Present => {
            if !output.is_json() {
                output.print(&text::line(base, result))?;
                let next = "go on from there: git lane sync";
                output.print(&lane_core::text::help_block(next, output.color()))?;
            }
            Ok(0)
        }
        LandingEnd::Withdrawn => {
            let branch = quote(result.branch.as_bytes());
            output.refuse(
                &format!("{} was withdrawn by somebody", result.branch),
                &format!("land it again: git lane land {branch}"),
            );
            Ok(1)
        }
        LandingEnd::Refused(why) => {
            text::not_landed(&result.branch, why, output);
            Ok(1)
        }
        LandingEnd::Failed(why) => {
            text::not_landed(&result.branch, why, output);
            Ok(2)
        }
    }
}

/// Releases the locks whose work has landed.
fn release(session: &Session) -> Result<(), Error> {
    let session = session.reopened()?;
    let world = ThisMachine::new();
    let mut manager = LockManager::new(&session.repo, &session.loaded.plan, &world);
    manager.refresh(0)?;
    auto_release::release_landed(&session, &mut manager, &auto_release::Landing::default());
    manager.show();
    Ok(())
}

fn interrupted(branch: &str, signal: u8, output: &Output) -> u8 {
    let word = quote(branch.as_bytes());
    output.refuse(
        &format!("interrupted: {branch} still waits to land"),
        &format!("go on: git lane land {word}\nor take it out: git lane land --withdraw {word}"),
    );
    128_u8.saturating_add(signal)
}
