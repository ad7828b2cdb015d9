//! Walks through history: merge bases, and what some commits reach and others do not.
//!
//! One verdict walks the same commits several times. So each is read once, and what a walk needs of it, its parents and its
//! date, stays at hand. Where git has written a commit graph, gitformat-commit-graph(5), those in it are a few bytes in a
//! file, and no object is inflated; libgit2 gives up on a graph with dates in it, as git has written all of them since 2.31.
//!
//! Where more than one merge base comes up, or anything odd, libgit2 is asked.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;

use gix_commitgraph::{Graph, Position};
use rustc_hash::FxHashMap;

use lane_core::facts::Oid;

mod reached;

/// Reaches the base; or is what is left out of a walk.
const OF_BASE: u8 = 1;
/// Reaches one of the tips.
const OF_TIPS: u8 = 2;
const BOTH: u8 = OF_BASE | OF_TIPS;
/// Lies below a common ancestor.
const STALE: u8 = 4;
/// Was come upon as a common ancestor; or as one of those that a walk is for.
const FOUND: u8 = 8;
/// One entry in the queue: the upper bits count them. A commit gets there once for each flag at most.
const QUEUED: u8 = 16;

/// What a walk needs of a commit that the graph does not have: its parents, and when it was committed. `None`: it cannot be
/// read.
pub type Reader<'r> = &'r dyn Fn(Oid) -> Option<(Vec<Oid>, i64)>;

/// What is known of a repository's history.
pub struct History {
    graph: Option<Graph>,
    /// Commits that the graph does not have.
    outside: Vec<LooseCommit>,
    places: FxHashMap<Oid, u32>,
}

struct LooseCommit {
    oid: Oid,
    parents: Box<[Oid]>,
    time: i64,
}

/// A commit of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Node {
    /// By its place in the graph.
    In(u32),
    /// By its place among those that are not in it.
    Out(u32),
}

/// Where a commit stands among others, descendants before their ancestors as far as is known: by generation, which those
/// outside have none of and come first, then by time.
type Order = (u32, i64);

struct Walk<'w> {
    history: &'w mut History,
    read: Reader<'w>,
    /// Flags of all commits of the graph.
    inside: Vec<u8>,
    /// Flags of those outside that were come upon.
    outside: Vec<u8>,
    /// Of two that stand alike, the one that came first.
    queue: BinaryHeap<(Order, Reverse<usize>, Node)>,
    queued: usize,
    /// What a commit has below which nothing new is found.
    settled: u8,
    /// How many entries of the queue are of commits that are not settled.
    fresh: usize,
}

impl History {
    /// Of a folder of objects whose ids are SHA-1, with its commit graph; without one where there is none that can be read.
    pub fn with_graph(objects: &Path) -> Self {
        Self { graph: Graph::at(&objects.join("info"), gix_hash::Kind::Sha1, None).ok(), ..Self::new() }
    }

    /// Without a commit graph.
    pub fn new() -> Self {
        Self { graph: None, outside: Vec::new(), places: FxHashMap::default() }
    }

