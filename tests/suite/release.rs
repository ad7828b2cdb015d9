//! What a release consists of: `cargo xtask`, with the programs of this build instead of those of a release.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

use crate::support::{LANE, Ran, Scratch};

/// The target of this machine; `None` where there is no row for it.
pub fn target() -> Option<&'static xtask::targets::Target> {
    let os = if cfg!(target_os = "macos") { "apple-darwin" } else { "unknown-linux-gnu" };
    xtask::targets::Target::find(&format!("{}-{os}", std::env::consts::ARCH)).ok()
}

/// Runs a task: what it prints, or what it says is wrong.
pub fn task(args: &[&str]) -> Result<String, xtask::Failure> {
    let args: Vec<String> = args.iter().map(|word| (*word).to_owned()).collect();
    xtask::run(&args, Path::new(env!("CARGO_MANIFEST_DIR")))
}

/// The programs of this build without what a debugger needs, and all packages made of them.
pub struct Packed {
    pub programs: PathBuf,
    pub packages: PathBuf,
    _folder: tempfile::TempDir,
}

/// Packs them once for all tests that run at the same time; they are gone with the last of these.
pub fn packed() -> Option<Arc<Packed>> {
    static PACKED: Mutex<Weak<Packed>> = Mutex::new(Weak::new());
    let Some(target) = target() else {
        eprintln!("skipped: there are no releases for {}", std::env::consts::ARCH);
        return None;
    };
    let mut packed = PACKED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(packed) = packed.upgrade() {
        return Some(packed);
    }
    let folder = tempfile::tempdir().unwrap();
    let (programs, packages) = (folder.path().join("programs"), folder.path().join("packages"));
    fs::create_dir(&programs).unwrap();
    for name in xtask::targets::PROGRAMS {
        let to = programs.join(name);
        fs::copy(Path::new(LANE).with_file_name(name), &to).unwrap();
        let _ = Command::new("strip").arg(&to).status(); // it is only smaller then
    }
    let options = ["--binaries", programs.to_str().unwrap(), "--out", packages.to_str().unwrap(), "--fast"];
    task(&[&["package", "--target", target.triple], &options[..]].concat()).unwrap();
    let all = Arc::new(Packed { programs, packages, _folder: folder });
    *packed = Arc::downgrade(&all);
    Some(all)
}

#[test]
fn the_archive_unpacked_into_a_prefix_is_an_installation() {
    let Some(packed) = packed() else { return };
    let archive = packed.packages.join(target().unwrap().archive());
    let scratch = Scratch::new();
    scratch.add_origin();
    let prefix = scratch.home().join("prefix");
    fs::create_dir(&prefix).unwrap();
    let [from, to] = [&archive, &prefix].map(|path| path.to_str().unwrap());
    scratch.run(&scratch.home(), "tar", &["-xzf", from, "--strip-components=1", "-C", to]).ok();
    let (lane, hook) = (prefix.join("bin/git-lane"), prefix.join("bin/git-lane-hook"));
    assert!(fs::read(&lane).unwrap() == fs::read(packed.programs.join("git-lane")).unwrap());
    let time = |path: &Path| fs::metadata(path).unwrap().mtime();
    assert_eq!(time(&lane), time(&hook), "one time for all, or hooks would not take the smaller program");
    for path in ["man/man1/git-lane.1", "bash-completion/completions/git-lane", "doc/git-lane/LICENSE-MIT"] {
        assert!(prefix.join("share").join(path).is_file(), "{path}");
    }
    let notices = fs::read_to_string(prefix.join("share/doc/git-lane/LICENSES-OF-PARTS.txt")).unwrap();
    assert!(notices.contains("libgit2 is Copyright (C) the libgit2 contributors"));
    let tree = scratch.worktree("a2", "feat/a2/x");
    let ran = tree.command(lane.to_str().unwrap()).args(["install", "--agent", "a2"]).output();
    Ran::from(ran.unwrap()).ok();
    let second_name = fs::metadata(scratch.root().join(".git/lane/bin/git-lane")).unwrap();
    assert_eq!(second_name.ino(), fs::metadata(&hook).unwrap().ino());
    tree.commit("services/revenue/a.py", "x\n", "feat: a").fails(1).says("foreign-path");
}

