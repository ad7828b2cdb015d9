//! The report as lines of JSON, one for each thing that happened, in the order of time: for Loki, or whatever else takes events.
//!
//! Each has `at` (seconds since the epoch), `time` (the same in UTC), `kind` and `repository`, and what the report has of it.

use serde_json::{Map, Value, json};

use super::Metrics;
use super::format::Format;
use super::words::timestamp;

/// Its row.
pub static FORMAT: Format =
    Format { word: "jsonl", about: "Lines of JSON, one for each thing that happened", render };

fn render(metrics: &Metrics) -> String {
    let mut lines: Vec<(i64, Map<String, Value>)> = Vec::new();
    let mut add = |at: i64, kind: &str, what: Value| {
        let mut line = Map::new();
        line.insert("at".into(), json!(at));
        line.insert("time".into(), json!(timestamp(at)));
        line.insert("kind".into(), json!(kind));
        line.insert("repository".into(), json!(metrics.repository));
        if let Value::Object(fields) = what {
            line.extend(fields.into_iter().filter(|(key, _)| key != "at" && key != "kind"));
        }
        lines.push((at, line));
    };
    metrics.changes.iter().for_each(|change| add(change.merged_at, "change", json!(change)));
    for conflict in &metrics.conflicts.resolved {
        // The kind of line is `conflict`; what kind of conflict it is stands beside it.
        let mut what = json!(conflict);
        what["conflict"] = json!(conflict.kind);
        add(conflict.at.unwrap_or(metrics.period.to), "conflict", what);
    }
    metrics.locks.holds.iter().for_each(|hold| add(hold.from, "hold", json!(hold)));
    metrics.locks.waits.iter().for_each(|wait| add(wait.from, "wait", json!(wait)));
    metrics.refusals.all.iter().for_each(|refusal| add(refusal.at, "refusal", json!(refusal)));
    metrics.requests.all.iter().for_each(|request| add(request.submitted, "request", json!(request)));
    for (at, seconds) in metrics.builds.iter().flat_map(|builds| &builds.runs) {
        add(*at, "build", json!({ "seconds": seconds }));
    }
    for row in &metrics.agents {
        for (day, merged) in &row.merged_by_day {
            let at = format!("{day}T00:00:00Z").parse::<jiff::Timestamp>();
            let at = at.map_or(metrics.period.from, jiff::Timestamp::as_second);
            add(at, "day", json!({ "agent": row.agent, "day": day, "merged": merged }));
        }
    }
    metrics.goals.iter().for_each(|goal| add(metrics.period.to, "goal", json!(goal)));
    metrics.missing.iter().for_each(|missing| add(metrics.period.to, "missing", json!(missing)));
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, line)| format!("{}\n", Value::Object(line))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::metrics;
    use super::*;

    #[test]
    fn as_lines() {
        insta::assert_snapshot!(render(&metrics()));
    }

    #[test]
    fn each_line_is_an_object_with_a_time() {
        let text = render(&metrics());
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let times: Vec<i64> = lines.iter().map(|line| line["at"].as_i64().expect("a time")).collect();
        assert!(times.is_sorted() && lines.iter().all(|line| line["kind"].is_string()));
    }
}
