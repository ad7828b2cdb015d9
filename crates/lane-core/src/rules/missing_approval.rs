//! `missing-approval`

use super::{Context, Draft, Findings, Need, Rule, TouchedPath};
use crate::facts::{ApprovalRequest, Approvals, Event, Fact, Stage, Unavailable};
use crate::policy::model::{Area, Level};
use crate::requests::record::Person;
use crate::requests::rights::{approvers_in_words, is_about};

pub static RULE: Rule = Rule {
    id: "missing-approval",
    summary: "a change in an area with `approve`, without the word of one of those named there",
    docs: "\
## What it finds
A change by an agent in an area with `approve: [a1]` that none of the agents named there has approved, nor a
maintainer. One's own word does not count. Maintainers need none.

An approval is a request of the agent whose change it is, about the area or the path, that was accepted:
`git lane request submit`, `git lane request accept`. It counts until it is done; one that is done counts for the
change that has the commit it was done with. In the job of a pull request on GitHub an approving review counts as well,
by an account of the agent (`identity: { github: … }`) or of a maintainer, of the commit that is the head now. A review
of an earlier head, a dismissed one, and one whose author asked for changes later, do not count; nor does one by whoever
pushed the head.

Where a change lands, without an approval it is refused: in the job, by `git lane land`, and where a protected branch is pushed,
on a server too. At any other push, and by `git lane check`, it is a warning, as a review can come later. At commit nothing is
said. Requests that cannot be read, and reviews, are no approval: then it could not be decided.

## Why
Some files all may change, and none alone: a schema, an interface, what is deployed.

## Example
With `areas: [{ name: api, paths: [/api/], access: open, approve: [a1] }]`, agent `a2` opens a pull request that
changes `api/orders.proto`.

## How to get on
`git lane request submit --area api --reason '…'` asks for it, and `a1` runs `git lane request accept r7`. Or `a1` approves the
pull request, and the job is run again.
",
    level: Level::Error,
    at: &[Stage::Push, Stage::Server, Stage::Ci],
    binds_maintainers: false,
    needs: &[Need::Files, Need::Approvals],
    is_wanted: |plan| plan.policy.areas.iter().any(|area| !area.approve.is_empty()),
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) -> Result<(), Unavailable> {
    let Some(agent) = context.agent() else { return Ok(()) };
    let lands = lands(context);
    // What is on the remote already was said at its push; a check looks at all of it.
    let looks_at_all = lands || context.facts.event == Event::Check;
    for touched in context.touched()? {
        let Some(area) = touched.decision.area().filter(|area| !area.approve.is_empty()) else { continue };
        if !looks_at_all && !touched.is_new() && !touched.in_staged {
            continue;
        }
        let approvals = context.facts.approvals.get()?;
        if approvals.is_past {
            return Ok(());
        }
        let word = Word { context, approvals, touched, area, agent };
        if word.is_given() {
            continue;
        }
        if let Some(draft) = word.missing(lands)? {
            context.path_finding(touched, draft, findings);
        }
    }
    Ok(())
}

/// Whether what is judged is to be part of the base, and not of an agent's branch alone.
fn lands(context: &Context<'_>) -> bool {
    let change = context.change;
    let is_protected =
        change.branch.as_deref().is_some_and(|branch| context.plan.protected(branch).is_some());
    context.facts.event == Event::Ci || change.is_landing || is_protected
}

/// Another's word on one path.
struct Word<'a> {
    context: &'a Context<'a>,
    approvals: &'a Approvals,
    touched: &'a TouchedPath<'a>,
    area: &'a Area,
    agent: &'a str,
}