#[test]
fn the_list_of_components_is_that_of_the_lock_file() {
    let Some(packed) = packed() else { return };
    let text = fs::read_to_string(packed.packages.join(target().unwrap().sbom())).unwrap();
    let bom: serde_json::Value = serde_json::from_str(&text).unwrap();
    let lock: toml::Table = include_str!("../../Cargo.lock").parse().unwrap();
    let locked = lock["package"].as_array().unwrap().iter();
    let locked: BTreeSet<_> = locked
        .map(|package| {
            let text = |key: &str| package.get(key).and_then(toml::Value::as_str).unwrap_or_default();
            (text("name").to_owned(), text("version").to_owned(), text("checksum").to_owned())
        })
        .collect();
    let mut linked = BTreeSet::new();
    for part in bom["components"].as_array().unwrap() {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let found = (text(&part["name"]), text(&part["version"]), text(&part["hashes"][0]["content"]));
        assert!(locked.contains(&found), "{found:?}");
        assert!(part["licenses"][0].is_object(), "{found:?} has no licence");
        linked.extend((part["scope"] == "required").then_some(found.0));
    }
    assert!(["git2", "octocrab", "lane-core"].iter().all(|name| linked.contains(*name)));
    // What tests alone need is not in it, nor is what only builds the programs said to be.
    assert!(!["wiremock", "xtask", "cc"].iter().any(|name| linked.contains(*name)));
}

#[test]
fn a_dry_run_shows_everything_and_writes_nothing() {
    let shown = task(&["release", "--dry-run"]).unwrap();
    for target in xtask::targets::Target::released() {
        let [os, cpu] = target.npm;
        let of_npm = format!("git-lane-{os}-{cpu}-");
        let files = [target.archive(), target.sbom(), format!("-py3-none-{}.whl", target.wheel), of_npm];
        assert!(files.iter().all(|file| shown.contains(file)), "{files:?}: {shown}");
    }
    for part in [
        "install-release.ps1",
        "git-lane.rb",
        ".installer.yaml",
        "crates.io: lane-os, lane-core, ",
        "ghcr.io/",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(shown.contains(&format!("versions agree: {}", env!("CARGO_PKG_VERSION"))), "{shown}");
    // With a tag it is meant, and what is to be done first is an error.
    let failure = task(&["release", "--dry-run", "--tag", "v99.0.0", "--repository", "a/b"]).unwrap_err();
    for wrong in ["the tag is v99.0.0, but Cargo.toml has the version", "`repository` is"] {
        assert!(failure.shown.contains(wrong), "{}", failure.shown);
    }
    // Without the packages of every target there is no release.
    let empty = tempfile::tempdir().unwrap();
    let [artifacts, out] = ["packages", "out"].map(|name| empty.path().join(name));
    fs::create_dir(&artifacts).unwrap();
    let [artifacts, out] = [artifacts, out].map(|path| path.to_str().unwrap().to_owned());
    let tag = format!("v{}", env!("CARGO_PKG_VERSION"));
    let failure = task(&["release", "--artifacts", &artifacts, "--out", &out, "--tag", &tag]).unwrap_err();
    assert!(failure.reason.contains("x86_64-apple-darwin.tar.gz is missing"), "{}", failure.reason);
    assert!(!Path::new(&out).exists());
}

/// The files of this repository that a release is made of, ready for one by `acme`, in a repository of their own.
fn ready() -> Scratch {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = Scratch::empty();
    let own = ["Cargo.toml", "Cargo.lock", "CHANGELOG.md", "README.md", "LICENSE-MIT", "LICENSE-APACHE"];
    let crates = fs::read_dir(here.join("crates")).unwrap().map(|entry| entry.unwrap().file_name());
    let crates = crates.map(|name| format!("crates/{}/Cargo.toml", name.display()));
    for file in own.map(str::to_owned).into_iter().chain(crates).chain(["xtask/Cargo.toml".to_owned()]) {
        let text = fs::read_to_string(here.join(&file)).unwrap();
        let text = text.replace(env!("CARGO_PKG_REPOSITORY"), "https://github.com/acme/git-lane");
        let heading = format!("## {} - 2026-01-02", env!("CARGO_PKG_VERSION"));
        scratch.write(&file, &text.replace("## Unreleased", &heading));
    }
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "first"]).ok();
    scratch
}

