//! The report as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), as GitHub's code scanning
//! and others take it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde_json::{Map, Value, json};

use super::location::{line_path, place_path, policy_path};
use super::{Finding, Format, Location, Report, UndecidedRule, Verdict, fingerprint, json};
use crate::policy::PolicyLine;
use crate::policy::model::{CustomRule, Level};
use crate::rules::{RULES, Rule};

/// Its row.
pub static FORMAT: Format = Format {
    word: "sarif",
    about: "SARIF 2.1.0, for code scanning",
    is_of_verdicts: true,
    render: |report, _| json::text(&log(report)),
};

/// The published schema.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The base of all paths: the root of the repository. Its value is the consumer's to know.
const ROOT: &str = "%SRCROOT%";
/// The rule that stands for a verdict which could not be given.
const UNDECIDED: &str = "undecided";
/// What RFC 3986 leaves as it is in a path, but for what could be taken for a scheme.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The whole log, with one run.
pub fn log(report: &Report) -> Value {
    let undecided = report.undecided.iter().zip(fingerprint::of_undecided(&report.undecided));
    let undecided = undecided.map(|(undecided, print)| undecided_result(report, undecided, &print));
    let findings = report.findings.iter().zip(fingerprint::of_findings(&report.findings));
    let findings = findings.map(|(finding, print)| result(report, finding, &print));
    let mut run = json!({
        "tool": { "driver": {
            "name": "git-lane",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules(report),
        } },
        // Up to the last slash it is what GitHub calls the category.
        "automationDetails": { "id": format!("git-lane/{}/", report.event) },
        "invocations": [invocation(report)],
        "originalUriBaseIds": { ROOT: { "description": { "text": "The root of the repository." } } },
        "columnKind": "unicodeCodePoints",
        "results": undecided.chain(findings).collect::<Vec<_>>(),
        "properties": {
            "verdict": report.verdict,
            "mode": report.mode,
            "observed": report.observed,
            "agent": report.agent,
            "identity": report.identity,
            "policy": report.policy,
            "stats": report.stats,
        },
    });
    if let Some(provenance) = provenance(report) {
        run["versionControlProvenance"] = json!([provenance]);
    }
    json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] })
}

/// Those of git-lane, then what could not be decided, then the policy's own.
fn rules(report: &Report) -> Vec<Value> {
    let own = RULES.iter().map(|rule| described(rule)).chain([undecided_rule()]);
    own.chain(report.custom.iter().map(described_custom)).collect()
}

/// Where a rule stands in that list.
fn rule_index(report: &Report, id: &str) -> Option<usize> {
    let custom = || report.custom.iter().position(|rule| rule.id.value == id);
    let own = RULES.iter().position(|rule| rule.id == id);
    own.or_else(|| custom().map(|at| RULES.len() + 1 + at))
}

fn described_custom(rule: &CustomRule) -> Value {
    let summary = message(&format!("{}.", rule.summary()));
    let markdown = rule.page();
    json!({
        "id": rule.id.value,
        "shortDescription": { "text": summary },
        "fullDescription": { "text": summary },
        "help": { "text": message(&markdown), "markdown": braces(&markdown) },
        "defaultConfiguration": { "level": level(rule.level.value) },
    })
}

fn described(rule: &Rule) -> Value {
    let markdown = rule.page();
    json!({
        "id": rule.id,
        "shortDescription": { "text": message(&format!("{}.", rule.summary)) },
        "fullDescription": { "text": message(first_paragraph(rule.docs).as_str()) },
        "help": { "text": message(&markdown), "markdown": braces(&markdown) },
        "defaultConfiguration": { "level": level(rule.level) },
    })
}

fn undecided_rule() -> Value {
    let text = "Something could not be read, so there is no verdict. That is never a pass.";
    json!({
        "id": UNDECIDED,
        "shortDescription": { "text": "a verdict that could not be given." },
        "fullDescription": { "text": text },
        "help": { "text": text, "markdown": text },
        "defaultConfiguration": { "level": "error" },
    })
}

/// The text under a page's first heading.
fn first_paragraph(docs: &str) -> String {
    let lines = docs.lines().skip_while(|line| line.starts_with('#') || line.is_empty());
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn | Level::Observe => "warning",
        Level::Off => "none",
    }
}

fn result(report: &Report, finding: &Finding, print: &str) -> Value {
    let help = finding.help(finding.path.as_slice());
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.level),
        "message": { "text": message(&format!("{}\nNext: {help}", finding.message)) },
        "partialFingerprints": prints(print),
    });
    if let Some(index) = rule_index(report, &finding.rule) {
        result["ruleIndex"] = json!(index);
    }
    let policy =
        finding.policy.as_ref().map(|line| physical(line_path(report, line).as_bytes(), region(line)));
    let mut location = Map::new();
    let mut related = Vec::new();
    match (&finding.path, policy) {
        (Some(path), policy) => {
            location.insert(
                "physicalLocation".into(),
                physical(&path.0, json!({ "startLine": finding.line_or_first() })),
            );
            related.extend(policy.map(|policy| {
                json!({ "physicalLocation": policy, "message": { "text": "The line of the policy that decided." } })
            }));
        }
        (None, Some(policy)) => drop(location.insert("physicalLocation".into(), policy)),
        (None, None) => drop(location.insert("physicalLocation".into(), policy_at(report, None))),
    }
    if let Some(commit) = finding.commit {
        let name = json!([{ "name": commit.short(), "fullyQualifiedName": commit, "kind": "commit" }]);
        location.insert("logicalLocations".into(), name);
    }
    result["locations"] = json!([location]);
    if let Some(waived) = &finding.waived {
        let why = message(&waived.words());
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": why }]);
    }
    if !related.is_empty() {
        result["relatedLocations"] = json!(related);
    }
    result["properties"] = json!({
        "commits": finding.commits,
        "ref": finding.reference,
        "owner": finding.owner,
        "help": help,
    });
    result
}

