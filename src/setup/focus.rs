//! What an agent has to know: the text of `AGENT_FOCUS.md`.

use lane_core::agent_env::limit_name;
use lane_core::policy::model::{Access, Agent, Merges, Policy, Presence};
use lane_core::policy::template::Template;
use lane_core::policy::{Plan, Spanned};
use lane_core::requests::rights::approvers_in_words;

fn code(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ")
}

fn values(items: &[Spanned<String>]) -> Vec<String> {
    items.iter().map(|item| item.value.clone()).collect()
}

/// The instructions of an agent, as Markdown.
pub(super) fn text(plan: &Plan, agent: &Agent, branch: &str) -> String {
    let sections = [
        head(agent, branch),
        own_paths(plan, agent),
        foreign_paths(plan, agent),
        resources(agent),
        habits(plan, agent),
        commands(plan, agent),
    ];
    let sections = sections.into_iter().filter(|section| !section.is_empty());
    format!("{}\n", sections.collect::<Vec<_>>().join("\n\n"))
}

fn head(agent: &Agent, branch: &str) -> String {
    let focus =
        agent.focus.as_ref().map(|focus| format!("\n\n**Focus**: {}.", focus.value.trim_end_matches('.')));
    format!(
        "# You are {}\n\nWritten by `git lane setup` from the policy; never commit it. This worktree is yours, on `{branch}` and branches like it.{}",
        agent.title(),
        focus.unwrap_or_default()
    )
}

fn own_paths(plan: &Plan, agent: &Agent) -> String {
    let mut lines = Vec::new();
    if !agent.services.is_empty() {
        let places = plan.policy.services.paths.as_ref().map(|paths| {
            let place = |service: String| paths.value.replace("{service}", &service);
            format!(" ({})", code(values(&agent.services).into_iter().map(place)))
        });
        lines.push(format!("- services {}{}", code(values(&agent.services)), places.unwrap_or_default()));
    }
    if !agent.owns.is_empty() {
        lines.push(format!("- the paths {}", code(values(&agent.owns))));
    }
    for area in plan.policy.areas.iter().filter(|area| area.access.value == Access::Owner) {
        if area.owner.iter().any(|owner| owner.value == agent.id.value) {
            lines.push(format!("- {} (area `{}`)", code(values(&area.paths)), area.name.value));
        }
    }
    if lines.is_empty() { String::new() } else { format!("## Your lane\n\n{}", lines.join("\n")) }
}

fn foreign_paths(plan: &Plan, agent: &Agent) -> String {
    let mut lines = Vec::new();
    for area in &plan.policy.areas {
        let (name, paths) = (&area.name.value, code(values(&area.paths)));
        lines.push(match area.access.value {
            Access::Lock => {
                format!("- {paths} (area `{name}`): take the lock first, `git lane lock {name}`; release it afterwards, `git lane unlock {name}`")
            }
            Access::Coordinate => {
                format!("- {paths} (area `{name}`): ask, then add the trailer to the commit: `Coordinated-with: <agent>`")
            }
            Access::Owner if area.owner.iter().any(|owner| owner.value == agent.id.value) => continue,
            Access::Owner => {
                let owners = values(&area.owner).join(" and ");
                format!(
                    "- {paths} (area `{name}`): only {owners}; ask for the change, \
                     `git lane request submit --area {name} --reason '…'`"
                )
            }
            Access::Append => {
                format!("- {paths} (area `{name}`): add files; what is on the base is not changed or removed")
            }
            Access::Maintainer => format!("- {paths} (area `{name}`): maintainers only"),
            Access::Never => format!("- {paths} (area `{name}`): local, never committed"),
            Access::Shared => {
                let steward = area.steward_for(Some(&agent.id.value)).unwrap_or("you");
                format!(
                    "- {paths} (area `{name}`): shared; its steward is {steward}: ask about larger changes, \
                     `git lane request submit --area {name} --reason '…'`"
                )
            }
            Access::Open => continue,
        });
    }
    for other in plan.policy.agents.0.iter().filter(|other| other.id.value != agent.id.value) {
        let lane = code(values(&other.services).into_iter().chain(values(&other.owns)));
        if !lane.is_empty() {
            lines.push(format!("- the lane of {}: {lane}", other.title()));
        }
    }
    if lines.is_empty() {
        String::new()
    } else {
        format!("## Not yours, or not without asking\n\n{}", lines.join("\n"))
    }
}

