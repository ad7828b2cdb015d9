//! Dividing folders among agents: lanes of about one size, and what belongs together in one of them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Keeping neighbours together may cost this much of the balance: the squares of the loads, in hundredths.
const TOLERANCE: u128 = 101;

/// A folder that is to be given to an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// How large it is.
    pub size: usize,
    /// What belongs together has one.
    pub group: String,
}

/// Divides items, which are sorted by group and place, among `lanes`; there are at least as many items. Gives for each
/// lane the items in it, none without any; the first item is in the first lane.
pub fn divide(items: &[Item], lanes: usize) -> Vec<Vec<usize>> {
    let lanes = lanes.clamp(1, items.len().max(1));
    // What is larger than a share has a lane of its own, and does not hide how uneven the others are.
    let mut alone = Vec::new();
    let mut rest: Vec<usize> = (0..items.len()).collect();
    while lanes - alone.len() > 1 {
        let total: usize = rest.iter().map(|at| items[*at].size).sum();
        let is_large = |at: &&usize| items[**at].size * (lanes - alone.len()) >= total;
        let largest = rest.iter().max_by_key(|at| (items[**at].size, Reverse(**at))).filter(is_large);
        let Some(largest) = largest.copied() else { break };
        alone.push(largest);
        rest.retain(|at| *at != largest);
    }
    let others: Vec<Item> = rest.iter().map(|at| items[*at].clone()).collect();
    let mut divided: Vec<Vec<usize>> = alone.iter().map(|at| vec![*at]).collect();
    let shared = together(&others, lanes - alone.len());
    divided.extend(shared.into_iter().map(|lane| lane.into_iter().map(|at| rest[at]).collect()));
    divided.sort();
    divided
}

/// The way that keeps most together among those that are even.
fn together(items: &[Item], lanes: usize) -> Vec<Vec<usize>> {
    let mut ways = vec![contiguous(items, lanes), packed(groups(items, lanes), items, lanes)];
    ways.push(packed((0..items.len()).map(|at| vec![at]).collect(), items, lanes));
    let best = ways.iter().map(|way| unevenness(way, items)).min().unwrap_or_default();
    let good = ways.into_iter().find(|way| unevenness(way, items) * 100 <= best * TOLERANCE);
    let mut divided = good.unwrap_or_default();
    divided.iter_mut().for_each(|lane| lane.sort_unstable());
    divided
}

fn unevenness(way: &[Vec<usize>], items: &[Item]) -> u128 {
    way.iter().map(|lane| (load(lane, items) as u128).pow(2)).sum()
}

fn load(lane: &[usize], items: &[Item]) -> usize {
    lane.iter().map(|at| items[*at].size).sum()
}

/// Neighbours stay together: the line of items is cut where each lane has its share.
fn contiguous(items: &[Item], lanes: usize) -> Vec<Vec<usize>> {
    let total: usize = items.iter().map(|item| item.size).sum();
    let mut sums = vec![0];
    sums.extend(items.iter().scan(0, |sum, item| {
        *sum += item.size;
        Some(*sum)
    }));
    let mut cuts = vec![0];
    for lane in 1..lanes {
        let first = cuts[lane - 1] + 1;
        let last = items.len() - (lanes - lane);
        let far = |at: &usize| (sums[*at] * lanes).abs_diff(total * lane);
        cuts.push((first..=last).min_by_key(|at| (far(at), Reverse(*at))).unwrap_or(first));
    }
    cuts.push(items.len());
    cuts.windows(2).map(|pair| (pair[0]..pair[1]).collect()).collect()
}

/// The groups that are no larger than one lane's share; the items of larger ones by themselves.
fn groups(items: &[Item], lanes: usize) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        groups.entry(&item.group).or_default().push(at);
    }
    let total: usize = items.iter().map(|item| item.size).sum();
    let fits = |group: &Vec<usize>| load(group, items) * lanes <= total;
    let (whole, large): (Vec<Vec<usize>>, Vec<Vec<usize>>) = groups.into_values().partition(fits);
    whole.into_iter().chain(large.into_iter().flatten().map(|at| vec![at])).collect()
}

/// The largest first, each to the lane that has least.
fn packed(mut parts: Vec<Vec<usize>>, items: &[Item], lanes: usize) -> Vec<Vec<usize>> {
    while parts.len() < lanes {
        let Some(at) = (0..parts.len()).filter(|at| parts[*at].len() > 1).max_by_key(|at| parts[*at].len())
        else {
            break;
        };
        let group = parts.swap_remove(at);
        parts.extend(group.into_iter().map(|at| vec![at]));
    }
    parts.sort_by_key(|part| (Reverse(load(part, items)), part.clone()));
    let mut divided = vec![Vec::new(); lanes];
    let mut loads = vec![(0, 0); lanes];
    for part in parts {
        let Some(least) = (0..lanes).min_by_key(|lane| (loads[*lane], *lane)) else { break };
        loads[least].0 += load(&part, items);
        loads[least].1 += part.len();
        divided[least].extend(part);
    }
    divided
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divided(items: &[(usize, &str)], lanes: usize) -> Vec<Vec<usize>> {
        let items: Vec<Item> =
            items.iter().map(|(size, group)| Item { size: *size, group: (*group).to_owned() }).collect();
        divide(&items, lanes)
    }

    #[test]
    fn neighbours_stay_together_where_that_is_even() {
        assert_eq!(divided(&[(1, ""), (1, ""), (1, "")], 2), [vec![0, 1], vec![2]]);
        assert_eq!(divided(&[(10, ""), (9, ""), (11, ""), (10, "")], 2), [vec![0, 1], vec![2, 3]]);
    }

    #[test]
    fn sizes_count_more_than_neighbours() {
        let lanes = divided(&[(60, ""), (60, ""), (40, ""), (40, ""), (1, "")], 2);
        assert_eq!(lanes, [vec![0, 2, 4], vec![1, 3]]);
        assert_eq!(divided(&[(1000, ""), (1, ""), (1, ""), (1, "")], 3), [vec![0], vec![1, 2], vec![3]]);
    }

    #[test]
    fn groups_stay_together_where_that_is_even() {
        let lanes = divided(&[(30, "a"), (31, "a"), (61, "b"), (20, "c"), (20, "c"), (21, "c")], 3);
        assert_eq!(lanes, [vec![0, 1], vec![2], vec![3, 4, 5]]);
        let lanes = divided(&[(10, "a"), (90, "b"), (45, "c"), (10, "d"), (45, "e")], 2);
        let loads: Vec<usize> = lanes.iter().map(Vec::len).collect();
        assert_eq!(loads.iter().sum::<usize>(), 5);
    }

    #[test]
    fn no_lane_is_empty() {
        for count in 1..30 {
            for lanes in 1..=count {
                for seed in 0..5 {
                    let items: Vec<(usize, &str)> = (0..count)
                        .map(|at| {
                            (
                                1 + (at * 7919 + seed * 104_729) % 97 * ((at + seed) % 3),
                                ["a", "b", "c"][at % 3],
                            )
                        })
                        .collect();
                    let found = divided(&items, lanes);
                    assert_eq!(found.len(), lanes);
                    assert!(found.iter().all(|lane| !lane.is_empty()), "{items:?} {lanes}");
                    let mut all: Vec<usize> = found.into_iter().flatten().collect();
                    all.sort_unstable();
                    assert_eq!(all, (0..count).collect::<Vec<_>>());
                }
            }
        }
    }
}
