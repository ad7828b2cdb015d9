//! What is new for somebody: each thing that happened is a [`Notice`], made by comparing what is now with what was [`Seen`].
//!
//! A source (locks, requests, the base, conflicts) says everything that is to be told *now*, each time again. Every notice has marks, which
//! are the same as long as it is about the same occurrence; one whose marks were all seen before is not new. So nothing has to be
//! caught at the moment at which it happens, and whoever was away hears of it later.

mod kinds;
pub mod landed;
pub mod landings;
pub mod locks;
mod notice;
pub mod overlaps;
pub mod requests;
mod seen;
pub mod slack;

pub use kinds::{
    BASE_MOVED, CONFLICT, KINDS, Kind, LANDED, LOCK_EXPIRING, LOCK_FREE, LOCK_LOST, LOCK_TAKEN, NOT_LANDED,
    REQUEST_ANSWERED, REQUEST_RECEIVED, REQUEST_WITHDRAWN,
};
pub use notice::{Notice, mark, merge, time};
pub use seen::Seen;

/// For how long something that is over is still told, in seconds: two weeks.
pub const WINDOW: i64 = 14 * 86_400;
