//! Merge bases by the commit graph, gitformat-commit-graph(5), which git's maintenance writes: each commit there is a few
//! bytes in a file, and not an object to be inflated.
//!
//! libgit2 gives up on a graph with dates in it, as git has written all of them since 2.31. What is not in the graph is
//! read as before, and where more than one merge base comes up, or anything odd, libgit2 is asked.

use std::collections::BinaryHeap;
use std::path::Path;

use gix_commitgraph::{Graph, Position};
use rustc_hash::FxHashMap;

use lane_core::facts::Oid;

/// Reaches the base.
const OF_BASE: u8 = 1;
/// Reaches one of the tips.
const OF_TIPS: u8 = 2;
const BOTH: u8 = OF_BASE | OF_TIPS;
/// Lies below a common ancestor.
const STALE: u8 = 4;
/// Was come upon as a common ancestor.
const COMMON: u8 = 8;

/// How many commits may be missing from the graph before it helps no more.
const MOST_OUTSIDE: usize = 1000;

/// A commit graph.
pub struct CommitGraph(Graph);

/// A commit that the graph does not have: its parents, and when it was committed.
pub type Parents = (Vec<Oid>, i64);

/// A commit of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    /// By its place in the graph.
    In(u32),
    /// By its place among those that are not in it.
    Out(usize),
}

struct LooseCommit {
    oid: Oid,
    parents: Vec<Oid>,
    time: i64,
    flags: u8,
}

struct Walk<'g> {
    graph: &'g Graph,
    read: &'g dyn Fn(Oid) -> Option<Parents>,
    /// Flags of all commits of the graph.
    inside: Vec<u8>,
    outside: Vec<LooseCommit>,
    places: FxHashMap<Oid, usize>,
    /// Descendants before their ancestors, as far as is known: by generation, which those outside have none of and
    /// come first, then by time.
    queue: BinaryHeap<(u32, i64, Node)>,
}

impl CommitGraph {
    /// The graph of a folder of objects whose ids are SHA-1; `None` where there is none, or none that can be read.
    pub fn open(objects: &Path) -> Option<Self> {
        Graph::at(&objects.join("info"), gix_hash::Kind::Sha1, None).ok().map(Self)
    }

    /// The best common ancestor of `base` and of a merge of `tips`, `Some(None)` if there is none; `None` where that
    /// takes more than the graph. `read`: what the graph does not have.
    ///
    /// As git's `paint_down_to_common`: each commit between the two is looked at once or twice. Whatever the order is,
    /// all best ones are among those that come out; so one alone is it.
    pub fn merge_base(
        &self,
        base: Oid,
        tips: &[Oid],
        read: &dyn Fn(Oid) -> Option<Parents>,
    ) -> Option<Option<Oid>> {
        let graph = &self.0;
        let mut walk = Walk {
            graph,
            read,
            inside: vec![0; graph.num_commits() as usize],
            outside: Vec::new(),
            places: FxHashMap::default(),
            queue: BinaryHeap::new(),
        };
        walk.paint(base, OF_BASE)?;
        for tip in tips {
            walk.paint(*tip, OF_TIPS)?;
        }
        let mut common =
            walk.common_ancestors()?.into_iter().filter(|node| walk.flags_of(*node) & STALE == 0);
        let best = common.next();
        if common.next().is_some() {
            return None;
        }
        match best {
            Some(node) => walk.oid(node).map(Some),
            None => Some(None),
        }
    }
}

impl Walk<'_> {
    /// All common ancestors that were come upon, until what is left lies below them.
    fn common_ancestors(&mut self) -> Option<Vec<Node>> {
        let mut common = Vec::new();
        while self.has_more()
            && let Some((_, _, node)) = self.queue.pop()
        {
            let flags = self.flags(node);
            if *flags & (BOTH | COMMON) == BOTH {
                *flags |= COMMON;
                common.push(node);
            }
            let mut passed_on = *flags & (BOTH | STALE);
            if passed_on & BOTH == BOTH {
                passed_on |= STALE;
            }
            match node {
                Node::In(place) => {
                    for parent in self.graph.commit_at(Position(place)).iter_parents() {
                        let parent = self.known_as(parent.ok()?)?;
                        self.mark(Node::In(parent.0), passed_on);
                    }
                }
                Node::Out(place) => {
                    for parent in self.outside[place].parents.clone() {
                        self.paint(parent, passed_on)?;
                    }
                }
            }
        }
        Some(common)
    }

    fn has_more(&self) -> bool {
        self.queue.iter().any(|(_, _, node)| self.flags_of(*node) & STALE == 0)
    }

    /// The place by which a commit is found: the files of a chain may both have it, and parents are told by the place
    /// that the upper one gives it.
    fn known_as(&self, place: Position) -> Option<Position> {
        let commit = self.graph.commit_at(place);
        let is_in_first = commit.position().0 == place.0;
        if is_in_first { Some(place) } else { self.graph.lookup(commit.id()) }
    }

    fn paint(&mut self, oid: Oid, flags: u8) -> Option<()> {
        let node = match self.graph.lookup(gix_hash::oid::try_from_bytes(oid.as_bytes()).ok()?) {
            Some(place) => Node::In(place.0),
            None => Node::Out(self.outside(oid)?),
        };
        self.mark(node, flags);
        Some(())
    }

    fn outside(&mut self, oid: Oid) -> Option<usize> {
        if let Some(place) = self.places.get(&oid) {
            return Some(*place);
        }
        let place = self.outside.len();
        let (parents, time) = (self.read)(oid).filter(|_| place < MOST_OUTSIDE)?;
        self.outside.push(LooseCommit { oid, parents, time, flags: 0 });
        self.places.insert(oid, place);
        Some(place)
    }

    fn mark(&mut self, node: Node, flags: u8) {
        let here = self.flags(node);
        if *here & flags == flags {
            return;
        }
        *here |= flags;
        let (generation, time) = match node {
            Node::In(place) => {
                let commit = self.graph.commit_at(Position(place));
                (commit.generation(), commit.committer_timestamp() as i64)
            }
            Node::Out(place) => (u32::MAX, self.outside[place].time),
        };
        self.queue.push((generation, time, node));
    }

    fn flags_of(&self, node: Node) -> u8 {
        match node {
            Node::In(place) => self.inside[place as usize],
            Node::Out(place) => self.outside[place].flags,
        }
    }

    fn flags(&mut self, node: Node) -> &mut u8 {
        match node {
            Node::In(place) => &mut self.inside[place as usize],
            Node::Out(place) => &mut self.outside[place].flags,
        }
    }

    fn oid(&self, node: Node) -> Option<Oid> {
        match node {
            Node::In(place) => Oid::from_bytes(self.graph.id_at(Position(place)).as_bytes()),
            Node::Out(place) => Some(self.outside[place].oid),
        }
    }
}
