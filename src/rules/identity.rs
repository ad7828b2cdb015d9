//! `identity`

use super::{Context, Draft, Findings, Rule};
use crate::facts::{Stage, Unavailable};
use crate::identity::Who;
use crate::policy::model::Level;

pub static RULE: Rule = Rule {
    id: "identity",
    summary: "no identity where one is needed, or sources that disagree",
    docs: "\
## What it finds
Somebody without an agent identity whom the policy does not list under `maintainers`, where
`unidentified` is `deny`. Sources that disagree about the agent (`git config lane.agent`, the variable
`AGENT_ID`, `AGENT_ID` in `.agent.env`), or that name an agent which the policy does not know: then
nobody can tell whose lane the change belongs to, and there is no verdict (exit 2).

A branch or a message that bears another agent's name is found by `branch-name` and
`untagged-message`.

## Why
Everything else depends on whose change it is.

## Example
`AGENT_ID=a1` left over in a shell that now works in the worktree of `a2`.

## How to get on
`git lane install --agent a2` gives this worktree its agent; `unset AGENT_ID` clears the variable;
`git lane doctor` shows what each source says.
",
    level: Level::Error,
    at: &[Stage::Commit, Stage::CommitMsg, Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: true,
    needs: &[],
    is_wanted: |_| true,
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    match context.who {
        Who::Agent(_) | Who::Maintainer => {}
        Who::Stranger => {
            let policy = &context.plan.policy;
            let who = context.facts.email.as_deref().unwrap_or("whoever works here");
            findings.add(Draft {
                headline: format!("{who} is no agent and no maintainer of this repository"),
                help: "if this is an agent's worktree: git lane install --agent <id>\n\
                       if you are a maintainer, have your e-mail address put under `maintainers` in the policy"
                    .to_owned(),
                span: policy.unidentified.span.or(policy.maintainers.first().and_then(|name| name.span)),
                ..Draft::default()
            });
        }
        // That there is no verdict then is the engine's to say, also where this rule is off.
        Who::Unclear { reason, help } => {
            findings.add(Draft { headline: reason.clone(), help: help.clone(), ..Draft::default() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::PreCommit;
    use crate::facts::{IdentityClaim, IdentitySource};
    use crate::rules::testing::Scene;

    fn claim(source: IdentitySource, agent: &str) -> IdentityClaim {
        IdentityClaim { source, agent: agent.into() }
    }

    #[test]
    fn sources_that_disagree() {
        let scene = Scene::new(PreCommit, "a1").files(&["services/revenue/x"]);
        let scene = scene.facts(|facts| facts.claims.push(claim(IdentitySource::Environment, "a2")));
        let found = scene.findings();
        assert_eq!(found[0], "error identity");
        assert!(found[1].starts_with("undecided: whose change it is"), "{found:?}");
    }

    #[test]
    fn an_agent_that_nobody_knows() {
        let scene =
            Scene::new(PreCommit, "").facts(|facts| facts.claims.push(claim(IdentitySource::Config, "a9")));
        assert_eq!(scene.findings()[0], "error identity");
    }

    #[test]
    fn turned_off_it_opens_no_door() {
        let off = || Scene::new(PreCommit, "a1").with("{ stale-base: warn }", "{ identity: off }");
        let scene = off().facts(|facts| facts.claims.push(claim(IdentitySource::Environment, "a2")));
        assert!(scene.findings()[0].starts_with("undecided: whose change it is"));
        let policy = "{version: 1, unidentified: deny, rules: {identity: warn}, \
                      areas: [{name: l, paths: [x.local], access: never}]}";
        let scene = Scene::new(PreCommit, "").policy(policy).files(&["x.local"]);
        assert_eq!(scene.findings(), ["warn identity", "error local-file x.local"]);
    }

    #[test]
    fn an_option_stands_above_all() {
        let scene = Scene::new(PreCommit, "a1").branch("feat/a2/x");
        let scene = scene.facts(|facts| facts.claims.push(claim(IdentitySource::Option, "a2")));
        assert_eq!(scene.findings().len(), 0);
    }

    #[test]
    fn strangers() {
        let denied = || Scene::new(PreCommit, "").with("unidentified: maintainer", "unidentified: deny");
        assert_eq!(denied().findings(), ["error identity"]);
        let listed = Scene::new(PreCommit, "").policy("{version: 1, maintainers: [x@y.z]}");
        assert_eq!(listed.findings(), ["error identity"]);
        let listed = Scene::new(PreCommit, "").policy("{version: 1, maintainers: [x@y.z]}");
        assert_eq!(listed.facts(|facts| facts.email = Some("X@y.z".into())).findings().len(), 0);
    }

    #[test]
    fn the_branch_speaks_where_nothing_else_does() {
        let scene = Scene::new(PreCommit, "").branch("feat/a2/x").files(&["services/revenue/x"]);
        assert_eq!(scene.findings(), ["error foreign-path services/revenue/x (a4)"]);
    }
}
