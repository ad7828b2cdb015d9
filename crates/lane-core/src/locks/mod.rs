//! What locks are: [`scope`] (what a lock is on), [`record`] (what is stored), [`liveness`] (whether it still holds),
//! [`protocol`] (what may follow what), [`bounds`] and [`step`] (what a server takes). `docs/locks.md` has the protocol.

pub mod bounds;
pub mod liveness;
pub mod protocol;
pub mod record;
pub mod scope;
pub mod step;
pub mod world;
