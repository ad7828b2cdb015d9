//! `git lane who PATH…`

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::cli::session;
use crate::gather::tracked_below;
use crate::ops::{Session, edit};
use lane_core::error::Error;
use lane_core::facts::RepoPath;
use lane_core::harness::{Moment, Occasion};
use lane_core::policy::model::{Access, Agent, Area, Unowned};
use lane_core::policy::{Decision, Owner, Plan, PolicyLine};
use lane_core::report::Verdict;
use lane_core::requests::folder_owners::holdings;
use lane_core::snippet::policy_line;
use lane_git::Repository;

/// How many owners below a folder are told.
const SHOWN: usize = 6;

/// Show who may change a path, and which policy line says so
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Paths, as seen from this folder; they need not exist. A folder ends in a slash
    #[arg(required = true, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub paths: Vec<OsString>,
    /// Use this policy
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Only whether you may change all of them now: exit 0 if so, 1 if not, 2 if it could not be decided
    #[arg(long, conflicts_with = "policy")]
    pub mine: bool,
}

/// What the policy says of one path.
#[derive(Debug, Serialize)]
struct Answer {
    path: RepoPath,
    /// `lane`, the area's access, or `unowned`.
    access: &'static str,
    area: Option<String>,
    owners: Vec<String>,
    /// Who looks after the area, where it has a steward.
    steward: Option<String>,
    /// The answer in words.
    message: String,
    policy: Option<PolicyLine>,
    /// Where the policy was read.
    policy_source: String,
}

/// Says who may change paths, and which policy line says so.
///
/// # Errors
/// No repository, no policy, or a path outside of the repository.
pub fn run(args: &Args, output: &Output) -> Outcome {
    if args.mine {
        return show_own_lane(args, output);
    }
    let session = session::open_to_work(output, args.policy.as_deref())?;
    let plan = &session.loaded.plan;
    let answers: Result<Vec<[Option<Answer>; 2]>, Error> = args
        .paths
        .iter()
        .map(|path| {
            let (path, is_folder) = in_repository(&session, Path::new(path))?;
            let (exact, elsewhere) = plan.decide_both(&path.0, is_folder);
            let elsewhere = elsewhere.map(|other| {
                let answer = answer(plan, path.clone(), other);
                let message = format!(
                    "{}; that of the same file where case, Unicode form and a trailing dot are ignored",
                    answer.message
                );
                Answer { message, ..answer }
            });
            let mut answer = answer(plan, path, exact);
            if is_folder && exact.owner.is_none() {
                answer.message.push_str(&owners_below(&session, &answer.path)?);
            }
            Ok([Some(answer), elsewhere])
        })
        .collect();
    let answers: Vec<Answer> = answers?.into_iter().flatten().flatten().collect();
    if output.is_json() {
        output.print_json(&answers)?;
        return Ok(0);
    }
    for answer in &answers {
        let mut text = format!("{}: {}\n", answer.path, answer.message);
        if let Some(line) = &answer.policy {
            text.push_str(&policy_line(line.file_or(&plan.source.name), line, output.color()));
        }
        output.page(&text)?;
    }
    note_policy(&session, output);
    Ok(0)
}

/// Whether whoever asks may change all of some paths now, as the hook of a harness would say before an edit.
fn show_own_lane(args: &Args, output: &Output) -> Outcome {
    // No policy, no answer.
    let session = session::open_to_work(output, None)?;
    let here = Occasion { folder: None, project: None, moment: Moment::Other };
    let tool = edit::Tool::new(&here, None, &session.environment).asked();
    let mut actions = Vec::new();
    for path in &args.paths {
        actions.extend(tool.files_of(&path.to_string_lossy())?);
    }
    let (verdict, text) = match tool.answer(&actions) {
        edit::Answer::Refuse(refusal) => (refusal.verdict, refusal.text),
        edit::Answer::Warn(text) => (Verdict::Pass, text),
        edit::Answer::Pass => (Verdict::Pass, String::new()),
    };
    if output.is_json() {
        output.print_json(&json!({ "verdict": verdict, "message": text.trim_end() }))?;
    } else {
        if !text.is_empty() {
            output.print(&format!("{}\n", text.trim_end()))?;
        }
        if verdict == Verdict::Pass && !output.is_quiet() {
            output.print("you may change all of them\n")?;
        }
    }
    Ok(verdict.exit_code())
}

/// Says which policy was read, where the one in the working tree is another.
pub(in crate::commands) fn note_policy(session: &Session, output: &Output) {
    if let Some(note) = session.policy_note().filter(|_| !output.is_quiet()) {
        crate::cli::output::note(&note);
    }
}

