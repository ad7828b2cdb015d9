//! One repository on GitHub: its pull requests, its merge queue, and what moves by itself.

use std::collections::{BTreeMap, HashMap};

use git2::Oid;

use super::git::Git;

/// How the repository and its one protected branch are set up.
#[derive(Clone)]
pub struct Settings {
    pub base: String,
    pub auto_merge: bool,
    /// `MERGE`, `SQUASH`, `REBASE`.
    pub methods: Vec<String>,
    /// The method of the merge queue, if there is one.
    pub queue: Option<String>,
    /// Whether a ruleset sets the queue; otherwise classic branch protection does.
    pub is_ruleset: bool,
    pub requires_checks: bool,
    pub requires_reviews: bool,
    /// A ruleset wants pull requests.
    pub requires_pull_request: bool,
    /// What GitHub says to whoever may not; `None` where the token may.
    pub forbidden: Option<String>,
    /// The plan has no rulesets.
    pub has_no_rules: bool,
    /// GraphQL does not tell this token of merge queues.
    pub hides_queue: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base: "main".to_owned(),
            auto_merge: false,
            methods: ["MERGE", "SQUASH", "REBASE"].map(str::to_owned).to_vec(),
            queue: None,
            is_ruleset: true,
            requires_checks: false,
            requires_reviews: false,
            requires_pull_request: false,
            forbidden: None,
            has_no_rules: false,
            hides_queue: false,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Check {
    Pending,
    Passed,
    Failed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Open,
    Closed,
    Merged,
}

#[derive(Clone)]
pub struct Pull {
    pub number: u64,
    pub title: String,
    pub body: String,
    pub base: String,
    pub head_ref: String,
    pub head: Oid,
    pub is_draft: bool,
    pub state: State,
    pub merge_commit: Option<Oid>,
    pub auto_merge: Option<String>,
    /// `APPROVED` or `CHANGES_REQUESTED`.
    pub review: Option<String>,
    /// How often it is still not known whether it can be merged.
    pub computing: u32,
    /// The tips of head and base when it was looked at last: what has not moved is not walked again.
    pub seen: Option<(Option<Oid>, Option<Oid>)>,
}

#[derive(Clone)]
pub struct Entry {
    pub number: u64,
    /// What the base would be with it, and what it was built on.
    pub group: Option<(Oid, Oid)>,
}

#[derive(Clone)]
pub struct Repo {
    pub git: Git,
    pub name: String,
    pub settings: Settings,
    pub pulls: BTreeMap<u64, Pull>,
    pub queue: Vec<Entry>,
    pub checks: HashMap<Oid, Check>,
    /// Of commits that nobody said anything about.
    pub other_checks: Check,
    /// So many merges meet a base in motion.
    pub moving_base: u32,
}

impl Repo {
    pub fn new(name: &str, git: Git, settings: Settings) -> Self {
        Self {
            git,
            name: name.to_owned(),
            settings,
            pulls: BTreeMap::new(),
            queue: Vec::new(),
            checks: HashMap::new(),
            other_checks: Check::Passed,
            moving_base: 0,
        }
    }

    pub fn check(&self, commit: Oid) -> Check {
        self.checks.get(&commit).copied().unwrap_or(self.other_checks)
    }

    /// # Errors
    /// The words of GitHub's refusal.
    pub fn open_pull(
        &mut self,
        head_ref: &str,
        base: &str,
        title: &str,
        body: &str,
        is_draft: bool,
    ) -> Result<u64, String> {
        let is_same =
            |pull: &Pull| pull.state == State::Open && pull.head_ref == head_ref && pull.base == base;
        if self.pulls.values().any(is_same) {
            return Err(format!("A pull request already exists for o:{head_ref}."));
        }
        let (Some(head), Some(base_tip)) = (self.git.tip(head_ref), self.git.tip(base)) else {
            return Err("head or base is invalid".to_owned());
        };
        if self.git.has(base_tip, head) {
            return Err(format!("No commits between {base} and {head_ref}"));
        }
        let number = self.pulls.keys().next_back().map_or(1, |last| last + 1);
        let pull = Pull {
            number,
            title: title.to_owned(),
            body: body.to_owned(),
            base: base.to_owned(),
            head_ref: head_ref.to_owned(),
            head,
            is_draft,
            state: State::Open,
            merge_commit: None,
            auto_merge: None,
            review: None,
            computing: 0,
            seen: None,
        };
        self.pulls.insert(number, pull);
        Ok(number)
    }

