//! Mistakes that show only when parts of a policy are held against one another.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use super::cases;
use super::diagnostic::Diagnostic;
use super::model::{Access, Agent, Area, Policy};
use super::plan::Plan;
use super::source::{Span, Spanned};
use super::unreachable;
use super::{lint_content, lint_custom, lint_health, lint_metadata, lint_services, lint_setup, lint_values};
use crate::signature::Key;

/// All that is wrong with a compiled policy.
pub fn check(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    agent_ids(plan, diagnostics);
    ports(plan, diagnostics);
    unique_values(plan, diagnostics);
    nested_worktrees(plan, diagnostics);
    services(plan, diagnostics);
    areas(plan, diagnostics);
    proofs(plan, diagnostics);
    lint_services::check(plan, diagnostics);
    lint_health::check(plan, diagnostics);
    lint_setup::check(plan, diagnostics);
    lint_values::check(plan, diagnostics);
    lint_content::check(plan, diagnostics);
    lint_metadata::check(plan, diagnostics);
    lint_custom::check(plan, diagnostics);
    unreachable::check(plan, diagnostics);
    for text in &plan.policy.tests.sentences {
        if let Err(error) = cases::Case::parse(&text.value, &plan.policy) {
            diagnostics.push(Diagnostic::error(at(text), error.reason, "not a test").help(error.help));
        }
    }
}

pub(super) fn at<T>(value: &Spanned<T>) -> Span {
    value.span.unwrap_or_default()
}

/// Whether a text can stand in a branch name, a file name and a message.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && !text.ends_with('.')
        && !text.contains("..")
}

fn agent_ids(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<String, &Agent> = HashMap::new();
    for agent in &plan.policy.agents.0 {
        let id = &agent.id.value;
        if !is_name(id) {
            diagnostics.push(
                Diagnostic::error(at(&agent.id), format!("`{id}` is not a valid agent id"), "this id")
                    .help("use letters, digits, `.`, `_` and `-`, starting with a letter or digit"),
            );
        }
        if let Some(first) = seen.insert(id.to_lowercase(), agent) {
            diagnostics.push(
                Diagnostic::error(
                    at(&agent.id),
                    format!("the ids `{}` and `{id}` differ only in case", first.id.value),
                    "the second",
                )
                .related(at(&first.id), "the first")
                .help("tags are upper case: rename one of them"),
            );
        }
    }
}

fn ports(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let mut ranges: Vec<_> = plan
        .policy
        .agents
        .0
        .iter()
        .filter_map(|agent| agent.ports.as_ref().map(|ports| (ports, agent)))
        .collect();
    ranges.sort_by_key(|(ports, _)| (ports.value.first, ports.value.last));
    for pair in ranges.windows(2) {
        let [(one, first), (two, second)] = [pair[0], pair[1]];
        if one.value.overlaps(two.value) {
            let (one, two, first, second) = if at(one).start < at(two).start {
                (one, two, first, second)
            } else {
                (two, one, second, first)
            };
            diagnostics.push(
                Diagnostic::error(
                    at(two),
                    format!("the ports of `{}` overlap those of `{}`", second.id.value, first.id.value),
                    format!("overlaps {}", one.value),
                )
                .related(at(one), format!("the ports of `{}`", first.id.value))
                .help("give each agent its own range"),
            );
        }
    }
}

fn unique_values(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    type Get = fn(&Agent) -> Option<(String, Span)>;
    let kinds: [(&str, Get); 3] = [
        ("worktree", |agent| {
            let path = agent.worktree.as_ref()?;
            Some((lexical(&path.value), at(path)))
        }),
        ("schema", |agent| {
            let schema = &agent.database.as_ref()?.schema;
            Some((schema.value.clone(), at(schema)))
        }),
        ("branch", |agent| {
            let branch = agent.branch.as_ref()?;
            Some((branch.value.clone(), at(branch)))
        }),
    ];
    for (kind, get) in kinds {
        let mut seen: HashMap<String, (&Agent, Span)> = HashMap::new();
        for agent in &plan.policy.agents.0 {
            let Some((value, span)) = get(agent) else {
                continue;
            };
            if let Some((first, other)) = seen.get(&value) {
                diagnostics.push(
                    Diagnostic::error(
                        span,
                        format!("`{}` and `{}` share the {kind} `{value}`", first.id.value, agent.id.value),
                        format!("the same {kind}"),
                    )
                    .related(*other, format!("the {kind} of `{}`", first.id.value))
                    .help(format!("give each agent its own {kind}")),
                );
            } else {
                seen.insert(value, (agent, span));
            }
        }
    }
}

