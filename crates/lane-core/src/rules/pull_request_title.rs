//! `pull-request-title`

use super::{Context, Draft, Findings, Rule};
use crate::facts::{Message, Stage, Unavailable};
use crate::policy::model::Level;
use crate::report::quote;

pub static RULE: Rule = Rule {
    id: "pull-request-title",
    summary: "a pull request whose title lacks its agent's tag",
    docs: "\
## What it finds
A pull request of an agent whose title has no form of the agent's tag (`message.tag`), or has that of
another agent. Forms that are trailers, such as `Agent: {agent}`, cannot be in a title: where the policy
has no other form, this rule asks for nothing.

## Why
A list of pull requests is read by its titles; and a squash makes the title the subject of the commit that
lands.

## Example
Agent `a1` opens a pull request with the title `feat: retry` instead of `[A1] feat: retry`.

## How to get on
Change the title: `gh pr edit NUMBER --title '[A1] feat: retry'`. The job runs again where it
listens to `edited`.
",
    level: Level::Error,
    at: &[Stage::Ci],
    binds_maintainers: false,
    needs: &[],
    is_wanted: |plan| plan.tags.iter().any(|tag| tag.fits_a_line()),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let (Some(request), Some(agent)) = (&context.facts.request, context.agent()) else {
        return Ok(());
    };
    let Some(title) = &request.title else {
        return Ok(());
    };
    let message = Message { text: title.clone() };
    let tagged = context.plan.tagged(&message);
    let others: Vec<&str> = tagged.iter().copied().filter(|id| *id != agent).collect();
    if !tagged.is_empty() && others.is_empty() {
        return Ok(());
    }
    let mut forms = context.plan.tags.iter().filter(|tag| tag.fits_a_line());
    let Some(form) = forms.next().map(|tag| tag.for_agent(agent)) else {
        return Ok(());
    };
    let span = context.plan.policy.message.tag.first().and_then(|tag| tag.span);
    let shown = message.subject();
    // The other's tag gives way to this one.
    let mut rest = shown.clone();
    for other in &others {
        for tag in context.plan.tags.iter().filter(|tag| tag.fits_a_line()) {
            rest = rest.replace(&tag.for_agent(other), "");
        }
    }
    let has_own = rest.contains(&form);
    let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    let titled = if has_own { rest } else { format!("{form} {rest}") };
    let number = request.number.map_or_else(|| "NUMBER".to_owned(), |number| number.to_string());
    findings.add(Draft {
        headline: match others.as_slice() {
            [] => format!("the title `{shown}` has no tag of {agent}"),
            others => format!(
                "the title `{shown}` has the tag of {}, but the change is by {agent}",
                others.join(" and ")
            ),
        },
        help: format!("add `{form}` to the title: gh pr edit {number} --title {}", quote(titled.as_bytes())),
        owner: (!others.is_empty()).then(|| others.join(", ")),
        span,
        ..Draft::default()
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::Ci;
    use crate::facts::PullRequest;
    use crate::rules::testing::Scene;

    fn titled(agent: &str, title: &str) -> Vec<String> {
        let request = PullRequest { title: Some(title.into()), ..PullRequest::default() };
        let scene = Scene::new(Ci, agent).facts(|facts| facts.request = Some(request));
        scene.of("pull-request-title")
    }

    #[test]
    fn the_agent_s_tag() {
        assert_eq!(titled("a1", "[A1] feat: x").len(), 0);
        assert_eq!(titled("a1", "feat: x"), ["error pull-request-title"]);
        assert_eq!(titled("a1", "[A2] feat: x"), ["error pull-request-title (a2)"]);
        assert_eq!(titled("a1", "[A1] [A2] both"), ["error pull-request-title (a2)"]);
        assert_eq!(titled("", "feat: x").len(), 0, "a maintainer's");
    }

    #[test]
    fn nobody_said_what_it_is() {
        let scene = Scene::new(Ci, "a1").facts(|facts| facts.request = Some(PullRequest::default()));
        assert_eq!(scene.of("pull-request-title").len(), 0);
    }

    #[test]
    fn a_trailer_fits_no_title() {
        let policy = "{version: 1, agents: {a1: {}}, message: {tag: ['Agent: {agent}']}}";
        let request = PullRequest { title: Some("x".into()), ..PullRequest::default() };
        let scene = Scene::new(Ci, "a1").policy(policy).facts(|facts| facts.request = Some(request));
        assert_eq!(scene.of("pull-request-title").len(), 0);
    }
}
