//! Mistakes in branch names, tags and limits.

use super::diagnostic::Diagnostic;
use super::lint::at;
use super::pattern::Pattern;
use super::plan::Plan;

/// All that is wrong with them.
pub(super) fn check(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    branches(plan, diagnostics);
    ref_names(plan, diagnostics);
    tags(plan, diagnostics);
    limits(plan, diagnostics);
}

fn branches(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let (Some(template), Some(pattern)) = (&plan.branch, &plan.policy.branch.pattern) else {
        return;
    };
    if !template.names_agent() {
        diagnostics.push(
            Diagnostic::error(at(pattern), "`branch.pattern` has no `{agent}`", "whose branch is this?")
                .help("write for instance `feat/{agent}/{feature}`"),
        );
        return;
    }
    for agent in &plan.policy.agents.0 {
        if let Some(branch) = &agent.branch
            && template.parse(&branch.value) != Some(agent.id.value.as_str())
        {
            diagnostics.push(
                Diagnostic::error(
                    at(branch),
                    format!("the branch of `{}` does not follow `branch.pattern`", agent.id.value),
                    format!("expected {}", template.for_agent(&agent.id.value)),
                )
                .related(at(pattern), "the pattern"),
            );
        }
    }
}

/// Whether git would take a name for a branch: the part of git-check-ref-format(1) that people trip over.
fn is_branch_name(name: &str) -> bool {
    let is_bad = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    !name.is_empty()
        && !name.contains(is_bad)
        && !name.contains("..")
        && !name.contains("@{")
        && !name.starts_with('-')
        && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
        && !name.ends_with('.')
}

fn ref_names(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let policy = &plan.policy;
    let branches = policy.agents.0.iter().filter_map(|agent| agent.branch.as_ref());
    for name in std::iter::once(&policy.base).chain(branches) {
        if !is_branch_name(&name.value) {
            diagnostics.push(
                Diagnostic::error(
                    at(name),
                    format!("`{}` cannot be a branch's name", name.value),
                    "this name",
                )
                .help("git check-ref-format --branch <name> says what git takes"),
            );
        }
    }
    for glob in &policy.branch.protected {
        if let Err(error) = Pattern::new(&glob.value) {
            diagnostics.push(
                Diagnostic::error(
                    at(glob),
                    format!("`{}`: {}", glob.value, error.reason),
                    "not a usable glob",
                )
                .help(error.help),
            );
        }
    }
}

fn tags(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    for text in &plan.policy.message.tag {
        let Ok(template) = super::template::Template::new(&text.value) else {
            continue; // reported when it was compiled
        };
        let usable = template.names_agent()
            && template.others().next().is_none()
            && (template.is_bracketed() || template.as_trailer().is_some());
        if !usable {
            diagnostics.push(
                Diagnostic::error(at(text), format!("`{}` is no form of a tag", text.value), "this form")
                    .help("write `[{AGENT}]` for the subject, or a trailer: `Agent: {agent}`"),
            );
        }
    }
}

fn limits(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let change = &plan.policy.change;
    if let Some(max) = change.max_lines.as_ref().filter(|max| max.value == 0) {
        diagnostics.push(
            Diagnostic::error(at(max), "`max_lines: 0` lets no change through", "no lines at all?")
                .help("write the most lines that a change may have, or leave `max_lines` away for no limit"),
        );
    }
    if let (Some(max), Some(warn)) = (&change.max_lines, &change.warn_at)
        && warn.value > max.value
    {
        diagnostics.push(
            Diagnostic::error(at(warn), "`warn_at` is above `max_lines`: it would never warn", "too high")
                .related(at(max), "the limit")
                .help("warn below the limit, or leave `warn_at` away"),
        );
    }
}
