//! Logs of events, kept in refs and shared by locks and requests.
//!
//! A log has a ref for each key (an area, a request), and below the ref a chain of commits, one for each event, each
//! with the whole record as the event left it. Refs move by compare-and-swap, here or on the remote that has the locks.
//! What differs between logs is what implements [`LogRecord`]; what may follow what is decided in `lane_core`.

mod append;
mod backoff;
mod fault;
mod guard;
mod local_files;
mod log;
mod mirror;
mod namespace;
mod record;
mod refs;
mod remote;

pub(crate) use backoff::{random, retry, spread};
pub(crate) use fault::described;
pub use fault::{Fault, RefFault};
pub use guard::Guard;
pub use local_files::Floor;
pub(crate) use local_files::LocalFiles;
pub use log::EventLog;
pub use mirror::Divergence;
pub(crate) use namespace::hashed;
pub use record::{Head, LogKind, LogRecord};
pub use remote::no_mirror;
