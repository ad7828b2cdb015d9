//! How much memory a command may use: by a control group of its own where one can be made, else by a limit on
//! its address space.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A limit on memory.
#[derive(Debug)]
pub enum Limit {
    /// Of the command and all that it starts, together: cgroups(7), of version 2, or of version 1 where that
    /// counts memory.
    Group {
        /// The control group, removed when this is dropped.
        folder: PathBuf,
        /// In bytes.
        bytes: u64,
    },
    /// Of each process by itself: setrlimit(2), `RLIMIT_AS`.
    AddressSpace {
        /// In bytes.
        bytes: u64,
    },
    /// The system has neither.
    None,
}

impl Limit {
    /// The best limit that can be had here.
    pub fn prepare(agent: &str, bytes: u64) -> Self {
        let name = format!("git-lane-{agent}-{}", std::process::id());
        match groups().into_iter().find_map(|parent| group(&parent.join(&name), bytes)) {
            Some(folder) => Self::Group { folder, bytes },
            None if lane_os::LIMITS_MEMORY => Self::AddressSpace { bytes },
            None => Self::None,
        }
    }

    /// How it is limited, for people.
    pub fn words(&self) -> String {
        match self {
            Self::Group { folder, bytes } => {
                format!("memory: {bytes} bytes in total, limited by the control group {}", folder.display())
            }
            Self::AddressSpace { bytes } => format!(
                "memory: {bytes} bytes of address space for each process (RLIMIT_AS); no control group can be \
                 made here"
            ),
            Self::None => "memory: not limited, this system cannot limit a process by itself".to_owned(),
        }
    }

    /// The options that tell the process in between.
    pub(super) fn args(&self) -> Vec<OsString> {
        match self {
            Self::Group { folder, bytes } => {
                vec!["--memory".into(), bytes.to_string().into(), "--group".into(), folder.into()]
            }
            Self::AddressSpace { bytes } => vec!["--memory".into(), bytes.to_string().into()],
            Self::None => Vec::new(),
        }
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        if let Self::Group { folder, .. } = self {
            // What the command left running stays in it, and it with that.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// The control groups that one of our own may be made in: that of this process, and the one around it.
fn groups() -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    // `0::/path` in version 2, `4:memory:/path` for a controller of version 1.
    let own = |mount: &Path, controllers: &str| -> Option<PathBuf> {
        let mut lines = text.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
        let (_, path) = lines.find(|(of, _)| of.split(',').any(|one| one == controllers))?;
        Some(mount.join(path.trim_start_matches('/')))
    };
    let mounted = [
        ("/sys/fs/cgroup", "", "cgroup.controllers"),
        ("/sys/fs/cgroup/unified", "", "cgroup.controllers"),
        ("/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes"),
    ];
    let mut found = Vec::new();
    for (mount, controllers, proof) in mounted {
        let mount = Path::new(mount);
        if let Some(own) = own(mount, controllers).filter(|_| mount.join(proof).is_file()) {
            let around = own.parent().filter(|around| around.starts_with(mount)).map(Path::to_owned);
            found.extend(std::iter::once(own).chain(around));
        }
    }
    found
}

/// Makes a control group with a limit; `None` where that may not be, or memory is not counted there.
fn group(folder: &Path, bytes: u64) -> Option<PathBuf> {
    fs::create_dir(folder).ok()?;
    let limits = [folder.join("memory.max"), folder.join("memory.limit_in_bytes")];
    let is_limited = limits
        .into_iter()
        .find(|limit| limit.is_file())
        .is_some_and(|limit| fs::write(limit, bytes.to_string()).is_ok())
        && fs::OpenOptions::new().write(true).open(folder.join("cgroup.procs")).is_ok();
    if !is_limited {
        let _ = fs::remove_dir(folder);
        return None;
    }
    // Nor may it go on in swap, where that is counted: by itself in version 2, together with memory in version 1.
    let swap = folder.join("memory.swap.max");
    if swap.is_file() {
        let _ = fs::write(swap, "0");
    }
    let together = folder.join("memory.memsw.limit_in_bytes");
    if together.is_file() {
        let _ = fs::write(together, bytes.to_string());
    }
    // All of it ends, not some part that others wait for; older systems do not have this.
    let _ = fs::write(folder.join("memory.oom.group"), "1");
    Some(folder.to_owned())
}

/// Limits this process, then becomes the command. Undoes what kept it from that.
pub fn become_limited(memory: Option<u64>, group: Option<&Path>, command: &[OsString]) -> std::io::Error {
    let [program, args @ ..] = command else {
        return std::io::Error::new(std::io::ErrorKind::NotFound, "no command");
    };
    let is_in_group = group.is_some_and(|group| fs::write(group.join("cgroup.procs"), "0").is_ok());
    match lane_os::prepare_limits(memory.filter(|_| !is_in_group)) {
        Ok(()) => lane_os::replace(Command::new(program).args(args)),
        Err(error) => error,
    }
}