    /// The best common ancestor of `base` and of a merge of `tips`, `Some(None)` if there is none; `None` where there are
    /// several, or a commit cannot be read.
    ///
    /// As git's `paint_down_to_common`: each commit between the two is looked at once or twice. Whatever the order is,
    /// all best ones are among those that come out; so one alone is it.
    pub fn merge_base(&mut self, base: Oid, tips: &[Oid], read: Reader<'_>) -> Option<Option<Oid>> {
        let mut walk = self.walk(STALE, read);
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
            Some(node) => walk.history.oid(node).map(Some),
            None => Some(None),
        }
    }

    fn walk<'w>(&'w mut self, settled: u8, read: Reader<'w>) -> Walk<'w> {
        let inside = vec![0; self.graph.as_ref().map_or(0, |graph| graph.num_commits() as usize)];
        let (outside, queue) = (Vec::new(), BinaryHeap::new());
        Walk { history: self, read, inside, outside, queue, queued: 0, settled, fresh: 0 }
    }

    fn node(&mut self, oid: Oid, read: Reader<'_>) -> Option<Node> {
        if let Some(place) = self.places.get(&oid) {
            return Some(Node::Out(*place));
        }
        let in_graph = self.graph.as_ref().and_then(|graph| {
            graph.lookup(gix_hash::oid::try_from_bytes(oid.as_bytes()).ok()?).map(|place| Node::In(place.0))
        });
        if in_graph.is_some() {
            return in_graph;
        }
        let (parents, time) = read(oid)?;
        let place = u32::try_from(self.outside.len()).ok()?;
        self.outside.push(LooseCommit { oid, parents: parents.into_boxed_slice(), time });
        self.places.insert(oid, place);
        Some(Node::Out(place))
    }

    fn order(&self, node: Node) -> Order {
        match (node, &self.graph) {
            (Node::In(place), Some(graph)) => {
                let commit = graph.commit_at(Position(place));
                (commit.generation(), commit.committer_timestamp() as i64)
            }
            (Node::In(_), None) => (0, 0),
            (Node::Out(place), _) => (u32::MAX, self.outside[place as usize].time),
        }
    }

    fn oid(&self, node: Node) -> Option<Oid> {
        match node {
            Node::In(place) => Oid::from_bytes(self.graph.as_ref()?.id_at(Position(place)).as_bytes()),
            Node::Out(place) => Some(self.outside[place as usize].oid),
        }
    }

    /// The parents of a commit, in order.
    fn parents(&mut self, node: Node, read: Reader<'_>) -> Option<Vec<Node>> {
        match node {
            Node::In(place) => {
                let graph = self.graph.as_ref()?;
                let parents = graph.commit_at(Position(place)).iter_parents();
                parents.map(|parent| known_as(graph, parent.ok()?).map(|place| Node::In(place.0))).collect()
            }
            Node::Out(place) => {
                let count = self.outside[place as usize].parents.len();
                (0..count).map(|at| self.node(self.outside[place as usize].parents[at], read)).collect()
            }
        }
    }
}

/// The place by which a commit is found: the files of a chain may both have it, and parents are told by the place
/// that the upper one gives it.
fn known_as(graph: &Graph, place: Position) -> Option<Position> {
    let commit = graph.commit_at(place);
    let is_in_first = commit.position().0 == place.0;
    if is_in_first { Some(place) } else { graph.lookup(commit.id()) }
}

impl Walk<'_> {
    /// All common ancestors that were come upon, until what is left lies below them.
    fn common_ancestors(&mut self) -> Option<Vec<Node>> {
        let mut common = Vec::new();
        while self.fresh > 0
            && let Some(node) = self.next()
        {
            let flags = self.flags(node);
            if *flags & (BOTH | FOUND) == BOTH {
                *flags |= FOUND;
                common.push(node);
            }
            let mut passed_on = *flags & (BOTH | STALE);
            if passed_on & BOTH == BOTH {
                passed_on |= STALE;
                // What lies below it is looked at for the sake of what is on its way there, and need not be read without.
                if self.fresh == 0 {
                    break;
                }
            }
            for parent in self.history.parents(node, self.read)? {
                self.mark(parent, passed_on);
            }
        }
        Some(common)
    }

    fn next(&mut self) -> Option<Node> {
        let (_, _, node) = self.queue.pop()?;
        let settled = self.settled;
        let flags = self.flags(node);
        *flags -= QUEUED;
        let is_fresh = *flags & settled == 0;
        self.fresh -= usize::from(is_fresh);
        Some(node)
    }

    fn paint(&mut self, oid: Oid, flags: u8) -> Option<()> {
        let node = self.history.node(oid, self.read)?;
        self.mark(node, flags);
        Some(())
    }

    /// Adds flags to a commit; where it had not all of them, they are passed on to its parents in turn.
    fn mark(&mut self, node: Node, flags: u8) {
        let settled = self.settled;
        let here = self.flags(node);
        let before = *here;
        if before & flags == flags {
            return;
        }
        *here = (before | flags) + QUEUED;
        let is_fresh = (before | flags) & settled == 0;
        if is_fresh {
            self.fresh += 1;
        } else if before & settled == 0 {
            self.fresh -= usize::from(before / QUEUED);
        }
        let order = self.history.order(node);
        self.queued += 1;
        self.queue.push((order, Reverse(self.queued), node));
    }

    fn flags_of(&self, node: Node) -> u8 {
        match node {
            Node::In(place) => self.inside[place as usize],
            Node::Out(place) => self.outside.get(place as usize).copied().unwrap_or_default(),
        }
    }

    fn flags(&mut self, node: Node) -> &mut u8 {
        match node {
            Node::In(place) => &mut self.inside[place as usize],
            Node::Out(place) => {
                let place = place as usize;
                if self.outside.len() <= place {
                    self.outside.resize(place + 1, 0);
                }
                &mut self.outside[place]
            }
        }
    }
}