fn answer(plan: &Plan, path: RepoPath, decision: Decision<'_>) -> Answer {
    let owners: Vec<String> = decision.owner_ids().into_iter().map(str::to_owned).collect();
    let (access, message) = match decision.owner {
        Some(Owner::Lane(agent)) => ("lane", format!("{} may change it: it is in their lane", agent.title())),
        Some(Owner::Area(area)) => {
            let name = &area.name.value;
            match area.access.value {
                Access::Owner => {
                    let agents = owners.iter().filter_map(|id| plan.policy.agent(id));
                    let titles: Vec<String> = agents.map(Agent::title).collect();
                    ("owner", format!("only {} may change it (area `{name}`)", titles.join(" and ")))
                }
                Access::Lock => ("lock", format!("the holder of the lock: git lane lock {name}")),
                Access::Coordinate => (
                    "coordinate",
                    format!("anyone whose commit says `Coordinated-with: <agent>` (area `{name}`)"),
                ),
                Access::Shared => ("shared", format!("anyone (area `{name}`)")),
                Access::Open => ("open", format!("anyone (area `{name}`)")),
                Access::Append => (
                    "append",
                    format!("anyone, until it is on the base; then no agent (area `{name}`, for new files)"),
                ),
                Access::Maintainer => ("maintainer", format!("only maintainers, no agent (area `{name}`)")),
                Access::Never => {
                    ("never", format!("nobody: it stays local and is never committed (area `{name}`)"))
                }
            }
        }
        None => {
            let message = match plan.policy.unowned.value {
                Unowned::Allow => "anyone: it is in no lane and no area",
                Unowned::Warn => "anyone, with a warning: it is in no lane and no area",
                Unowned::Deny => "no agent: it is in no lane and no area",
            };
            ("unowned", message.to_owned())
        }
    };
    let steward = decision.area().and_then(|area| area.steward_for(None)).map(str::to_owned);
    let message = match steward.as_ref().and_then(|id| plan.policy.agent(id)) {
        Some(agent) => format!("{message}; its steward is {}", agent.title()),
        None => message,
    };
    let message = match decision.area().map(|area| area.approve.as_slice()) {
        Some(approve @ [_, ..]) => {
            let ids: Vec<&str> = approve.iter().map(|id| id.value.as_str()).collect();
            format!("{message}; a change needs the approval of {}", ids.join(" or "))
        }
        _ => message,
    };
    let message = match decision.area().and_then(Area::limits) {
        Some(limits) => format!("{message}; a change may have at most {limits} there"),
        None => message,
    };
    let span = decision.span.or(plan.policy.unowned.span);
    let area = decision.area().map(|area| area.name.value.clone());
    let policy_source = plan.source.name.clone();
    Answer { path, access, area, owners, steward, message, policy: plan.line(span), policy_source }
}

/// Who has something below a folder that nobody has as a whole.
fn owners_below(session: &Session, folder: &RepoPath) -> Result<String, Error> {
    let files = tracked_below(&session.repo, folder)?;
    let found = holdings(&session.loaded.plan, folder, &files);
    let words = found.iter().take(SHOWN).map(|holding| {
        let more = match holding.paths.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{}{more}: {}", holding.paths[0], holding.whose())
    });
    let mut words: Vec<String> = words.collect();
    if found.len() > SHOWN {
        words.push("and others".to_owned());
    }
    Ok(if words.is_empty() { String::new() } else { format!("; but below it {}", words.join(", ")) })
}

/// A path as the repository has it, from one as this folder has it.
///
/// # Errors
/// It lies outside of the repository, or is all of it.
pub(in crate::commands) fn in_repository(session: &Session, path: &Path) -> Result<(RepoPath, bool), Error> {
    let ends_in_slash = path.as_os_str().as_encoded_bytes().ends_with(b"/");
    let cannot = |error: std::io::Error| {
        Error::usage(format!("the current folder no longer exists: {error}"), "change to another folder")
    };
    let here = std::env::current_dir().map_err(cannot)?;
    let here = std::fs::canonicalize(&here).unwrap_or(here);
    // `:/x`: from the root, as git's commands have it and as reports below the root say it.
    let anchored = path.to_str().and_then(|text| text.strip_prefix(":/")).map(Path::new);
    let (here, path) = match (anchored, &session.repo.layout().worktree) {
        (Some(rest), Some(root)) => (std::fs::canonicalize(root).unwrap_or_else(|_| root.clone()), rest),
        _ => (here, path),
    };
    let absolute = lane_git::join(&here, path);
    let root = match &session.repo.layout().worktree {
        Some(root) => std::fs::canonicalize(root).unwrap_or_else(|_| root.clone()),
        // In a bare repository a path is one from the root of the tree.
        None => here,
    };
    match absolute.strip_prefix(&root) {
        Ok(relative) if relative.as_os_str().is_empty() => {
            Err(Error::usage("the whole repository has no single owner", "name a file or a folder in it"))
        }
        Ok(relative) => {
            let path = RepoPath(relative.as_os_str().as_encoded_bytes().to_vec());
            // What is not there is a folder if only that has an owner.
            let plan = &session.loaded.plan;
            let is_owned = |is_folder| plan.decide(&path.0, is_folder).owner.is_some();
            let is_folder = ends_in_slash
                || absolute.is_dir()
                || !absolute.exists() && !is_owned(false) && is_owned(true);
            Ok((path, is_folder))
        }
        Err(_) => Err(Error::usage(
            format!("{} is outside this repository", path.display()),
            format!("name a path below {}", root.display()),
        )),
    }
}
