//! Mistakes in what `git lane setup` is told: variables, instructions, steps.

use std::collections::HashMap;
use std::path::{Component, Path};

use super::diagnostic::Diagnostic;
use super::lint::at;
use super::plan::Plan;
use super::source::Spanned;
use crate::agent_env::{OWN, cycle, is_variable, limit_name, references};
use crate::codeowners::is_owner;

/// All that is wrong with them.
pub(super) fn check(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    schemas(plan, diagnostics);
    variables(plan, diagnostics);
    limits(plan, diagnostics);
    instructions(plan, diagnostics);
    steps(plan, diagnostics);
    webhook(plan, diagnostics);
    code_owners(plan, diagnostics);
}

/// Whoever stands for an agent in CODEOWNERS is written as the hosts read it.
fn code_owners(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    for agent in &plan.policy.agents.0 {
        for owner in agent.owner.iter().filter(|owner| !is_owner(&owner.value)) {
            let said = format!("`{}` is not an owner as CODEOWNERS has them", owner.value);
            let mut error = Diagnostic::error(at(owner), said, "not an owner")
                .help("write `@user`, `@org/team`, or an e-mail address");
            if plan.policy.agent(&owner.value).is_some() {
                error = error.help("`owner` says who stands for the agent on the host, such as `@org/team`");
            } else if is_owner(&format!("@{}", owner.value)) {
                error = error.help(format!("did you mean `@{}`?", owner.value));
            }
            diagnostics.push(error);
        }
    }
}

/// The message does not quote what stands there: the address itself is the secret.
fn webhook(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let Some(webhook) = plan.policy.notify.webhook.as_ref().filter(|one| references(&one.value).is_empty())
    else {
        return;
    };
    diagnostics.push(
        Diagnostic::error(at(webhook), "`notify.webhook` has the secret address in it", "this address").help(
            "take it from a variable: `webhook: ${SLACK_WEBHOOK_URL}`; if it was pushed, have Slack issue a new one",
        ),
    );
}

fn variables(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    for told in &plan.policy.identity.harness {
        let name = told.value.strip_prefix('!').unwrap_or(&told.value);
        if !is_variable(name) {
            let said = format!("`{name}` is not a valid variable name");
            diagnostics.push(Diagnostic::error(at(told), said, "this name").help(
                "name a variable that the harness sets, such as `MY_AGENT`; `!NAME` removes a known one",
            ));
        }
    }
    for agent in &plan.policy.agents.0 {
        let id = &agent.id.value;
        for (name, value) in &agent.env {
            if !is_variable(name) {
                let said = format!("`{name}`, in the environment of `{id}`, is not a valid variable name");
                diagnostics.push(
                    Diagnostic::error(at(value), said, "the value of that name")
                        .help("use letters, digits and underscores, not starting with a digit"),
                );
            } else if OWN.contains(&name.as_str())
                || agent.limits.keys().any(|limit| limit_name(limit) == *name)
            {
                let said = format!("`{name}` of `{id}` is set by git-lane itself");
                diagnostics.push(Diagnostic::error(at(value), said, "not needed").help(
                    "it is derived from the agent's id, name, services, ports, database, memory and limits",
                ));
            }
            if value.value.matches("${").count() != references(&value.value).len() {
                let said = format!("a reference in `{name}` of `{id}` has no variable name");
                diagnostics.push(
                    Diagnostic::error(at(value), said, "this reference")
                        .help("write `${NAME}`: only the variable name, without a default"),
                );
            }
        }
        let round = cycle(agent);
        if let Some(first) = round.first().and_then(|name| agent.env.get(*name)) {
            let next = round.iter().skip(1).chain(round.first());
            let needs: Vec<String> =
                round.iter().zip(next).map(|(name, next)| format!("{name} refers to {next}")).collect();
            let said = format!("`{}` of `{id}` refers to itself: {}", round[0], needs.join(", "));
            diagnostics.push(
                Diagnostic::error(at(first), said, "circular reference")
                    .help("write one of them without the others"),
            );
        }
    }
}

/// Names that mean one schema whether they are quoted in SQL or not, of at most 63 bytes:
/// <https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>.
fn schemas(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    for schema in plan.policy.agents.0.iter().filter_map(|agent| Some(&agent.database.as_ref()?.schema)) {
        let name = &schema.value;
        let is_plain = name.len() <= 63
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        // What begins so is the system's own.
        if !is_plain || name.starts_with("pg_") {
            diagnostics.push(
                Diagnostic::error(at(schema), format!("`{name}` is not a valid schema name"), "this name")
                    .help(
                        "use lower-case letters, digits and underscores, at most 63, not starting with a digit or `pg_`: PostgreSQL folds unquoted names to lower case",
                    ),
            );
        }
    }
}

fn limits(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    for agent in &plan.policy.agents.0 {
        let mut seen: HashMap<String, (&str, &Spanned<u64>)> = HashMap::new();
        for (name, value) in &agent.limits {
            if let Some((first, other)) = seen.insert(limit_name(name), (name, value)) {
                let (id, variable) = (&agent.id.value, limit_name(name));
                let said = format!("the limits `{first}` and `{name}` of `{id}` would both be `{variable}`");
                diagnostics.push(
                    Diagnostic::error(at(value), said, "the second")
                        .related(at(other), "the first")
                        .help("rename one of them"),
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
    let mut logs: HashMap<String, &Spanned<String>> = HashMap::new();
    for step in &plan.policy.provision {
        if let Some(first) = seen.insert(&step.name.value, &step.name) {
            diagnostics.push(
                Diagnostic::error(
                    at(&step.name),
                    format!("two steps are named `{}`", step.name.value),
                    "the second",
                )
                .related(at(first), "the first")
                .help("progress is recorded by step name: give each step its own"),
            );
        } else if let Some(first) = logs.insert(log_name(&step.name.value).to_lowercase(), &step.name) {
            diagnostics.push(
                Diagnostic::error(
                    at(&step.name),
                    format!("the steps `{}` and `{}` share a log", first.value, step.name.value),
                    "the second",
                )
                .related(at(first), "the first")
                .help("log names keep only letters, digits, `.`, `_` and `-`; rename one of them"),
            );
        }
        if let Some(when) = step.when.as_ref().filter(|when| !is_variable(&when.value)) {
            diagnostics.push(
                Diagnostic::error(
                    at(when),
                    format!("`{}` is not a valid variable name", when.value),
                    "this name",
                )
                .help("name the variable that must be set for the step to run, such as `DATABASE_URL`"),
            );
        }
    }
}

/// The name of the file with a step's log, below `lane/logs/<agent>`.
pub fn log_name(step: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = step.chars().map(letter).collect();
    format!("{}.log", name.trim_start_matches('.'))
}