/// A worktree in another's would show up there as files that nobody added.
fn nested_worktrees(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let place = |agent: &Agent| {
        let path = agent.worktree.as_ref()?;
        Some((PathBuf::from(lexical(&path.value)), at(path)))
    };
    let places: Vec<_> =
        plan.policy.agents.0.iter().filter_map(|agent| Some((&agent.id.value, place(agent)?))).collect();
    for (inner, (path, span)) in &places {
        let holds =
            |outer: &PathBuf| outer != path && !outer.as_os_str().is_empty() && path.starts_with(outer);
        if let Some((outer, (_, other))) = places.iter().find(|(_, (outer, _))| holds(outer)) {
            diagnostics.push(
                Diagnostic::error(
                    *span,
                    format!("the worktree of `{inner}` is inside that of `{outer}`"),
                    "inside another",
                )
                .related(*other, format!("the worktree of `{outer}`"))
                .help("put them side by side, such as `../wt-a1` and `../wt-a2`"),
            );
        }
    }
}

/// `../wt//a1/.` and `../wt/a1` are one folder.
pub(super) fn lexical(path: &str) -> String {
    let mut clean = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean.to_string_lossy().into_owned()
}

fn services(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let policy = &plan.policy;
    if let Some(paths) = &policy.services.paths
        && !paths.value.contains("{service}")
    {
        diagnostics.push(
            Diagnostic::error(at(paths), "`services.paths` has no `{service}`", "no `{service}` here")
                .help("write for example `services/{service}/**`"),
        );
    }
    let mut seen: HashMap<&str, (&Agent, Span)> = HashMap::new();
    for agent in &policy.agents.0 {
        for service in &agent.services {
            if policy.services.paths.is_none() {
                diagnostics.push(
                    Diagnostic::error(
                        at(service),
                        "the policy does not say where services live",
                        "unknown folder",
                    )
                    .help("add `services: { paths: \"services/{service}/**\" }`"),
                );
                return;
            }
            // One agent that has it twice is warned.
            if let Some((first, other)) =
                seen.get(service.value.as_str()).filter(|(first, _)| first.id != agent.id)
            {
                let message = format!(
                    "the service `{}` is in two lanes, `{}` and `{}`",
                    service.value, first.id.value, agent.id.value
                );
                diagnostics.push(
                    Diagnostic::error(at(service), message, "the second")
                        .related(*other, "the first")
                        .help("keep it in one lane, or make it an area with several owners"),
                );
            } else {
                seen.entry(&service.value).or_insert((agent, at(service)));
            }
        }
    }
}

fn areas(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let policy = &plan.policy;
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for area in &policy.areas {
        let name = &area.name;
        if !is_name(&name.value) {
            diagnostics.push(
                Diagnostic::error(
                    at(name),
                    format!("`{}` is not a valid area name", name.value),
                    "this name",
                )
                .help("use letters, digits, `.`, `_` and `-`: the name is used in files and refs"),
            );
        }
        if let Some(first) = seen.insert(&name.value, at(name)) {
            diagnostics.push(
                Diagnostic::error(at(name), format!("two areas are named `{}`", name.value), "the second")
                    .related(first, "the first")
                    .help("locks go by area name: rename one of them"),
            );
        }
        if area.paths.is_empty() {
            diagnostics.push(
                Diagnostic::error(area.span, format!("the area `{}` has no paths", name.value), "no paths")
                    .help("list its patterns under `paths`, or remove the area"),
            );
        }
        owners(policy, area, diagnostics);
        steward(policy, area, diagnostics);
        super::lint_approvals::check(policy, area, diagnostics);
    }
}

