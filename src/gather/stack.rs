//! Stacked branches: how much a change adds to the pushed branch of the same agent that it is based on.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::collector::Collector;
use super::push::PushLine;
use super::root::Root;
use lane_core::facts::{Change, Fact, Lines, MergeBase, Oid};
use lane_core::identity::of_branch;
use lane_git::Read;

/// One pushed branch below a change.
struct BaseBranch {
    reference: String,
    oid: Oid,
}

/// The pushed branches of one agent.
#[derive(Default)]
pub(super) struct PushedBranches {
    names: HashSet<String>,
    /// The names of those that hold a commit.
    at: HashMap<Oid, BTreeSet<String>>,
}

/// Branches of a push by the ids in their names, each with its commit, or `None` where it goes away.
type PushBranches = HashMap<String, Vec<(String, Option<Oid>)>>;
/// What a change grew from (its merge base, and what was merged in), a commit and a tree.
type StackRange = (Option<Oid>, Vec<Oid>, Option<Oid>, Option<Oid>);

/// What one gathering remembers of stacks: a push may bring hundreds of branches, each standing on others.
#[derive(Default)]
pub(super) struct Stacks {
    /// The branches of the push.
    arriving: OnceCell<PushBranches>,
    of_agent: RefCell<HashMap<String, Rc<PushedBranches>>>,
    /// Whether the lines from a commit to a tree keep to the limits, by what the change grew from.
    fitting: RefCell<HashMap<StackRange, bool>>,
}

/// A change whose lines are counted again.
struct Stack<'a> {
    root: &'a Root,
    /// Its commits, oldest first.
    own: Vec<Oid>,
}

