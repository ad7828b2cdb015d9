//! Repositories of each format, made by git.

use std::path::Path;

use crate::support::{POLICY, Scratch, Worktree};

/// A worktree of a2 on `feat/a2/x` with a remote `origin` that has `main`.
pub struct Made {
    pub scratch: Scratch,
    pub tree: Worktree,
}

/// Makes one, or says why this git cannot.
pub type Maker = fn() -> Result<Made, String>;

/// A repository that `git init` makes with these options, and settings that hold from the start.
fn with(init: &[&str], settings: &[(&str, &str)]) -> Result<Made, String> {
    let scratch = origin(init, settings)?;
    let tree = scratch.worktree("a2", "feat/a2/x");
    Ok(Made { scratch, tree })
}

/// The main worktree and its remote.
fn origin(init: &[&str], settings: &[(&str, &str)]) -> Result<Scratch, String> {
    let scratch = Scratch::empty();
    std::fs::remove_dir_all(scratch.root()).unwrap();
    for (name, bare) in [("repo", &[][..]), ("origin.git", &["--bare"])] {
        let args = [&["init", "-q", "-b", "main"], bare, init, &[name]].concat();
        let ran = scratch.run(&scratch.home(), "git", &args);
        if ran.code != 0 {
            return Err(ran.err.lines().next().unwrap_or("git says nothing").to_owned());
        }
    }
    for (key, value) in settings {
        scratch.git(&["config", key, value]).ok();
    }
    if scratch.git(&["status"]).code != 0 {
        return Err(scratch.git(&["status"]).err);
    }
    scratch
        .run(&scratch.home().join("origin.git"), "git", &["config", "uploadpack.allowFilter", "true"])
        .ok();
    scratch.write("policy.yaml", &POLICY.replace("max_age: 3h", "max_age: null"));
    for service in ["orchestrator", "rag_pipeline", "revenue", "common"] {
        scratch.write(&format!("services/{service}/main.py"), &"line\n".repeat(20));
    }
    scratch.write("requirements.txt", "fastapi\n");
    scratch.git(&["add", "-A"]).ok();
    let first = scratch.git(&["commit", "-q", "-m", "first"]);
    if first.code != 0 {
        return Err(first.err);
    }
    scratch.git(&["remote", "add", "origin", "../origin.git"]).ok();
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    scratch.git(&["fetch", "-q", "origin"]).ok();
    Ok(scratch)
}

/// A clone of the remote.
fn clone(scratch: Scratch, args: &[&str]) -> Result<Made, String> {
    scratch.main().commit("docs/b.md", "b\n", "second").ok();
    scratch.git(&["push", "-q", "origin", "main"]).ok();
    let (home, url) = (scratch.home(), format!("file://{}/origin.git", scratch.home().display()));
    scratch.run(&home, "git", &[&["clone", "-q"], args, &[url.as_str(), "a2"]].concat()).ok();
    let tree = Worktree { root: home.join("a2"), home };
    tree.git(&["checkout", "-q", "-b", "feat/a2/x"]).ok();
    Ok(Made { scratch, tree })
}

/// One that something is done to afterwards.
fn changed(args: &[&[&str]]) -> Result<Made, String> {
    let made = plain()?;
    for args in args {
        let ran = made.tree.git(args);
        if ran.code != 0 {
            return Err(ran.err);
        }
    }
    Ok(made)
}

/// Whether the index says so, near its start or its end.
fn has_extension(made: &Made, name: &str) -> bool {
    let path = made.tree.git(&["rev-parse", "--path-format=absolute", "--git-path", "index"]).ok().out;
    let bytes = std::fs::read(path.trim()).unwrap();
    bytes.windows(name.len()).any(|window| window == name.as_bytes())
}

pub fn plain() -> Result<Made, String> {
    with(&[], &[])
}

pub fn sha256() -> Result<Made, String> {
    with(&["--object-format=sha256"], &[])
}

pub fn reftable() -> Result<Made, String> {
    with(&["--ref-format=reftable"], &[])
}

pub fn all_at_once() -> Result<Made, String> {
    let made = with(&["--object-format=sha256", "--ref-format=reftable"], &[])?;
    made.tree.git(&["config", "core.splitIndex", "true"]).ok();
    made.tree.git(&["update-index", "--split-index"]).ok();
    Ok(made)
}

pub fn ref_storage_files() -> Result<Made, String> {
    with(&[], &[("core.repositoryFormatVersion", "1"), ("extensions.refStorage", "files")])
}

pub fn compat_object_format() -> Result<Made, String> {
    with(&[], &[("core.repositoryFormatVersion", "1"), ("extensions.compatObjectFormat", "sha256")])
}

