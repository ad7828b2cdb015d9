//! `git lane policy check|show|schema|test|diff|try|codeowners`

pub(in crate::commands) mod codeowners;
mod diff;
mod show;
mod trial;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use crate::cli::Outcome;
use crate::cli::diagnostics;
use crate::cli::output::Output;
use crate::cli::output::print_error;
use crate::gather::{LoadedPolicy, inventory, policy_source};
use lane_core::codeowners::Parting;
use lane_core::engine;
use lane_core::error::Error;
use lane_core::facts::Unavailable;
use lane_core::metrics::Metrics;
use lane_core::policy::cases::{self, Case};
use lane_core::policy::difference::Difference;
use lane_core::policy::{self, Diagnostic, FILE, Place, Plan, PolicyError, Source};
use lane_core::report::Report;
use lane_core::trial::Trial;
use lane_git::{GitRepo, Repository, revision};

/// Check, show, test, compare or try a policy, or write CODEOWNERS
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What about it.
    #[command(subcommand)]
    pub command: Policy,
}

/// The commands below it.
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Find all mistakes of a policy
    Check {
        /// The file [default: policy.yaml of this worktree]
        file: Option<PathBuf>,
    },
    /// Print the policy in force, as understood
    Show {
        /// Print this file instead
        file: Option<PathBuf>,
        /// Print where each value comes from: its line and column, or `default`
        #[arg(long)]
        origin: bool,
    },
    /// Print the JSON Schema of the policy, for editors
    Schema {
        /// The schema of the report instead
        #[arg(long, conflicts_with = "metrics")]
        report: bool,
        /// The schema of `git lane report` instead
        #[arg(long)]
        metrics: bool,
        /// The schema of `git lane policy diff` instead
        #[arg(long, conflicts_with_all = ["report", "metrics"])]
        diff: bool,
        /// The schema of `git lane policy try` instead
        #[arg(long = "try", conflicts_with_all = ["report", "metrics", "diff"])]
        trial: bool,
    },
    /// Show what two policies say differently: who may change which files, agents, rules, limits
    Diff(diff::Args),
    /// Show which of the changes that were merged last a policy would refuse, and why
    Try(trial::Args),
    /// Write a CODEOWNERS file that says what the policy says
    Codeowners(codeowners::Args),
    /// Run the tests under `tests:`, and those in policy.tests.yaml
    Test {
        /// The file [default: policy.yaml of this worktree]
        file: Option<PathBuf>,
    },
}

/// Runs a command about the policy.
///
/// # Errors
/// The policy cannot be read.
pub fn run(args: &Args, output: &Output) -> Outcome {
    match &args.command {
        Policy::Check { file } => check(file.as_deref(), output),
        Policy::Show { file, origin } => show::run(file.as_deref(), *origin, output),
        Policy::Schema { report, metrics, diff, trial } => {
            output.print_json(&match (report, metrics, diff, trial) {
                (true, ..) => Report::json_schema(),
                (_, true, ..) => Metrics::json_schema(),
                (_, _, true, _) => Difference::json_schema(),
                (.., true) => Trial::json_schema(),
                _ => policy::schema(),
            })?;
            Ok(0)
        }
        Policy::Test { file } => test(file.as_deref(), output),
        Policy::Diff(args) => diff::run(args, output),
        Policy::Try(args) => trial::run(args, output),
        Policy::Codeowners(args) => codeowners::run(args, output),
    }
}

/// A policy without mistakes.
struct PolicyCheck {
    loaded: LoadedPolicy,
    path: PathBuf,
    /// What of it matches nothing in the repository.
    warnings: Vec<Diagnostic>,
    /// Why that could not be looked for.
    doubt: Option<Error>,
    /// Where CODEOWNERS gives files to others.
    codeowners: Option<(String, Vec<Parting>)>,
}

