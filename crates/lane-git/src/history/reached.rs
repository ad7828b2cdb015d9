//! The commits that some commits reach and others do not, as git-rev-list(1) lists them with `--topo-order`.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::{FOUND, History, Node, OF_BASE, OF_TIPS, Order, Reader, Walk};
use lane_core::facts::Oid;

/// Reached from what is left out.
const LEFT_OUT: u8 = OF_BASE;
/// Reached from what is asked for.
const ASKED: u8 = OF_TIPS;

/// How many more commits are looked at once all that is left comes before what was found: clocks are not always right, and
/// git looks at as many.
const SLOP: u32 = 5;

impl History {
    /// The commits that `include` reach and `exclude` do not, parents before their children; `None` where a commit cannot
    /// be read.
    pub fn reached(&mut self, include: &[Oid], exclude: &[Oid], read: Reader<'_>) -> Option<Vec<Oid>> {
        let mut walk = self.walk(LEFT_OUT, read);
        for oid in exclude {
            walk.paint(*oid, LEFT_OUT)?;
        }
        for oid in include {
            walk.paint(*oid, ASKED)?;
        }
        let tips: Option<Vec<Node>> = include.iter().map(|oid| walk.history.node(*oid, read)).collect();
        let found = walk.asked_for()?;
        walk.in_order(found, tips?)
    }
}

impl Walk<'_> {
    /// Each with its parents.
    fn asked_for(&mut self) -> Option<Vec<(Node, Vec<Node>)>> {
        let mut found = Vec::new();
        let mut last: Option<Order> = None;
        let mut slop = SLOP;
        while let Some(node) = self.next() {
            let flags = self.flags_of(node);
            let is_left_out = flags & LEFT_OUT != 0;
            let is_new = !is_left_out && flags & FOUND == 0;
            if is_left_out && self.fresh == 0 {
                // Nothing more is found; what was may still turn out to be reached from what is left out.
                let order = self.history.order(node);
                if last.is_none_or(|last| order < last) {
                    if last.is_none() || slop == 0 || order.0 != u32::MAX {
                        break;
                    }
                    slop -= 1;
                }
            }
            let parents = self.history.parents(node, self.read)?;
            for parent in &parents {
                if is_left_out {
                    self.mark(*parent, LEFT_OUT);
                } else if self.flags_of(*parent) & LEFT_OUT == 0 {
                    self.mark(*parent, ASKED);
                }
            }
            if is_new {
                *self.flags(node) |= FOUND;
                found.push((node, parents));
                let order = self.history.order(node);
                last = Some(last.map_or(order, |last| last.min(order)));
            }
        }
        found.retain(|(node, _)| self.flags_of(*node) & LEFT_OUT == 0);
        Some(found)
    }

    /// Parents before their children, and the commits of one line together. git begins with the youngest tip, and with the
    /// one that was named first where two are as old.
    fn in_order(&self, found: Vec<(Node, Vec<Node>)>, mut tips: Vec<Node>) -> Option<Vec<Oid>> {
        let is_linear = |parents: &[Node], next: Option<&Node>| match parents {
            [] => next.is_none(),
            [parent] => next.is_none_or(|next| next == parent),
            _ => false,
        };
        let oid = |place: usize| self.history.oid(found[place].0);
        if (0..found.len()).all(|at| is_linear(&found[at].1, found.get(at + 1).map(|(next, _)| next))) {
            return (0..found.len()).rev().map(oid).collect();
        }
        let places: FxHashMap<Node, usize> =
            found.iter().enumerate().map(|(place, (node, _))| (*node, place)).collect();
        let mut children = vec![0_u32; found.len()];
        for place in found.iter().flat_map(|(_, parents)| parents).filter_map(|parent| places.get(parent)) {
            children[*place] += 1;
        }
        tips.sort_by_key(|node| Reverse(self.history.order(*node).1));
        let mut ready: Vec<usize> = Vec::with_capacity(tips.len());
        for place in tips.iter().filter_map(|node| places.get(node)).filter(|place| children[**place] == 0) {
            if !ready.contains(place) {
                ready.push(*place);
            }
        }
        ready.reverse();
        let mut sorted = Vec::with_capacity(found.len());
        while let Some(place) = ready.pop() {
            sorted.push(place);
            for parent in found[place].1.iter().filter_map(|parent| places.get(parent)) {
                children[*parent] -= 1;
                if children[*parent] == 0 {
                    ready.push(*parent);
                }
            }
        }
        sorted.into_iter().rev().map(oid).collect()
    }
}