impl Collector<'_> {
    /// Counts the lines of a change from the highest pushed branch of the same agent that it is based on. Each branch of the
    /// stack has to keep to the limits by itself, so that nothing large hides below. `pushes`: what the same push brings.
    pub(super) fn count_from_pushed(
        &self,
        change: &mut Change,
        root: &Root,
        tip: Oid,
        tree: Option<Oid>,
        pushes: &[PushLine],
    ) -> Read<()> {
        let (Some(lines), Some(branch)) = (change.lines.known().cloned(), change.branch.clone()) else {
            return Ok(());
        };
        // A commit that is small enough is not looked at twice.
        let is_commit = change.commits.known().is_some_and(Vec::is_empty);
        if is_commit && !self.plan.reaches_limits(&lines) {
            return Ok(());
        }
        let Some((prefix, pushed)) = self.pushed_of_agent(&branch, pushes)? else {
            return Ok(());
        };
        let stack = Stack { root, own: self.repo.commits(&[tip], &root.exclude())? };
        let mut start: Option<BaseBranch> = None;
        for oid in &stack.own {
            let mut names = pushed.at.get(oid).into_iter().flatten();
            let Some(name) = names.rfind(|name| **name != branch) else {
                continue;
            };
            let below = start.as_ref().map(|start| start.oid);
            let is_above = match below {
                Some(below) => self.repo.commits(&[below], &[*oid])?.is_empty(),
                None => true,
            };
            if is_above && self.fits(&stack, below, *oid)? {
                start = Some(BaseBranch { reference: format!("{prefix}{name}"), oid: *oid });
            }
        }
        let mut counted = lines;
        if let Some(start) = &start {
            let above = self.lines_from(&stack, Some(start.oid), tree)?;
            if above.counted < counted.counted {
                counted.counted = above.counted;
                counted.largest.clone_from(&above.largest);
                counted.counted_from = Some(self.as_typed(&start.reference));
            }
            count_areas_from(&mut counted, &above, &self.as_typed(&start.reference));
        }
        if !self.plan.keeps_limits(&counted) {
            counted.next = self.free_name(&branch, &pushed.names)?;
            let is_from = counted.counted_from.is_some()
                || counted.areas.iter().any(|area| area.counted_from.is_some());
            let below = start.map(|start| start.oid).filter(|_| is_from);
            counted.split = if is_commit { None } else { self.split(&stack, below)? };
        }
        change.lines = Fact::Known(counted);
        Ok(())
    }

    /// The pushed branches of the agent whose branch this is, and where branches that were pushed lie; `None` where its name
    /// names no agent.
    fn pushed_of_agent(
        &self,
        branch: &str,
        pushes: &[PushLine],
    ) -> Read<Option<(String, Rc<PushedBranches>)>> {
        let Some(names) = &self.plan.branch else {
            return Ok(None);
        };
        let Some(agent) = of_branch(self.plan, branch) else {
            return Ok(None);
        };
        let prefix = match self.event.is_server() {
            true => "refs/heads/".to_owned(),
            false => format!("refs/remotes/{}/", self.plan.policy.remote.value),
        };
        if let Some(known) = self.stacks.of_agent.borrow().get(agent) {
            return Ok(Some((prefix, Rc::clone(known))));
        }
        let beginning = names.beginning_for(agent);
        let is_of_agent = |name: &str| names.parse(name) == Some(agent);
        let mut all: HashMap<String, Oid> = HashMap::new();
        for reference in self.repo.ref_names(&format!("{prefix}{beginning}"))? {
            if let Some(name) = reference.strip_prefix(&prefix).filter(|name| is_of_agent(name))
                && let Some(oid) = self.repo.find_ref(&reference)?
            {
                all.insert(name.to_owned(), oid);
            }
        }
        let told = self.environment.remote_branches.iter();
        all.extend(told.filter(|(name, _)| is_of_agent(name)).cloned());
        // What comes with the same push is judged with it.
        for (name, oid) in self.push_branches(pushes)?.get(agent).into_iter().flatten() {
            match oid {
                Some(oid) => drop(all.insert(name.clone(), *oid)),
                None => drop(all.remove(name)),
            }
        }
        let mut pushed = PushedBranches::default();
        for (name, oid) in all {
            pushed.at.entry(oid).or_default().insert(name.clone());
            pushed.names.insert(name);
        }
        let pushed = Rc::new(pushed);
        self.stacks.of_agent.borrow_mut().insert(agent.to_owned(), Rc::clone(&pushed));
        Ok(Some((prefix, pushed)))
    }

    /// The branches of a push by the ids in their names.
    fn push_branches(&self, pushes: &[PushLine]) -> Read<&PushBranches> {
        if let Some(known) = self.stacks.arriving.get() {
            return Ok(known);
        }
        let mut all = PushBranches::new();
        for line in pushes {
            let Some(name) = line.remote_ref.strip_prefix("refs/heads/") else { continue };
            let Some(id) = of_branch(self.plan, name) else { continue };
            let oid = match line.local {
                Some(oid) => match self.repo.peel(oid)? {
                    Some(oid) => Some(oid),
                    None => continue,
                },
                None => None,
            };
            all.entry(id.to_owned()).or_default().push((name.to_owned(), oid));
        }
        Ok(self.stacks.arriving.get_or_init(|| all))
    }

    /// Whether the lines from a commit of the change, or from its merge base, to another commit keep to the limits.
    fn fits(&self, stack: &Stack<'_>, from: Option<Oid>, to: Oid) -> Read<bool> {
        let tree = Some(self.repo.commit(to)?.tree);
        let merge_base = stack.root.merge_base.map(|base| base.oid);
        let key = (merge_base, stack.root.merged_in.clone(), from, tree);
        if let Some(known) = self.stacks.fitting.borrow().get(&key) {
            return Ok(*known);
        }
        let fits = self.plan.keeps_limits(&self.lines_from(stack, from, tree)?);
        self.stacks.fitting.borrow_mut().insert(key, fits);
        Ok(fits)
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
        self.count(&files, root.tree)
    }

    /// The last commit above `below` up to which the lines keep to the limits; `None` where one commit alone has too many.
    fn split(&self, stack: &Stack<'_>, below: Option<Oid>) -> Read<Option<Oid>> {
        let above =
            below.and_then(|below| stack.own.iter().position(|oid| *oid == below)).map_or(0, |at| at + 1);
        let own = &stack.own[above.min(stack.own.len())..];
        let (mut fits, mut too_many) = (0, own.len());
        while too_many - fits > 1 {
            let middle = usize::midpoint(fits, too_many);
            if self.fits(stack, below, own[middle - 1])? {
                fits = middle;
            } else {
                too_many = middle;
            }
        }
        Ok(fits.checked_sub(1).map(|at| own[at]))
    }

    /// A name for the next branch of a stack that no branch has yet: `feat/a2/x-2`.
    fn free_name(&self, branch: &str, taken: &HashSet<String>) -> Read<Option<String>> {
        let Some((names, agent)) = self.plan.branch.as_ref().zip(of_branch(self.plan, branch)) else {
            return Ok(None);
        };
        let numbered = (2..100).map(|number| format!("{branch}-{number}"));
        let others = (2..100).filter_map(|number| names.name(agent, &format!("work-{number}")));
        let usual = names.usual(agent);
        for name in numbered.chain(others).filter(|name| names.is_of(name, agent)).chain([usual]) {
            if !taken.contains(&name) && self.repo.find_ref(&format!("refs/heads/{name}"))?.is_none() {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }
}

/// What is in an area counts from a lower branch, too, where it is less from there.
fn count_areas_from(counted: &mut Lines, above: &Lines, reference: &str) {
    for area in &mut counted.areas {
        let there = above.areas.iter().find(|there| there.area == area.area).cloned().unwrap_or_default();
        let is_less = there.lines <= area.lines && there.files <= area.files;
        if is_less && (there.lines, there.files) != (area.lines, area.files) {
            (area.lines, area.files, area.largest) = (there.lines, there.files, there.largest);
            area.counted_from = Some(reference.to_owned());
        }
    }
}
