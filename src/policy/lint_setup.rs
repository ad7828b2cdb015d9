//! Mistakes in what `git lane setup` is told: variables, instructions, steps.

use std::collections::HashMap;
use std::path::{Component, Path};

use super::diagnostic::Diagnostic;
use super::lint::at;
use super::plan::Plan;
use super::source::Spanned;
use crate::agent_env::{OWN, is_variable, references};

/// All that is wrong with them.
pub(super) fn check(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    variables(plan, diagnostics);
    instructions(plan, diagnostics);
    steps(plan, diagnostics);
}

fn variables(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    for agent in &plan.policy.agents.0 {
        let id = &agent.id.value;
        for (name, value) in &agent.env {
            if !is_variable(name) {
                let said = format!("`{name}`, in the environment of `{id}`, is no name of a variable");
                diagnostics.push(
                    Diagnostic::error(at(value), said, "the value of that name")
                        .help("names have letters, digits and underscores, and begin with no digit"),
                );
            } else if OWN.contains(&name.as_str()) {
                let said = format!("`{name}` of `{id}` is set by git-lane itself");
                diagnostics.push(
                    Diagnostic::error(at(value), said, "not needed")
                        .help("it comes from the agent's id, name, services, ports, database and memory"),
                );
            }
            if value.value.matches("${").count() != references(&value.value).len() {
                let said = format!("a reference in `{name}` of `{id}` has no name of a variable");
                diagnostics.push(
                    Diagnostic::error(at(value), said, "this reference")
                        .help("write `${NAME}`: the variable's name alone, without defaults"),
                );
            }
        }
    }
}

fn instructions(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    for name in &plan.policy.setup.instructions {
        let path = Path::new(&name.value);
        let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)))
            && !path.starts_with(".git")
            && !name.value.ends_with('/')
            && !name.value.contains(['\\', '*', '?', '[', '!', '#', '\n']);
        let is_taken = [".agent.env", super::FILE].contains(&name.value.as_str());
        if !is_plain || is_taken {
            diagnostics.push(
                Diagnostic::error(
                    at(name),
                    format!("`{}` cannot hold instructions", name.value),
                    "this file",
                )
                .help("name a file from the worktree's root, such as `AGENT_FOCUS.md` or `CLAUDE.local.md`"),
            );
        }
    }
}

fn steps(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, &Spanned<String>> = HashMap::new();
    for step in &plan.policy.provision {
        if let Some(first) = seen.insert(&step.name.value, &step.name) {
            diagnostics.push(
                Diagnostic::error(
                    at(&step.name),
                    format!("two steps are named `{}`", step.name.value),
                    "the second",
                )
                .related(at(first), "the first")
                .help("what is done is noted by the step's name: give each its own"),
            );
        }
        if let Some(when) = step.when.as_ref().filter(|when| !is_variable(&when.value)) {
            diagnostics.push(
                Diagnostic::error(
                    at(when),
                    format!("`{}` is no name of a variable", when.value),
                    "this name",
                )
                .help("name the variable that must be set for the step to run, such as `DATABASE_URL`"),
            );
        }
    }
}
