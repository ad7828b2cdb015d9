//! What a change reaches through dependencies, and how the projects that it reaches are handed on: as a matrix of a CI job,
//! and to the command that tests one.

mod command;
mod matrix;

pub use command::{Unquotable, fill, fill_with};
pub use matrix::{Entry, github_matrix, gitlab_pipeline};

/// A project, or an area that projects depend on.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// What it is called.
    pub name: String,
    /// What it depends on.
    pub depends: Vec<Edge>,
}

/// A dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// On which node, by its place.
    pub on: usize,
    /// The file or policy key that declares it.
    pub declared: String,
}

/// How a change reaches a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// By its own files.
    Directly,
    /// Because it depends on this node.
    Through(usize),
}

/// How each node is reached from those that were changed themselves, by the shortest way; `None`: it is not. Circles are
/// followed once.
pub fn reach(nodes: &[Node], changed: impl IntoIterator<Item = usize>) -> Vec<Option<Reach>> {
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        node.depends.iter().for_each(|edge| dependents[edge.on].push(at));
    }
    let mut reached = vec![None; nodes.len()];
    let mut queue = Vec::new();
    for at in changed {
        if reached[at].is_none() {
            reached[at] = Some(Reach::Directly);
            queue.push(at);
        }
    }
    let mut next = 0;
    while let Some(at) = queue.get(next).copied() {
        next += 1;
        for dependent in &dependents[at] {
            if reached[*dependent].is_none() {
                reached[*dependent] = Some(Reach::Through(at));
                queue.push(*dependent);
            }
        }
    }
    reached
}

/// The way from a node to the one whose files were changed.
pub fn chain(reached: &[Option<Reach>], node: usize) -> Vec<usize> {
    let mut chain = vec![node];
    let mut at = node;
    while let Some(Some(Reach::Through(next))) = reached.get(at) {
        chain.push(*next);
        at = *next;
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(depends: &[&[usize]]) -> Vec<Node> {
        let edge = |on: &usize| Edge { on: *on, declared: String::new() };
        depends
            .iter()
            .map(|on| Node { name: String::new(), depends: on.iter().map(edge).collect() })
            .collect()
    }

    fn reached(nodes: &[Node], changed: &[usize]) -> Vec<usize> {
        let all = reach(nodes, changed.iter().copied());
        (0..nodes.len()).filter(|at| all[*at].is_some()).collect()
    }

    #[test]
    fn dependents_are_reached_and_dependencies_are_not() {
        // 0 -> 1 -> 2, 3 alone.
        let all = nodes(&[&[1], &[2], &[], &[]]);
        assert_eq!(reached(&all, &[2]), [0, 1, 2]);
        assert_eq!(reached(&all, &[0]), [0]);
        assert_eq!(reached(&all, &[1, 3]), [0, 1, 3]);
        assert_eq!(reached(&all, &[]), [0; 0]);
        assert_eq!(chain(&reach(&all, [2]), 0), [0, 1, 2]);
    }

    #[test]
    fn circles_end_and_the_shortest_way_is_shown() {
        let all = nodes(&[&[1], &[2], &[0], &[2, 1]]);
        for at in 0..3 {
            assert_eq!(reached(&all, &[at]), [0, 1, 2, 3]);
        }
        assert_eq!(chain(&reach(&all, [2]), 3), [3, 2]);
        assert_eq!(chain(&reach(&all, [0, 3]), 3), [3]);
    }
}
