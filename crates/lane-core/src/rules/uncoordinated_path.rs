//! `uncoordinated-path`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{CommitForm, Message, Stage, Unavailable};
use crate::policy::model::{Access, Area, Level};

pub static RULE: Rule = Rule {
    id: "uncoordinated-path",
    summary: "a change under `access: coordinate` without a `Coordinated-with` trailer",
    docs: "\
## What it finds
A commit that changes an area with `access: coordinate` and whose message has no trailer
`Coordinated-with: <agent>` naming another agent of the policy, or a maintainer.
Before an edit it is a warning at most: there is no message yet.

## Why
Files such as `requirements.txt` and deployment charts affect everybody at once. Whoever changes them
should have told the others, and the commit should say whom.

## Example
Agent `a2` adds a line to `requirements.txt` and commits it without a word to the others.

## How to get on
Talk to the agents whom it concerns, then say so in the message:
`git commit --amend --trailer 'Coordinated-with: a1'`.
",
    level: Level::Warn,
    at: &[Stage::Edit, Stage::CommitMsg, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: false,
    needs: &[Need::Files, Need::Messages],
    is_wanted: |plan| plan.has_area(Access::Coordinate),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let at_commit = context.facts.event.stages() == [Stage::CommitMsg];
    if at_commit && is_coordinated(context, context.facts.message.get()?) {
        return Ok(());
    }
    for touched in context.touched()? {
        let Some(area) = touched.decision.area() else {
            continue;
        };
        if area.access.value != Access::Coordinate {
            continue;
        }
        let (among, trailer) = whom(context, area);
        if context.facts.form == CommitForm::Edit {
            // There is no message yet that could say so.
            let help = format!(
                "tell the agents it concerns{among}, and name them in the commit: git commit {trailer}"
            );
            let headline = format!("in the area `{}`, which is to be coordinated", area.name.value);
            let draft = Draft { headline, help, at_most: Some(Level::Warn), ..Draft::default() };
            context.path_finding(touched, draft, findings);
            continue;
        }
        let headline = format!("in the area `{}`, without a Coordinated-with trailer", area.name.value);
        if at_commit {
            if touched.in_staged {
                let help = help_at_commit(context, &among, &trailer);
                context.path_finding(touched, Draft { headline, help, ..Draft::default() }, findings);
            }
            continue;
        }
        let silent = touched.commits.iter().find(|commit| !is_coordinated(context, &commit.message));
        if silent.is_none() && !touched.commits.is_empty() {
            continue;
        }
        // No commit of its own: a merge put the path back, and nobody said a word about it.
        let commit = silent.map(|commit| commit.oid);
        findings.add(Draft {
            path: Some(touched.path.clone()),
            commit,
            commits: commit.into_iter().collect(),
            span: touched.decision.span,
            headline,
            help: format!(
                "tell the agents it concerns{among}, then add the trailer: {}",
                context.reword(
                    &format!("git commit --amend --no-edit {trailer}"),
                    "`reword` it in: git rebase -i"
                )
            ),
            ..Draft::default()
        });
    }
    Ok(())
}

/// Whom to tell, in words, and the trailer that names them: the steward of the area, where it has one.
fn whom(context: &Context<'_>, area: &Area) -> (String, String) {
    let trailer = |name: &str| format!("--trailer 'Coordinated-with: {name}'");
    match area.steward_for(context.agent()) {
        Some(steward) => (format!(" (its steward is {steward})"), trailer(steward)),
        None => (others(context), trailer(&somebody(context))),
    }
}

/// A warning lets the commit go through: then it is there to be amended.
fn help_at_commit(context: &Context<'_>, among: &str, trailer: &str) -> String {
    match RULE.level_in(context.plan) {
        Level::Warn | Level::Observe => format!(
            "tell the agents it concerns{among}, then add the trailer: git commit --amend --no-edit --only {trailer}"
        ),
        _ => format!("tell the agents it concerns{among}, then commit again with {trailer}"),
    }
}

/// Who may be named, but for whoever commits: agents, or the maintainers where there are no others.
fn candidates<'c>(context: &'c Context<'_>) -> Vec<&'c str> {
    let agents = context.plan.policy.agent_ids().filter(|id| Some(*id) != context.agent());
    agents.collect()
}

/// Whom a trailer names: the only one there is, or a place for a name.
fn somebody(context: &Context<'_>) -> String {
    match candidates(context).as_slice() {
        [] => "maintainer".to_owned(),
        [one] => (*one).to_owned(),
        _ => "AGENT".to_owned(),
    }
}

/// Who may be named, in words, where there is a choice.
fn others(context: &Context<'_>) -> String {
    const MOST: usize = 12;
    let all = candidates(context);
    let shown = &all[..all.len().min(MOST)];
    match shown {
        [] | [_] => String::new(),
        shown if all.len() > shown.len() => format!(" (one of {}, …)", shown.join(", ")),
        shown => format!(" (one of {})", shown.join(", ")),
    }
}

fn is_coordinated(context: &Context<'_>, message: &Message) -> bool {
    let policy = &context.plan.policy;
    message.trailer("Coordinated-with").into_iter().any(|value| {
        let is_other = policy.agent(&value).is_some() && Some(value.as_str()) != context.agent();
        let is_maintainer = policy.maintainers.iter().any(|name| value.contains(name.value.as_str()));
        is_other || is_maintainer || value == "maintainer"
    })
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{CommitMsg, PrePush};
    use crate::rules::testing::Scene;

    fn commit(message: &str) -> Vec<String> {
        Scene::new(CommitMsg, "a2").files(&["requirements.txt"]).message(message).findings()
    }

    #[test]
    fn at_commit_msg() {
        assert_eq!(commit("[A2] x"), ["warn uncoordinated-path requirements.txt"]);
        assert_eq!(commit("[A2] x\n\nCoordinated-with: a1").len(), 0);
        assert_eq!(commit("[A2] x\n\nCoordinated-with: maintainer").len(), 0);
        assert_eq!(commit("[A2] x\n\nCoordinated-with: a2").len(), 1, "with oneself");
        assert_eq!(commit("[A2] x\n\nCoordinated-with: a9").len(), 1, "with nobody");
    }

    #[test]
    fn the_steward_is_named() {
        let scene = Scene::new(CommitMsg, "a2").files(&["requirements.txt"]).message("[A2] x");
        let scene = scene.with("access: coordinate }", "access: coordinate, steward: a3 }");
        let help = scene.report().findings[0].help_template.clone();
        assert!(help.contains("its steward is a3") && help.contains("'Coordinated-with: a3'"), "{help}");
    }

    #[test]
    fn at_push_each_commit_must_say_so() {
        let scene = Scene::new(PrePush, "a2")
            .commit(7, "[A2] x\n\nCoordinated-with: a1", &["requirements.txt"])
            .commit(8, "[A2] y", &["requirements.txt", "docs/x"]);
        assert_eq!(scene.findings(), ["warn uncoordinated-path requirements.txt @08"]);
    }
}
