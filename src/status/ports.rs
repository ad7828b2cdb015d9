//! Which ports of the agents' ranges something listens on.

use std::collections::BTreeSet;

use super::Line;
use crate::ports;
use lane_core::policy::Plan;

/// Puts them into the first line of each agent, and notes those that a process of another folder has.
pub(super) fn fill(plan: &Plan, lines: &mut [Line], notes: &mut Vec<String>) {
    let mut known: Option<BTreeSet<u16>> = None;
    for agent in &plan.policy.agents.0 {
        let Some(range) = agent.ports.as_ref().map(|ports| ports.value) else { continue };
        let own = |line: &&mut Line| line.agent.as_ref() == Some(&agent.id.value);
        if let Some(line) = lines.iter_mut().find(own) {
            let listening = known.get_or_insert_with(listening);
            line.ports = listening.range(range.first..=range.last).copied().collect();
            let Some(root) = &line.root else { continue };
            let foreign = ports::describe_ports(&line.ports).into_iter().filter(|taken| !taken.is_of(root));
            notes.extend(foreign.map(|taken| format!("{}: port {}", agent.id.value, taken.words())));
        }
    }
}

/// proc(5), `/proc/net/tcp`: the second field is `<address>:<port>` in hexadecimal, the fourth the state, `0A` for one
/// that listens. Nothing is bound for it: a service that starts at that moment must find its port free.
fn listening() -> BTreeSet<u16> {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let text = read("/proc/net/tcp") + &read("/proc/net/tcp6");
    text.lines().filter_map(port).collect()
}

fn port(line: &str) -> Option<u16> {
    let fields: Vec<&str> = line.split_ascii_whitespace().take(4).collect();
    let [_, local, _, "0A"] = fields.as_slice() else { return None };
    u16::from_str_radix(local.rsplit(':').next()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::port;

    #[test]
    fn lines_of_the_system() {
        assert_eq!(port("   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000"), Some(8080));
        assert_eq!(port("   0: 00000000000000000000000001000000:1FF4 0:0000 0A 0"), Some(8180));
        assert_eq!(port("   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000"), None);
        assert_eq!(port("  sl  local_address rem_address   st tx_queue"), None);
    }
}
