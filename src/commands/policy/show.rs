//! `git lane policy show`

use std::path::Path;

use serde_json::{Value, json};

use super::draft;
use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::cli::session;
use crate::commands::who::note_policy;
use lane_core::error::Error;
use lane_core::policy::origin::{Setting, settings};
use lane_core::policy::{Place, Plan};
use lane_core::text::plain;
use lane_git::GitRepo;

/// Prints the policy in force, or a file, as it is understood; or where each of its values comes from.
///
/// # Errors
/// There is no policy, or it cannot be used.
pub fn run(file: Option<&Path>, origin: bool, output: &Output) -> Outcome {
    let loaded = match file {
        Some(_) => draft(&GitRepo::open(), file)?.0,
        None => {
            let session = session::open(output, None)?;
            note_policy(&session, output);
            session.loaded
        }
    };
    let plan = &loaded.plan;
    if origin {
        let found = settings(plan)?;
        return match output.is_json() {
            true => output.print_json(&as_json(plan, &found)).map(|()| 0),
            false => output.page(&text(plan, &found)).map(|()| 0),
        };
    }
    if output.is_json() {
        output.print_json(&plan.policy)?;
        return Ok(0);
    }
    let text = serde_yaml::to_string(&plan.policy).map_err(|error| {
        Error::write(
            format!("the policy could not be printed: {error}"),
            "please report this as a bug in git-lane",
        )
    })?;
    output.page(&format!("# {}\n{text}", plan.source.name))?;
    Ok(0)
}

/// A line for each value: its place, its keys, and what it is.
fn text(plan: &Plan, found: &[Setting]) -> String {
    // The policy's own file stands in the first line, and is not named again.
    let place = |setting: &Setting| match setting.at.map(|at| plan.source.place(at)) {
        Some(Place { file, line, column }) if file == plan.source.name => format!("{line}:{column}"),
        Some(place) => plain(&place.to_string()),
        None => "default".to_owned(),
    };
    let width = found.iter().map(|setting| place(setting).len()).max().unwrap_or(0);
    let mut out = format!("# {}\n", plain(&plan.source.name));
    for setting in found {
        let value = match &setting.value {
            Value::String(text) => plain(text),
            value => value.to_string(),
        };
        out.push_str(&format!("{:width$}  {}: {value}\n", place(setting), plain(&setting.path)));
    }
    out
}

fn as_json(plan: &Plan, found: &[Setting]) -> Value {
    let setting = |it: &Setting| {
        let place = it.at.map(|at| plan.source.place(at));
        let place = place.map(|it| json!({ "file": it.file, "line": it.line, "column": it.column }));
        json!({ "path": it.path, "value": it.value, "place": place })
    };
    json!({
        "schema": 1, "file": plan.source.name, "settings": found.iter().map(setting).collect::<Vec<_>>(),
    })
}
