//! What the commands about locks are given: who, on what, for how long, for which process.

use crate::cli::output::Output;
use crate::locks::manager::LockManager;
use crate::machine::ThisMachine;
use crate::ops::Session;
use lane_core::error::Error;
use lane_core::locks::record::plain;
use lane_core::locks::scope::{PathArgument, Scope};
use lane_core::locks::world::Process;
use lane_core::policy::Plan;
use lane_core::policy::scalar::Duration;
use lane_git::Repository;

/// The variable with the number of the process that locks are held for.
const HOLDER: &str = "LANE_PID";

/// The most characters that a reason may have.
const LONGEST: usize = 300;

/// What did not work out and stops nothing.
pub(in crate::commands) fn notes(manager: &mut LockManager<'_>, output: &Output) {
    for note in manager.take_notes() {
        if !output.is_quiet() {
            crate::cli::output::note(&note);
        }
    }
}

/// What was typed, as scopes; sorted, so that two who want the same ones want them in the same order.
///
/// # Errors
/// One of them is no scope.
pub(in crate::commands) fn scopes(session: &Session, typed: &[String]) -> Result<Vec<Scope>, Error> {
    let root = session.repo.layout().worktree.as_deref();
    let root = root.map(|root| std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned()));
    let here = std::env::current_dir().and_then(std::fs::canonicalize).ok();
    let folder = match (&root, &here) {
        (Some(root), Some(here)) => here.strip_prefix(root).unwrap_or(std::path::Path::new("")).to_owned(),
        _ => std::path::PathBuf::new(),
    };
    let folder = folder.to_string_lossy().into_owned();
    let exists = |path: &str| root.as_ref().is_some_and(|root| root.join(path).symlink_metadata().is_ok());
    let mut scopes = Vec::new();
    for text in typed {
        // A path from the root of the file system, if it leads here.
        let inside = root.as_ref().and_then(|root| std::path::Path::new(text).strip_prefix(root).ok());
        let text = inside.map_or_else(|| text.clone(), |path| format!("/{}", path.display()));
        let typed = PathArgument { text: &text, folder: &folder, exists: &exists };
        scopes.push(Scope::resolve(&session.loaded.plan, &typed)?);
    }
    scopes.sort_by(|a, b| (&a.area, &a.text).cmp(&(&b.area, &b.text)));
    scopes.dedup();
    Ok(scopes)
}

/// The life that was asked for, within the policy's bounds.
pub(in crate::commands) fn bounded(plan: &Plan, asked: Option<&Duration>) -> Result<u64, Error> {
    let locks = &plan.policy.locks;
    let ttl = asked.unwrap_or(&locks.ttl.value);
    let (min, max) = (&locks.min_ttl.value, &locks.max_ttl.value);
    if ttl.seconds < min.seconds || ttl.seconds > max.seconds {
        let bound = if ttl.seconds < min.seconds {
            format!("at least {min} (`locks.min_ttl`)")
        } else {
            format!("at most {max} (`locks.max_ttl`)")
        };
        return Err(Error::usage(
            format!("invalid --ttl {ttl}: {} allows {bound}", plan.source.name),
            format!("omit --ttl for the default, {}; rerun with --renew to extend the lock", locks.ttl.value),
        ));
    }
    Ok(ttl.seconds)
}

/// The process that the lock is held for, if one was named.
pub(in crate::commands) fn holder(
    world: &ThisMachine,
    option: Option<u32>,
) -> Result<Option<Process>, Error> {
    let named = match option {
        Some(id) => Some((id, "--pid".to_owned())),
        None => match std::env::var(HOLDER) {
            Ok(text) if !text.trim().is_empty() => match text.trim().parse() {
                Ok(id) => Some((id, HOLDER.to_owned())),
                Err(_) => {
                    return Err(Error::usage(
                        format!("{HOLDER} is `{text}`, which is not a process id"),
                        format!("unset {HOLDER}\nor set it to the number of your agent's process"),
                    ));
                }
            },
            _ => None,
        },
    };
    let Some((id, source)) = named else {
        return Ok(None);
    };
    match world.process(id) {
        Some(process) => Ok(Some(process)),
        None => Err(Error::usage(
            format!("no process {id} is running ({source})"),
            "name a process that runs as long as the work, or omit it: then only the time limits the lock",
        )),
    }
}

/// A reason as it is kept.
///
/// # Errors
/// It is longer than anybody reads in passing.
pub(in crate::commands) fn one_line(reason: Option<&str>) -> Result<Option<String>, Error> {
    let words = plain(reason.unwrap_or_default());
    let length = words.chars().count();
    if length > LONGEST {
        return Err(Error::usage(
            format!("the reason has {length} characters; the limit is {LONGEST}"),
            format!("shorten it to {LONGEST} characters; details belong in the commit message"),
        ));
    }
    Ok((!words.is_empty()).then_some(words))
}
