//! Rules that a team writes itself: what their commands are told, and what they say. Commands are run elsewhere.

mod answer;
mod program;
mod request;

pub use answer::{Answer, Ended, MAX_OUTPUT, answer};
pub use program::{Program, in_repository};
pub use request::{CommitFacts, FileFacts, Request, Side, Status};
