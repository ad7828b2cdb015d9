//! What a push is told of conflicts to come.

use std::time::Duration;

use super::Session;
use crate::conflicts::{Clash, Forecast, forecast};
use crate::gather::PushLine;
use crate::status;
use lane_core::error::Error;
use lane_core::facts::Oid;
use lane_core::report::quote;
use lane_core::text::help_block;

/// A push is told of no more pairs than this: with more, `git lane conflicts` is the place.
const MOST: usize = 64;
/// How long a push waits for it.
const BRIEFLY: Duration = Duration::from_secs(2);

/// Says which agents' branches what is pushed would conflict with. It never stands in the way: what takes too
/// long, or cannot be read, is left out.
pub fn note_at_push(session: &Session, lines: &[PushLine]) {
    match clashes_at_push(session, lines) {
        Ok(clashes) if clashes.is_empty() => {}
        Ok(clashes) => {
            let mut text = "if merged now, this would conflict with\n".to_owned();
            for (name, files) in clashes {
                let more = files.len().saturating_sub(3);
                let names: Vec<String> = files.iter().take(3).map(|file| quote(&file.path.0)).collect();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                text.push_str(&format!("    {name}: {}{more}\n", names.join(", ")));
            }
            session.ui.note(&(text + help_block("see all of them: git lane conflicts", false).trim_end()));
        }
        Err(error) => log::debug!("no forecast of conflicts: {error}"),
    }
}

fn clashes_at_push(session: &Session, lines: &[PushLine]) -> Result<Vec<(String, Vec<Clash>)>, Error> {
    let plan = &session.loaded.plan;
    let is_branch = |line: &&PushLine| line.remote_ref.starts_with("refs/heads/");
    let branches = || lines.iter().filter(is_branch).filter(|line| line.local.is_some());
    let pushed: Vec<Oid> = branches().filter_map(|line| line.local).collect();
    let names: Vec<&str> =
        branches().filter_map(|line| line.remote_ref.strip_prefix("refs/heads/")).collect();
    // What is pushed to a shared branch is merged already.
    if pushed.is_empty() || names.iter().any(|name| plan.protected(name).is_some()) {
        return Ok(Vec::new());
    }
    let base = session.loaded.base.as_ref().map(|base| base.oid);
    let others: Vec<Other> = status::heads_from_afar(&session.repo, plan)?
        .into_iter()
        .filter(|line| !line.branch.as_deref().is_some_and(|branch| names.contains(&branch)))
        .filter_map(|line| {
            let head = line.head.filter(|head| Some(*head) != base && !pushed.contains(head))?;
            let branch = line.branch.as_ref().map(|branch| format!(" ({branch})")).unwrap_or_default();
            Some(Other {
                name: format!("{}{branch}", line.agent?),
                branch: line.branch.unwrap_or_default(),
                head,
            })
        })
        .collect();
    let sides: Vec<(&str, Oid, &Other)> = names
        .iter()
        .zip(&pushed)
        .flat_map(|(name, one)| others.iter().map(move |two| (*name, *one, two)))
        .collect();
    if sides.len() > MOST {
        log::debug!("no forecast of conflicts: {} pairs", sides.len());
        return Ok(Vec::new());
    }
    let pairs: Vec<(Oid, Oid)> = sides.iter().map(|(_, one, two)| (*one, two.head)).collect();
    let mut found = Vec::new();
    for ((name, one, two), forecast) in sides.iter().zip(forecast(&session.repo, &pairs, BRIEFLY)) {
        let Forecast::Conflicts(files) = forecast else { continue };
        // What goes to different branches is not merged with each other.
        let into = |branch: &str, head: Oid| -> Result<Option<String>, Error> {
            let base = status::base_of(&session.repo, &session.loaded, branch, head)?;
            Ok(base.map(|(name, _)| name))
        };
        if into(name, *one)? == into(&two.branch, two.head)? {
            found.push((two.name.clone(), files));
        }
    }
    Ok(found)
}

/// A branch that what is pushed may conflict with.
struct Other {
    name: String,
    branch: String,
    head: Oid,
}