impl Word<'_> {
    fn is_given(&self) -> bool {
        let is_reviewed =
            self.approvals.reviews.known().is_some_and(|all| all.iter().any(|person| self.counts(person)));
        is_reviewed || self.requests().any(|request| self.is_accepted(request))
    }

    /// The requests of the agent about the path.
    fn requests(&self) -> impl Iterator<Item = &ApprovalRequest> {
        let (plan, touched) = (self.context.plan, self.touched);
        self.approvals.requests.known().into_iter().flatten().filter(move |request| {
            request.by.agent() == Some(self.agent)
                && is_about(plan, &request.target, touched.path, touched.is_folder)
        })
    }

    fn is_accepted(&self, request: &ApprovalRequest) -> bool {
        let commits = self.context.change.commits.known();
        let is_done_with = |oid| commits.is_some_and(|all| all.iter().any(|commit| commit.oid == oid));
        request.accepted.as_ref().is_some_and(|person| self.counts(person))
            && request.done.is_none_or(is_done_with)
    }

    /// Whether it is the word of one who is named, and another's.
    fn counts(&self, person: &Person) -> bool {
        match person {
            Person::Maintainer(_) => true,
            Person::Agent(id) => id != self.agent && self.area.is_approved_by(id),
        }
    }

    /// That it is not given; nothing where that is unknown and can wait.
    fn missing(&self, lands: bool) -> Result<Option<Draft>, Unavailable> {
        let Approvals { requests, reviews, .. } = self.approvals;
        if let Some(why) = unavailable(requests).or_else(|| unavailable(reviews)) {
            return Err(why.clone());
        }
        let is_reviewed = matches!(reviews, Fact::Known(_));
        let is_asked = matches!(requests, Fact::Known(_));
        if !is_asked && !is_reviewed {
            return match lands {
                true => Err(Unavailable::new(
                    format!(
                        "whether the change in the area `{}` is approved is not known here: requests are stored elsewhere",
                        self.area.name.value
                    ),
                    "ask a maintainer to store them on the remote: `locks: { remote: origin }` in policy.yaml",
                )),
                false => Ok(None),
            };
        }
        let who = approvers_in_words(self.context.plan, self.area, self.agent);
        let headline = format!("in the area `{}`, without the approval of {who}", self.area.name.value);
        let owner = self.area.approve.iter().map(|id| id.value.as_str()).filter(|id| *id != self.agent);
        Ok(Some(Draft {
            headline,
            help: self.help(&who, is_asked, is_reviewed, lands),
            owner: Some(owner.collect::<Vec<_>>().join(", ")).filter(|owner| !owner.is_empty()),
            span: self.area.approve.first().and_then(|id| id.span),
            at_most: (!lands).then_some(Level::Warn),
            ..Draft::default()
        }))
    }

    fn help(&self, who: &str, is_asked: bool, is_reviewed: bool, lands: bool) -> String {
        let waiting = self.requests().find(|request| request.accepted.is_none());
        let ask = match waiting {
            Some(request) => format!("have {who} accept {0}: git lane request accept {0}", request.id),
            None => format!(
                "ask {who} for it: git lane request submit --area {} --reason '…'",
                self.area.name.value
            ),
        };
        let review = match (is_reviewed, lands) {
            (true, _) => format!("have {who} approve the pull request as it is now, then run this job again"),
            (false, false) => format!("or have {who} approve the pull request"),
            (false, true) => String::new(),
        };
        match (is_asked, review.is_empty()) {
            (true, true) => ask,
            (true, false) if is_reviewed => format!("{ask}\nor {review}"),
            (true, false) => format!("{ask}\n{review}"),
            (false, _) => review,
        }
    }
}

