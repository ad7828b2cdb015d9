//! Labels by which a maintainer lets the findings of a rule stand: `lane-waive: <rule>`.

use lane_core::facts::Waiver;
use lane_core::policy::model::Accept;
use lane_core::policy::{Plan, did_you_mean};
use lane_core::rules;
use lane_github::LabelEvent;

/// How such a label begins.
const LABEL: &str = "lane-waive:";

/// What is known when waivers are looked at.
pub struct WaiverFacts<'a> {
    /// The labels that are there now.
    pub labels: &'a [String],
    /// Who gave or took which, the oldest first.
    pub events: &'a [LabelEvent],
    /// When the head was pushed, in seconds since the epoch; `None` where that is unknown.
    pub pushed: Option<i64>,
    /// Now, likewise.
    pub now: i64,
}

/// The labels that ask for something.
pub fn requested_rules(labels: &[String]) -> Vec<&str> {
    fn rule(label: &str) -> Option<&str> {
        let (head, rule) = label.split_at_checked(LABEL.len())?;
        head.eq_ignore_ascii_case(LABEL).then(|| rule.trim())
    }
    labels.iter().filter_map(|label| rule(label.trim())).collect()
}

/// The waivers that count, and for every other label why it does not. `is_maintainer`: whether an account may
/// waive, or why that is unknown.
///
/// A label counts only if a maintainer gave it, after the head was pushed, and not too long ago. So whatever
/// is pushed later is judged as if it had never been there.
pub fn grant_waivers(
    plan: &Plan,
    known: &WaiverFacts<'_>,
    is_maintainer: &dyn Fn(&str) -> Result<bool, String>,
) -> (Vec<Waiver>, Vec<String>) {
    let (mut waivers, mut refused) = (Vec::new(), Vec::new());
    for rule in requested_rules(known.labels) {
        match waiver(plan, known, rule, is_maintainer) {
            Ok(waiver) => waivers.push(waiver),
            Err(why) => refused.push(format!("the label `{LABEL} {rule}` waives nothing: {why}")),
        }
    }
    (waivers, refused)
}

