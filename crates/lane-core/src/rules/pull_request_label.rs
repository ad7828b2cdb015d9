//! `pull-request-label`

use super::{Context, Draft, Findings, Rule};
use crate::facts::{Stage, Unavailable};
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "pull-request-label",
    summary: "a pull request of an agent without a required label",
    docs: "\
## What it finds
A pull request of an agent that lacks one of the labels under `pull_request.labels`. `{agent}` stands for the
agent's id, `{AGENT}` for the id in capitals.

## Why
Bots and boards go by labels: without `auto-merge` nothing is merged automatically.

## Example
With `pull_request: { labels: [auto-merge] }`, agent `a1` opens a pull request without that label.

## How to get on
Add it: `gh pr edit NUMBER --add-label auto-merge`; `git lane pr` does so. The job runs again
where it listens to `labeled`.
",
    level: Level::Error,
    at: &[Stage::Ci],
    binds_maintainers: false,
    needs: &[],
    is_wanted: |plan| !plan.policy.pull_request.labels.is_empty(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let (Some(request), Some(agent)) = (&context.facts.request, context.agent()) else {
        return Ok(());
    };
    let Some(labels) = &request.labels else {
        return Ok(());
    };
    let number = request.number.map_or_else(|| "NUMBER".to_owned(), |number| number.to_string());
    for (wanted, span) in context.plan.labels_of(agent) {
        if !labels.iter().any(|label| label.eq_ignore_ascii_case(&wanted)) {
            findings.add(Draft {
                headline: format!("the label `{wanted}` is missing"),
                help: format!("add it: gh pr edit {number} --add-label '{wanted}'"),
                span,
                ..Draft::default()
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::Ci;
    use crate::facts::PullRequest;
    use crate::rules::testing::Scene;

    fn labeled(labels: Option<&[&str]>) -> Vec<String> {
        let policy = "{version: 1, agents: {a1: {}}, pull_request: {labels: [auto-merge, 'agent:{agent}']}}";
        let labels = labels.map(|labels| labels.iter().map(|label| (*label).to_owned()).collect());
        let request = PullRequest { labels, ..PullRequest::default() };
        let scene = Scene::new(Ci, "a1").policy(policy).facts(|facts| facts.request = Some(request));
        scene.of("pull-request-label")
    }

    #[test]
    fn all_that_are_wanted() {
        assert_eq!(labeled(Some(&["Auto-merge", "agent:a1", "bug"])).len(), 0);
        assert_eq!(labeled(Some(&["agent:a2"])).len(), 2);
        assert_eq!(labeled(None).len(), 0, "nobody said which there are");
    }
}