pub fn blobless() -> Result<Made, String> {
    clone(origin(&[], &[])?, &["--filter=blob:none"])
}

/// As newer gits mark such clones.
pub fn marked_partial() -> Result<Made, String> {
    let made = blobless()?;
    made.tree.git(&["config", "core.repositoryFormatVersion", "1"]).ok();
    made.tree.git(&["config", "extensions.partialClone", "origin"]).ok();
    Ok(made)
}

pub fn treeless() -> Result<Made, String> {
    clone(origin(&[], &[])?, &["--filter=tree:0"])
}

pub fn shallow() -> Result<Made, String> {
    let made = clone(origin(&[], &[])?, &["--depth=1"])?;
    assert_eq!(made.tree.git(&["rev-parse", "--is-shallow-repository"]).out, "true\n");
    Ok(made)
}

pub fn alternates() -> Result<Made, String> {
    let scratch = origin(&[], &[])?;
    let reference = scratch.root();
    clone(scratch, &["--reference", reference.to_str().unwrap()])
}

pub fn split_index() -> Result<Made, String> {
    let made = changed(&[&["config", "core.splitIndex", "true"], &["update-index", "--split-index"]])?;
    assert!(has_extension(&made, "link"));
    Ok(made)
}

pub fn sparse_index() -> Result<Made, String> {
    // The folders of both lanes are there, so that both can be changed; the rest is one entry each.
    let made = changed(&[&[
        "sparse-checkout",
        "set",
        "--cone",
        "--sparse-index",
        "services/rag_pipeline",
        "services/revenue",
        "services/common",
    ]])?;
    if !has_extension(&made, "sdir") {
        return Err("this git made no sparse index".to_owned());
    }
    Ok(made)
}

pub fn sparse_checkout() -> Result<Made, String> {
    changed(&[&[
        "sparse-checkout",
        "set",
        "--no-cone",
        "/services/",
        "!/services/orchestrator/",
        "/policy.yaml",
    ]])
}

pub fn replace_refs() -> Result<Made, String> {
    let made = plain()?;
    let blob = made.tree.git(&["rev-parse", "HEAD:requirements.txt"]).ok().out;
    let other = made.tree.git(&["rev-parse", "HEAD:policy.yaml"]).ok().out;
    made.tree.git(&["replace", blob.trim(), other.trim()]).ok();
    Ok(made)
}

pub fn grafts() -> Result<Made, String> {
    let made = plain()?;
    let info = made.scratch.root().join(".git/info");
    std::fs::create_dir_all(&info).unwrap();
    std::fs::write(info.join("grafts"), made.tree.head() + "\n").unwrap();
    Ok(made)
}

pub fn submodules() -> Result<Made, String> {
    let made = plain()?;
    let module = made.scratch.home().join("module");
    made.scratch.run(&made.scratch.home(), "git", &["init", "-q", "-b", "main", "module"]).ok();
    let module = Worktree { root: module, home: made.scratch.home() };
    module.commit("a", "x\n", "a").ok();
    let args =
        ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--name", "m", "../module"];
    made.tree.git(&[&args[..], &["services/rag_pipeline/m"]].concat()).ok();
    made.tree.git(&["config", "submodule.m.ignore", "all"]).ok();
    made.tree.git(&["reset", "-q", "--", ".gitmodules"]).ok();
    std::fs::remove_file(made.tree.root.join(".gitmodules")).unwrap();
    made.tree.git(&["commit", "-q", "-m", "[A2] a module"]).ok();
    Ok(made)
}

pub fn within_a_submodule() -> Result<Made, String> {
    let scratch = origin(&[], &[])?;
    let home = scratch.home();
    scratch.run(&home, "git", &["init", "-q", "-b", "main", "above"]).ok();
    let above = Worktree { root: home.join("above"), home: home.clone() };
    let url = format!("{}/origin.git", home.display());
    above.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "a2"]).ok();
    let tree = Worktree { root: home.join("above/a2"), home };
    tree.git(&["checkout", "-q", "-b", "feat/a2/x"]).ok();
    Ok(Made { scratch, tree })
}

pub fn worktree_config() -> Result<Made, String> {
    changed(&[
        &["config", "extensions.worktreeConfig", "true"],
        &["config", "--worktree", "core.abbrev", "9"],
    ])
}

