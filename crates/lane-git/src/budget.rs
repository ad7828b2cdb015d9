//! How much of a repository is read for one verdict. Ten small objects can stand for a million files: folders that hold
//! one another again and again cost whoever pushes them nothing, and whoever compares trees as much as there are paths.
//!
//! All limits follow from one number of files, so that one setting raises them. What goes beyond cannot be decided, and is
//! never a pass.

use std::cell::Cell;

use super::repository::{Read, Repository};
use lane_core::facts::{Oid, Unavailable};

/// How many changed files are read for one verdict, unless [`KEY`] says another number: those of the whole change and
/// those of each of its commits.
const FILES: usize = 400_000;
/// The setting of git that says another number.
const KEY: &str = "lane.maxFiles";
/// How many folders are compared for each file that may change.
const TREES: usize = 5;
/// How many bytes the paths may have, for each file that may change.
const PATH: usize = 128;
/// How many steps of comparing files for renames, for each file that may change.
const STEPS: u64 = 10_000;
/// How many bytes one folder's own list may have, for each file that may change.
const ENTRY: usize = 80;
/// How many bytes one commit or tag may have, for each file that may change; at least for those of [`FILES`].
const TEXT: usize = 10;
/// How many bytes of messages are kept, for each file that may change; likewise.
const MESSAGES: usize = 256;
/// As deep as git reads by itself: git-config(1), `core.maxTreeDepth`.
pub const DEPTH: usize = 2048;

/// What has been read, and what may be.
#[derive(Debug, Default)]
pub struct Budget {
    /// `None`: the setting was not asked for.
    limit: Cell<Option<usize>>,
    /// Whether all that is read counts together, and not each comparison for itself.
    is_one: Cell<bool>,
    /// Whether files are listed, and no change is judged.
    is_list: Cell<bool>,
    /// Whether a tree's size is looked at before it is read.
    weighs: Cell<bool>,
    files: Cell<usize>,
    bytes: Cell<usize>,
    trees: Cell<usize>,
    steps: Cell<u64>,
    messages: Cell<usize>,
}

impl Budget {
    /// Begins a verdict. `is_hook`: of a commit, for which nothing is read that need not be, and whose trees its author has
    /// written on this machine.
    pub fn begin(&self, repo: &dyn Repository, is_hook: bool) {
        self.start();
        self.limit.set(None);
        self.is_one.set(true);
        self.weighs.set(!is_hook);
        if !is_hook {
            self.ask(repo);
        }
    }

    /// Ends it: from here on each comparison counts for itself.
    pub fn end(&self) {
        self.is_one.set(false);
        self.is_list.set(false);
        self.limit.set(None);
    }

    /// Begins a list of all files, until [`Self::end`]: of so many at the most, or of more if the setting says so.
    pub fn list(&self, repo: &dyn Repository, files: usize) {
        self.start();
        let said = self.ask(repo);
        self.limit.set(Some(said.max(files)));
        self.is_one.set(true);
        self.is_list.set(true);
        self.weighs.set(true);
    }

    /// Begins a comparison of trees.
    pub fn compare(&self) {
        if !self.is_one.get() {
            self.start();
        }
    }

    fn start(&self) {
        self.files.set(0);
        self.bytes.set(0);
        self.trees.set(0);
        self.steps.set(0);
        self.messages.set(0);
    }

    fn ask(&self, repo: &dyn Repository) -> usize {
        let said = repo.config(KEY).unwrap_or_default().pop();
        let limit = said.and_then(|said| said.trim().parse().ok()).unwrap_or(FILES);
        self.limit.set(Some(limit));
        limit
    }

    /// The number of files, if so much is too much by what is known.
    fn is_over(&self, repo: &dyn Repository, is_over: impl Fn(usize) -> bool) -> Option<usize> {
        if !is_over(self.limit.get().unwrap_or(FILES)) {
            return None;
        }
        let limit = self.limit.get().unwrap_or_else(|| self.ask(repo));
        is_over(limit).then_some(limit)
    }

    /// One more file that differs.
    pub fn file(&self, repo: &dyn Repository, path: &[u8]) -> Read<()> {
        self.files(repo, 1, path.len())
    }

    /// More files that differ, with so many bytes of paths.
    pub fn files(&self, repo: &dyn Repository, count: usize, bytes: usize) -> Read<()> {
        let (files, bytes) = (self.files.get().saturating_add(count), self.bytes.get().saturating_add(bytes));
        self.files.set(files);
        self.bytes.set(bytes);
        match self.is_over(repo, |limit| files > limit || bytes > limit.saturating_mul(PATH)) {
            Some(limit) if self.is_list.get() => {
                let most = limit.saturating_mul(PATH);
                Err(self.too_much(format!("it has more than {limit} files, or {most} bytes of paths"), limit))
            }
            Some(limit) if files > limit => {
                let counted =
                    "counted once for the whole and once for each commit, and each commit as one more";
                Err(self.too_much(format!("it changes more than {limit} files ({counted})"), limit))
            }
            Some(limit) => Err(self.too_much(
                format!("the paths that it changes have more than {} bytes", limit.saturating_mul(PATH)),
                limit,
            )),
            None => Ok(()),
        }
    }

