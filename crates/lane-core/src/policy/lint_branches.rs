//! Mistakes in how branches of agents are named.

use super::branch_names::{AGENT, BranchNames, PLACEHOLDER, whole, with_group, written};
use super::diagnostic::Diagnostic;
use super::lint::at;
use super::lint_regex;
use super::lint_values::is_branch_name;
use super::model::Branch;
use super::plan::Plan;
use super::source::Spanned;
use crate::content::compile_pattern;

pub(super) fn check(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let Branch { pattern, regex, example, .. } = &plan.policy.branch;
    let before = diagnostics.len();
    match (pattern, regex) {
        (Some(pattern), None) => has_agent(plan, pattern, "pattern", diagnostics),
        (None, Some(regex)) => expression(plan, regex, diagnostics),
        _ => return,
    }
    if let (Some(_), Some(example)) = (regex, example) {
        has_agent(plan, example, "example", diagnostics);
    }
    let (Some(names), Some(said)) = (&plan.branch, plan.policy.branch.names()) else { return };
    if diagnostics.len() > before {
        return;
    }
    if let (Some(regex), Some(example)) = (regex, example)
        && let Some(reason) = wrong_example(plan, names)
    {
        diagnostics.push(
            Diagnostic::error(at(example), reason, "this example")
                .related(at(regex), "by this")
                .help("write a name that matches for each agent; `{agent}` is its id"),
        );
        return;
    }
    let key = if regex.is_some() { "regex" } else { "pattern" };
    for agent in &plan.policy.agents.0 {
        let id = agent.id.value.as_str();
        if let Some(branch) = agent.branch.as_ref().filter(|branch| names.parse(&branch.value) != Some(id)) {
            let message = format!("the branch of `{id}` does not match `branch.{key}`");
            let expected = match regex {
                Some(_) => format!("expected one like {}", names.usual(id)),
                None => format!("expected {}", names.for_agent(id)),
            };
            diagnostics.push(
                Diagnostic::error(at(branch), message, expected).related(at(said), format!("the {key}")),
            );
        }
    }
}

fn has_agent(plan: &Plan, text: &Spanned<String>, key: &str, diagnostics: &mut Vec<Diagnostic>) {
    if plan.branch.as_ref().is_some_and(|names| !names.form().names_agent()) {
        let message = format!("`branch.{key}` has no `{{agent}}`");
        let usual = if key == "pattern" { "feat/{agent}/{feature}" } else { "feat/{agent}/main" };
        diagnostics.push(
            Diagnostic::error(at(text), message, "does not say whose branch it is")
                .help(format!("write for example `{usual}`")),
        );
    }
}

fn expression(plan: &Plan, regex: &Spanned<String>, diagnostics: &mut Vec<Diagnostic>) {
    let text = &regex.value;
    let error = if text.matches(PLACEHOLDER).count() > 1 {
        let message = "`branch.regex` has `{agent}` more than once";
        Some(
            Diagnostic::error(at(regex), message, "whose branch it is must be said in one place")
                .help("write several ways as one group: `(feat|fix)/{agent}/.+`"),
        )
    } else {
        lint_regex::check_as(plan, regex, &with_group(text), |offset| written(text, offset))
    };
    let error = error.or_else(|| {
        let whole = match compile_pattern(&whole(text)) {
            Ok(whole) => whole,
            // Such as a comment that goes on to the end.
            Err(_) => {
                return Some(
                    Diagnostic::error(at(regex), "`branch.regex` cannot be held against whole names", "this")
                        .help("write it without `(?x)`"),
                );
            }
        };
        let has_agent = whole.capture_names().flatten().any(|name| name == AGENT);
        (!has_agent).then(|| {
            Diagnostic::error(at(regex), "`branch.regex` has no `{agent}`", "does not say whose branch it is")
                .help("write for example `(feat|fix)/{agent}/[a-z0-9-]+`, or a group: `(?<agent>[a-z]+)`")
        })
    });
    diagnostics.extend(error);
}

/// What is wrong with the example, for the first agent for whom anything is.
fn wrong_example(plan: &Plan, names: &BranchNames) -> Option<String> {
    let first = plan.policy.agents.0.is_empty().then_some("a1");
    plan.policy.agent_ids().chain(first).find_map(|id| {
        let name = names.usual(id);
        if !is_branch_name(&name) {
            return Some(format!("`{name}` is not a valid branch name"));
        }
        if plan.protected(&name).is_some() {
            return Some(format!("`{name}` is protected"));
        }
        match names.parse(&name) {
            Some(found) if found == id => None,
            Some(found) => {
                Some(format!("`{name}` is a branch of `{found}` by `branch.regex`, not of `{id}`"))
            }
            None => Some(format!("`{name}` does not match `branch.regex`")),
        }
    })
}
