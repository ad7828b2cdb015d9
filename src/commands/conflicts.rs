//! `git lane conflicts`

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::cli::session;
use crate::conflicts::{Clash, Forecast, PATIENCE};
use crate::status::{self, Line, Pair, json};
use lane_core::facts::Unavailable;
use lane_core::report::quote;

/// List files that agents' branches would conflict in
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Merges each pair of branches in memory. Exit code 1 where some would conflict, 2 where that is unknown.
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
            text.push_str(&format!("{}: conflicts could not be determined: {}\n", line.title(), why.reason));
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
                out.push_str(&format!("{} + {}: could not be checked: {}\n", pair.one, pair.two, why.reason));
                why.help
                    .iter()
                    .for_each(|help| out.push_str(&format!("    {}\n", help.replace('\n', "\n    "))));
            }
        }
    }
    if conflicts == 0 && unknown == 0 {
        let count = pairs.len();
        let of = if is_part { "of the other branches" } else { "of branches" };
        return out + &format!("all {count} pairs {of} merge cleanly\n");
    }
    if conflicts > 0 && !output.is_quiet() {
        out.push_str(
            "\nthe branch merged second has to resolve them; talk to each other early, then: git lane sync\n",
        );
    }
    out
}

fn file_words(file: &Clash) -> String {
    let path = quote(&file.path.0);
    if file.kinds.is_empty() { path } else { format!("{path} ({})", file.kinds.join(", ")) }
}