/// A result as well as a notification: an upload with no results would close what is open.
fn undecided_result(report: &Report, undecided: &UndecidedRule, print: &str) -> Value {
    let help = undecided.help.as_ref().map(|help| format!("\nNext: {help}")).unwrap_or_default();
    json!({
        "ruleId": UNDECIDED,
        "ruleIndex": RULES.len(),
        "level": if undecided.observed { "warning" } else { "error" },
        "message": { "text": message(&format!("could not decide: {}{help}", undecided.reason)) },
        "partialFingerprints": prints(print),
        "locations": [{ "physicalLocation": policy_at(report, undecided.place.as_ref()) }],
        "properties": { "rule": undecided.rule, "help": undecided.help },
    })
}

/// GitHub looks at `primaryLocationLineHash` alone, and makes one from the file's lines where there is none.
fn prints(print: &str) -> Value {
    json!({ "primaryLocationLineHash": print, "laneFinding/v1": print })
}

fn invocation(report: &Report) -> Value {
    let is_decided = report.verdict != Verdict::Undecided;
    let mut invocation = json!({
        "executionSuccessful": is_decided,
        "exitCode": report.verdict.exit_code(),
        "exitCodeDescription": match report.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "findings of level error",
            Verdict::Undecided => "could not decide",
        },
    });
    if !is_decided {
        let notifications = report.undecided.iter().map(|undecided| {
            let mut notification = json!({
                "level": "error",
                "message": { "text": message(&undecided.reason) },
                "descriptor": { "id": UNDECIDED },
            });
            let index = undecided.rule.as_deref().and_then(|id| rule_index(report, id));
            if let Some(index) = index {
                notification["associatedRule"] = json!({ "id": undecided.rule, "index": index });
            }
            notification
        });
        invocation["toolExecutionNotifications"] = notifications.collect();
    }
    invocation
}

/// What was judged: the schema wants an address for it.
fn provenance(report: &Report) -> Option<Value> {
    let mut provenance =
        json!({ "repositoryUri": report.repository.as_ref()?, "mappedTo": { "uriBaseId": ROOT } });
    if let Some(head) = report.head {
        provenance["revisionId"] = json!(head);
    }
    if let Some(branch) = &report.branch {
        provenance["branch"] = json!(branch);
    }
    Some(provenance)
}

fn physical(path: &[u8], region: Value) -> Value {
    let uri = percent_encode(path, IN_PATH).to_string();
    json!({ "artifactLocation": { "uri": uri, "uriBaseId": ROOT }, "region": region })
}

/// A place in the policy, or its first line.
fn policy_at(report: &Report, place: Option<&Location>) -> Value {
    let (path, line) = match place {
        Some(place) => (place_path(report, place), place.line),
        None => (policy_path(report), 1),
    };
    physical(path.as_bytes(), json!({ "startLine": line }))
}

/// The words of the policy that decided; columns in characters, the last one excluded.
fn region(line: &PolicyLine) -> Value {
    let chars = |text: &str| text.chars().count();
    let start = line.indent + chars(&line.text[..line.offset]) + 1;
    let end = start + chars(&line.text[line.offset..line.offset + line.len]);
    json!({
        "startLine": line.line,
        "startColumn": start,
        "endColumn": end,
        "snippet": { "text": line.text },
    })
}

/// Plain text as a message: braces doubled as SARIF wants them, and nothing in it a link.
fn message(text: &str) -> String {
    braces(text).replace("](", "] (")
}

fn braces(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    fn uri(path: &[u8]) -> String {
        physical(path, json!({}))["artifactLocation"]["uri"].as_str().unwrap().to_owned()
    }

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri(b"a b/\xc3\xa9%.py"), "a%20b/%C3%A9%25.py");
        assert_eq!(uri(b"caf\xe9\n"), "caf%E9%0A");
        assert_eq!(uri(b"c:d?e#f[g]"), "c%3Ad%3Fe%23f%5Bg%5D");
    }

    #[test]
    fn messages_hold_no_links_and_no_placeholders() {
        assert_eq!(message("[a](1) {0} feat/{agent}"), "[a] (1) {{0}} feat/{{agent}}");
    }

    #[test]
    fn results() {
        let log = log(&testing::fail());
        insta::assert_snapshot!(format!("{:#}", log["runs"][0]["results"]));
        let invocation = &log["runs"][0]["invocations"][0];
        assert_eq!((&invocation["executionSuccessful"], &invocation["exitCode"]), (&json!(true), &json!(1)));
        assert_eq!(
            log["runs"][0]["versionControlProvenance"][0]["repositoryUri"],
            "https://example.com/o/r.git"
        );
    }

    #[test]
    fn undecided_is_not_a_success() {
        let log = log(&testing::undecided());
        let invocation = &log["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        assert_eq!(invocation["toolExecutionNotifications"].as_array().map(Vec::len), Some(2));
        let first = &log["runs"][0]["results"][0];
        assert_eq!((&first["ruleId"], &first["level"]), (&json!("undecided"), &json!("error")));
        assert_eq!(first["locations"][0]["physicalLocation"]["region"]["startLine"], 3);
    }
}
