//! A few threads for many agents.

use std::sync::Mutex;

/// Does something with each item, with at most so many at the same time.
pub(super) fn each<T: Send>(items: &mut [T], jobs: usize, act: impl Fn(&mut T) + Sync) {
    let workers = jobs.clamp(1, items.len().max(1));
    let queue = Mutex::new(items.iter_mut());
    let next = || queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(item) = next() {
                    act(item);
                }
            });
        }
    });
}
