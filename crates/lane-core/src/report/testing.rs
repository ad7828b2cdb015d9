//! Reports for the tests of the formats, with everything in them that needs escaping.

use super::{
    ChangeSummary, Finding, Identity, Location, PolicySource, Report, Stats, UndecidedRule, Verdict,
};
use crate::facts::{Oid, RepoPath};
use crate::policy::PolicyLine;
use crate::policy::model::{Level, Mode};

pub fn oid(n: u8) -> Oid {
    Oid::from_bytes(&[n; 20]).expect("20 bytes")
}

pub fn path(bytes: &[u8]) -> RepoPath {
    RepoPath(bytes.to_vec())
}

fn line() -> PolicyLine {
    let text = "services: [revenue, event_bus]".to_owned();
    PolicyLine { file: None, line: 49, text, offset: 11, len: 7, indent: 4 }
}

pub fn in_lane(bytes: &[u8]) -> Finding {
    Finding {
        rule: "foreign-path".into(),
        level: Level::Error,
        observed: false,
        message: format!("{} is a file in the lane of a4 (Platform)", path(bytes)),
        path: Some(path(bytes)),
        commit: None,
        commits: vec![oid(3)],
        reference: Some("refs/heads/feat/a2/x".into()),
        owner: Some("a4".into()),
        policy: Some(line()),
        waived: None,
        waiver_request: None,
        line: None,
        help_template: "take it out: git restore --staged -- {paths}\nthen ask a4 for the change".into(),
        headline: "in the lane of a4 (Platform)".into(),
        words: None,
        subject: None,
        in_subfolder: false,
    }
}

pub fn of_commit(n: u8, subject: &str) -> Finding {
    Finding {
        rule: "untagged-message".into(),
        level: Level::Error,
        observed: false,
        message: format!("{} (`{subject}`) is a commit without the tag of a2", oid(n).short()),
        path: None,
        commit: Some(oid(n)),
        commits: vec![oid(n)],
        owner: None,
        help_template: "git rebase --interactive".into(),
        headline: "without the tag of a2".into(),
        subject: Some(subject.into()),
        ..in_lane(b"x")
    }
}

pub fn warning() -> Finding {
    Finding {
        rule: "oversized-change".into(),
        level: Level::Warn,
        observed: false,
        message: "260 lines, and 300 are the limit".into(),
        path: None,
        commits: vec![],
        owner: None,
        policy: None,
        help_template: "split it".into(),
        headline: "260 lines, and 300 are the limit".into(),
        ..in_lane(b"x")
    }
}

pub fn fail() -> Report {
    let stats = Stats {
        commits: Some(2),
        files: Some(3),
        added: Some(200),
        deleted: Some(60),
        counted: Some(260),
        counted_from: None,
        limit: Some(300),
    };
    Report {
        schema: 1,
        verdict: Verdict::Fail,
        mode: Mode::Enforce,
        observed: None,
        event: "check",
        agent: Some("a2".into()),
        identity: Identity::Claimed,
        branch: Some("feat/a2/x".into()),
        base: Some(oid(1)),
        base_ref: Some("refs/remotes/origin/main".into()),
        head: Some(oid(4)),
        repository: Some("https://example.com/o/r.git".into()),
        policy: PolicySource {
            source: "refs/remotes/origin/main:policy.yaml".into(),
            oid: Some(oid(5).to_string()),
        },
        reader: None,
        not_judged: None,
        notes: Vec::new(),
        timings: Vec::new(),
        custom: Vec::new(),
        stats: stats.clone(),
        findings: vec![
            in_lane(b"services/revenue/100%,a:b.py"),
            in_lane(b"services/revenue/new\nline|`@all`<b>.py"),
            in_lane(b"services/revenue/caf\xe9.py"),
            warning(),
            of_commit(3, "[click](https://evil.example) @everyone #1 | <img src=x> {0} 100%\r::error::x"),
        ],
        undecided: vec![],
        changes: vec![ChangeSummary {
            reference: None,
            branch: Some("feat/a2/x".into()),
            agent: Some("a2".into()),
            identity: Identity::Claimed,
            base: Some(oid(1)),
            base_ref: Some("refs/remotes/origin/main".into()),
            is_other_base: false,
            head: Some(oid(4)),
            stats,
            binary: vec![],
        }],
    }
}

pub fn pass() -> Report {
    Report { verdict: Verdict::Pass, findings: vec![], ..fail() }
}

pub fn undecided() -> Report {
    Report {
        verdict: Verdict::Undecided,
        findings: vec![in_lane(b"services/revenue/a.py")],
        undecided: vec![
            UndecidedRule {
                rule: None,
                reason: "policy.yaml:3:5: unknown key `bse`".into(),
                help: Some("did you mean `base`?".into()),
                place: Some(Location { file: None, line: 3, column: 5 }),
                observed: false,
            },
            UndecidedRule {
                rule: Some("oversized-change".into()),
                reason: "the file contents are not here: 50% of them\nare missing".into(),
                help: None,
                place: None,
                observed: false,
            },
        ],
        ..fail()
    }
}