    /// `mergeStateStatus`.
    pub fn merge_state(&self, pull: &Pull) -> &'static str {
        let Some(base) = self.git.tip(&pull.base).filter(|_| pull.state == State::Open) else {
            return "UNKNOWN";
        };
        let is_reviewed = pull.review.as_deref() == Some("APPROVED");
        let is_passed = self.check(pull.head) == Check::Passed;
        let rules = &self.settings;
        match () {
            () if pull.computing > 0 => "UNKNOWN",
            () if self.git.conflicts(base, pull.head) => "DIRTY",
            () if pull.is_draft => "BLOCKED",
            () if rules.requires_reviews && !is_reviewed => "BLOCKED",
            () if rules.requires_checks && !is_passed => "BLOCKED",
            () if !is_passed => "UNSTABLE",
            () => "CLEAN",
        }
    }

    pub fn is_mergeable(&self, pull: &Pull) -> bool {
        ["CLEAN", "UNSTABLE"].contains(&self.merge_state(pull))
    }

    pub fn has_queue(&self, branch: &str) -> bool {
        branch == self.settings.base && self.settings.queue.is_some()
    }

    pub fn position(&self, number: u64) -> Option<usize> {
        self.queue.iter().position(|entry| entry.number == number)
    }

    /// All that happens by itself: heads that were pushed or deleted, heads that the base has, auto-merge, the queue.
    pub fn refresh(&mut self) {
        let open: Vec<u64> =
            self.pulls.values().filter(|pull| pull.state == State::Open).map(|pull| pull.number).collect();
        let names = open.iter().map(|number| &self.pulls[number]);
        let tips = self.git.tips(names.map(|pull| (pull.head_ref.as_str(), pull.base.as_str())));
        for (number, tips) in open.iter().zip(tips) {
            self.follow(*number, tips);
        }
        for number in &open {
            let pull = &self.pulls[number];
            let Some(method) = pull.auto_merge.clone().filter(|_| pull.state == State::Open) else {
                continue;
            };
            if !self.is_mergeable(pull) {
                continue;
            }
            if !self.has_queue(&pull.base) {
                self.merge(*number, &method, None, None);
            } else if self.position(*number).is_none() {
                self.queue.push(Entry { number: *number, group: None });
                self.pulls.get_mut(number).unwrap().auto_merge = None;
            }
        }
        while self.advance_queue() {}
    }

    fn follow(&mut self, number: u64, tips: (Option<Oid>, Option<Oid>)) {
        let pull = &self.pulls[&number];
        if pull.seen == Some(tips) {
            return;
        }
        let (head, base) = tips;
        let has_moved = head != Some(pull.head);
        if has_moved {
            self.queue.retain(|entry| entry.number != number);
        }
        let head = head.unwrap_or(pull.head);
        let landed = base.filter(|base| self.git.has(*base, head));
        let is_gone = tips.0.is_none();
        let pull = self.pulls.get_mut(&number).unwrap();
        (pull.head, pull.seen) = (head, Some(tips));
        match landed {
            Some(base) => {
                (pull.state, pull.merge_commit) = (State::Merged, Some(base));
                self.queue.retain(|entry| entry.number != number);
            }
            None if is_gone => pull.state = State::Closed,
            None => {}
        }
    }

    /// Merges it; `false` where it conflicts or the base moved meanwhile.
    pub fn merge(&mut self, number: u64, method: &str, title: Option<&str>, body: Option<&str>) -> bool {
        let pull = &self.pulls[&number];
        let Some(base) = self.git.tip(&pull.base) else { return false };
        let own = if method == "MERGE" {
            format!("Merge pull request #{number} from {}", pull.head_ref)
        } else {
            format!("{} (#{number})", pull.title)
        };
        let title = title.unwrap_or(&own);
        let made = self.git.merge(base, pull.head, method, title, body.unwrap_or_default());
        let made = made.filter(|made| self.git.advance(&pull.base, base, *made));
        let pull = self.pulls.get_mut(&number).unwrap();
        if let Some(made) = made {
            (pull.state, pull.merge_commit) = (State::Merged, Some(made));
        }
        made.is_some()
    }

    /// Lands the first of the queue, or throws it out; `false` where there is nothing to do for now.
    fn advance_queue(&mut self) -> bool {
        let Some(Entry { number, group }) = self.queue.first().cloned() else { return false };
        let (pull, method) = (self.pulls[&number].clone(), self.settings.queue.clone().unwrap_or_default());
        let Some(base) = self.git.tip(&pull.base) else { return false };
        let Some((made, _)) = group.filter(|(_, on)| *on == base) else {
            let title = format!("{} (#{number})", pull.title);
            match self.git.merge(base, pull.head, &method, &title, "") {
                Some(made) => self.queue[0].group = Some((made, base)),
                None => drop(self.queue.remove(0)),
            }
            return true;
        };
        match self.check(made) {
            Check::Pending => false,
            Check::Failed => {
                self.queue.remove(0);
                true
            }
            Check::Passed => {
                if self.git.advance(&pull.base, base, made) {
                    self.queue.remove(0);
                    let pull = self.pulls.get_mut(&number).unwrap();
                    (pull.state, pull.merge_commit) = (State::Merged, Some(made));
                }
                true
            }
        }
    }
}
