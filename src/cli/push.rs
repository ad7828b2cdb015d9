//! `git lane push`

use serde_json::json;

use super::Outcome;
use super::args::Push;
use super::lock_args;
use super::output::{Output, complain};
use super::session::Session;
use super::settle;
use crate::error::Error;
use crate::facts::Oid;
use crate::gather::Repository;
use crate::locks::keeper::Keeper;
use crate::locks::machine::ThisMachine;

/// Pushes the current branch to the policy's remote under its own name, and renews the agent's locks: in
/// the same atomic push where that remote has the locks, so that a lock which was stolen in between keeps
/// the work out, whichever of the two came first.
///
/// # Errors
/// No branch, no such remote, or locks that cannot be read or written.
pub fn run(args: &Push, output: &Output) -> Outcome {
    let session = Session::open(None)?;
    let plan = &session.loaded.plan;
    let Some(reference) = session.repo.head()?.branch else {
        return Err(Error::usage(
            "HEAD is on no branch: there is nothing to push it to",
            "git switch <branch>; in the middle of a rebase: git rebase --continue",
        ));
    };
    let tip = session.repo.resolve("HEAD")?;
    let remote = &plan.policy.remote.value;
    let agent = lock_args::agent(&session, None).ok();
    let world = ThisMachine::new();
    let mut keeper = Keeper::new(&session.repo, plan, &world);
    keeper.refresh(0)?;
    let worktree = lock_args::here(&session);
    let is_same = keeper.store().remote_name() == Some(remote.as_str());
    let (mut together, mut renewed) = (Vec::new(), Vec::new());
    match &agent {
        Some(agent) if is_same => together = keeper.renewals(agent, &worktree, &tip.to_string())?,
        // The locks lie elsewhere: they come first, so that nobody takes them while the push is under way.
        Some(agent) => match keeper.renew_all(agent, &worktree)? {
            Ok(scopes) => renewed = scopes,
            Err(scope) => return lost(&scope, output),
        },
        None => {}
    }
    renewed.extend(together.iter().flat_map(|renewal| renewal.scopes.clone()));
    let mut arguments = vec!["push".to_owned(), "--atomic".to_owned()];
    if args.force_with_lease {
        arguments.push(format!("--force-with-lease={reference}"));
    }
    let mut refspecs = vec![format!("{reference}:{reference}")];
    for renewal in &together {
        let (lease, refspec) = keeper.store().swap_arguments(&renewal.tip, renewal.old)?;
        arguments.push(lease);
        refspecs.push(refspec);
    }
    if output.is_quiet() {
        arguments.push("--quiet".to_owned());
    }
    arguments.extend(["--".to_owned(), remote.clone()]);
    arguments.extend(refspecs);
    let pushed = std::process::Command::new("git").args(&arguments).status().map_err(|error| {
        Error::usage(format!("git cannot be started: {error}"), "git has to be on the PATH")
    })?;
    if !pushed.success() {
        keeper.refresh(0)?;
        for renewal in &together {
            if !keeper.stands(renewal)? {
                return lost(&renewal.scopes.join("`, `"), output);
            }
        }
        if !args.force_with_lease && is_rewritten(&session, &reference, tip)? {
            complain(
                "git-lane: the remote has another edition of this branch; if you rebased: git lane push --force-with-lease\n",
            );
        }
        // 128 is git's way to say that it came to nothing at all: no such remote, no network.
        return Ok(if pushed.code() == Some(1) { 1 } else { 2 });
    }
    keeper.refresh(0)?;
    keeper.show();
    if output.is_json() {
        output.print_json(
            &json!({ "pushed": reference, "commit": tip, "remote": remote, "renewed": renewed }),
        )?;
    } else if !output.is_quiet() {
        for scope in &renewed {
            complain(&format!("git-lane: renewed `{scope}`\n"));
        }
    }
    settle::settle(&session, &mut keeper);
    lock_args::notes(&keeper, output);
    Ok(0)
}

/// Whether the remote's edition of a branch is no part of it.
fn is_rewritten(session: &Session, reference: &str, tip: Oid) -> Result<bool, Error> {
    let remote = &session.loaded.plan.policy.remote.value;
    let branch = reference.trim_start_matches("refs/heads/");
    Ok(match session.repo.find_ref(&format!("refs/remotes/{remote}/{branch}"))? {
        Some(old) => session.repo.merge_base(old, &[tip])? != Some(old),
        None => false,
    })
}

/// Another agent has the lock by now.
fn lost(scope: &str, output: &Output) -> Outcome {
    let word = crate::report::quote(scope.as_bytes());
    complain(&output.refusal(
        &format!("the lock `{scope}` changed hands while you pushed; nothing was pushed"),
        &format!("who has it, and why: git lane locks --log {word}\nthen wait for it: git lane lock {word} --wait 1h"),
    ));
    Ok(1)
}