#[test]
fn what_all_targets_have_in_common_is_made_from_their_packages() {
    let scratch = ready();
    let version = env!("CARGO_PKG_VERSION");
    let packages = scratch.home().join("packages");
    for target in xtask::targets::Target::released() {
        let [os, cpu] = target.npm;
        let wheel = format!("pypi/git_lane-{version}-py3-none-{}.whl", target.wheel);
        let files =
            [target.archive(), target.sbom(), wheel, format!("npm/git-lane-{os}-{cpu}-{version}.tgz")];
        for file in files.iter().chain([&format!("pypi/git_lane-{version}.tar.gz")]) {
            fs::create_dir_all(packages.join(file).parent().unwrap()).unwrap();
            fs::write(packages.join(file), file).unwrap();
        }
    }
    let release = |options: &[&str]| {
        let folder = packages.to_str().unwrap();
        let args = [&["release", "--artifacts", folder, "--out", folder, "--tag"], options].concat();
        let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
        xtask::run(&args, &scratch.root())
    };
    assert!(release(&["v99.0.0"]).unwrap_err().reason.contains("the tag is v99.0.0"));
    assert!(!packages.join("SHA256SUMS").exists());
    let tag = format!("v{version}");
    release(&[&tag]).unwrap();
    let read = |file: &str| fs::read_to_string(packages.join(file)).unwrap();
    let sums = read("SHA256SUMS");
    let check = if cfg!(target_os = "macos") { "shasum" } else { "sha256sum" };
    scratch.run(&packages, check, &["--check", "--strict", "SHA256SUMS"]).ok();
    assert!(sums.contains("  install-release.sh\n") && sums.contains("  git-lane.rb\n"), "{sums}");
    assert!(read("NOTES.md").contains("### Added"));
    let sum = |archive: &str| {
        sums.lines().find(|line| line.ends_with(&format!("  {archive}"))).unwrap()[..64].to_owned()
    };
    let url = |archive: &str| format!("https://github.com/acme/git-lane/releases/download/{tag}/{archive}");
    let (formula, winget) = (read("git-lane.rb"), read("winget/acme.git-lane.installer.yaml"));
    for target in xtask::targets::Target::released() {
        let archive = target.archive();
        let (file, sum) = match target.is_windows() {
            true => (&winget, format!("InstallerSha256: {}\n", sum(&archive).to_uppercase())),
            false => (&formula, format!("sha256 \"{}\"\n", sum(&archive))),
        };
        assert!(file.contains(&sum) && file.contains(&url(&archive)), "{archive}: {file}");
        // And the crate says where cargo-binstall finds it.
        let cargo: toml::Table = include_str!("../../Cargo.toml").parse().unwrap();
        let binstall = &cargo["package"]["metadata"]["binstall"];
        let ending = if target.is_windows() { ".zip" } else { ".tar.gz" };
        let filled = binstall["pkg-url"].as_str().unwrap();
        let filled =
            filled.replace("{ repo }", "https://github.com/acme/git-lane").replace("{ version }", version);
        let filled = filled.replace("{ target }", target.triple).replace("{ archive-suffix }", ending);
        assert_eq!(filled, url(&archive));
    }
    for installer in ["install-release.sh", "install-release.ps1"] {
        let text = read(installer);
        assert!(
            text.contains("acme/git-lane") && text.contains(&tag) && !text.contains("@REPOSITORY@"),
            "{text}"
        );
    }
    let yaml: serde_json::Value = serde_yaml::from_str(&winget).unwrap();
    assert_eq!(yaml["NestedInstallerFiles"][1]["PortableCommandAlias"], "git-lane-hook");
    if let Ok(ruby) = Command::new("ruby").arg("-c").arg(packages.join("git-lane.rb")).output() {
        assert!(ruby.status.success(), "{}", String::from_utf8_lossy(&ruby.stderr));
    }
}