/// Owners and `access: owner` belong together, and owners are agents.
fn owners(policy: &Policy, area: &Area, diagnostics: &mut Vec<Diagnostic>) {
    let name = &area.name;
    match (area.access.value == Access::Owner, area.owner.first()) {
        (true, None) => diagnostics.push(
            Diagnostic::error(
                at(&area.access),
                format!("the area `{}` has `access: owner`, but no owner", name.value),
                "whose?",
            )
            .help("add `owner: <agent>`"),
        ),
        (false, Some(owner)) => diagnostics.push(
            Diagnostic::error(
                at(owner),
                format!("the area `{}` has an owner, but not `access: owner`", name.value),
                "has no effect",
            )
            .related(at(&area.access), "this decides")
            .help("write `access: owner`, or remove `owner`"),
        ),
        _ => {}
    }
    for owner in &area.owner {
        if policy.agent(&owner.value).is_none() {
            diagnostics.push(
                Diagnostic::error(
                    at(owner),
                    format!("the owner `{}` is not an agent", owner.value),
                    "unknown agent",
                )
                .help(policy.agent_hint(&owner.value)),
            );
        }
    }
}

/// A steward is an agent, where agents may change the area and none owns it.
fn steward(policy: &Policy, area: &Area, diagnostics: &mut Vec<Diagnostic>) {
    let name = &area.name.value;
    let Some(steward) = &area.steward else {
        if area.access.value == Access::Shared {
            diagnostics.push(
                Diagnostic::error(
                    at(&area.access),
                    format!("the area `{name}` has `access: shared`, but no steward"),
                    "who looks after it?",
                )
                .help("add `steward: <agent>`, or write `access: open`"),
            );
        }
        return;
    };
    if matches!(area.access.value, Access::Owner | Access::Maintainer | Access::Never) {
        let message = format!("the area `{name}` has a steward, but others cannot change it");
        diagnostics.push(
            Diagnostic::error(at(steward), message, "has no effect")
                .related(at(&area.access), "this decides")
                .help("write `access: shared`, or remove `steward`"),
        );
    }
    if policy.agent(&steward.value).is_none() {
        diagnostics.push(
            Diagnostic::error(
                at(steward),
                format!("the steward `{}` is not an agent", steward.value),
                "unknown agent",
            )
            .help(policy.agent_hint(&steward.value)),
        );
    }
}

/// One account or key that stands for two agents proves neither.
fn proofs(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    // Two hosts may have accounts of one name.
    let mut seen: HashMap<(bool, String), (&Agent, Span)> = HashMap::new();
    for agent in &plan.policy.agents.0 {
        let Some(identity) = &agent.identity else {
            continue;
        };
        // GitHub knows no case in names, and a key is the same whatever is said of it.
        let github = identity.github.iter().map(|name| ((false, name.value.to_lowercase()), name));
        let keys = identity.signing_keys.iter();
        let keys = keys.filter_map(|text| Some(((false, Key::parse(&text.value).ok()?.to_string()), text)));
        let here = identity.accounts.iter().map(|proof| ((true, proof.value.to_lowercase()), proof));
        for (proof, same) in github.chain(keys).chain(here).map(|(same, proof)| (proof, same)) {
            if let Some((first, other)) = seen.insert(same, (agent, at(proof))) {
                let message = format!(
                    "`{}` is listed as proof for both `{}` and `{}`",
                    proof.value, first.id.value, agent.id.value
                );
                diagnostics.push(
                    Diagnostic::error(at(proof), message, "the second")
                        .related(other, "the first")
                        .help("give each agent its own account or key"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_folder_in_two_spellings() {
        assert_eq!(lexical("../wt//a1/."), lexical("../wt/x/../a1"));
        assert_ne!(lexical("../wt"), lexical("wt"));
    }

    #[test]
    fn names() {
        assert!(is_name("a1") && is_name("team.x-1"));
        assert!(!is_name("") && !is_name("-a") && !is_name("a b") && !is_name("a/b") && !is_name("a."));
    }
}
