//! Policy and facts in, report out.

use crate::error::Error;
use crate::facts::{Change, Event, Facts, Unavailable};
use crate::identity::{Actor, is_proven, resolve};
use crate::policy::cases::Case;
use crate::policy::model::Level;
use crate::policy::{Plan, Span};
use crate::report::{
    ChangeSummary, Finding, Identity, Location, PolicySource, Report, Stats, UndecidedRule, Verdict, Waived,
};
use crate::rules::{Context, Draft, Findings, RULES, TouchedPath, custom};

/// How many findings a report has at most: each of a million files could be one.
const MOST: usize = 50_000;

/// Gives the verdict on everything that the facts hold. `policy_oid`: the blob that the policy was
/// read from.
pub fn judge(plan: &Plan, facts: &Facts, policy_oid: Option<String>) -> Report {
    judge_watched(plan, facts, policy_oid, &mut |_| {})
}

/// The same. `judged`: is told of each rule that has just been judged, as often as there are changes.
pub fn judge_watched(
    plan: &Plan,
    facts: &Facts,
    policy_oid: Option<String>,
    judged: &mut dyn FnMut(&'static str),
) -> Report {
    let mut findings = Vec::new();
    let mut undecided = Vec::new();
    let mut summaries = Vec::new();
    for change in &facts.changes {
        let who = resolve(plan, facts, change);
        judge_change(plan, facts, change, &who, &mut findings, &mut undecided, judged);
        summaries.push(summary(plan, facts, change, &who));
    }
    findings.sort_by(|a: &Finding, b| a.sort_key().cmp(&b.sort_key()));
    findings.dedup_by(|a, b| a.sort_key() == b.sort_key() && a.message == b.message);
    undecided.dedup();
    waive(facts, &mut findings);
    let policy = PolicySource { source: plan.source.name.clone(), oid: policy_oid };
    let repository = facts.repository.clone();
    let mut report =
        Report::new(Verdict::Pass, facts.event, repository, policy, summaries, findings, undecided);
    report.decide(plan.policy.mode.value);
    report.custom.clone_from(&plan.policy.custom);
    report
}

/// The report on what could not be judged at all by a policy that only observes.
pub fn observed_failure(plan: &Plan, event: Event, policy_oid: Option<String>, error: &Error) -> Report {
    let mut report = Report::undecided(event.name(), error);
    report.policy = PolicySource { source: plan.source.name.clone(), oid: policy_oid };
    report.undecided.iter_mut().for_each(|undecided| undecided.observed = true);
    report.decide(plan.policy.mode.value);
    report
}

/// Notes what maintainers let stand, and what commits ask for.
fn waive(facts: &Facts, findings: &mut [Finding]) {
    let commits = facts.changes.iter().filter_map(|change| change.commits.known()).flatten();
    let asked: Vec<(String, String)> = commits.flat_map(|commit| commit.message.waiver_requests()).collect();
    let time =
        |seconds| jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default();
    for finding in findings {
        let reason =
            asked.iter().rev().find(|(rule, _)| *rule == finding.rule).map(|(_, reason)| reason.clone());
        let waiver = facts.waivers.iter().find(|waiver| waiver.rule == finding.rule);
        finding.waived = waiver.map(|waiver| Waived {
            by: waiver.by.clone(),
            at: time(waiver.at),
            until: time(waiver.until),
            reason: reason.clone(),
        });
        finding.waiver_request = reason;
    }
}

fn judge_change(
    plan: &Plan,
    facts: &Facts,
    change: &Change,
    who: &Actor,
    findings: &mut Vec<Finding>,
    undecided: &mut Vec<UndecidedRule>,
    judged: &mut dyn FnMut(&'static str),
) {
    let touched = TouchedPath::all(plan, facts.event, change);
    let context = Context::new(plan, facts, change, who, &touched);
    let stages = facts.event.stages();
    // Records are what is observed by: whoever writes them is judged in any case.
    let observes =
        plan.observes() && !change.reference.as_deref().is_some_and(|name| plan.always_binds(name));
    // Whatever level the policy gives to the rule that tells of it.
    if let Actor::Unclear { reason, help } = who {
        undecided.push(UndecidedRule {
            rule: Some("identity".to_owned()),
            reason: format!("could not determine whose change this is: {reason}"),
            help: Some(help.clone()),
            place: None,
            observed: observes,
        });
    }
    let mut out = Out { plan, facts, change, observes, findings, undecided };
    for rule in RULES.iter().filter(|rule| rule.applies(plan, stages)) {
        // Without knowing whose change it is, only the rule that says so has anything to say.
        let concerns = match who {
            Actor::Agent(_) => true,
            Actor::Maintainer | Actor::Stranger | Actor::Unassigned { .. } => rule.binds_maintainers,
            Actor::Unclear { .. } => rule.id == "identity",
        };
        if concerns {
            out.add(rule.id, rule.level_in(plan), None, |found| (rule.check)(&context, found));
            judged(rule.id);
        }
    }
    if facts.leaves_out_custom || matches!(who, Actor::Unclear { .. }) {
        return;
    }
    for (entry, rule) in plan.policy.custom.iter().enumerate().filter(|(_, rule)| rule.applies(stages)) {
        let place = rule.id.span.unwrap_or(rule.span);
        out.add(&rule.id.value, rule.level.value, Some(place), |found| {
            custom::check(&context, entry, rule, found)
        });
    }
}

/// Where the findings about one change go.
struct Out<'a> {
    plan: &'a Plan,
    facts: &'a Facts,
    change: &'a Change,
    observes: bool,
    findings: &'a mut Vec<Finding>,
    undecided: &'a mut Vec<UndecidedRule>,
}

impl Out<'_> {
    /// What one rule finds. `place`: where the policy has it, if the rule is the policy's own.
    fn add(
        &mut self,
        rule: &str,
        level: Level,
        place: Option<Span>,
        check: impl FnOnce(&mut Findings) -> Result<(), Unavailable>,
    ) {
        let mut found = Findings::with_room(MOST.saturating_sub(self.findings.len()));
        let result = check(&mut found);
        let observed = self.observes || level == Level::Observe;
        let (drafts, left_out) = found.into_drafts();
        let (plan, change, in_subfolder) = (self.plan, self.change, self.facts.in_subfolder);
        self.findings
            .extend(drafts.into_iter().map(|draft| finding(plan, change, rule, level, in_subfolder, draft)));
        if left_out > 0 {
            self.undecided.push(UndecidedRule {
                rule: Some(rule.to_owned()),
                reason: format!("{left_out} more findings are not shown; a report has at most {MOST}"),
                help: Some("fix the listed ones first, then try again".to_owned()),
                place: None,
                observed,
            });
        }
        if let Err(Unavailable { reason, help, .. }) = result {
            let place = place.map(|span| Location::of(&plan.source, span.start));
            self.undecided.push(UndecidedRule { rule: Some(rule.to_owned()), reason, help, place, observed });
        }
    }
}

