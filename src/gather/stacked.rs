//! Stacked branches: how much a change adds to the pushed branch of the same agent that it stands on.

use std::collections::{HashMap, HashSet};

use super::gatherer::Gatherer;
use super::lines;
use super::push::PushLine;
use super::repository::Read;
use super::root::Root;
use crate::facts::{Change, Fact, Lines, MergeBase, Oid};

/// One pushed branch below a change.
struct Lower {
    reference: String,
    oid: Oid,
}

/// A change whose lines are counted anew.
struct Stack<'a> {
    root: &'a Root,
    /// Its commits, oldest first.
    own: Vec<Oid>,
    most: u64,
}

impl Gatherer<'_> {
    /// Counts the lines of a change from the highest pushed branch of the same agent that it stands on. Each branch of the
    /// stack has to keep to the limit by itself, so that nothing large hides below. `pushes`: what the same push brings.
    pub(super) fn count_from_pushed(
        &self,
        change: &mut Change,
        root: &Root,
        tip: Oid,
        tree: Option<Oid>,
        pushes: &[PushLine],
    ) -> Read<()> {
        let limits = &self.plan.policy.change;
        let (Some(lines), Some(branch)) = (change.lines.known().cloned(), change.branch.clone()) else {
            return Ok(());
        };
        let limit =
            |limit: &Option<crate::policy::Spanned<u64>>| limit.as_ref().map_or(u64::MAX, |it| it.value);
        let most = limit(&limits.max_lines);
        // A commit that is small enough is not looked at twice.
        let is_commit = change.commits.known().is_some_and(Vec::is_empty);
        if is_commit && lines.counted < most.min(limit(&limits.warn_at)) {
            return Ok(());
        }
        let Some((names, found)) = self.pushed_of_agent(&branch, pushes)? else {
            return Ok(());
        };
        let stack = Stack { root, own: self.repo.commits(&[tip], &root.exclude())?, most };
        let places: HashMap<Oid, usize> = stack.own.iter().enumerate().map(|(at, oid)| (*oid, at)).collect();
        let mut found: Vec<(usize, Lower)> =
            found.into_iter().filter_map(|lower| Some((*places.get(&lower.oid)?, lower))).collect();
        found.sort_by(|a, b| (a.0, &a.1.reference).cmp(&(b.0, &b.1.reference)));
        let mut start: Option<Lower> = None;
        for (_, lower) in found {
            let below = start.as_ref().map(|start| start.oid);
            let is_above = match below {
                Some(below) => self.repo.commits(&[below], &[lower.oid])?.is_empty(),
                None => true,
            };
            if is_above
                && self.lines_from(&stack, below, Some(self.repo.commit(lower.oid)?.tree))?.counted <= most
            {
                start = Some(lower);
            }
        }
        let mut counted = lines;
        if let Some(start) = &start {
            let above = self.lines_from(&stack, Some(start.oid), tree)?;
            if above.counted < counted.counted {
                counted.counted = above.counted;
                counted.largest = above.largest;
                counted.counted_from = Some(self.as_typed(&start.reference));
            }
        }
        if counted.counted > most {
            counted.next = self.free_name(&branch, &names)?;
            let below = start.map(|start| start.oid).filter(|_| counted.counted_from.is_some());
            counted.split = if is_commit { None } else { self.split(&stack, below)? };
        }
        change.lines = Fact::Known(counted);
        Ok(())
    }

    /// The names of all pushed branches of the agent whose branch this is, and what they hold; `None` where its name names
    /// no agent.
    fn pushed_of_agent(
        &self,
        branch: &str,
        pushes: &[PushLine],
    ) -> Read<Option<(HashSet<String>, Vec<Lower>)>> {
        let Some(template) = &self.plan.branch else {
            return Ok(None);
        };
        let Some(agent) = template.parse(branch).filter(|agent| !agent.is_empty()) else {
            return Ok(None);
        };
        let prefix = match self.event.is_server() {
            true => "refs/heads/".to_owned(),
            false => format!("refs/remotes/{}/", self.plan.policy.remote.value),
        };
        let form = template.for_agent(agent);
        let literal = form.split('{').next().unwrap_or_default();
        let is_of_agent = |name: &str| template.parse(name) == Some(agent) && name != branch;
        let mut all: HashMap<String, Oid> = HashMap::new();
        for reference in self.repo.ref_names(&format!("{prefix}{literal}"))? {
            if let Some(name) = reference.strip_prefix(&prefix).filter(|name| is_of_agent(name))
                && let Some(oid) = self.repo.find_ref(&reference)?
            {
                all.insert(name.to_owned(), oid);
            }
        }
        let told = self.environment.remote_branches.iter();
        all.extend(told.filter(|(name, _)| is_of_agent(name)).cloned());
        // What comes with the same push is judged with it.
        for line in pushes {
            let name = line.remote_ref.strip_prefix("refs/heads/").filter(|name| is_of_agent(name));
            let Some(name) = name else { continue };
            match line.local {
                Some(oid) => all.extend(self.repo.peel(oid)?.map(|oid| (name.to_owned(), oid))),
                None => drop(all.remove(name)),
            }
        }
        let names = all.keys().cloned().collect();
        let lower = |(name, oid)| Lower { reference: format!("{prefix}{name}"), oid };
        Ok(Some((names, all.into_iter().map(lower).collect())))
    }

    /// The lines from a commit of the change, or from its merge base, to a tree.
    fn lines_from(&self, stack: &Stack<'_>, from: Option<Oid>, tree: Option<Oid>) -> Read<Lines> {
        let root = stack.root;
        let files = match from {
            None => self.whole(root, tree)?,
            Some(oid) => {
                let commit = self.repo.commit(oid)?;
                let mut merged_in = Vec::new();
                for other in root.merge_base.iter().map(|base| base.oid).chain(root.merged_in.iter().copied())
                {
                    if !self.repo.commits(&[other], &[oid])?.is_empty() {
                        merged_in.push(other);
                    }
                }
                let merge_base = Some(MergeBase { oid, time: commit.time });
                self.whole(&Root { base: None, merge_base, tree: Some(commit.tree), merged_in }, tree)?
            }
        };
        lines::count(self.repo, &files, root.tree, &|path| self.plan.is_excluded(path))
    }

    /// The last commit above `below` up to which the lines keep to the limit; `None` where one commit alone has too many.
    fn split(&self, stack: &Stack<'_>, below: Option<Oid>) -> Read<Option<Oid>> {
        let above =
            below.and_then(|below| stack.own.iter().position(|oid| *oid == below)).map_or(0, |at| at + 1);
        let own = &stack.own[above.min(stack.own.len())..];
        let (mut fits, mut too_many) = (0, own.len());
        while too_many - fits > 1 {
            let middle = usize::midpoint(fits, too_many);
            let tree = self.repo.commit(own[middle - 1])?.tree;
            if self.lines_from(stack, below, Some(tree))?.counted <= stack.most {
                fits = middle;
            } else {
                too_many = middle;
            }
        }
        Ok(fits.checked_sub(1).map(|at| own[at]))
    }

    /// A name for the next branch of a stack that no branch has yet: `feat/a2/x-2`.
    fn free_name(&self, branch: &str, taken: &HashSet<String>) -> Read<Option<String>> {
        for number in 2..100 {
            let name = format!("{branch}-{number}");
            if !taken.contains(&name) && self.repo.find_ref(&format!("refs/heads/{name}"))?.is_none() {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }
}
