//! What git-lane is built for, and what each channel calls it.

/// One target.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// As Rust names it.
    pub triple: &'static str,
    /// As npm names it: `os` and `cpu` of a `package.json`, which are node's `process.platform` and `process.arch`.
    pub npm: [&'static str; 2],
    /// The platform tag of a wheel. Linked statically, a program runs with glibc and with musl alike.
    pub wheel: &'static str,
    /// Whether a release has it. What has no place in a release can be packed all the same, to try it.
    pub is_released: bool,
}

const fn target(triple: &'static str, npm: [&'static str; 2], wheel: &'static str) -> Target {
    Target { triple, npm, wheel, is_released: true }
}

/// All of them, those of a release first.
pub static TARGETS: [Target; 7] = [
    target(
        "x86_64-unknown-linux-musl",
        ["linux", "x64"],
        "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64",
    ),
    target(
        "aarch64-unknown-linux-musl",
        ["linux", "arm64"],
        "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
    ),
    target("x86_64-apple-darwin", ["darwin", "x64"], "macosx_10_12_x86_64"),
    target("aarch64-apple-darwin", ["darwin", "arm64"], "macosx_11_0_arm64"),
    target("x86_64-pc-windows-msvc", ["win32", "x64"], "win_amd64"),
    Target { is_released: false, ..target("x86_64-unknown-linux-gnu", ["linux", "x64"], "linux_x86_64") },
    Target { is_released: false, ..target("aarch64-unknown-linux-gnu", ["linux", "arm64"], "linux_aarch64") },
];

/// The programs of each target.
pub const PROGRAMS: [&str; 2] = ["git-lane", "git-lane-hook"];

impl Target {
    /// Finds a target by its triple.
    ///
    /// # Errors
    /// It is unknown.
    pub fn find(triple: &str) -> Result<&'static Self, String> {
        TARGETS.iter().find(|target| target.triple == triple).ok_or_else(|| {
            let known: Vec<_> = TARGETS.iter().map(|target| target.triple).collect();
            format!("unknown target `{triple}`; one of: {}", known.join(", "))
        })
    }

    /// Those that a release has.
    pub fn released() -> impl Iterator<Item = &'static Self> {
        TARGETS.iter().filter(|target| target.is_released)
    }

    /// Whether it is Windows.
    pub fn is_windows(&self) -> bool {
        self.npm[0] == "win32"
    }

    /// The file name of a program.
    pub fn program(&self, name: &str) -> String {
        format!("{name}{}", if self.is_windows() { ".exe" } else { "" })
    }

    /// The name that its archive has, without an ending: also the folder that all of the archive lies in.
    pub fn stem(&self) -> String {
        format!("git-lane-{}", self.triple)
    }

    /// The file name of its archive. It has no version, so that `releases/latest/download/…` stays the same address.
    pub fn archive(&self) -> String {
        format!("{}.{}", self.stem(), if self.is_windows() { "zip" } else { "tar.gz" })
    }

    /// The file name of its list of components.
    pub fn sbom(&self) -> String {
        format!("{}.cdx.json", self.stem())
    }

    /// Whether this machine can run its programs.
    pub fn is_here(&self) -> bool {
        let os = match std::env::consts::OS {
            "macos" => "darwin",
            "windows" => "win32",
            other => other,
        };
        self.npm[0] == os && self.triple.starts_with(std::env::consts::ARCH)
    }
}