fn finding(
    plan: &Plan,
    change: &Change,
    rule: &str,
    level: Level,
    in_subfolder: bool,
    draft: Draft,
) -> Finding {
    let message = match (&draft.path, &draft.subject, draft.commit) {
        _ if draft.words.is_some() => draft.words.as_ref().map_or_else(String::new, |it| it.sentence.clone()),
        (Some(path), ..) => format!("{path} is a file {}", draft.headline),
        (None, Some(subject), Some(oid)) => {
            format!("{} (`{subject}`) is a commit {}", oid.short(), draft.headline)
        }
        _ => draft.headline.clone(),
    };
    let level = draft.at_most.map_or(level, |most| level.max(most));
    let is_observed = match level {
        Level::Error => plan.observes() && !draft.always_binds,
        level => level == Level::Observe,
    };
    Finding {
        rule: rule.to_owned(),
        level: if is_observed { Level::Warn } else { level },
        observed: is_observed,
        message,
        path: draft.path,
        line: draft.line,
        commit: draft.commit,
        commits: draft.commits,
        reference: change
            .reference
            .clone()
            .or_else(|| change.branch.as_ref().map(|branch| format!("refs/heads/{branch}"))),
        owner: draft.owner,
        policy: plan.line(draft.span),
        waived: None,
        waiver_request: None,
        help_template: draft.help,
        headline: draft.headline,
        words: draft.words,
        subject: draft.subject,
        in_subfolder,
    }
}

fn summary(plan: &Plan, facts: &Facts, change: &Change, who: &Actor) -> ChangeSummary {
    let files = change.files.known();
    let lines = change.lines.known();
    ChangeSummary {
        reference: change.reference.clone(),
        branch: change.branch.clone(),
        agent: who.agent().map(str::to_owned),
        identity: match who.agent() {
            None => Identity::None,
            Some(agent) if is_proven(plan, facts, change, agent) => Identity::Proven,
            Some(_) => Identity::Claimed,
        },
        base: change.merge_base.map(|base| base.oid),
        base_ref: change.merge_base.and(change.base_ref.as_ref().or(facts.base_ref.as_ref())).cloned(),
        is_other_base: change.base_ref.is_some(),
        head: change.head,
        binary: lines.map(|lines| lines.binary.clone()).unwrap_or_default(),
        stats: Stats {
            commits: change.commits.known().map(Vec::len),
            files: lines.map(|lines| lines.files).or_else(|| files.map(Vec::len)),
            added: lines.map(|lines| lines.added),
            deleted: lines.map(|lines| lines.deleted),
            counted: lines.map(|lines| lines.counted),
            counted_from: lines.and_then(|lines| lines.counted_from.clone()),
            limit: plan.policy.change.max_lines.as_ref().map(|max| max.value),
        },
    }
}

/// Whether a sentence of `policy test` is true, and what the rules find on its path.
pub fn try_case(plan: &Plan, case: &Case) -> (bool, Vec<Finding>) {
    let facts = crate::facts::for_case(case, plan.policy.locks.ttl.value.seconds);
    let mut findings = judge(plan, &facts, None).findings;
    findings.retain(|finding| finding.path.is_some() && (finding.is_error() || finding.is_observed()));
    (findings.is_empty() == case.may, findings)
}

#[cfg(test)]
mod tests;
