//! What the lock protocol asks of the machine that it runs on.

use serde::{Deserialize, Serialize};

/// One machine between two starts of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Machine {
    /// Its name, for people.
    pub host: String,
    /// What is new at each start of the machine; `None` where the system does not tell.
    pub boot: Option<String>,
    /// What tells apart the process numbers of containers.
    pub pids: Option<String>,
}

impl Machine {
    /// Whether the clock that counts since the start of the machine is one and the same.
    pub fn shares_clock(&self, other: &Self) -> bool {
        self.boot.is_some() && self.boot == other.boot
    }

    /// Whether a process number means the same process.
    pub fn shares_processes(&self, other: &Self) -> bool {
        self.shares_clock(other) && self.pids.is_some() && self.pids == other.pids
    }
}

/// A process: its number, and when it started, so that a number given out again is not taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The number.
    pub id: u32,
    /// When it started, in the system's own ticks since the machine did.
    pub start: u64,
}

/// The time, told by two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since the machine started, asleep or awake. Nobody can set this clock.
    pub uptime: u64,
    /// Seconds since the epoch: shown to people, never reckoned with.
    pub wall: i64,
}

/// What locks ask of the machine that they run on.
pub trait World {
    /// Which machine it is.
    fn machine(&self) -> &Machine;
    /// What time it is.
    fn now(&self) -> Now;
    /// Whether a process of this machine still runs.
    fn runs(&self, process: Process) -> bool;
    /// A text that nobody ever had before.
    fn nonce(&self) -> String;
}