/// The policy that somebody is writing: a file, or the worktree's own; held against the repository.
fn check_policy(file: Option<&Path>) -> Result<PolicyCheck, Error> {
    let repo = GitRepo::open();
    let (loaded, path) = draft(&repo, file)?;
    // A file that is tried elsewhere is about another repository.
    let is_ours = file.is_none() || repo.as_ref().is_ok_and(|repo| is_inside(repo, &path));
    let found = match &repo {
        Ok(repo) if is_ours => inventory(repo, loaded.base.as_ref()).map(Some),
        _ => Ok(None),
    };
    let mut codeowners = None;
    if let Ok(Some(inventory)) = &found {
        let diagnostics = policy::missing_files(&loaded.plan, inventory);
        if !diagnostics.is_empty() {
            return Err(PolicyError { text: Box::new(loaded.plan.source), diagnostics }.into());
        }
    }
    let (warnings, doubt) = match found {
        Ok(Some(inventory)) => {
            let mut doubt = None;
            if let Ok(repo) = &repo {
                match codeowners::held_against(repo, &loaded.plan, &inventory) {
                    Ok(held) => codeowners = held,
                    Err(why) => doubt = Some(why),
                }
            }
            (policy::warnings(&loaded.plan, &inventory), doubt)
        }
        Ok(None) => (policy::repeated_services(&loaded.plan), None),
        Err(why) => (policy::repeated_services(&loaded.plan), Some(why.into())),
    };
    Ok(PolicyCheck { loaded, path, warnings, doubt, codeowners })
}

fn is_inside(repo: &GitRepo, path: &Path) -> bool {
    let root = repo.layout().worktree.as_ref().and_then(|root| root.canonicalize().ok());
    root.is_some_and(|root| path.canonicalize().is_ok_and(|path| path.starts_with(root)))
}

/// The policy that is named: a file, or one in a commit as `main:policy.yaml`; without a name the worktree's own.
fn named(repo: &GitRepo, name: Option<&str>) -> Result<LoadedPolicy, Error> {
    let Some(name) = name else {
        return Ok(draft_in(Some(repo), None)?.0);
    };
    // Where there is such a file, it is meant.
    if let Some((revision, path)) = name.split_once(':')
        && !Path::new(name).exists()
    {
        let commit = revision::resolve(repo, if revision.is_empty() { "HEAD" } else { revision })?;
        return policy_source::from_commit(repo, commit, if path.is_empty() { FILE } else { path }, name);
    }
    Ok(draft_in(Some(repo), Some(Path::new(name)))?.0)
}

/// The policy that somebody is writing: a file, or the worktree's own.
fn draft(repo: &Result<GitRepo, Unavailable>, file: Option<&Path>) -> Result<(LoadedPolicy, PathBuf), Error> {
    draft_in(repo.as_ref().ok(), file)
}

fn draft_in(repo: Option<&GitRepo>, file: Option<&Path>) -> Result<(LoadedPolicy, PathBuf), Error> {
    let path = match (file, repo) {
        (Some(path), _) => path.to_owned(),
        (None, Some(repo)) => match &repo.layout().worktree {
            Some(root) => root.join(FILE),
            None => {
                let loaded = policy_source::find(repo)?;
                return Ok((loaded, PathBuf::from(FILE)));
            }
        },
        (None, None) => PathBuf::from(FILE),
    };
    let shown = std::env::current_dir().ok().and_then(|here| Some(path.strip_prefix(here).ok()?.to_owned()));
    let path = shown.unwrap_or(path);
    let loaded = policy_source::from_file(repo.map(|repo| repo as &dyn Repository), &path)?;
    Ok((loaded, path))
}

fn check(file: Option<&Path>, output: &Output) -> Outcome {
    match check_policy(file) {
        Ok(PolicyCheck { loaded, warnings, doubt, codeowners, .. }) => {
            let code = doubt.as_ref().map_or(0, |error| output.error(error));
            let Plan { policy, source, .. } = &loaded.plan;
            if output.is_json() {
                output.print_json(&json!({
                    "file": source.name, "diagnostics": [], "warnings": as_json(source, &warnings),
                    "unchecked": doubt.map(|error| error.to_string()),
                    "codeowners": codeowners::as_json(codeowners.as_ref()),
                }))?;
                return Ok(code);
            }
            if !output.is_quiet() {
                output.print(&diagnostics::render_warnings(source, &warnings, output.color()))?;
                if let Some((place, partings)) = &codeowners {
                    codeowners::warn_of(place, partings);
                }
                let warned = match warnings.len() + usize::from(codeowners.is_some()) {
                    0 => String::new(),
                    count => format!("; {}", counted(count, "warning")),
                };
                let unchecked =
                    if code == 0 { "" } else { "; the files of the repository could not be checked" };
                output.print(&format!(
                    "{}: no mistakes; {}, {}, {}{warned}{unchecked}\n",
                    source.title(),
                    counted(policy.agents.0.len(), "agent"),
                    counted(policy.areas.len(), "area"),
                    counted(loaded.plan.entries().iter().filter(|it| !it.is_of_policy).count(), "pattern"),
                ))?;
            }
            Ok(code)
        }
        Err(error) => {
            let Some(error) = error.policy() else { return Err(error) };
            if output.is_json() {
                let diagnostics = as_json(&error.text, &error.diagnostics);
                output.print_json(
                    &json!({ "file": error.text.name, "diagnostics": diagnostics, "warnings": [] }),
                )?;
            } else {
                output.page(&diagnostics::render_policy(error, output.color()))?;
            }
            Ok(2)
        }
    }
}

