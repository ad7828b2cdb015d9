//! What a rule is shown, and where it puts what it finds.

use std::collections::HashMap;

use crate::facts::{
    Change, Commit, Event, Facts, FileChange, LockToken, Oid, RepoPath, Unavailable, typed_ref,
};
use crate::identity::Actor;
use crate::policy::model::{Access, Level};
use crate::policy::{Decision, Owner, Plan, Span};

/// One change before one rule.
pub struct Context<'a> {
    /// The policy.
    pub plan: &'a Plan,
    /// All facts.
    pub facts: &'a Facts,
    /// The change that is judged.
    pub change: &'a Change,
    /// Whose it is.
    pub actor: &'a Actor,
    touched: &'a Result<Vec<TouchedPath<'a>>, Unavailable>,
}

/// A path that a change touches, and what the policy says of it.
#[derive(Debug)]
pub struct TouchedPath<'a> {
    /// The path.
    pub path: &'a RepoPath,
    /// Whether the path is there afterwards.
    pub is_present: bool,
    /// Whether the base has it.
    pub was_present: bool,
    /// Whether it is a link or a submodule, which patterns for folders match.
    pub is_folder: bool,
    /// What the policy says of it.
    pub decision: Decision<'a>,
    /// Whether the decision is about the file that it is on systems where case, Unicode form or a dot at the end
    /// make no other name.
    pub is_elsewhere: bool,
    /// Whether the whole change touches it, or only commits that undo one another.
    pub in_whole: bool,
    /// Whether the commit that is being made touches it.
    pub in_staged: bool,
    /// The commits that touch it, oldest first.
    pub commits: Vec<&'a Commit>,
}

impl<'a> TouchedPath<'a> {
    /// All paths of a change: of the whole, of the commit being made, of each commit.
    ///
    /// # Errors
    /// Why the files of the change are not known.
    pub fn all(plan: &'a Plan, event: Event, change: &'a Change) -> Result<Vec<Self>, Unavailable> {
        let mut all: Vec<Self> = Vec::new();
        let mut index: HashMap<&RepoPath, (usize, usize)> = HashMap::new();
        let mut entry = |file: &'a FileChange, all: &mut Vec<Self>| -> (usize, usize) {
            *index.entry(&file.path).or_insert_with(|| {
                let (exact, other) = plan.decide_both(&file.path.0, file.is_folder());
                let first = all.len();
                all.push(Self::new(file, exact, false));
                all.extend(other.map(|other| Self::new(file, other, true)));
                (first, all.len())
            })
        };
        for file in change.files.get()? {
            let (first, end) = entry(file, &mut all);
            all[first..end].iter_mut().for_each(|touched| touched.in_whole = true);
        }
        for file in change.staged.known().into_iter().flatten() {
            let (first, end) = entry(file, &mut all);
            all[first..end].iter_mut().for_each(|touched| touched.in_staged = true);
        }
        for commit in change.commits.get()? {
            for file in &commit.files {
                let (first, end) = entry(file, &mut all);
                all[first..end].iter_mut().for_each(|touched| touched.commits.push(commit));
            }
        }
        // What is staged but not in the whole change puts a path back to what the base has.
        let only_staged = event == Event::CommitMsg;
        all.retain(|touched| only_staged || touched.in_whole || !touched.commits.is_empty());
        all.sort_by(|a, b| a.path.cmp(b.path));
        Ok(all)
    }

    fn new(file: &'a FileChange, decision: Decision<'a>, is_elsewhere: bool) -> Self {
        Self {
            path: &file.path,
            is_present: file.new.is_some(),
            was_present: file.old.is_some(),
            is_folder: file.is_folder(),
            decision,
            is_elsewhere,
            in_whole: false,
            in_staged: false,
            commits: Vec::new(),
        }
    }

    /// Whether it comes with what the remote does not have yet: in a commit that it does not have, or
    /// in a merge that differs from the base but brings nothing in of its own (`merge -s ours`).
    pub fn is_new(&self) -> bool {
        self.commits.iter().any(|commit| !commit.is_pushed) || (self.in_whole && self.commits.is_empty())
    }

    /// Whether the change leaves something at the path, or a commit of it does.
    pub fn brings_version(&self) -> bool {
        let has =
            |commit: &&Commit| commit.files.iter().any(|file| file.path == *self.path && file.new.is_some());
        self.is_present || self.commits.iter().any(has)
    }

    /// The access of the area that decided, if an area did.
    pub fn access(&self) -> Option<Access> {
        match self.decision.owner {
            Some(Owner::Area(area)) => Some(area.access.value),
            _ => None,
        }
    }
}

impl<'a> Context<'a> {
    /// Puts a change before the rules.
    pub fn new(
        plan: &'a Plan,
        facts: &'a Facts,
        change: &'a Change,
        who: &'a Actor,
        touched: &'a Result<Vec<TouchedPath<'a>>, Unavailable>,
    ) -> Self {
        Self { plan, facts, change, actor: who, touched }
    }