    /// A commit or tag of so many bytes is to be read.
    pub fn text(&self, repo: &dyn Repository, kind: &str, oid: Oid, bytes: usize) -> Read<()> {
        let Some(limit) = self.is_over(repo, |limit| bytes > limit.max(FILES).saturating_mul(TEXT)) else {
            return Ok(());
        };
        let most = limit.max(FILES).saturating_mul(TEXT);
        let shorter = if kind == "tag" { "git tag -a -f TAG COMMIT" } else { "git commit --amend" };
        Err(Unavailable::new(
            format!("the {kind} {} has {bytes} bytes; at most {most} are read", oid.short()),
            format!(
                "give it a shorter message: {shorter}\nor raise the limit in the repository that judges: git config {KEY} {}",
                bytes.div_ceil(TEXT)
            ),
        ))
    }

    /// One more commit, and so many bytes of its message that are kept: it costs as much as a file, if it changes none.
    pub fn commit(&self, repo: &dyn Repository, bytes: usize) -> Read<()> {
        self.files(repo, 1, 0)?;
        let messages = self.messages.get().saturating_add(bytes);
        self.messages.set(messages);
        match self.is_over(repo, |limit| messages > limit.max(FILES).saturating_mul(MESSAGES)) {
            Some(limit) => {
                let most = limit.max(FILES).saturating_mul(MESSAGES);
                Err(self.too_much(format!("the messages of its commits have more than {most} bytes"), limit))
            }
            None => Ok(()),
        }
    }

    /// How many more files, and bytes of paths, may be read.
    pub fn remaining(&self) -> (usize, usize) {
        let limit = self.limit.get().unwrap_or(FILES);
        let bytes = limit.saturating_mul(PATH);
        (limit.saturating_sub(self.files.get()), bytes.saturating_sub(self.bytes.get()))
    }

    /// One more folder that is compared, so many folders below the root.
    pub fn tree(&self, repo: &dyn Repository, depth: usize) -> Read<()> {
        if depth > DEPTH {
            return Err(Unavailable::new(
                format!(
                    "the change cannot be judged: its folders are nested more than {DEPTH} deep, the limit of git (core.maxTreeDepth)"
                ),
                "leave that folder out of the change",
            ));
        }
        let trees = self.trees.get() + 1;
        self.trees.set(trees);
        match self.is_over(repo, |limit| trees > limit.saturating_mul(TREES)) {
            Some(limit) => {
                let most = limit.saturating_mul(TREES);
                Err(self.too_much(format!("more than {most} folders would have to be compared"), limit))
            }
            None => Ok(()),
        }
    }

    /// More steps of comparing files for renames.
    pub fn steps(&self, repo: &dyn Repository, count: usize) -> Read<()> {
        let steps = self.steps.get().saturating_add(count as u64);
        self.steps.set(steps);
        match self.is_over(repo, |limit| steps > STEPS.saturating_mul(limit as u64)) {
            Some(limit) => Err(self.too_much(
                "its files are too many and too large to look for renames among them".to_owned(),
                limit,
            )),
            None => Ok(()),
        }
    }

    /// Whether the size of a tree is to be looked at before it is read.
    pub fn limits_trees(&self) -> bool {
        self.weighs.get()
    }

    /// How many bytes a tree may have without a question.
    pub fn tree_bytes(&self) -> usize {
        self.limit.get().unwrap_or(FILES).saturating_mul(ENTRY)
    }

    /// A tree of so many bytes is to be read.
    pub fn charge(&self, repo: &dyn Repository, bytes: usize) -> Read<()> {
        match self.is_over(repo, |limit| bytes > limit.saturating_mul(ENTRY)) {
            Some(limit) => {
                let most = limit.saturating_mul(ENTRY);
                Err(self
                    .too_much(format!("the list of one folder has {bytes} bytes, more than {most}"), limit))
            }
            None => Ok(()),
        }
    }

    fn too_much(&self, what: String, limit: usize) -> Unavailable {
        let more = format!("git config {KEY} {}", limit.saturating_mul(10));
        if self.is_list.get() {
            let help = format!("raise the limit: {more}");
            return Unavailable::new(format!("the repository is too large: {what}"), help);
        }
        Unavailable::new(
            format!("the change is too large to be judged: {what}"),
            format!("push it in parts\nor raise the limit in the repository that judges: {more}"),
        )
    }
}
