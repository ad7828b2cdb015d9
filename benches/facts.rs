//! What a verdict on large facts costs, nothing read: `cargo bench --bench facts`. Prints medians, one line for
//! each number of patterns, changed paths and commits. The facts are those of a push, by the agent that has all of
//! the paths, which passes, and by one that has none, which gives a finding for each path and each commit.
#![allow(clippy::unwrap_used, missing_docs)]

mod timing;

use std::fmt::Write;
use std::hint::black_box;

use lane_core::engine::judge;
use lane_core::facts::{
    Change, Commit, Event, Fact, Facts, FileChange, FileVersion, MergeBase, Message, Oid, RefUpdate,
    RepoPath, for_case,
};
use lane_core::policy::cases::Case;
use lane_core::policy::{Plan, Source, load};
use lane_core::report::Verdict;
use lane_core::signature::Signature;
use timing::median;

/// This project's policy, with lanes of ten further patterns each until it has about so many.
fn plan(patterns: usize) -> Plan {
    let mut lanes = String::from("agents:\n");
    for n in 0..patterns.saturating_sub(24) / 10 {
        let services: Vec<String> = (0..5).map(|part| format!("team{n}_{part}")).collect();
        let _ = writeln!(
            lanes,
            "  x{n}: {{ services: [{}], owns: [/docs/team{n}/, team{n}.md, \"*.team{n}\", \"**/team{n}/**\", \
             \"lib/*/team{n}_*.rs\"] }}",
            services.join(", ")
        );
    }
    let text = include_str!("../policy.yaml").replacen("agents:\n", &lanes, 1);
    load(Source::new("policy.yaml", text), false).unwrap()
}

fn oid(number: usize) -> Oid {
    let mut raw = [7; 20];
    raw[..8].copy_from_slice(&number.to_be_bytes());
    Oid::from_bytes(&raw).unwrap()
}

fn file(number: usize) -> FileChange {
    let service = ["rag_pipeline", "vllm_service", "viral_engine"][number % 3];
    let path = format!("services/{service}/src/p{:03}/m{number}.py", number / 40);
    let version = |of: usize| FileVersion { mode: 0o100_644, oid: oid(of) };
    FileChange {
        path: RepoPath(path.into_bytes()),
        old: Some(version(number)),
        new: Some(version(number + 1_000_000)),
    }
}

/// A push by `agent` of so many commits of three files each; a single one has all paths.
fn facts(agent: &str, paths: usize, commits: usize) -> Facts {
    let files: Vec<FileChange> = (0..paths).map(file).collect();
    let commit = |number: usize| Commit {
        oid: oid(number),
        parents: 1,
        message: Message {
            text: format!("[{}] Change {number}\n\nWhy it was done.\n", agent.to_uppercase()),
        },
        files: match commits {
            1 => files.clone(),
            _ => (0..3).map(|n| file((number * 3 + n) % paths)).collect(),
        },
        is_pushed: false,
        is_published: false,
        signature: Fact::Known(Signature::None),
        people: Fact::NotGathered,
    };
    let branch = format!("feat/{agent}/x");
    let case = Case { agent: Some(agent.into()), holding: Vec::new(), may: true, path: "x".into() };
    let mut facts = for_case(&case, 3600);
    facts.event = Event::PrePush;
    facts.changes = vec![Change {
        reference: Some(format!("refs/heads/{branch}")),
        update: Some(RefUpdate::Create),
        branch: Some(branch),
        head: Some(oid(1)),
        merge_base: Some(MergeBase { oid: oid(0), time: 0 }),
        base: Some(oid(0)),
        files: Fact::Known(files.clone()),
        commits: Fact::Known((0..commits).map(commit).collect()),
        ..Change::default()
    }];
    facts
}

/// One line of the table: the lane's own agent, and one to whom every path is foreign.
fn line(plan: &Plan, patterns: usize, paths: usize, commits: usize) {
    let rounds = if paths.max(commits) >= 10_000 { 5 } else { 31 };
    let mut cells = String::new();
    for (agent, expected) in [("a2", Verdict::Pass), ("a4", Verdict::Fail)] {
        let facts = facts(agent, paths, commits);
        let report = judge(plan, &facts, None);
        assert_eq!(report.verdict, expected, "{agent}: {:?}", report.findings.first());
        let took = median(rounds, || {
            black_box(judge(plan, &facts, None));
        });
        let _ = write!(cells, " {took:>14.1?}");
    }
    println!("{patterns:>9} {paths:>9} {commits:>9}{cells}");
}

fn main() {
    if std::env::args().any(|arg| arg == "--test") {
        return; // `cargo test --benches` only wants to know that it builds
    }
    println!("{:>9} {:>9} {:>9} {:>14} {:>14}", "patterns", "paths", "commits", "all own", "all foreign");
    let small = plan(0);
    for paths in [1, 100, 1_000, 10_000, 100_000] {
        line(&small, 24, paths, 1);
    }
    for commits in [10, 100, 1_000, 10_000] {
        line(&small, 24, 1_000, commits);
    }
    for patterns in [100, 1_000, 10_000] {
        line(&plan(patterns), patterns, 1_000, 1);
    }
}