    /// The paths that the change touches, sorted.
    ///
    /// # Errors
    /// Why they are not known.
    pub fn touched(&self) -> Result<&'a [TouchedPath<'a>], Unavailable> {
        match self.touched {
            Ok(touched) => Ok(touched),
            Err(why) => Err(why.clone()),
        }
    }

    /// The commits of the change.
    ///
    /// # Errors
    /// Why they are not known.
    pub fn commits(&self) -> Result<&'a [Commit], Unavailable> {
        self.change.commits.get().map(Vec::as_slice)
    }

    /// Files of the whole change, of the commit being made, and of each commit.
    pub fn file_changes(&self) -> impl Iterator<Item = &'a FileChange> {
        let commits = self.change.commits.known().into_iter().flatten().flat_map(|commit| &commit.files);
        let whole = [&self.change.files, &self.change.staged].into_iter().filter_map(|files| files.known());
        whole.flatten().chain(commits)
    }

    /// The locks that a commit says it was made under. What a host squashes keeps the trailers of its parts, but
    /// not at the end.
    pub fn lock_tokens(&self, commit: &Commit) -> Vec<LockToken> {
        match self.facts.event {
            Event::Ci => commit.message.lock_lines(),
            _ => commit.message.lock_tokens(),
        }
    }

    /// The id of the agent whose change it is.
    pub fn agent(&self) -> Option<&str> {
        self.actor.agent()
    }

    /// Whether an agent owns a path by its lane or by name.
    pub fn owns(&self, touched: &TouchedPath<'_>) -> bool {
        let agent = self.agent();
        touched.decision.owner_ids().iter().any(|id| Some(*id) == agent)
    }

    /// The base as it is typed: `origin/main`, or the whole name of its ref where git would take that for another.
    pub fn base_name(&self) -> &str {
        let base = self.change.base_ref.as_ref().or(self.facts.base_ref.as_ref());
        let reference = base.map_or("refs/heads/main", String::as_str);
        // What shadows the base is known of the policy's alone; a whole name is right for any other.
        let is_whole = self.facts.is_base_shadowed || self.change.base_ref.is_some();
        if is_whole { reference } else { typed_ref(reference) }
    }

    /// Adds a finding for a path: about the whole change if the whole has it, else about the first
    /// commit that does.
    pub fn path_finding(&self, touched: &TouchedPath<'_>, draft: Draft, findings: &mut Findings) {
        let commits = touched.commits.iter().map(|commit| commit.oid).collect();
        self.path_finding_in(touched, commits, draft, findings);
    }

    /// The same, brought by some of the commits that touch the path.
    pub fn path_finding_in(
        &self,
        touched: &TouchedPath<'_>,
        commits: Vec<Oid>,
        draft: Draft,
        findings: &mut Findings,
    ) {
        let commit = if touched.in_whole || touched.in_staged { None } else { commits.first().copied() };
        let headline = if touched.is_elsewhere {
            format!(
                "{}, the same file here, where case, Unicode form and a trailing dot are ignored",
                draft.headline
            )
        } else {
            draft.headline
        };
        findings.add(Draft {
            headline,
            path: Some(touched.path.clone()),
            span: draft.span.or(touched.decision.span),
            commit,
            commits,
            ..draft
        });
    }
}

/// What a rule of the team's own says of its finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The whole of it, with its place.
    pub sentence: String,
    /// The lines below its headline.
    pub details: Vec<String>,
}

/// A finding as a rule makes it; the engine adds the rule's name and level.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// What is wrong, without the path: findings that share it are shown as one block.
    pub headline: String,
    /// The next legal step; `{paths}` stands for the paths it is about.
    pub help: String,
    /// The path.
    pub path: Option<RepoPath>,
    /// The commit, where only commits show it.
    pub commit: Option<Oid>,
    /// The line of the file, where it is about one.
    pub line: Option<u64>,
    /// The commits that brought it.
    pub commits: Vec<Oid>,
    /// The subject of a commit that is itself what is wrong.
    pub subject: Option<String>,
    /// The agents who own what was touched, separated by commas.
    pub owner: Option<String>,
    /// The words of the policy that decided.
    pub span: Option<Span>,
    /// What a rule of the team's own says, in place of a sentence about the file.
    pub words: Option<Words>,
    /// A level lower than the rule's own.
    pub at_most: Option<Level>,
    /// Whether it is refused where the policy only observes, too: it would spoil what is observed by.
    pub always_binds: bool,
}

impl Draft {
    /// A finding about one commit.
    pub fn of_commit(commit: &Commit) -> Self {
        Self {
            commit: Some(commit.oid),
            commits: vec![commit.oid],
            subject: Some(commit.message.subject()),
            ..Self::default()
        }
    }
}

/// What a rule finds.
#[derive(Debug)]
pub struct Findings {
    drafts: Vec<Draft>,
    room: usize,
    left_out: usize,
}

impl Findings {
    /// None yet, and room for so many.
    pub fn with_room(room: usize) -> Self {
        Self { drafts: Vec::new(), room, left_out: 0 }
    }

    /// Adds one, where there is room; else it is counted alone.
    pub fn add(&mut self, draft: Draft) {
        if self.drafts.len() < self.room {
            self.drafts.push(draft);
        } else {
            self.left_out += 1;
        }
    }

    /// All that found room, and how many others there are.
    pub fn into_drafts(self) -> (Vec<Draft>, usize) {
        (self.drafts, self.left_out)
    }
}