pub fn relative_worktrees() -> Result<Made, String> {
    let made = plain()?;
    let entry = made.scratch.root().join(".git/worktrees/a2");
    std::fs::write(entry.join("gitdir"), "../../../../a2/.git\n").unwrap();
    std::fs::write(made.tree.root.join(".git"), "gitdir: ../repo/.git/worktrees/a2\n").unwrap();
    // Only a git that writes them itself knows the extension.
    let listed = made.tree.git(&["worktree", "add", "-h"]).all();
    if listed.contains("relative-paths") {
        made.tree.git(&["config", "core.repositoryFormatVersion", "1"]).ok();
        made.tree.git(&["config", "extensions.relativeWorktrees", "true"]).ok();
    }
    made.tree.git(&["status"]).ok();
    Ok(made)
}

pub fn ignore_case() -> Result<Made, String> {
    changed(&[&["config", "core.ignoreCase", "true"]])
}

pub fn fsmonitor() -> Result<Made, String> {
    let made = plain()?;
    let hook = made.scratch.home().join("monitor");
    std::fs::write(&hook, "#!/bin/sh\nprintf 'token\\0/\\0'\n").unwrap();
    executable(&hook);
    made.tree.git(&["config", "core.fsmonitor", hook.to_str().unwrap()]).ok();
    made.tree.git(&["update-index", "--fsmonitor"]).ok();
    made.tree.git(&["status"]).ok();
    assert!(has_extension(&made, "FSMN"));
    Ok(made)
}

fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

pub fn untracked_cache() -> Result<Made, String> {
    let made =
        changed(&[&["config", "core.untrackedCache", "true"], &["update-index", "--force-untracked-cache"]])?;
    made.tree.git(&["status"]).ok();
    assert!(has_extension(&made, "UNTR"));
    Ok(made)
}

pub fn index_v2() -> Result<Made, String> {
    changed(&[&["update-index", "--index-version", "2"]])
}

pub fn index_v3() -> Result<Made, String> {
    changed(&[&["update-index", "--skip-worktree", "requirements.txt"]])
}

pub fn index_v4() -> Result<Made, String> {
    changed(&[&["config", "index.version", "4"], &["update-index", "--index-version", "4"]])
}

pub fn skip_hash() -> Result<Made, String> {
    changed(&[&["config", "index.skipHash", "true"], &["update-index", "--force-write-index"]])
}

pub fn bare() -> Result<Made, String> {
    let scratch = origin(&[], &[])?;
    let home = scratch.home();
    let url = format!("{}/origin.git", home.display());
    scratch.run(&home, "git", &["clone", "-q", "--bare", &url, "bare.git"]).ok();
    let bare = Worktree { root: home.join("bare.git"), home: home.clone() };
    bare.git(&["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"]).ok();
    bare.git(&["fetch", "-q", "origin"]).ok();
    bare.git(&["worktree", "add", "-q", "-b", "feat/a2/x", "../a2"]).ok();
    Ok(Made { scratch, tree: Worktree { root: home.join("a2"), home } })
}

pub fn precious_objects() -> Result<Made, String> {
    with(&[], &[("core.repositoryFormatVersion", "1"), ("extensions.preciousObjects", "true")])
}

pub fn safe_directory() -> Result<Made, String> {
    let made = plain()?;
    chown(&made)?;
    made.tree.git(&["config", "--global", "--add", "safe.directory", "*"]).ok();
    Ok(made)
}

/// Gives everything to another user, but for what is a file elsewhere, too: the hooks' program is a hard link to the one that cargo made.
pub fn chown(made: &Made) -> Result<(), String> {
    let home = made.scratch.home();
    for name in ["repo", "a2", "origin.git"] {
        let own = ["(", "-type", "d", "-o", "-links", "1", ")", "-exec", "chown", "-h", "12345", "{}", "+"];
        let ran = made.scratch.run(&home, "find", &[&[name][..], &own].concat());
        if ran.code != 0 {
            return Err("only root gives files to another user".to_owned());
        }
    }
    Ok(())
}

pub fn order_file() -> Result<Made, String> {
    let made = plain()?;
    let file = made.scratch.home().join("order");
    std::fs::write(&file, "*.yaml\n").unwrap();
    made.tree.git(&["config", "diff.orderFile", file.to_str().unwrap()]).ok();
    Ok(made)
}

/// A repository with nothing but a remote, before its first commit.
pub fn unborn(init: &[&str]) -> Result<Made, String> {
    let scratch = origin(init, &[])?;
    let home = scratch.home();
    scratch.run(&home, "git", &[&["init", "-q", "-b", "feat/a2/x"], init, &["a2"]].concat()).ok();
    let tree = Worktree { root: home.join("a2"), home };
    tree.git(&["remote", "add", "origin", "../origin.git"]).ok();
    tree.git(&["fetch", "-q", "origin"]).ok();
    Ok(Made { scratch, tree })
}