/// `1 agent`, `2 agents`.
pub(in crate::commands) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Diagnostics for programs.
pub(in crate::commands) fn as_json(text: &Source, diagnostics: &[Diagnostic]) -> Vec<serde_json::Value> {
    let place = |start: usize, len: usize| {
        let (from, to) = (text.place(start), text.place(start + len));
        json!({
            "file": from.file, "line": from.line, "column": from.column, "end_line": to.line, "end_column": to.column
        })
    };
    let diagnostics = diagnostics.iter().map(|diagnostic| {
        let Diagnostic { message, span, label, help, related, .. } = diagnostic;
        let Place { file, line, column } = text.place(span.start);
        let related = related
            .as_ref()
            .map(|(span, label)| json!({ "message": label, "place": place(span.start, span.len) }));
        json!({
            "message": message, "file": file, "line": line, "column": column, "place": place(span.start, span.len),
            "label": label, "help": help, "related": related,
        })
    });
    diagnostics.collect()
}

/// The sentences of a policy, and those in the file beside it.
fn cases_of(plan: &Plan, path: &Path) -> Result<Vec<(String, Case)>, Error> {
    let mut cases: Vec<(String, Case)> = Vec::new();
    for text in &plan.policy.tests.sentences {
        if let Ok(case) = Case::parse(&text.value, &plan.policy) {
            cases.push((text.value.clone(), case));
        }
    }
    let beside = path.with_file_name(cases::FILE);
    match std::fs::read_to_string(&beside) {
        Ok(text) => {
            let more = cases::load(&beside.display().to_string(), &text, &plan.policy)?;
            cases.extend(more.into_iter().map(|(sentence, case)| (sentence.value, case)));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(Error::usage(
                format!("{} cannot be read: {error}", beside.display()),
                "check its permissions",
            ));
        }
    }
    if cases.is_empty() {
        return Err(Error::usage(
            "the policy has no tests",
            format!(
                "add sentences under `tests:`, or in {}, such as: a2 may not change services/x/y.py",
                cases::FILE
            ),
        ));
    }
    Ok(cases)
}

fn test(file: Option<&Path>, output: &Output) -> Outcome {
    let PolicyCheck { loaded, path, warnings, doubt, .. } = check_policy(file)?;
    let unchecked = doubt.map_or(0, |error| output.error(&error));
    let plan = &loaded.plan;
    if !output.is_quiet() {
        print_error(&diagnostics::render_warnings(&plan.source, &warnings, output.error_color()));
    }
    let cases = cases_of(plan, &path)?;
    let mut failed = 0;
    let mut results = Vec::new();
    for (sentence, case) in &cases {
        let (holds, findings) = engine::try_case(plan, case);
        failed += usize::from(!holds);
        let why = findings.first().map(|finding| format!("{}: {}", finding.rule, finding.message));
        if output.is_json() {
            results.push(json!({ "test": sentence, "passed": holds, "because": why }));
        } else if !holds {
            let line = findings.first().and_then(|finding| finding.policy.clone());
            let line = line.or_else(|| plan.line(plan.decide(case.path.as_bytes(), false).span));
            let place = line
                .map(|line| format!(" ({}:{}: {})", line.file_or(&plan.source.name), line.line, line.text));
            let why = why.unwrap_or_else(|| "nothing forbids it".to_owned());
            output.print(&format!("FAILED  {sentence}\n        {why}{}\n", place.unwrap_or_default()))?;
        } else if output.is_verbose() {
            output.print(&format!("ok      {sentence}\n"))?;
        }
    }
    if output.is_json() {
        output.print_json(&results)?;
    } else if failed > 0 {
        print_error(&format!(
            "error: {failed} of {} about {} {} false\n",
            counted(cases.len(), "sentence"),
            plan.source.name,
            if failed == 1 { "is" } else { "are" }
        ));
    } else if !output.is_quiet() {
        output.print(&format!(
            "{} about {}: all true\n",
            counted(cases.len(), "sentence"),
            plan.source.name
        ))?;
    }
    Ok(if failed > 0 { 1 } else { unchecked })
}