fn waiver(
    plan: &Plan,
    known: &WaiverFacts<'_>,
    rule: &str,
    is_maintainer: &dyn Fn(&str) -> Result<bool, String>,
) -> Result<Waiver, String> {
    let (settings, label) = (&plan.policy.waivers, rule);
    let rule = label.to_ascii_lowercase();
    let rule = rule.as_str();
    if settings.accept.value == Accept::None {
        return Err("the policy accepts no waivers (`waivers.accept`)".to_owned());
    }
    let is_custom = plan.policy.custom.iter().any(|custom| custom.id.value == rule);
    if rules::find(rule).is_none() && !is_custom {
        let hint = did_you_mean(rule, rules::ids()).map(|hint| format!("; {hint}"));
        return Err(format!("unknown rule{}", hint.unwrap_or_default()));
    }
    let is_it = |event: &&LabelEvent| {
        requested_rules(std::slice::from_ref(&event.label)).iter().any(|it| it.eq_ignore_ascii_case(label))
    };
    let Some(event) = known.events.iter().rev().find(is_it).filter(|event| event.is_added) else {
        return Err("who added it could not be determined".to_owned());
    };
    let actor = &event.actor;
    if let Some(agent) = plan.agent_of_account(actor) {
        return Err(format!("it was added by `{actor}`, an account of {agent}; agents cannot waive"));
    }
    if !is_maintainer(actor)? {
        return Err(format!("it was added by `{actor}`, who is not a maintainer"));
    }
    let Some(pushed) = known.pushed else {
        return Err(
            "when the head was pushed could not be determined, so it may have been added for an earlier one"
                .to_owned(),
        );
    };
    if event.at < pushed {
        return Err(
            "it was added before the head was pushed; a maintainer has to remove and add it again".to_owned()
        );
    }
    let seconds = i64::try_from(settings.max_age.value.seconds).unwrap_or(i64::MAX);
    let until = event.at.saturating_add(seconds);
    if known.now >= until {
        return Err(format!("it was added more than {} ago", settings.max_age.value));
    }
    Ok(Waiver { rule: rule.to_owned(), by: actor.clone(), at: event.at, until })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::plan;

    const POLICY: &str = "{version: 1, agents: {a1: {identity: {github: [bot]}}}, maintainers: ['github:alice'], waivers: {max_age: 1h}}";

    fn label_event(actor: &str, at: i64, is_added: bool) -> LabelEvent {
        LabelEvent { label: "lane-waive: oversized-change".into(), is_added, actor: actor.into(), at }
    }

    /// What becomes of one label.
    fn of(label: &str, events: &[LabelEvent], pushed: Option<i64>, now: i64) -> Result<String, String> {
        let labels = [label.to_owned(), "bug".to_owned()];
        let known = WaiverFacts { labels: &labels, events, pushed, now };
        let is_maintainer = |login: &str| match login {
            "nobody" => {
                Err("who pushed the head of the pull request, and when, could not be determined".to_owned())
            }
            login => Ok(login == "alice"),
        };
        let (mut waivers, mut refused) = grant_waivers(&plan(POLICY), &known, &is_maintainer);
        match (waivers.pop(), refused.pop()) {
            (Some(waiver), None) => Ok(format!("{} by {} until {}", waiver.rule, waiver.by, waiver.until)),
            (None, Some(why)) => Err(why),
            other => panic!("{other:?}"),
        }
    }

    fn size(events: &[LabelEvent], pushed: Option<i64>, now: i64) -> Result<String, String> {
        of("lane-waive: oversized-change", events, pushed, now)
    }

    #[track_caller]
    fn refused(found: Result<String, String>, words: &str) {
        let why = found.expect_err("it counts");
        assert!(why.contains(words), "{why}");
    }

    #[test]
    fn a_maintainer_s_label_for_this_head() {
        let alice = [label_event("alice", 100, true)];
        assert_eq!(size(&alice, Some(90), 200), Ok("oversized-change by alice until 3700".into()));
        refused(size(&alice, Some(101), 200), "before the head was pushed");
        refused(size(&alice, None, 200), "when the head was pushed");
        refused(size(&alice, Some(90), 3_700), "more than 1h ago");
    }

    #[test]
    fn labels_know_no_case() {
        let mut events = [label_event("alice", 100, true)];
        events[0].label = "Lane-Waive: Oversized-Change".into();
        assert!(of("Lane-Waive: Oversized-Change", &events, Some(90), 200).is_ok());
    }

    #[test]
    fn of_nobody_else() {
        refused(
            size(&[label_event("bot", 100, true)], Some(90), 200),
            "an account of a1; agents cannot waive",
        );
        refused(size(&[label_event("mallory", 100, true)], Some(90), 200), "who is not a maintainer");
        refused(
            size(&[label_event("nobody", 100, true)], Some(90), 200),
            "who pushed the head of the pull request, and when, could not be determined",
        );
        refused(size(&[], Some(90), 200), "who added it could not be determined");
        // The one who gave it last counts.
        let twice = [
            label_event("alice", 100, true),
            label_event("alice", 101, false),
            label_event("mallory", 102, true),
        ];
        refused(size(&twice, Some(90), 200), "added by `mallory`, who is not a maintainer");
    }

    #[test]
    fn for_rules_that_there_are() {
        refused(of("lane-waive: oversize-change", &[], Some(1), 2), "did you mean `oversized-change`?");
        let none = plan("{version: 1, waivers: {accept: none}}");
        let labels = ["lane-waive:stale-base".to_owned()];
        let known = WaiverFacts { labels: &labels, events: &[], pushed: None, now: 0 };
        assert_eq!(grant_waivers(&none, &known, &|_| Ok(true)).1.len(), 1);
    }
}
