//! `git lane rule [ID]`

use serde_json::json;

use super::Outcome;
use super::args::Rule;
use super::output::Output;
use crate::error::Error;
use crate::policy::nearest;
use crate::rules::{self, RULES, docs};

/// Explains a rule, or lists them all.
///
/// # Errors
/// No such rule.
pub fn run(args: &Rule, output: &Output) -> Outcome {
    if args.markdown {
        output.print(&docs::page())?;
        return Ok(0);
    }
    let Some(id) = &args.id else {
        return list(output);
    };
    let Some(rule) = rules::find(id) else {
        let help = match nearest(id, rules::ids()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`git lane rule` lists them all".to_owned(),
        };
        return Err(Error::usage(format!("there is no rule `{id}`"), help));
    };
    if output.is_json() {
        output.print_json(&described(rule))?;
    } else {
        output.print(&rule.page())?;
    }
    Ok(0)
}

fn list(output: &Output) -> Outcome {
    if output.is_json() {
        let all: Vec<_> = RULES.iter().map(|rule| described(rule)).collect();
        output.print_json(&all)?;
        return Ok(0);
    }
    let width = rules::ids().map(str::len).max().unwrap_or(0);
    for rule in RULES {
        output.print(&format!("{:width$}  {:5}  {}\n", rule.id, rule.level.word(), rule.summary))?;
    }
    output.print("\n`git lane rule ID` says why, and how to get on.\n")?;
    Ok(0)
}

fn described(rule: &rules::Rule) -> serde_json::Value {
    let at: Vec<&str> = rule.at.iter().map(|stage| stage.word()).collect();
    json!({
        "id": rule.id,
        "summary": rule.summary,
        "level": rule.level.word(),
        "at": at,
        "binds_maintainers": rule.binds_maintainers,
        "docs": rule.docs,
    })
}