fn resources(agent: &Agent) -> String {
    let mut lines = Vec::new();
    if let Some(ports) = &agent.ports {
        lines.push(format!(
            "- ports {} (`$PORT_RANGE`, from `$PORT_OFFSET`); `git lane port SERVICE` prints a stable port for a service",
            ports.value
        ));
    }
    if let Some(database) = &agent.database {
        lines.push(format!(
            "- the database schema `{}` (`$DB_SCHEMA`); `$DATABASE_URL` uses it first",
            database.schema.value
        ));
    }
    if let Some(memory) = &agent.memory {
        lines.push(format!("- memory {}; `git lane run -- COMMAND` enforces it", memory.value));
    }
    for (name, limit) in &agent.limits {
        lines.push(format!("- {name} {} (`${}`)", limit.value, limit_name(name)));
    }
    if !agent.env.is_empty() {
        lines.push(format!("- variables {}", code(agent.env.keys().cloned())));
    }
    if lines.is_empty() { String::new() } else { format!("## Your resources\n\n{}", lines.join("\n")) }
}

fn habits(plan: &Plan, agent: &Agent) -> String {
    let (policy, id) = (&plan.policy, &agent.id.value);
    let mut lines = Vec::new();
    let filled = |text: &str| Template::new(text).map_or_else(|_| text.to_owned(), |form| form.for_agent(id));
    if let Some(names) = &plan.branch {
        let name = names.for_agent(id);
        lines.push(match names.regex() {
            Some(regex) => format!("- branches match `{regex}`: `{name}`"),
            None => format!("- branches: `{name}`"),
        });
    }
    if !policy.message.tag.is_empty() {
        let forms = policy.message.tag.iter().map(|form| format!("`{}`", filled(&form.value)));
        let forms = forms.collect::<Vec<_>>().join(" or ");
        lines.push(format!("- messages have {forms}; the hook adds it"));
    }
    lines.extend(messages(policy));
    if let Some(max) = &policy.change.max_lines {
        lines.push(format!("- changes have at most {} lines, added and deleted", max.value));
    }
    for area in &policy.areas {
        if let Some(limits) = area.limits() {
            lines.push(format!("- changes have at most {limits} in the area `{}`", area.name.value));
        }
    }
    for area in policy.areas.iter().filter(|area| !area.approve.is_empty() && area.is_changed_by(id)) {
        let (name, who) = (&area.name.value, approvers_in_words(plan, area, id));
        lines.push(format!(
            "- changes in the area `{name}` need the approval of {who}: `git lane request submit --area {name} --reason '…'`"
        ));
    }
    if policy.history.merges.value == Merges::Deny {
        lines.push("- rebase, don't merge".to_owned());
    }
    if let Some(age) = &policy.history.max_age {
        lines.push(format!("- rebase at least every {}", age.value));
    }
    if lines.is_empty() { String::new() } else { format!("## How to work here\n\n{}", lines.join("\n")) }
}

/// What messages have besides the tag.
fn messages(policy: &Policy) -> Vec<String> {
    let message = &policy.message;
    let mut lines = Vec::new();
    if !message.types.is_empty() {
        lines.push(format!("- subjects start with `<type>: `, of {}", code(values(&message.types))));
    }
    if let Some(pattern) = &message.pattern {
        let example = message.example.as_ref().map(|example| format!(", such as `{}`", example.value));
        lines.push(format!("- subjects match `{}`{}", pattern.value, example.unwrap_or_default()));
    }
    if !message.forbid.is_empty() {
        lines.push(format!("- messages have nothing that matches {}", code(values(&message.forbid))));
    }
    if let Some(max) = &message.subject_max {
        lines.push(format!("- subjects have at most {} characters", max.value));
    }
    if message.body.value == Presence::Required {
        lines.push("- messages say below the subject why".to_owned());
    }
    if message.sign_off.value == Presence::Required {
        lines.push("- commits are signed off: `git commit -s`".to_owned());
    }
    lines
}

fn commands(plan: &Plan, agent: &Agent) -> String {
    let lock = plan.policy.areas.iter().find(|area| area.access.value == Access::Lock);
    let mut lines = vec![
        format!("eval \"$(git lane env {})\"   # your environment; or: . ./.agent.env", agent.id.value),
        "git lane who PATH             # may I change this?".to_owned(),
        "git lane check                # judge before a hook does".to_owned(),
    ];
    if let Some(area) = lock {
        let name = &area.name.value;
        lines.push(format!("git lane lock {name} --reason '…' && … && git lane unlock {name}"));
        lines.push("git lane locks                # who holds what, and until when".to_owned());
    }
    if plan.policy.agents.0.len() > 1 {
        lines.push("git lane request submit PATH --reason '…'   # ask its owner for a change".to_owned());
        lines.push("git lane request list         # requests to you, and yours".to_owned());
    }
    lines.push(format!("git lane sync                 # rebases on {}", plan.policy.base.value));
    lines.push("git lane push                 # pushes, and renews your locks".to_owned());
    lines.push("git lane pr                   # opens the pull request, tagged".to_owned());
    format!("## Daily commands\n\n```sh\n{}\n```", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn the_guides_second_agent() {
        let plan = crate::testing::plan(include_str!("../../policy.yaml"));
        let agent = plan.policy.agent("a2").expect("an agent");
        insta::assert_snapshot!(text(&plan, agent, "feat/a2/main"));
    }
}