fn unavailable<T>(fact: &Fact<T>) -> Option<&Unavailable> {
    match fact {
        Fact::Unavailable(why) => Some(why),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Event::{Check, Ci, PreCommit, PrePush, PreReceive};
    use crate::facts::RefUpdate::{Create, Forward};
    use crate::requests::record::Target;
    use crate::rules::testing::{Scene, oid};

    fn agent(id: &str) -> Person {
        Person::Agent(id.into())
    }

    fn maintainer() -> Person {
        Person::Maintainer("m@x".into())
    }

    /// A request of a2 about the area, and who accepted it.
    fn request(accepted: Option<Person>) -> ApprovalRequest {
        let target = Target { area: Some("shared".into()), ..Target::default() };
        ApprovalRequest { id: "r7".into(), by: agent("a2"), target, accepted, done: None }
    }

    /// A change of a2 in an area that a1 or a3 has to approve.
    fn scene(event: Event, approvals: Approvals) -> Scene {
        Scene::new(event, "a2")
            .with("access: coordinate }", "access: open, approve: [a1, a3] }")
            .files(&["requirements.txt"])
            .facts(|facts| facts.approvals = Fact::Known(approvals))
    }

    fn asked(requests: Vec<ApprovalRequest>) -> Approvals {
        Approvals { requests: Fact::Known(requests), ..Approvals::default() }
    }

    fn reviewed(people: Vec<Person>) -> Approvals {
        Approvals { reviews: Fact::Known(people), ..Approvals::default() }
    }

    const REFUSED: [&str; 1] = ["error missing-approval requirements.txt (a1, a3)"];
    const WARNED: [&str; 1] = ["warn missing-approval requirements.txt (a1, a3)"];
    const NONE: [&str; 0] = [];

    fn found(event: Event, approvals: Approvals) -> Vec<String> {
        scene(event, approvals).findings()
    }

    #[test]
    fn where_it_is_wanted() {
        for event in [PrePush, Check, PreReceive] {
            assert_eq!(found(event, asked(vec![])), WARNED, "{event:?}");
        }
        assert_eq!(found(Ci, asked(vec![])), REFUSED);
        assert_eq!(found(PreCommit, asked(vec![])), NONE);
        let on_main = scene(PrePush, asked(vec![])).pushed_to("main", Forward);
        assert_eq!(on_main.of("missing-approval"), REFUSED);
        let landing = scene(PreReceive, asked(vec![])).change(|change| change.is_landing = true);
        assert_eq!(landing.of("missing-approval"), REFUSED);
        let of_a_maintainer = scene(Ci, asked(vec![])).facts(|facts| {
            facts.claims.clear();
            facts.changes[0].branch = None;
        });
        assert_eq!(of_a_maintainer.of("missing-approval"), NONE);
    }

    #[test]
    fn whose_word_counts() {
        for (person, counts) in [
            (agent("a1"), true),
            (agent("a3"), true),
            (maintainer(), true),
            (agent("a2"), false),
            (agent("a4"), false),
        ] {
            let by_request = found(Ci, asked(vec![request(Some(person.clone()))]));
            let by_review = found(Ci, reviewed(vec![person.clone()]));
            let wanted = if counts { vec![] } else { REFUSED.map(str::to_owned).to_vec() };
            assert_eq!((&by_request, &by_review), (&wanted, &wanted), "{person:?}");
        }
        // An approver needs another's word, too.
        let own = Scene::new(Ci, "a1")
            .with("access: coordinate }", "access: open, approve: a1 }")
            .files(&["requirements.txt"])
            .facts(|facts| facts.approvals = Fact::Known(reviewed(vec![agent("a1")])));
        assert_eq!(own.of("missing-approval"), ["error missing-approval requirements.txt"]);
        assert!(
            own.headlines()[0].ends_with("without the approval of a maintainer"),
            "{:?}",
            own.headlines()
        );
    }

    #[test]
    fn which_request_counts() {
        let accepted = || request(Some(agent("a1")));
        let of = |request: ApprovalRequest| found(Ci, asked(vec![request]));
        assert_eq!(of(ApprovalRequest { by: agent("a3"), ..accepted() }), REFUSED, "another's");
        let elsewhere = Target { area: Some("common".into()), ..Target::default() };
        assert_eq!(of(ApprovalRequest { target: elsewhere, ..accepted() }), REFUSED);
        let path = |path: &str| Target { paths: vec![path.into()], ..Target::default() };
        assert_eq!(of(ApprovalRequest { target: path("requirements.txt"), ..accepted() }), NONE);
        assert_eq!(of(ApprovalRequest { target: path("helm"), ..accepted() }), REFUSED);
        assert_eq!(of(ApprovalRequest { done: Some(oid(7)), ..accepted() }), REFUSED);
        let done = asked(vec![ApprovalRequest { done: Some(oid(7)), ..accepted() }]);
        assert_eq!(scene(Ci, done).commit(7, "[A2] x", &["requirements.txt"]).of("missing-approval"), NONE);
    }

    fn why<T>() -> Fact<T> {
        Fact::Unavailable(Unavailable::new("gone", "look"))
    }

    #[test]
    fn what_is_not_known() {
        let unread = Approvals { requests: why(), ..Approvals::default() };
        assert_eq!(found(Ci, unread.clone()), ["undecided: gone"]);
        assert_eq!(found(Ci, Approvals { reviews: Fact::Known(vec![agent("a1")]), ..unread }), NONE);
        assert_eq!(found(Ci, Approvals { reviews: why(), ..asked(vec![]) }), ["undecided: gone"]);
        assert_eq!(found(Ci, Approvals { reviews: why(), ..asked(vec![request(Some(agent("a1")))]) }), NONE);
        assert!(found(Ci, Approvals::default())[0].contains("requests are stored elsewhere"));
        assert_eq!(found(PreReceive, Approvals::default()), NONE, "a review can come later");
        assert_eq!(found(Ci, Approvals { is_past: true, ..Approvals::default() }), NONE);
        let unasked = scene(Ci, Approvals::default()).facts(|facts| facts.approvals = Fact::NotGathered);
        assert!(unasked.findings()[0].contains("a bug in git-lane"));
    }

    #[test]
    fn what_it_says() {
        let help = |event, approvals| scene(event, approvals).helps().remove(0);
        let names = "a1 (MLOps) or a3 (Analytics)";
        assert_eq!(
            help(PrePush, asked(vec![])),
            format!(
                "ask {names} for it: git lane request submit --area shared --reason '…'\nor have {names} approve the pull request"
            )
        );
        let waits = asked(vec![request(None)]);
        assert!(help(Ci, waits).starts_with(&format!("have {names} accept r7: git lane request accept r7")));
        assert_eq!(
            help(Ci, reviewed(vec![])),
            format!("have {names} approve the pull request as it is now, then run this job again")
        );
        let created = scene(PrePush, asked(vec![])).pushed_to("feat/a2/x", Create);
        assert_eq!(created.of("missing-approval"), WARNED);
    }
}
