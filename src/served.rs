//! Where the hook of a server lies in a bare repository: `install --server` puts it there, and whoever asks whether
//! a repository judges what is pushed to it looks there.

use std::path::{Path, PathBuf};

/// The folder of our own that `core.hooksPath` names, below the common git folder.
pub(crate) const FOLDER: &str = "lane/server-hooks";

/// Where our file is where a host runs every file of a folder: Gitea and Forgejo, GitLab.
pub(crate) fn host_files(common_dir: &Path) -> impl Iterator<Item = PathBuf> {
    const FILES: [&str; 4] = [
        "custom_hooks/pre-receive.d/git-lane",
        "custom_hooks/update.d/git-lane",
        "hooks/pre-receive.d/git-lane",
        "hooks/update.d/git-lane",
    ];
    FILES.into_iter().map(|file| common_dir.join(file))
}

/// Whether a bare repository has a hook of ours. `hooks_path`: its `core.hooksPath`, the last value.
pub(crate) fn is_judging(common_dir: &Path, hooks_path: Option<&str>) -> bool {
    hooks_path.is_some_and(|value| Path::new(value).ends_with(FOLDER))
        || host_files(common_dir).any(|file| file.is_file())
}
