//! A policy that a change brings.

use super::collector::Collector;
use super::policy_source::{file_in_tree, in_tree};
use lane_core::facts::{Fact, FileChange, Oid, PolicyTexts};
use lane_core::policy::{self, FILE, Source, cases};
use lane_git::{Read, Repository, find_in_tree};

impl Collector<'_> {
    /// The policy of a tree, if it or its tests are among these files and not simply what the base has.
    pub(super) fn policy(
        &self,
        files: &Fact<Vec<FileChange>>,
        tree: Option<Oid>,
    ) -> Fact<Option<PolicyTexts>> {
        let is_policy = |file: &&FileChange| self.plan.has_file(&file.path.0);
        let changed: Vec<&FileChange> = files.known().into_iter().flatten().filter(is_policy).collect();
        let (Some(tree), false) = (tree, changed.is_empty()) else {
            return Fact::Known(None);
        };
        let read = || -> Read<Option<PolicyTexts>> {
            if let Some(base) = self.base {
                let base = self.repo.commit(base.oid)?.tree;
                let mut differs = false;
                for file in &changed {
                    differs |= find_in_tree(self.repo, base, &file.path.0)? != file.new;
                }
                if !differs {
                    return Ok(None);
                }
            }
            let policy = in_tree(self.repo, tree, FILE, FILE)?.map(|(source, _)| source);
            let tests = file_in_tree(self.repo, tree, cases::FILE, cases::FILE)?;
            let absent = self.absent(policy.as_ref(), tree)?;
            Ok(Some(PolicyTexts { policy, tests: tests.map(|(source, _)| source.text), absent }))
        };
        read().into()
    }

    /// The files that rules of a policy's own need and its tree does not have. One with mistakes names none that count.
    fn absent(&self, policy: Option<&Source>, tree: Oid) -> Read<Vec<String>> {
        let Some(source) = policy else { return Ok(Vec::new()) };
        let named = match policy::load(source.clone(), self.plan.folds_case()) {
            Ok(plan) => policy::named_files(&plan),
            Err(_) => return Ok(Vec::new()),
        };
        let mut absent = Vec::new();
        for path in named {
            if !is_in_tree(self.repo, tree, path.as_bytes())? {
                absent.push(path);
            }
        }
        Ok(absent)
    }
}

/// Whether a tree has a path. What lies behind a link is looked for when it is needed.
fn is_in_tree(repo: &dyn Repository, tree: Oid, path: &[u8]) -> Read<bool> {
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    for end in ends.chain([path.len()]) {
        match find_in_tree(repo, tree, &path[..end])? {
            None => return Ok(false),
            Some(version) if version.mode == 0o120_000 || version.is_submodule() => return Ok(true),
            Some(_) => {}
        }
    }
    Ok(true)
}
