//! `git lane policy diff`

use serde_json::Value;

use super::{counted, named};
use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::gather::{inventory, policy_source};
use lane_core::metrics::table::{Align, lines_with_ends};
use lane_core::policy::difference::Difference;
use lane_git::GitRepo;

/// How many rows of one kind are shown where not all were asked for.
const SHOWN: usize = 40;

/// What to compare.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy before: a file, or REV:PATH [default: the policy in force]
    pub old: Option<String>,
    /// The policy after [default: policy.yaml of this worktree]
    pub new: Option<String>,
    /// Exit with 1 if there are differences, as `git diff` does
    #[arg(long)]
    pub exit_code: bool,
}

/// Compares two policies on the files of the repository.
///
/// # Errors
/// One of them cannot be read, or the files cannot.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let repo = GitRepo::open()?;
    let old = match &args.old {
        Some(name) => named(&repo, Some(name))?,
        None => policy_source::find(&repo)?,
    };
    let new = named(&repo, args.new.as_deref())?;
    let base = old.base.as_ref().or(new.base.as_ref());
    let found = Difference::between(&old.plan, &new.plan, &inventory(&repo, base)?.files);
    if output.is_json() {
        output.print_json(&found)?;
    } else if !(output.is_quiet() && found.is_empty()) {
        output.page(&text(&found, output.is_verbose()))?;
    }
    Ok(u8::from(args.exit_code && !found.is_empty()))
}

fn text(found: &Difference, is_verbose: bool) -> String {
    let files = counted(found.of, "file");
    let names = format!("{} -> {}", found.old, found.new);
    if found.is_empty() {
        return format!("{names}: no difference in meaning, on {files}\n");
    }
    let mut out = format!("{names}\n");
    let added = found.agents_added.iter().map(|id| (vec![format!("+ {id}")], String::new()));
    let removed = found.agents_removed.iter().map(|id| (vec![format!("- {id}")], String::new()));
    section(&mut out, "Agents", &[Align::Left], added.chain(removed).collect(), is_verbose);
    let paths = found.paths.iter().map(|row| {
        let count = if row.of == 1 { String::new() } else { format!("{} of {}", row.files, row.of) };
        (vec![row.path.clone(), count], format!("{} -> {}", row.before, row.after))
    });
    let title = format!("Who may change what: {} of {files}", found.files);
    section(&mut out, &title, &[Align::Left, Align::Right], paths.collect(), is_verbose);
    let rules = found
        .rules
        .iter()
        .map(|rule| (vec![rule.rule.to_owned()], format!("{} -> {}", rule.before.word(), rule.after.word())));
    section(&mut out, "Rules", &[Align::Left], rules.collect(), is_verbose);
    let settings = found.settings.iter().map(|it| (vec![it.key.clone()], change(&it.before, &it.after)));
    section(&mut out, "Settings", &[Align::Left], settings.collect(), is_verbose);
    out
}

/// Rows under a title: their columns, and what is at their end.
type Rows = Vec<(Vec<String>, String)>;

fn section(out: &mut String, title: &str, columns: &[Align], mut rows: Rows, is_verbose: bool) {
    if rows.is_empty() {
        return;
    }
    let more = if is_verbose { 0 } else { rows.len().saturating_sub(SHOWN) };
    rows.truncate(rows.len() - more);
    out.push_str(&format!("\n{title}\n"));
    let head: Vec<(&str, Align)> = columns.iter().map(|align| ("", *align)).collect();
    for line in lines_with_ends(&head, rows) {
        out.push_str(&format!("{line}\n"));
    }
    if more > 0 {
        out.push_str(&format!("  … and {more} more (-v lists them all)\n"));
    }
}

/// From one value to another; of lists, what goes and what comes.
fn change(before: &Value, after: &Value) -> String {
    let (Value::Array(old), Value::Array(new)) = (before, after) else {
        return format!("{} -> {}", shown(before), shown(after));
    };
    let gone = old.iter().filter(|item| !new.contains(item)).map(|item| format!("- {}", shown(item)));
    let come = new.iter().filter(|item| !old.contains(item)).map(|item| format!("+ {}", shown(item)));
    let words: Vec<String> = gone.chain(come).collect();
    if words.is_empty() { "another order".to_owned() } else { words.join(", ") }
}

/// A value as the policy writes it on one line.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        value => value.to_string(),
    }
}
