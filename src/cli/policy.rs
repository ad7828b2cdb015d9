//! `git lane policy check|show|schema|test`

use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::Policy;
use super::diagnostics;
use super::output::Output;
use super::session::Session;
use super::{Outcome, output::complain};
use crate::engine;
use crate::error::Error;
use crate::gather::{Loaded, Opened, Repository, policy_source};
use crate::policy::cases::{self, Case};
use crate::policy::{self, Diagnostic, FILE, PolicyError};
use crate::report::Report;

/// Runs a command about the policy.
///
/// # Errors
/// The policy cannot be read.
pub fn run(command: &Policy, output: &Output) -> Outcome {
    match command {
        Policy::Check { file } => check(file.as_deref(), output),
        Policy::Show { file } => show(file.as_deref(), output),
        Policy::Schema { report } => {
            output.print_json(&if *report { Report::json_schema() } else { policy::schema() })?;
            Ok(0)
        }
        Policy::Test { file } => test(file.as_deref(), output),
    }
}

/// The policy that somebody is writing: a file, or the worktree's own.
fn draft(file: Option<&Path>) -> Result<(Loaded, PathBuf), Error> {
    let repo = Opened::open();
    let path = match (file, &repo) {
        (Some(path), _) => path.to_owned(),
        (None, Ok(repo)) => match &repo.layout().worktree {
            Some(root) => root.join(FILE),
            None => {
                let loaded = policy_source::find(repo)?;
                return Ok((loaded, PathBuf::from(FILE)));
            }
        },
        (None, Err(_)) => PathBuf::from(FILE),
    };
    let shown = std::env::current_dir().ok().and_then(|here| Some(path.strip_prefix(here).ok()?.to_owned()));
    let path = shown.unwrap_or(path);
    let loaded = policy_source::from_file(repo.as_ref().ok().map(|repo| repo as &dyn Repository), &path)?;
    Ok((loaded, path))
}

fn check(file: Option<&Path>, output: &Output) -> Outcome {
    match draft(file) {
        Ok((loaded, _)) => {
            let policy = &loaded.plan.policy;
            if output.is_json() {
                output.print_json(&json!({ "file": loaded.plan.source.name, "diagnostics": [] }))?;
            } else if !output.is_quiet() {
                let (agents, areas) = (policy.agents.0.len(), policy.areas.len());
                let patterns = loaded.plan.entries().len();
                output.print(&format!(
                    "{}: no mistakes; {agents} agents, {areas} areas, {patterns} patterns\n",
                    loaded.plan.source.name
                ))?;
            }
            Ok(0)
        }
        Err(Error::Policy(error)) => {
            if output.is_json() {
                output.print_json(&as_json(&error))?;
            } else {
                output.print(&diagnostics::render_policy(&error, output.color()))?;
            }
            Ok(2)
        }
        Err(error) => Err(error),
    }
}

fn as_json(error: &PolicyError) -> serde_json::Value {
    let place = |start: usize, len: usize| {
        let (line, column) = error.text.line_column(start);
        let (end_line, end_column) = error.text.line_column(start + len);
        json!({ "line": line, "column": column, "end_line": end_line, "end_column": end_column })
    };
    let diagnostics = error.diagnostics.iter().map(|diagnostic| {
        let Diagnostic { message, span, label, help, related, .. } = diagnostic;
        let (line, column) = error.text.line_column(span.start);
        let related = related
            .as_ref()
            .map(|(span, label)| json!({ "message": label, "place": place(span.start, span.len) }));
        json!({
            "message": message, "line": line, "column": column, "place": place(span.start, span.len),
            "label": label, "help": help, "related": related,
        })
    });
    json!({ "file": error.text.name, "diagnostics": diagnostics.collect::<Vec<_>>() })
}

fn show(file: Option<&Path>, output: &Output) -> Outcome {
    let loaded = match file {
        Some(_) => draft(file)?.0,
        None => Session::open(None)?.loaded,
    };
    if output.is_json() {
        output.print_json(&loaded.plan.policy)?;
        return Ok(0);
    }
    let text = serde_yaml::to_string(&loaded.plan.policy).map_err(|error| {
        Error::write(format!("the policy cannot be printed: {error}"), "please report this")
    })?;
    output.print(&format!("# {}\n{text}", loaded.plan.source.name))?;
    Ok(0)
}

fn test(file: Option<&Path>, output: &Output) -> Outcome {
    let (loaded, path) = draft(file)?;
    let plan = &loaded.plan;
    let mut cases: Vec<(String, Case)> = Vec::new();
    for text in &plan.policy.tests {
        if let Ok(case) = Case::parse(&text.value, &plan.policy) {
            cases.push((text.value.clone(), case));
        }
    }
    let beside = path.with_file_name(cases::FILE);
    match std::fs::read_to_string(&beside) {
        Ok(text) => cases.extend(cases::load(&beside.display().to_string(), &text, &plan.policy)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(Error::usage(
                format!("{} cannot be read: {error}", beside.display()),
                "look at its permissions",
            ));
        }
    }
    if cases.is_empty() {
        return Err(Error::usage(
            "the policy has no tests",
            format!(
                "write sentences under `tests:`, or into {}, such as: a2 may not change services/x/y.py",
                cases::FILE
            ),
        ));
    }
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
            let place = line.map(|line| format!(" ({}:{}: {})", plan.source.name, line.line, line.text));
            let why = why.unwrap_or_else(|| "nothing forbids it".to_owned());
            output.print(&format!("FAILED  {sentence}\n        {why}{}\n", place.unwrap_or_default()))?;
        } else if output.is_verbose() {
            output.print(&format!("ok      {sentence}\n"))?;
        }
    }
    if output.is_json() {
        output.print_json(&results)?;
    } else if failed > 0 {
        complain(&format!(
            "git-lane: {failed} of {} sentences about {} are false\n",
            cases.len(),
            plan.source.name
        ));
    } else if !output.is_quiet() {
        output.print(&format!("{} sentences about {}: all true\n", cases.len(), plan.source.name))?;
    }
    Ok(u8::from(failed > 0))
}
