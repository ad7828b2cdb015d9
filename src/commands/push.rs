//! `git lane push`

use serde_json::{Value, json};

use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::cli::session;
use crate::ops::Session;
use crate::ops::push::{self, PushFailure, PushOptions, PushReport, TRIES};
use lane_core::error::Error;
use lane_core::report::quote;

/// Push this branch, and renew the locks of its work
///
/// Where the remote has the locks, both happen in one atomic push.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Replace the branch on the remote, unless someone else pushed to it meanwhile
    #[arg(short, long)]
    pub force_with_lease: bool,
    /// Push the branches of this stack below it as well, all or none
    #[arg(long)]
    pub stack: bool,
}

/// Pushes the current branch, and renews the agent's locks.
///
/// # Errors
/// No branch, no such remote, or locks that cannot be read or written.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let options = PushOptions { replaces: args.force_with_lease, with_stack: args.stack };
    let (code, done) = branch(&session, options, output)?;
    if let Some(done) = done.filter(|_| output.is_json()) {
        output.print_json(&done)?;
    }
    Ok(code)
}

/// The same for a session that is open: the exit code, and what was done for programs, if anything was.
///
/// # Errors
/// As above.
pub(in crate::commands) fn branch(
    session: &Session,
    options: PushOptions,
    output: &Output,
) -> Result<(u8, Option<Value>), Error> {
    let code = match push::branch(session, options)? {
        push::Outcome::Done(done) => {
            let PushReport { reference, tip, below, remote, renewed, notes } = done;
            if !output.is_quiet() {
                notes.iter().for_each(|note| crate::cli::output::note(note));
            }
            let done = json!({
                "pushed": reference, "commit": tip, "below": below, "remote": remote, "renewed": renewed,
            });
            return Ok((0, Some(done)));
        }
        push::Outcome::Judged(verdict) => verdict.exit_code(),
        push::Outcome::LockLost(scope) => print_lost_lock(&scope, output),
        push::Outcome::Refused(why) => refused(&why, options, output),
        push::Outcome::Contended => {
            output.refuse(
                &format!("the lock refs changed during each of {TRIES} attempts; nothing was pushed"),
                "you still hold your locks; push again in a minute: git lane push",
            );
            1
        }
    };
    Ok((code, None))
}

fn refused(why: &PushFailure, options: PushOptions, output: &Output) -> u8 {
    if why.is_rewritten {
        let (remote, branch) = (&why.remote, quote(why.branch.as_bytes()));
        // What is on top of the base by now is rewritten beside it; sync leaves that out again.
        let there = quote(format!("refs/remotes/{remote}/{}", why.branch).as_bytes());
        let others = match &why.above {
            None => format!(
                "if someone else pushed to it, see what: git log HEAD..{there}\n\
                 then rebase on that: git rebase --autostash {there}\n\
                 then rebase on the base again: git lane sync"
            ),
            Some(above) => format!(
                "if someone else pushed to it, see what: git log {branch}..{there}\n\
                 then rebase it on that: git switch {branch}\ngit rebase {there}\n\
                 then rebase this one on it: git switch {}\ngit lane sync",
                quote(above.as_bytes())
            ),
        };
        let rewritten = match options.with_stack {
            false => "if you rewrote it: git lane push --force-with-lease",
            true => "if you rewrote it: git lane push --stack --force-with-lease",
        };
        let help = match options.replaces {
            false => format!("{rewritten}\n{others}"),
            true => others,
        };
        let what = match &why.above {
            None => "the remote has other commits on this branch".to_owned(),
            Some(_) => format!("the remote has other commits on `{}`, below this branch", why.branch),
        };
        output.refuse(&what, &help);
    } else if why.code.is_none() {
        // Whoever is killed says nothing, and may have been killed after the remote had all of it.
        output.refuse(
            &format!("git was killed while it pushed; `{}` may not be on the remote", why.branch),
            "push again: git lane push",
        );
    }
    // 128 is git's way to say that it came to nothing at all: no such remote, no network.
    if why.code == Some(1) { 1 } else { 2 }
}

/// Another agent has the lock by now.
fn print_lost_lock(scope: &str, output: &Output) -> u8 {
    let word = quote(scope.as_bytes());
    output.refuse(
        &format!("the lock `{scope}` changed hands while you pushed; nothing was pushed"),
        &format!(
            "see who holds it: git lane locks --log {word}\nthen wait for it: git lane lock {word} --wait 1h"
        ),
    );
    1
}
