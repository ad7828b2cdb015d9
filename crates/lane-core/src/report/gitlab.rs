//! The report as GitLab's Code Quality report: an array of findings, each with a place.
//!
//! The form is that of "Code Quality report format" in GitLab's documentation, a part of what Code Climate
//! specified.

use serde_json::{Value, json};

use super::Location;
use super::location::{line_path, place_path, policy_path};
use super::{Finding, Format, Report, fingerprint, json};
use crate::policy::model::Level;

/// Its row.
pub static FORMAT: Format = Format {
    word: "gitlab",
    about: "A Code Quality report for GitLab",
    is_of_verdicts: true,
    render: |report, _| json::text(&issues(report)),
};

/// The array that GitLab reads from `artifacts:reports:codequality`. What could not be decided stands in it
/// too, as `blocker`: a report with nothing in it would say that all is well.
pub fn issues(report: &Report) -> Value {
    let undecided = report.undecided.iter().zip(fingerprint::of_undecided(&report.undecided));
    let undecided = undecided.map(|(undecided, fingerprint)| {
        let help = undecided.help.as_ref().map(|help| format!("; next: {help}")).unwrap_or_default();
        json!({
            "description": one_line(&format!("could not decide: {}{help}", undecided.reason)),
            "check_name": undecided.rule.as_deref().unwrap_or("undecided"),
            "fingerprint": fingerprint,
            "severity": if undecided.observed { "minor" } else { "blocker" },
            "location": location_of(report, undecided.place.as_ref()),
        })
    });
    let findings = report.findings.iter().zip(fingerprint::of_findings(&report.findings));
    let findings = findings.map(|(finding, fingerprint)| {
        json!({
            "description": one_line(&match &finding.waived {
                Some(waived) => format!("{}; {}", finding.message, waived.words()),
                None => format!("{}; next: {}", finding.message, finding.help(finding.path.as_slice())),
            }),
            "check_name": finding.rule,
            "fingerprint": fingerprint,
            "severity": match (&finding.waived, finding.level) {
                (Some(_), _) => "info",
                (None, Level::Error) => "critical",
                (None, _) => "minor",
            },
            "location": place_of(report, finding),
        })
    });
    Value::Array(undecided.chain(findings).collect())
}

/// The file that a finding is about, or else the line of the policy that decided: GitLab wants a place for all.
fn place_of(report: &Report, finding: &Finding) -> Value {
    match (&finding.path, &finding.policy) {
        (Some(path), _) => match path.as_text() {
            Some(text) => location(text, finding.line_or_first()),
            // JSON cannot hold it as it is.
            None => location(&path.to_string(), finding.line_or_first()),
        },
        (None, Some(line)) => location(line_path(report, line), line.line),
        (None, None) => location(policy_path(report), 1),
    }
}

/// A place in the policy, or its first line.
fn location_of(report: &Report, place: Option<&Location>) -> Value {
    match place {
        Some(place) => location(place_path(report, place), place.line),
        None => location(policy_path(report), 1),
    }
}

fn location(path: &str, line: usize) -> Value {
    json!({ "path": path, "lines": { "begin": line } })
}

/// GitLab shows a description on one line.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    #[test]
    fn a_report() {
        insta::assert_snapshot!(format!("{:#}", issues(&testing::fail())));
    }

    #[test]
    fn undecided_is_not_empty() {
        let issues = issues(&testing::undecided());
        assert_eq!(issues[0]["severity"], "blocker");
        assert_eq!(issues[0]["location"], json!({ "path": "policy.yaml", "lines": { "begin": 3 } }));
        assert_eq!(issues[1]["check_name"], "oversized-change");
        assert_eq!(issues.as_array().map(Vec::len), Some(3));
    }
}
