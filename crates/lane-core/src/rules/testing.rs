//! Small scenes for the tests beside each rule: one agent, one change, one line of result.

use std::sync::LazyLock;

use crate::engine::judge;
use crate::facts::{
    Change, Commit, Content, Event, Fact, Facts, FileChange, FileVersion, ForeignWorktree, Found, HeldLock,
    Hit, IdentityClaim, IdentitySource, LockClaim, Locks, MergeBase, Message, NewHit, Oid, People, Person,
    RefUpdate, RepoPath, TakenLock,
};
use crate::locks::record::LockEventKind;
use crate::locks::scope::Scope;
use crate::policy::{Plan, Source, load};
use crate::report::Identity;
use crate::report::Report;
use crate::signature::Signature;

static REFERENCE: LazyLock<Plan> = LazyLock::new(|| plan(include_str!("../../../../policy.yaml")));

pub fn plan(text: &str) -> Plan {
    let source = Source::new("policy.yaml", text);
    load(source, false).unwrap_or_else(|error| panic!("{:#?}", error.diagnostics))
}

/// What the rules see, with one change of one file to begin with nothing.
pub struct Scene {
    plan: Option<Plan>,
    facts: Facts,
}

pub fn oid(n: u8) -> Oid {
    Oid::from_bytes(&[n; 20]).expect("20 bytes")
}

fn files(paths: &[&str]) -> Vec<FileChange> {
    let new = Some(FileVersion { mode: 0o100_644, oid: oid(9) });
    let file = |path: &&str| FileChange { path: RepoPath(path.as_bytes().to_vec()), old: None, new };
    paths.iter().map(file).collect()
}

impl Scene {
    /// The files are in a worktree that is not the session's.
    pub fn elsewhere(mut self, elsewhere: ForeignWorktree) -> Self {
        self.facts.elsewhere = Some(elsewhere);
        self
    }

    /// A change of `agent` (none: a maintainer) on its own branch.
    pub fn new(event: Event, agent: &str) -> Self {
        let claim = |agent: &str| IdentityClaim { source: IdentitySource::Config, agent: agent.into() };
        let change = Change {
            branch: (!agent.is_empty()).then(|| format!("feat/{agent}/x")),
            base: Some(oid(1)),
            merge_base: Some(MergeBase { oid: oid(1), time: 1_000 }),
            head: Some(oid(2)),
            ..Change::default()
        };
        Self {
            plan: None,
            facts: Facts {
                event,
                now: 2_000,
                claims: (!agent.is_empty()).then(|| claim(agent)).into_iter().collect(),
                proofs: Vec::new(),
                email: None,
                harness: None,
                request: None,
                waivers: Vec::new(),
                pusher: None,
                locks: Fact::Known(Locks::default()),
                approvals: Fact::NotGathered,
                message: Fact::NotGathered,
                people: Fact::NotGathered,
                changes: vec![change],
                base_ref: Some("refs/remotes/origin/main".into()),
                is_base_shadowed: false,
                form: crate::facts::CommitForm::Index,
                unpushed_base: None,
                repository: None,
                retry_command: None,
                in_subfolder: false,
                elsewhere: None,
                leaves_out_custom: false,
            },
        }
    }

    pub fn into_facts(self) -> Facts {
        self.facts
    }

    pub fn policy(mut self, text: &str) -> Self {
        self.plan = Some(plan(text));
        self
    }

    /// The reference policy with one piece of text replaced.
    pub fn with(self, old: &str, new: &str) -> Self {
        let text = include_str!("../../../../policy.yaml");
        assert!(text.contains(old), "{old}");
        self.policy(&text.replace(old, new))
    }

    pub fn facts(mut self, edit: impl FnOnce(&mut Facts)) -> Self {
        edit(&mut self.facts);
        self
    }

    pub fn change(self, edit: impl FnOnce(&mut Change)) -> Self {
        self.facts(|facts| edit(&mut facts.changes[0]))
    }

    /// Paths that the whole change and the commit being made touch.
    pub fn files(self, paths: &[&str]) -> Self {
        self.change(|change| {
            change.files = Fact::Known(files(paths));
            change.staged = Fact::Known(files(paths));
        })
    }

    /// Something in lines 3 and 7 of a file: of the whole change, or of commit 3 alone.
    pub fn found(self, path: &str, found: Found, in_whole: bool) -> Self {
        let hit = |line| NewHit {
            path: RepoPath(path.into()),
            hit: Hit { found, line, text_id: line, shown: "ghp_…".into() },
            in_whole,
            commits: if in_whole { vec![] } else { vec![oid(3)] },
        };
        let content = Content { hits: vec![hit(3), hit(7)], ..Content::default() };
        self.files(&[path]).change(|change| change.content = Fact::Known(content))
    }

    /// A commit: number, message, paths. The whole change does not get the paths.
    pub fn commit(self, n: u8, message: &str, paths: &[&str]) -> Self {
        let people = self.facts.people.clone();
        self.change(|change| {
            let Fact::Known(commits) = &mut change.commits else { panic!("commits are known") };
            commits.push(Commit {
                oid: oid(n),
                parents: 1,
                message: Message { text: message.into() },
                files: files(paths),
                is_pushed: false,
                is_published: false,
                signature: Fact::NotGathered,
                people,
            });
        })
    }

