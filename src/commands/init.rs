//! `git lane init`

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::Outcome;
use crate::cli::diagnostics::render_warnings;
use crate::cli::output::{Output, print_error};
use crate::commands::policy::codeowners::HostName;
use crate::commands::policy::{as_json, counted};
use crate::gather::codeowners::{self, Found};
use crate::gather::survey;
use crate::init::{self, Proposal, Survey, sanitize_name};
use lane_core::error::Error;
use lane_core::policy::{self, FILE, Plan, Source};
use lane_git::{GitRepo, Repository};

/// Write a first policy.yaml for this repository
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Divide the services among this many agents, instead of looking at the worktrees
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=200))]
    pub agents: Option<u16>,
    /// Take over who owns what from this file, as GitHub or GitLab reads it
    #[arg(long, value_name = "CODEOWNERS", value_hint = clap::ValueHint::FilePath, conflicts_with = "agents")]
    pub from: Option<PathBuf>,
    /// Whose reading of that file [default: as the file and the address of origin show]
    #[arg(long, value_enum, requires = "from")]
    pub host: Option<HostName>,
    /// Print the policy instead of writing it
    #[arg(long)]
    pub stdout: bool,
}

/// How many folders of a lane are listed.
const LISTED: usize = 4;

/// Writes a first `policy.yaml`; never over one that is there.
///
/// # Errors
/// There is one already, or it cannot be written.
pub fn run(args: &Args, output: &Output) -> Outcome {
    let repo = GitRepo::open()?;
    let survey = survey(&repo)?;
    let draft = match &args.from {
        Some(path) => from(&repo, &survey, path, args.host)?,
        None => divided(&survey, args.agents),
    };
    let text = &draft.text;
    let source = Source { name: FILE.to_owned(), text: text.clone() };
    let plan = policy::load(source, false)?;
    if args.stdout {
        if output.is_json() {
            output.print_json(&plan.policy)?;
        } else {
            draft.notes.iter().for_each(|note| print_error(&format!("note: {note}\n")));
            output.print(text)?;
        }
        return Ok(0);
    }
    let Some(root) = repo.layout().worktree.clone() else {
        return Err(Error::usage(
            "a bare repository has no place for a policy.yaml",
            "run this in a worktree of it, or print one: git lane init --stdout",
        ));
    };
    write_new(&root.join(FILE), text)?;
    // What `git lane policy check` would say of it.
    let warnings = policy::warnings(&plan, &survey.inventory());
    if output.is_json() {
        output.print_json(&json!({
            "file": FILE,
            "lanes": draft.lanes,
            "notes": draft.notes,
            "warnings": as_json(&plan.source, &warnings),
        }))?;
        return Ok(0);
    }
    print_error(&render_warnings(&plan.source, &warnings, output.error_color()));
    if !output.is_quiet() {
        let remote = format!("remote.{}.url", plan.policy.remote.value);
        let has_remote = !repo.config(&remote)?.is_empty();
        let has_history = repo.head()?.oid.is_some();
        output.print(&summary(&draft, &plan, has_remote, has_history))?;
    }
    Ok(0)
}

/// What is to be written.
struct Draft {
    text: String,
    notes: Vec<String>,
    /// The lanes, for programs.
    lanes: serde_json::Value,
    /// What there is of each, for people.
    lines: String,
    is_of_worktrees: bool,
}

/// The folders of the repository, divided among agents.
fn divided(survey: &Survey, count: Option<u16>) -> Draft {
    let proposal = init::propose(survey, count);
    Draft {
        text: proposal.policy_text(),
        lanes: json!(proposal.lanes),
        lines: lane_lines(&proposal),
        is_of_worktrees: proposal.is_of_worktrees,
        notes: proposal.notes,
    }
}

/// What a CODEOWNERS file says.
fn from(repo: &GitRepo, survey: &Survey, path: &Path, host: Option<HostName>) -> Result<Draft, Error> {
    let Found { place, read } = codeowners::named(repo, path, host.map(Into::into))?;
    let made = init::from_codeowners(survey, &place, &read);
    if made.agents == 0 {
        return Err(Error::usage(
            format!("{place} gives nobody anything, as {} reads it", read.host.name()),
            "name another file, or divide the repository by its folders: git lane init",
        ));
    }
    let lines =
        format!("  {} of {} have owners in {place}\n", made.owned, counted(survey.files.len(), "file"));
    Ok(Draft { text: made.text, notes: made.notes, lanes: json!([]), lines, is_of_worktrees: false })
}

fn lane_lines(proposal: &Proposal) -> String {
    let mut out = String::new();
    for lane in &proposal.lanes {
        let folders = lane.folders.iter().map(|folder| match sanitize_name(&folder.path) {
            path if path.is_empty() => "everything".to_owned(),
            path => path,
        });
        let (first, more) =
            (folders.take(LISTED).collect::<Vec<_>>().join(", "), lane.folders.len().saturating_sub(LISTED));
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(out, "  {} ({}): {first}{more}", lane.agent(), lane.size());
    }
    out
}

/// What was written, and what to do next. `has_remote`: there is something to push to; `has_history`: something was merged.
fn summary(draft: &Draft, plan: &Plan, has_remote: bool, has_history: bool) -> String {
    let agents = &plan.policy.agents.0;
    let services: usize = agents.iter().map(|agent| agent.services.len()).sum();
    let paths: usize = agents.iter().map(|agent| agent.owns.len()).sum();
    let mut counts = vec![counted(agents.len(), "agent")];
    for (count, what) in [(services, "service"), (paths, "path")] {
        if count > 0 {
            counts.push(counted(count, what));
        }
    }
    counts.push(counted(plan.policy.areas.len(), "area"));
    let mut out = format!("wrote {FILE}: {}\n", counts.join(", "));
    out.push_str(&draft.lines);
    for note in &draft.notes {
        let _ = writeln!(out, "note: {note}");
    }
    let next = if draft.is_of_worktrees {
        "then install hooks in the worktrees:\n  git lane install --all"
    } else {
        "then create a worktree for each agent:\n  git lane setup"
    };
    let _ = write!(
        out,
        "next: review and edit it, then, on {}:\n  \
         git lane policy check\n  \
         git lane policy test\n  \
         {}\
         git add {FILE}\n  \
         git commit -m 'chore: a policy for our agents'\n\
         {}{next}\n",
        sanitize_name(&plan.policy.base.value),
        if has_history { "git lane policy try\n  " } else { "" },
        if has_remote { "  git push\n" } else { "" },
    );
    out
}

fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let mut file = File::create_new(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            Error::usage(
                format!("{} already exists", path.display()),
                "edit it, or print a new one: git lane init --stdout",
            )
        } else {
            Error::write(
                format!("{} cannot be written: {error}", path.display()),
                "check the permissions of the folder",
            )
        }
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        // The file is ours, made a moment ago; half of it helps nobody.
        let _ = std::fs::remove_file(path);
        Error::write(format!("{} cannot be written: {error}", path.display()), "free some disk space")
    })
}
