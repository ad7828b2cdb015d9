//! Ports: which of a range are taken and by whom, and which service of a worktree has which.

mod assignments;
mod holders;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

pub use assignments::{Service, assigned, forget, port_of, release};
pub use holders::Holder;
#[cfg(target_os = "linux")]
pub use holders::processes_in;

use lane_core::policy::scalar::Ports;

/// A port that cannot be bound on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortConflict {
    /// The port.
    pub port: u16,
    /// The process that has it, where the system tells.
    pub process: Option<Holder>,
}

impl PortConflict {
    /// `8085 is taken by postgres (pid 712)`.
    pub fn words(&self) -> String {
        match &self.process {
            Some(Holder { id, name, .. }) => format!("{} is taken by {name} (pid {id})", self.port),
            None => format!("{} is taken, by a process that the system does not name", self.port),
        }
    }

    /// Whether the process that has it works below this folder: then it is most likely a service of that
    /// worktree, at its own place.
    pub fn is_of(&self, root: &Path) -> bool {
        self.process
            .as_ref()
            .and_then(|process| process.folder.as_ref())
            .is_some_and(|at| at.starts_with(root))
    }
}

/// How often a port is tried before it counts as taken: somebody else may be probing it at this moment.
const TRIES: u32 = 3;

/// The ports of a range, in order, on which nobody could listen now, on 127.0.0.1 or on ::1.
pub fn probe(range: Ports) -> Vec<PortConflict> {
    let ports: Vec<u16> = (range.first..=range.last).filter(|port| is_taken(*port)).collect();
    describe_ports(&ports)
}

/// Ports that something listens on, each with whoever does, where the system tells.
pub fn describe_ports(ports: &[u16]) -> Vec<PortConflict> {
    let mut holders = if ports.is_empty() { Default::default() } else { holders::of(ports) };
    ports.iter().map(|port| PortConflict { port: *port, process: holders.remove(port) }).collect()
}

fn is_taken(port: u16) -> bool {
    (0..TRIES).all(|attempt| {
        if attempt > 0 {
            sleep(Duration::from_millis(15));
        }
        is_in_use(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))
            || is_in_use(TcpListener::bind((Ipv6Addr::LOCALHOST, port)))
    })
}

/// A port that may not be bound for another reason (no IPv6 here, a low number) belongs to no agent.
fn is_in_use(bound: std::io::Result<TcpListener>) -> bool {
    bound.is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_found_and_named() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(address).expect("a listener");
            let port = listener.local_addr().expect("an address").port();
            let taken = probe(Ports { first: port, last: port });
            assert_eq!(taken.len(), 1, "{address}");
            if cfg!(target_os = "linux") {
                let process = taken[0].process.as_ref().expect("a process");
                assert_eq!(process.id, std::process::id());
                assert!(taken[0].words().contains(&format!("(pid {})", process.id)));
                assert!(taken[0].is_of(&std::env::current_dir().expect("a folder")));
            }
            drop(listener);
            assert_eq!(probe(Ports { first: port, last: port }), [], "{address}");
        }
    }
}
