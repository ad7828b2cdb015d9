//! Which process has a port, as Linux tells it: proc(5), `/proc/net/tcp` and `/proc/<pid>/fd`.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// A process that has a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub id: u32,
    /// What it calls itself.
    pub name: String,
    /// The folder that it works in, where that is shown.
    pub folder: Option<PathBuf>,
}

/// The holders of ports, as far as the system tells.
#[cfg(target_os = "linux")]
pub(super) fn of(ports: &[u16]) -> BTreeMap<u16, Holder> {
    let mut inodes: BTreeMap<u64, u16> = BTreeMap::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = std::fs::read_to_string(table).unwrap_or_default();
        for (port, inode) in text.lines().skip(1).filter_map(socket) {
            if ports.contains(&port) {
                inodes.insert(inode, port);
            }
        }
    }
    let mut found = BTreeMap::new();
    for id in processes() {
        let files = std::fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
        for target in files.filter_map(|file| std::fs::read_link(file.path()).ok()) {
            let inode = target.to_str().and_then(|text| text.strip_prefix("socket:[")?.strip_suffix(']'));
            let port = inode.and_then(|inode| inodes.get(&inode.parse().ok()?));
            if let Some(port) = port {
                found.entry(*port).or_insert_with(|| holder(id));
            }
        }
    }
    found
}

#[cfg(not(target_os = "linux"))]
pub(super) fn of(_: &[u16]) -> BTreeMap<u16, Holder> {
    BTreeMap::new()
}

/// The numbers of all processes.
#[cfg(target_os = "linux")]
fn processes() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The processes that work in a folder, or below it, as far as the system tells; this one is none of them.
#[cfg(target_os = "linux")]
pub fn processes_in(folder: &std::path::Path) -> Vec<Holder> {
    let others = processes().filter(|id| *id != std::process::id()).map(holder);
    others.filter(|one| one.folder.as_ref().is_some_and(|at| at.starts_with(folder))).collect()
}

#[cfg(target_os = "linux")]
fn holder(id: u32) -> Holder {
    let name = std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
    let name = lane_core::locks::record::plain(&name);
    let folder = std::fs::read_link(format!("/proc/{id}/cwd")).ok();
    Holder { id, name: if name.is_empty() { "a process".to_owned() } else { name }, folder }
}

/// The local port and the inode of a listening socket. Columns: number, local address, remote address,
/// state (`0A`: listening), queues, timers, retransmits, user, timeouts, inode.
#[cfg(target_os = "linux")]
fn socket(line: &str) -> Option<(u16, u64)> {
    let columns: Vec<&str> = line.split_ascii_whitespace().collect();
    let port = u16::from_str_radix(columns.get(1)?.rsplit_once(':')?.1, 16).ok()?;
    if *columns.get(3)? != "0A" {
        return None;
    }
    Some((port, columns.get(9)?.parse().ok()?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::socket;

    #[test]
    fn lines_of_the_table() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 1";
        assert_eq!(socket(line), Some((8080, 31_337)));
        assert_eq!(socket(&line.replace(" 0A ", " 01 ")), None, "a connection");
        assert_eq!(socket("  sl  local_address rem_address   st"), None);
    }
}
