//! The report as GitHub's Markdown: the summary of a step, a comment on an issue. Text from outside is written as in the
//! summary of a verdict: nobody is called by it, and nothing is linked.

use std::fmt::Write;

use super::format::Format;
use super::words::day;
use super::{Goal, GoalState, Metrics};
use crate::policy::scalar::format_duration;
use crate::report::summary::{COMMENT, code};

/// As Markdown.
pub static FORMAT: Format =
    Format { word: "markdown", about: "Markdown, as the summary of a job or a comment", render };

/// How many rows a list has.
const ROWS: usize = 10;

/// The whole report; never more than one comment holds.
pub fn render(metrics: &Metrics) -> String {
    let mut page = String::new();
    let (from, to) = (day(metrics.period.from), day(metrics.period.to));
    let whose = metrics.agent.as_ref().map(|agent| format!(", {}", code(agent))).unwrap_or_default();
    let _ = writeln!(page, "## {}: {from} to {to}{whose}\n", code(&metrics.repository));
    let count = metrics.changes.len();
    let changes = if count == 1 { "change" } else { "changes" };
    let _ = writeln!(page, "{count} {changes} merged into {}\n", code(&metrics.base));
    for block in [goals, agents, locks, refusals, contested, cuts, missing] {
        let text = block(metrics);
        // A comment that is too long is refused as a whole.
        if page.len() + text.len() + 200 > COMMENT {
            page.push_str("*What is further down did not fit here:* `git lane report` *shows all of it.*\n");
            break;
        }
        page.push_str(&text);
    }
    page
}

fn table(title: &str, header: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = format!("### {title}\n\n");
    text.push_str(&line(&header.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>()));
    text.push_str(&line(&vec!["---".to_owned(); header.len()]));
    rows.iter().take(ROWS).for_each(|row| text.push_str(&line(row)));
    if rows.len() > ROWS {
        let _ = writeln!(text, "\n{} more", rows.len() - ROWS);
    }
    text.push('\n');
    text
}

fn goals(metrics: &Metrics) -> String {
    let row = |goal: &Goal| {
        let state = match goal.state {
            GoalState::Met => "✅ met",
            GoalState::Missed => "❌ missed",
            GoalState::Unknown => "unknown",
        };
        vec![goal.about.to_owned(), code(&goal.goal), goal.shown.clone(), state.to_owned()]
    };
    let rows: Vec<_> = metrics.goals.iter().map(row).collect();
    table("Goals", &["what", "goal", "measured", ""], &rows)
}

fn time(seconds: Option<u64>) -> String {
    seconds.map_or_else(|| "–".to_owned(), format_duration)
}

fn agents(metrics: &Metrics) -> String {
    let rows: Vec<_> = metrics
        .agents
        .iter()
        .map(|agent| {
            let name = agent.agent.as_deref().map_or_else(|| "no agent".to_owned(), code);
            let lead = time(agent.lead_time.map(|lead| lead.median));
            let numbers =
                [agent.merged, agent.oversized, agent.conflicts, agent.refusals].map(|n| n.to_string());
            let [merged, oversized, conflicts, refusals] = numbers;
            vec![name, merged, agent.lines.to_string(), oversized, lead, conflicts, refusals]
        })
        .collect();
    let header =
        ["agent", "merged", "lines", "above the limit", "lead time (median)", "conflicts", "refusals"];
    table("Agents", &header, &rows)
}

fn locks(metrics: &Metrics) -> String {
    let rows: Vec<_> = metrics
        .locks
        .areas
        .iter()
        .map(|area| {
            let held = area.held.map(|held| (held.count, held.median));
            let waited = area.waited.map(|waited| (waited.count, waited.median));
            let times = |span: Option<(usize, u64)>| span.map_or(0, |span| span.0).to_string();
            let median = |span: Option<(usize, u64)>| time(span.map(|span| span.1));
            vec![code(&area.area), times(held), median(held), times(waited), median(waited)]
        })
        .collect();
    table("Locks", &["area", "held", "for (median)", "waited for", "for (median)"], &rows)
}

fn refusals(metrics: &Metrics) -> String {
    let row = |rule: &super::RuleRefusals| {
        let became = rule.outcomes.iter().map(|(outcome, count)| format!("{count} {}", outcome.word()));
        vec![code(&rule.rule), rule.count.to_string(), became.collect::<Vec<_>>().join(", ")]
    };
    let rows: Vec<_> = metrics.refusals.rules.iter().map(row).collect();
    let observed = |(rule, one): (&String, &super::Observed)| {
        vec![code(rule), one.count.to_string(), "would have been refused".to_owned()]
    };
    let rows: Vec<_> = rows.into_iter().chain(metrics.refusals.observed.iter().map(observed)).collect();
    table("Refusals", &["rule", "how often", "what became of them"], &rows)
}

fn contested(metrics: &Metrics) -> String {
    let row = |file: &super::ContestedFile| {
        let agents = file.agents.iter().map(|(agent, count)| format!("{} {count}", code(agent)));
        vec![code(&file.path), agents.collect::<Vec<_>>().join(", "), file.conflicts.to_string()]
    };
    let rows: Vec<_> = metrics.contested.iter().map(row).collect();
    table("Contested files", &["file", "changes by agent", "conflicts"], &rows)
}

fn cuts(metrics: &Metrics) -> String {
    let row = |cut: &super::LaneCut| {
        let together = format!("{} of {}", cut.together, cut.changes);
        vec![code(&cut.path), code(&cut.lane), code(&cut.with), together, code(&cut.proposal)]
    };
    let rows: Vec<_> = metrics.lane_cuts.iter().map(row).collect();
    table("Lanes that are cut wrong", &["path", "lane", "changes with", "together", "proposal"], &rows)
}

fn missing(metrics: &Metrics) -> String {
    let row = |missing: &super::Missing| {
        let help = missing.help.as_deref().map(code).unwrap_or_default();
        vec![code(&missing.what), code(&missing.reason), help]
    };
    let rows: Vec<_> = metrics.missing.iter().map(row).collect();
    table("Not known", &["what", "why", "what helps"], &rows)
}

#[cfg(test)]
mod tests {
    use super::super::{ContestedFile, Period};
    use super::*;

    #[test]
    fn text_from_outside_is_code_and_the_whole_fits_a_comment() {
        let period = Period { from: 0, to: 14 * 86_400 };
        let mut metrics = Metrics::empty("o/n".to_owned(), "origin/main".to_owned(), period, None);
        let file = |number: usize| ContestedFile {
            path: format!("a|b`<@you>{number}{}", "x".repeat(300)),
            agents: [("a1".to_owned(), 3)].into(),
            alternations: 2,
            conflicts: 1,
            owner: None,
        };
        metrics.contested = (0..500).map(file).collect();
        let page = render(&metrics);
        assert!(page.starts_with("## <code>o/n</code>: 1970-01-01 to 1970-01-15\n"), "{page}");
        assert!(!page.contains("@you") && !page.contains("a|b"), "{page}");
        assert!(page.contains("490 more") && page.len() < COMMENT);
    }
}
