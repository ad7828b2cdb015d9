//! What a landing is: a branch that is brought onto its base by `git lane land`, one at a time, in the order asked for.
//!
//! [`record`] is what is stored of the queue of one base, [`step`] which event may follow which, [`squash`] the message of one commit for several. `docs/land.md` has the format.

pub mod record;
pub mod squash;
pub mod step;
