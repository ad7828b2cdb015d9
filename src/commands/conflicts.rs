//! `git lane conflicts`, and the note that a push gives of them.

use std::time::Duration;

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::output::{Output, complain};
use crate::cli::session;
use crate::conflicts::{Clash, Forecast, PATIENCE, forecast};
use crate::gather::PushLine;
use crate::ops::Session;
use crate::status::{self, Line, Pair, json};
use lane_core::error::Error;
use lane_core::facts::{Oid, Unavailable};
use lane_core::report::quote;

/// A push is told of no more pairs than this: with more, `git lane conflicts` is the place.
const MOST: usize = 64;
/// How long a push waits for it.
const BRIEFLY: Duration = Duration::from_secs(2);

/// List files that agents' branches would conflict in
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Merges each pair of branches in memory. Exit code 1 where some would conflict, 2 where nobody can tell.
///
/// # Errors
/// No repository, no policy, or no list of worktrees.
pub fn run(_: &Args, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let lines = status::heads(&session.repo, &session.loaded.plan)?;
    let pairs = status::clashes(&session.repo, &session.loaded, &lines, PATIENCE);
    let unread: Vec<(&Line, &Unavailable)> =
        lines.iter().filter_map(|line| Some((line, line.unread()?))).collect();
    let count = |is: fn(&Forecast) -> bool| pairs.iter().filter(|pair| is(&pair.forecast)).count();
    let conflicts = count(|forecast| matches!(forecast, Forecast::Conflicts(_)));
    let unknown = count(|forecast| matches!(forecast, Forecast::Unknown(_)));
    if output.is_json() {
        let all: Vec<_> = pairs.iter().map(json::pair).collect();
        let unread: Vec<_> = unread.iter().map(|(line, why)| json::unread(line, why)).collect();
        output.print_json(&json!({
            "schema": 1, "pairs": all, "conflicts": conflicts, "unknown": unknown, "unread": unread,
        }))?;
    } else {
        let mut text = text(&pairs, conflicts, unknown, !unread.is_empty(), output);
        for (line, why) in &unread {
            text.push_str(&format!(
                "{}: nobody can tell what it would conflict with: {}\n",
                line.title(),
                why.reason
            ));
            why.help
                .iter()
                .for_each(|help| text.push_str(&format!("    {}\n", help.replace('\n', "\n    "))));
        }
        output.page(&text)?;
    }
    Ok(match (conflicts, unknown + unread.len()) {
        (_, 1..) => 2,
        (1.., 0) => 1,
        (0, 0) => 0,
    })
}

fn text(pairs: &[Pair], conflicts: usize, unknown: usize, is_part: bool, output: &Output) -> String {
    let mut out = String::new();
    for pair in pairs {
        match &pair.forecast {
            Forecast::Clean if output.is_verbose() => {
                out.push_str(&format!("{} + {}: merge\n", pair.one, pair.two))
            }
            Forecast::Clean => {}
            Forecast::Conflicts(files) => {
                out.push_str(&format!("{} + {} would conflict:\n", pair.one, pair.two));
                files.iter().for_each(|file| out.push_str(&format!("    {}\n", file_words(file))));
            }
            Forecast::Unknown(why) => {
                out.push_str(&format!("{} + {}: nobody can tell: {}\n", pair.one, pair.two, why.reason));
                why.help
                    .iter()
                    .for_each(|help| out.push_str(&format!("    {}\n", help.replace('\n', "\n    "))));
            }
        }
    }
    if conflicts == 0 && unknown == 0 {
        let count = pairs.len();
        let of = if is_part { "of the other branches" } else { "of branches" };
        return out + &format!("all {count} pairs {of} merge\n");
    }
    if conflicts > 0 && !output.is_quiet() {
        out.push_str("\nwhoever is merged second has to solve them; early is cheap: talk to each other, then git lane sync\n");
    }
    out
}

fn file_words(file: &Clash) -> String {
    let path = quote(&file.path.0);
    if file.kinds.is_empty() { path } else { format!("{path} ({})", file.kinds.join(", ")) }
}

/// Says which agents' branches what is pushed would conflict with. It never stands in the way: what takes too
/// long, or cannot be read, is left out.
pub(in crate::commands) fn note_at_push(session: &Session, lines: &[PushLine]) {
    match clashes_at_push(session, lines) {
        Ok(clashes) if clashes.is_empty() => {}
        Ok(clashes) => {
            let mut text = "git-lane: note: merged now, this would conflict with\n".to_owned();
            for (name, files) in clashes {
                let more = files.len().saturating_sub(3);
                let names: Vec<String> = files.iter().take(3).map(|file| quote(&file.path.0)).collect();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                text.push_str(&format!("    {name}: {}{more}\n", names.join(", ")));
            }
            complain(&(text + "  all of them: git lane conflicts\n"));
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
    let others: Vec<Other> = status::heads(&session.repo, plan)?
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
