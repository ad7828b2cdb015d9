//! The sections of the text below goals and agents: the few numbers of each that matter.

use super::super::table::{Align, shortened};
use super::super::words::{count, day, decimal, duration, percent};
use super::super::{ConflictKind, LostMerge, Metrics, Outcome};
use super::{Page, line_count, times};

/// How many rows of a section are shown.
const ROWS: usize = 5;
/// How many files of a conflict are named.
const FILES: usize = 3;

const LEFT: Align = Align::Left;
const RIGHT: Align = Align::Right;

/// The sections, in their order.
pub(super) const SECTIONS: [fn(&mut Page, &Metrics); 9] =
    [changes, conflicts, locks, refusals, waivers, requests, branches, paths, checks];

fn changes(page: &mut Page, metrics: &Metrics) {
    page.title("Changes");
    let merged = count(metrics.changes.len(), "change", "changes");
    let Some(lines) = metrics.sizes.lines else {
        return page.line(&format!("{merged} merged"));
    };
    page.line(&format!(
        "{merged} merged, {} in all: median {}, 90% up to {}, largest {}",
        line_count(lines.sum),
        lines.median,
        lines.p90,
        lines.max
    ));
    if let (Some(limit), Some(share)) = (metrics.sizes.limit, metrics.sizes.within_limit) {
        let above = metrics.sizes.oversized;
        page.line(&format!("{} within the limit of {}; {above} above it", percent(share), line_count(limit)));
    }
    if let Some(lead) = metrics.lead_time {
        page.line(&format!("from first commit to merge: {}", times(lead)));
    }
}

fn conflicts(page: &mut Page, metrics: &Metrics) {
    page.title("Conflicts");
    let found = &metrics.conflicts;
    let of = |kind: ConflictKind| found.resolved.iter().filter(|conflict| conflict.kind == kind).count();
    if found.resolved.is_empty() {
        page.line("none in the period");
    } else {
        let (merges, rebases) = (of(ConflictKind::Merge), of(ConflictKind::Rebase));
        let rate = found.per_week.map(|rate| format!(", {} a week", decimal(rate))).unwrap_or_default();
        page.line(&format!(
            "{} in the period ({}, {}){rate}",
            found.resolved.len(),
            count(merges, "merge", "merges"),
            count(rebases, "rebase", "rebases")
        ));
        let newest = found.resolved.iter().rev();
        newest.clone().take(ROWS).for_each(|conflict| {
            page.line(&format!("{}  {}", conflict.at.map(day).unwrap_or_default(), conflict_words(conflict)));
        });
        page.more(newest.len(), ROWS);
    }
    if !found.forecast.is_empty() {
        let pairs = count(found.forecast.len(), "pair of branches", "pairs of branches");
        page.line(&format!("{pairs} would conflict now; see which: git lane conflicts"));
    }
}

fn conflict_words(conflict: &LostMerge) -> String {
    let mut files: Vec<String> = conflict.files.iter().take(FILES).map(|file| shortened(file, 40)).collect();
    if conflict.files.len() > FILES {
        files.push(format!("{} more", conflict.files.len() - FILES));
    }
    let agents =
        if conflict.agents.is_empty() { "no agent".to_owned() } else { conflict.agents.join(" and ") };
    format!("{agents}: {}", files.join(", "))
}

fn locks(page: &mut Page, metrics: &Metrics) {
    page.title("Locks");
    let areas = &metrics.locks.areas;
    if areas.is_empty() {
        return page.line("none were held");
    }
    let row = |area: &super::super::LockArea| {
        let spread = |spread: Option<super::super::Distribution>| {
            spread.map_or(["-".to_owned(), "-".to_owned()], |spread| {
                [spread.count.to_string(), duration(spread.sum)]
            })
        };
        let number = |number: usize| if number == 0 { "-".to_owned() } else { number.to_string() };
        let ([holds, held], [waits, waited]) = (spread(area.held), spread(area.waited));
        vec![area.area.clone(), holds, held, waits, waited, number(area.stolen), number(area.expired)]
    };
    let rows: Vec<Vec<String>> = areas.iter().take(ROWS).map(row).collect();
    let head = [
        ("area", LEFT),
        ("holds", RIGHT),
        ("held", RIGHT),
        ("waits", RIGHT),
        ("waited", RIGHT),
        ("stolen", RIGHT),
        ("expired", RIGHT),
    ];
    page.table(&head, &rows);
    page.more(areas.len(), ROWS);
    let mut blocked: Vec<_> =
        areas.iter().flat_map(|area| area.blocked.iter().map(|one| (&area.area, one))).collect();
    blocked.sort_by_key(|(_, one)| std::cmp::Reverse(one.seconds));
    for (area, one) in blocked.into_iter().take(ROWS) {
        let (time, area) = (duration(one.seconds), shortened(area, 40));
        page.line(&format!("{} waited {time} while {} held {area}", one.agent, one.holder));
    }
}