#[test]
fn the_installer_takes_what_was_released_and_nothing_else() {
    let Some(packed) = packed() else { return };
    let (target, version) = (target().unwrap(), env!("CARGO_PKG_VERSION"));
    let scratch = Scratch::empty();
    let home = scratch.home();
    if scratch.main().command("curl").arg("--version").output().is_err() {
        eprintln!("skipped: there is no curl here");
        return;
    }
    let text = include_str!("../../xtask/installers/install-release.sh");
    let text = text.replace("@REPOSITORY@", "acme/git-lane").replace("@TAG@", &format!("v{version}"));
    fs::write(home.join("install-release.sh"), text).unwrap();
    let archive = fs::read(packed.packages.join(target.archive())).unwrap();
    let put = |tag: &str, sum: &str| {
        let folder = home.join("releases").join(tag);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(target.archive()), &archive).unwrap();
        fs::write(folder.join("SHA256SUMS"), format!("{sum}  {}\n", target.archive())).unwrap();
    };
    let sum = xtask::sha256(&archive);
    put(&format!("v{version}"), &sum);
    put("v99.0.0", &sum);
    put("v98.0.0", &sum.replace(&sum[..4], "0000"));
    let prefix = home.join("prefix");
    let run = |args: &[&str]| {
        let mut command = scratch.main().command("sh");
        command.arg(home.join("install-release.sh")).args(["--prefix", prefix.to_str().unwrap()]).args(args);
        let releases = format!("file://{}", home.join("releases").display());
        Ran::from(command.env("LANE_RELEASES", releases).output().unwrap())
    };
    let here = ["--target", target.triple];
    for (args, says) in [
        (vec!["--tag", "v98.0.0"], "is not what was released: its checksum is"),
        (vec!["--tag", "v99.0.0"], &format!("git-lane of v99.0.0 says it is git-lane {version}")),
        (vec!["--tag", "v97.0.0"], "could not be downloaded"),
        (vec!["--tag"], "--tag needs a value"),
    ] {
        run(&[&here[..], &args].concat()).fails(2).says(says);
        assert!(!prefix.exists(), "{args:?}");
    }
    run(&here).ok().says("(checked: version, checksum)").says("export PATH=");
    for name in xtask::targets::PROGRAMS {
        assert!(
            fs::read(prefix.join("bin").join(name)).unwrap() == fs::read(packed.programs.join(name)).unwrap(),
            "{name}"
        );
    }
    assert!(prefix.join("share/man/man1/git-lane.1").is_file());
    let left: Vec<_> =
        fs::read_dir(prefix.join("bin")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

/// `install.sh` of a checkout that is a release: nothing is built, and it takes back what it put there.
#[test]
fn a_checkout_of_a_release_installs_without_building() {
    let Some(packed) = packed() else { return };
    let (target, tag) = (target().unwrap(), format!("v{}", env!("CARGO_PKG_VERSION")));
    let scratch = Scratch::empty();
    let home = scratch.home();
    if scratch.main().command("curl").arg("--version").output().is_err() {
        eprintln!("skipped: there is no curl here");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in ["install.sh", "Cargo.toml", "xtask/installers/install-release.sh"] {
        scratch.write(path, &fs::read_to_string(root.join(path)).unwrap());
    }
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "one"]).ok();
    scratch.git(&["tag", "-a", "-m", "x", &tag]).ok();
    let releases = home.join("releases");
    fs::create_dir_all(releases.join(&tag)).unwrap();
    fs::copy(packed.packages.join(target.archive()), releases.join(&tag).join(target.archive())).unwrap();
    let sum = xtask::sha256(&fs::read(packed.packages.join(target.archive())).unwrap());
    fs::write(releases.join(&tag).join("SHA256SUMS"), format!("{sum}  {}\n", target.archive())).unwrap();
    let prefix = home.join("prefix");
    let run = |args: &[&str]| {
        let mut command = scratch.main().command("sh");
        command.arg("install.sh").args(["--prefix", prefix.to_str().unwrap()]).args(args);
        command
            .env("LANE_RELEASES", format!("file://{}", releases.display()))
            .env("LANE_TARGET", target.triple);
        Ran::from(command.output().unwrap())
    };
    run(&[]).ok().says("(checked: version, checksum)").does_not_say("building");
    assert!(prefix.join("bin/git-lane").is_file() && prefix.join("share/man/man1/git-lane.1").is_file());
    // What is no release is not taken for one: this would be built, and there are no sources.
    scratch.write("Cargo.toml", "[workspace.package]\nversion = \"9.9.9\"\n");
    run(&["--release"]).fails(2).says("release v9.9.9 was not installed").says("./install.sh --build");
    run(&["--uninstall"]).ok().says("removed git-lane from").says("git lane uninstall --all");
    let left = scratch.main().command("find").arg(&prefix).args(["-type", "f"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "");
    run(&["--uninstall"]).fails(2).says("nothing of git-lane is in");
}

#[test]
fn options_that_are_not_understood_are_named() {
    for (args, reason) in [
        (vec!["pack"], "unknown task `pack`"),
        (vec!["package"], "--target is missing"),
        (vec!["package", "--target", "z80"], "unknown target `z80`; one of: x86_64-unknown-linux-musl"),
        (vec!["package", "--target"], "--target needs a value"),
        (vec!["release", "--dry-run", "--dry-run"], "--dry-run is given twice"),
        (vec!["release", "--dry-run", "--repository", "https://x/y"], "is not OWNER/NAME"),
        (vec!["release", "--dry-run", "--artifacts", "/nowhere/x"], "/nowhere/x is no folder"),
    ] {
        let failure = task(&args).unwrap_err();
        assert!(failure.reason.contains(reason), "{args:?}: {}", failure.reason);
    }
}
