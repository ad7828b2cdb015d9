//! `protected-tag`

use super::{Context, Draft, Findings, Need, Rule};
use crate::facts::{RefUpdate, Stage, TagForm, Unavailable};
use crate::identity::Actor;
use crate::policy::model::{Level, TagChanges, TagForms, TagRule};

pub static RULE: Rule = Rule {
    id: "protected-tag",
    summary: "a tag pushed by somebody, or in a form, that the policy does not allow",
    docs: "\
## What it finds
A tag that is pushed against the entry of `tags` that its name falls under; where there are several, the last one decides. An entry names tags by a glob
(`pattern`, in which `*` stays between slashes) or by a regular expression (`regex`), and says:

- `by`: who may make, move and delete such tags: ids of agents, `maintainers` or `nobody`. Maintainers may wherever it is not `nobody`.
- `form`: `annotated`, a tag with a message of its own (`git tag -a`), or `signed` (`git tag -s`). A signature by an SSH key is verified; where the policy lists
  keys of the agent who pushes, it has to be one of these. Of a GPG or X.509 signature it is looked at alone whether it is there.
- `change: deny`: such a tag is neither moved nor deleted once it was pushed.

It binds maintainers too. On a server that is not told who pushes, only an agent's work has a name: any other tag is refused where `by` is not open to all.

## Why
Releases are made from tags. One that was made by mistake or moved later is what others have installed.

## Example
With `tags: [{ pattern: 'v*', by: maintainers, form: annotated, change: deny }]`, agent `a2` pushes `v1.2`.

## How to get on
Leave the tag to those whom the finding names, or give yours another name. `git tag -f -a NAME NAME^{}` makes an annotated one of a plain one, `-s` a
signed one; push it then.
",
    level: Level::Error,
    at: &[Stage::Push, Stage::Server],
    binds_maintainers: true,
    needs: &[Need::Tags],
    is_wanted: |plan| !plan.policy.tags.is_empty(),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let (Some(update), Some(reference)) = (context.change.update, &context.change.reference) else {
        return Ok(());
    };
    let Some(name) = reference.strip_prefix("refs/tags/") else { return Ok(()) };
    let Some(rule) = context.plan.tag_rule(name)? else { return Ok(()) };
    let does = match update {
        RefUpdate::Create => "makes",
        RefUpdate::Forward | RefUpdate::Rewrite => "moves",
        RefUpdate::Delete => "deletes",
    };
    if let Some(why) = refusal(context, rule) {
        findings.add(Draft {
            headline: format!("the push {does} the tag `{name}`, {why}"),
            help: match update {
                RefUpdate::Delete if is_nobodys(rule) => "leave it".to_owned(),
                RefUpdate::Delete => "leave it, or ask a maintainer to delete it".to_owned(),
                _ if is_nobodys(rule) => "give yours another name".to_owned(),
                _ => "ask one of them to push it, or give yours another name".to_owned(),
            },
            span: rule.by.first().and_then(|by| by.span),
            ..Draft::default()
        });
        return Ok(());
    }
    if rule.change.value == TagChanges::Deny && update != RefUpdate::Create {
        findings.add(Draft {
            headline: format!("the push {does} the tag `{name}`, which stays as it is"),
            help: "leave it, and make a new tag under another name".to_owned(),
            span: rule.change.span,
            ..Draft::default()
        });
    }
    if update != RefUpdate::Delete
        && let Some((why, option)) = wrong_form(context, rule)?
    {
        findings.add(Draft {
            headline: format!("the tag `{name}` {why}"),
            help: format!("make it again, and push that: git tag -f {option} {0} {0}^{{}}", quote(name)),
            span: rule.form.span,
            ..Draft::default()
        });
    }
    Ok(())
}

fn quote(name: &str) -> String {
    crate::report::quote(name.as_bytes())
}

/// Whether nobody may push such a tag.
fn is_nobodys(rule: &TagRule) -> bool {
    rule.by.len() == 1 && rule.by.iter().all(|by| by.value == TagRule::NOBODY)
}

/// Why whoever pushes may not, as the end of a sentence.
fn refusal(context: &Context<'_>, rule: &TagRule) -> Option<String> {
    if rule.by.is_empty() {
        return None;
    }
    let words: Vec<&str> = rule.by.iter().map(|by| by.value.as_str()).collect();
    let whose = match words.as_slice() {
        [TagRule::NOBODY] => return Some("which no push does".to_owned()),
        [TagRule::MAINTAINERS] => "which maintainers alone do".to_owned(),
        _ => format!("which is left to {} and maintainers", words.join(", ")),
    };
    let is_unknown = context.facts.event.is_server() && context.facts.pusher.is_none();
    match context.actor {
        Actor::Agent(id) if words.contains(&id.as_str()) => None,
        Actor::Agent(id) => Some(format!("{whose}, but you are {id}")),
        Actor::Maintainer if !is_unknown => None,
        Actor::Maintainer | Actor::Stranger if is_unknown => {
            Some(format!("{whose}, but the server is not told who pushes"))
        }
        _ => Some(whose),
    }
}

