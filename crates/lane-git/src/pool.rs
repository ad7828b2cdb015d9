//! The same work on many things at once.

use std::sync::{Mutex, PoisonError};

/// More threads than this only wait for one disk.
const MOST: usize = 8;

/// How many processors there are.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// Does `work` on each item, some at a time; results in the order of the items.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    // Half of the work waits for child processes: two threads more than there are processors keep those busy.
    let threads = processors() + 2;
    let done = Mutex::new(Vec::with_capacity(items.len()));
    each(items.iter().enumerate(), threads.min(MOST), |(at, item)| {
        let result = work(item);
        done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Does something with each item, at most so many at the same time.
pub fn each<I: ExactSizeIterator + Send>(items: I, threads: usize, work: impl Fn(I::Item) + Sync)
where
    I::Item: Send,
{
    let threads = threads.max(1).min(items.len());
    let queue = Mutex::new(items);
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(item) = next() {
                    work(item);
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_come_in_order() {
        let items: Vec<u64> = (0..100).collect();
        let doubled = super::map(&items, |item| {
            std::thread::sleep(std::time::Duration::from_micros(item * 37 % 200));
            item * 2
        });
        assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert!(super::map(&[], |item: &u64| *item).is_empty());
    }
}
