//! A set of numbers in five.

use schemars::JsonSchema;
use serde::Serialize;

/// How numbers are spread. Percentiles are of the nearest rank: each is one of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Distribution {
    /// How many there are.
    pub count: usize,
    /// Their sum.
    pub sum: u64,
    /// The least.
    pub min: u64,
    /// The one in the middle.
    pub median: u64,
    /// Nine in ten are not above it.
    pub p90: u64,
    /// The greatest.
    pub max: u64,
}

impl Distribution {
    /// Of these numbers, in any order; none of none.
    pub fn of(numbers: impl IntoIterator<Item = u64>) -> Option<Self> {
        let mut sorted: Vec<u64> = numbers.into_iter().collect();
        sorted.sort_unstable();
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let rank = |percent: usize| sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1];
        let sum = sorted.iter().fold(0, |sum: u64, number| sum.saturating_add(*number));
        Some(Self { count: sorted.len(), sum, min, median: rank(50), p90: rank(90), max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: &[u64]) -> Option<(u64, u64, u64, u64)> {
        Distribution::of(numbers.iter().copied()).map(|found| (found.min, found.median, found.p90, found.max))
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), Some((7, 7, 7, 7)));
        assert_eq!(of(&[2, 1]), Some((1, 1, 2, 2)));
        assert_eq!(of(&[5, 3, 1, 4, 2, 6, 7, 8, 9, 10]), Some((1, 5, 9, 10)));
        assert_eq!(of(&[u64::MAX, u64::MAX]), Some((u64::MAX, u64::MAX, u64::MAX, u64::MAX)));
    }
}