fn refusals(page: &mut Page, metrics: &Metrics) {
    page.title("Refusals");
    let found = &metrics.refusals;
    let Some(verdicts) = found.verdicts else {
        return page.line("not known");
    };
    let verdicts = count(verdicts, "verdict", "verdicts");
    page.line(&format!("{} of {verdicts} refused something", found.all.len()));
    observed(page, metrics);
    if found.rules.is_empty() {
        return;
    }
    let row = |rule: &super::super::RuleRefusals| {
        let of = |outcome: Outcome| match rule.outcomes.get(&outcome) {
            Some(count) => count.to_string(),
            None => "-".to_owned(),
        };
        vec![
            rule.rule.clone(),
            rule.count.to_string(),
            of(Outcome::Fixed),
            of(Outcome::Waived),
            of(Outcome::Repeated),
            of(Outcome::Open),
            rule.time_to_fix.map_or("-".to_owned(), |time| duration(time.median)),
        ]
    };
    let rows: Vec<Vec<String>> = found.rules.iter().take(2 * ROWS).map(row).collect();
    let head = [
        ("rule", LEFT),
        ("refused", RIGHT),
        ("fixed", RIGHT),
        ("waived", RIGHT),
        ("repeated", RIGHT),
        ("open", RIGHT),
        ("median time to fix", RIGHT),
    ];
    page.table(&head, &rows);
    page.more(found.rules.len(), 2 * ROWS);
}

/// What would have been refused, were it not for `mode: observe`.
fn observed(page: &mut Page, metrics: &Metrics) {
    for (rule, one) in metrics.refusals.observed.iter().take(2 * ROWS) {
        let agents: Vec<String> = one
            .agents
            .iter()
            .map(|(agent, count)| format!("{} {count}", if agent.is_empty() { "no agent" } else { agent }))
            .collect();
        let times = count(one.count, "time", "times");
        page.line(&format!("observed, would have been refused: {rule}: {times} ({})", agents.join(", ")));
    }
}

fn waivers(page: &mut Page, metrics: &Metrics) {
    if metrics.waivers.is_empty() {
        return;
    }
    page.title("Waivers");
    for waived in metrics.waivers.iter().take(ROWS) {
        let why = waived.reasons.first().map(|reason| format!(", last: {reason}")).unwrap_or_default();
        page.line(&format!("{}: {}{why}", waived.rule, count(waived.count, "time", "times")));
    }
    page.more(metrics.waivers.len(), ROWS);
}

fn requests(page: &mut Page, metrics: &Metrics) {
    let found = &metrics.requests;
    if found.all.is_empty() {
        return;
    }
    page.title("Requests");
    let ignored = match found.ignored {
        0 => String::new(),
        ignored => format!("; {ignored} without an answer for a day or longer: git lane request list"),
    };
    page.line(&format!("{} submitted, {} open{ignored}", found.submitted, found.open));
    if let Some(time) = found.time_to_answer {
        page.line(&format!("answered {}: {}", count(time.count, "time", "times"), times(time)));
    }
}

fn branches(page: &mut Page, metrics: &Metrics) {
    if metrics.branches.is_empty() {
        return;
    }
    page.title("Open branches");
    let row = |branch: &super::super::OpenBranch| {
        let stale = branch.stale_since.map(|at| metrics.period.to.saturating_sub(at));
        vec![
            branch.branch.clone(),
            branch.agent.clone().unwrap_or_default(),
            branch.behind.to_string(),
            branch.ahead.to_string(),
            stale.and_then(|stale| u64::try_from(stale).ok()).map_or("-".to_owned(), duration),
        ]
    };
    let rows: Vec<Vec<String>> = metrics.branches.iter().take(ROWS).map(row).collect();
    let head = [("branch", LEFT), ("agent", LEFT), ("behind", RIGHT), ("ahead", RIGHT), ("stale for", RIGHT)];
    page.table(&head, &rows);
    page.more(metrics.branches.len(), ROWS);
}

fn paths(page: &mut Page, metrics: &Metrics) {
    if !metrics.contested.is_empty() {
        page.title("Contested files");
        let row = |file: &super::super::ContestedFile| {
            let agents = file.agents.iter().map(|(agent, count)| format!("{agent} {count}"));
            let agents = agents.collect::<Vec<_>>().join(", ");
            vec![
                file.path.clone(),
                agents,
                file.conflicts.to_string(),
                file.owner.clone().unwrap_or_default(),
            ]
        };
        let rows: Vec<Vec<String>> = metrics.contested.iter().take(ROWS).map(row).collect();
        let head = [("file", LEFT), ("changes", LEFT), ("conflicts", RIGHT), ("owner", LEFT)];
        page.table(&head, &rows);
        page.more(metrics.contested.len(), ROWS);
    }
    if !metrics.lane_cuts.is_empty() {
        page.title("Lanes");
        for cut in metrics.lane_cuts.iter().take(ROWS) {
            let (path, all) = (shortened(&cut.path, 60), cut.changes);
            page.line(&format!(
                "{path} ({}): {} of {all} changes touched the lane of {} too",
                cut.lane, cut.together, cut.with
            ));
            page.line(&format!("  {}", cut.proposal));
        }
        page.more(metrics.lane_cuts.len(), ROWS);
    }
}

fn checks(page: &mut Page, metrics: &Metrics) {
    if metrics.builds.is_none() && metrics.coverage.is_none() && metrics.integration.is_none() {
        return;
    }
    page.title("Checks");
    if let Some(builds) = &metrics.builds {
        let time = builds.time.map_or("no run in the period".to_owned(), times);
        page.line(&format!("builds: {time} ({})", shortened(&builds.source, 40)));
    }
    if let Some(coverage) = &metrics.coverage {
        let lines = format!("{} of {}", coverage.covered, line_count(coverage.total));
        page.line(&format!("coverage: {} ({lines})", percent(coverage.lines)));
    }
    if let Some(integration) = &metrics.integration {
        let share = integration.share.map_or("not known".to_owned(), percent);
        let (succeeded, failed) = (integration.succeeded, integration.failed);
        page.line(&format!("integration: {share} ({succeeded} succeeded, {failed} failed)"));
    }
}