    /// Author and committer of what is made, and of the commits from here on.
    pub fn people(self, author: &str, committer: &str) -> Self {
        let person = |text: &str| Person::of_ident(text.as_bytes()).expect("a person");
        let people = People { author: person(author), committer: person(committer) };
        self.facts(|facts| facts.people = Fact::Known(people))
    }

    /// A commit with a signature.
    pub fn signed(self, n: u8, signature: Signature) -> Self {
        self.commit(n, "[A2] x", &[]).change(|change| {
            let Fact::Known(commits) = &mut change.commits else { panic!("commits are known") };
            commits.last_mut().expect("a commit").signature = Fact::Known(signature);
        })
    }

    /// How sure the report is.
    pub fn identity(&self) -> Identity {
        judge(self.plan.as_ref().unwrap_or(&REFERENCE), &self.facts, None).identity
    }

    pub fn message(self, text: &str) -> Self {
        self.facts(|facts| facts.message = Fact::Known(Message { text: text.into() }))
    }

    pub fn branch(self, name: &str) -> Self {
        self.change(|change| change.branch = Some(name.into()))
    }

    pub fn pushed_to(self, branch: &str, update: RefUpdate) -> Self {
        self.change(|change| {
            change.reference = Some(format!("refs/heads/{branch}"));
            change.branch = Some(branch.into());
            change.update = Some(update);
        })
    }

    /// A claim that was made by hand.
    pub fn lock(self, area: &str, agent: &str, since: i64) -> Self {
        self.facts(|facts| {
            let Fact::Known(locks) = &mut facts.locks else { panic!("locks are known") };
            let (area, agent, place) = (area.into(), agent.into(), "/wt".into());
            locks.markers.push(LockClaim { area, agent, since, nanos: 0, place });
        })
    }

    /// A lock in git, of this generation, with so many seconds to live.
    pub fn held_lock(self, text: &str, agent: &str, generation: u64, left: u64) -> Self {
        self.facts(|facts| {
            let Fact::Known(locks) = &mut facts.locks else { panic!("locks are known") };
            locks.leases.push(HeldLock {
                scope: Scope::from_record("common", text).expect("a scope"),
                agent: agent.into(),
                generation,
                remaining: left,
                is_firm: left > 60,
                is_timed: true,
                reason: None,
                worktree: "/wt".into(),
                by_hand: None,
                from: vec![],
                pushed_by: None,
            });
        })
    }

    /// A lock that was taken once.
    pub fn taken_lock(self, text: &str, agent: &str, generation: u64, kind: LockEventKind) -> Self {
        self.facts(|facts| {
            let Fact::Known(locks) = &mut facts.locks else { panic!("locks are known") };
            locks.taken.push(TakenLock {
                scope: Scope::from_record("common", text).expect("a scope"),
                agent: agent.into(),
                generation,
                kind,
                reason: (kind == LockEventKind::Steal).then(|| "hotfix".into()),
                at: 3_600,
                from: vec![],
                after: vec![],
                overtaken: [].into(),
                pushed_by: None,
            });
        })
    }

    /// Its report. Whatever is found says what to do next: docs/style.md.
    pub fn report(&self) -> Report {
        let plan = self.plan.as_ref().unwrap_or(&REFERENCE);
        let report = judge(plan, &self.facts, None);
        for finding in &report.findings {
            assert!(!finding.help_template.is_empty(), "{}: {}", finding.rule, finding.headline);
        }
        report
    }

    /// The next steps that are named.
    pub fn helps(&self) -> Vec<String> {
        let findings = self.report().findings;
        findings.iter().map(|finding| finding.help(finding.path.as_slice())).collect()
    }

    /// The headlines of what is found.
    pub fn headlines(&self) -> Vec<String> {
        self.report().findings.into_iter().map(|finding| finding.headline).collect()
    }

    /// The findings, one line each: `error foreign-path a/b (a4)`.
    pub fn findings(&self) -> Vec<String> {
        let report = self.report();
        let findings = report.findings.iter().map(|finding| {
            let mut line = format!("{} {}", finding.level.word(), finding.rule);
            if let Some(path) = &finding.path {
                line.push_str(&format!(" {path}"));
            }
            if let Some(commit) = &finding.commit {
                line.push_str(&format!(" @{}", &commit.to_string()[..2]));
            }
            if let Some(owner) = &finding.owner {
                line.push_str(&format!(" ({owner})"));
            }
            line
        });
        let undecided = report.undecided.iter().map(|why| format!("undecided: {}", why.reason));
        findings.chain(undecided).collect()
    }

    /// The findings of one rule.
    pub fn of(&self, rule: &str) -> Vec<String> {
        let mut findings = self.findings();
        findings.retain(|line| line.contains(&format!(" {rule}")));
        findings
    }
}
