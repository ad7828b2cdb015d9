//! What `git lane report` tells: how much was merged, how large, how fast, with how many conflicts, who held which lock,
//! what was refused, and how all that stands against the policy's own goals. Plain data and pure functions over it; what is
//! read from git, from the records, from CI and from GitHub is brought here by the program.

pub mod agents;
pub mod attribution;
pub mod ci;
pub mod contested;
pub mod csv;
mod distribution;
pub mod facts;
pub mod format;
pub mod goals;
pub mod history;
pub mod html;
pub mod journal;
pub mod jsonl;
pub mod kept;
pub mod landed;
pub mod lane_cuts;
pub mod lock_times;
pub mod markdown;
pub mod merge_subject;
mod model;
pub mod moment;
pub mod openmetrics;
pub mod refusals;
pub mod requests;
mod rows;
#[cfg(test)]
mod sample;
pub mod table;
#[cfg(test)]
mod testing;
pub mod text;
pub mod waivers;
pub mod words;

pub use distribution::Distribution;
pub use landed::{ChangeCount, MergedPull};
pub use model::{
    AgentMetrics, Blocked, Builds, ConflictKind, Conflicts, ContestedFile, Coverage, CoverageFile, Goal,
    GoalState, Integration, LandedChange, LaneCut, LockArea, LockHold, LockWait, Locks, LostMerge, Metrics,
    Missing, Observed, OpenBranch, Outcome, Period, Refusal, Refusals, RequestAnswer, Requests, RuleRefusals,
    Sizes, WaivedRule,
};