/// What is wrong with the form of a tag, and the option of `git tag` that mends it.
fn wrong_form(context: &Context<'_>, rule: &TagRule) -> Result<Option<(String, &'static str)>, Unavailable> {
    if rule.form.value == TagForms::Any {
        return Ok(None);
    }
    let signature = match context.change.tag.get()? {
        TagForm::Lightweight if rule.form.value == TagForms::Signed => {
            return Ok(Some(("is not signed".to_owned(), "-s")));
        }
        TagForm::Lightweight => return Ok(Some(("has no message of its own".to_owned(), "-a"))),
        TagForm::Annotated(_) if rule.form.value == TagForms::Annotated => return Ok(None),
        TagForm::Annotated(signature) => signature,
    };
    Ok(context.wrong_signature(signature).map(|why| (why, "-s")))
}

#[cfg(test)]
mod tests {
    use crate::facts::Event::{PrePush, PreReceive};
    use crate::facts::RefUpdate::{self, Create, Delete, Forward, Rewrite};
    use crate::facts::{Event, Fact, Pusher, TagForm};
    use crate::rules::testing::Scene;
    use crate::signature::Signature;

    fn scene(event: Event, agent: &str, tags: &str, name: &str, update: RefUpdate) -> Scene {
        let agents = "agents: { a1: { services: [] }, a2: { services: [] } }";
        let policy =
            format!("version: 1\n{agents}\nmaintainers: [lead]\nunidentified: maintainer\ntags: {tags}\n");
        Scene::new(event, agent).policy(&policy).change(|change| {
            change.reference = Some(format!("refs/tags/{name}"));
            change.branch = None;
            change.update = Some(update);
        })
    }

    fn found(agent: &str, tags: &str, name: &str, update: RefUpdate) -> usize {
        scene(PrePush, agent, tags, name, update).of("protected-tag").len()
    }

    #[test]
    fn who_may() {
        let count = |agent, by: &str| found(agent, &format!("[{{ pattern: 'v*', by: {by} }}]"), "v1", Create);
        assert_eq!([count("a1", "maintainers"), count("", "maintainers")], [1, 0]);
        assert_eq!(
            [count("a1", "a1"), count("a2", "a1"), count("", "a1"), count("a2", "[a1, a2]")],
            [0, 1, 0, 0]
        );
        assert_eq!([count("a1", "nobody"), count("", "nobody")], [1, 1]);
        for update in [Create, Forward, Rewrite, Delete] {
            assert_eq!(found("a1", "[{ pattern: 'v*', by: maintainers }]", "v1", update), 1);
        }
    }

    #[test]
    fn the_last_entry_decides() {
        let tags =
            "[{ pattern: '**', by: nobody }, { regex: '^v\\d+\\.\\d+$' }, { pattern: 'a1/*', by: a1 }]";
        let count = |agent, name| found(agent, tags, name, Create);
        assert_eq!(
            [count("a1", "v1.2"), count("a1", "v1"), count("a1", "a1/x"), count("a2", "a1/x")],
            [0, 1, 0, 1]
        );
        assert_eq!([count("", "x"), count("", "a/b/c"), count("", "v1.2")], [1, 1, 0]);
    }

    #[test]
    fn what_stays() {
        let count = |update| found("", "[{ pattern: 'v*', change: deny }]", "v1", update);
        assert_eq!([Create, Forward, Rewrite, Delete].map(count), [0, 1, 1, 1]);
    }

    #[test]
    fn forms() {
        let count = |form: &str, tag: TagForm| {
            let scene = scene(PrePush, "", &format!("[{{ pattern: 'v*', form: {form} }}]"), "v1", Create);
            scene.change(|change| change.tag = Fact::Known(tag)).of("protected-tag").len()
        };
        let bad = || Signature::Invalid { reason: "does not fit".into(), key: None };
        assert_eq!(count("any", TagForm::Lightweight), 0);
        assert_eq!(count("annotated", TagForm::Lightweight), 1);
        assert_eq!(count("annotated", TagForm::Annotated(Signature::None)), 0);
        assert_eq!(count("signed", TagForm::Lightweight), 1);
        assert_eq!(count("signed", TagForm::Annotated(Signature::None)), 1);
        assert_eq!(count("signed", TagForm::Annotated(bad())), 1);
        assert_eq!(
            count("signed", TagForm::Annotated(Signature::OtherKind(crate::signature::Kind::OpenPgp))),
            0
        );
        let unread = scene(PrePush, "", "[{ pattern: 'v*', form: signed }]", "v1", Create);
        assert!(unread.findings()[0].starts_with("undecided: "), "what was not read is not fine");
    }

    #[test]
    fn where_it_is_not_known_who_pushes() {
        let at = |by: &str, pusher: Option<&str>| {
            let scene = scene(PreReceive, "", &format!("[{{ pattern: 'v*', by: {by} }}]"), "v1", Create);
            let pusher = pusher.map(|name| Pusher { source: "REMOTE_USER", name: name.into() });
            scene.facts(|facts| facts.pusher = pusher).of("protected-tag").len()
        };
        assert_eq!([at("maintainers", None), at("a1", None), at("maintainers", Some("lead"))], [1, 1, 0]);
    }
}
