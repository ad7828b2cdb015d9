//! The areas of a first policy: what belongs to everybody, to nobody, or to one agent alone.

use std::collections::BTreeSet;

use super::candidates::Structure;
use super::files::{Files, ancestors, name, parent};
use lane_core::facts::Event;
use lane_core::policy::pathset::PathSet;
use lane_core::policy::pattern::{Pattern, escape};
use lane_core::policy::{FILE, cases};

/// Files and folders at the root that affect everybody at once.
const SHARED: [&str; 73] = [
    "requirements.txt",
    "requirements-dev.txt",
    "pyproject.toml",
    "poetry.lock",
    "uv.lock",
    "Pipfile",
    "Pipfile.lock",
    "setup.py",
    "setup.cfg",
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "bun.lock",
    "bun.lockb",
    "deno.json",
    "deno.lock",
    "lerna.json",
    "nx.json",
    "turbo.json",
    "tsconfig.json",
    "tsconfig.base.json",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain",
    "rust-toolchain.toml",
    "go.mod",
    "go.sum",
    "go.work",
    "go.work.sum",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "settings.gradle.kts",
    "gradle.properties",
    "Gemfile",
    "Gemfile.lock",
    "composer.json",
    "composer.lock",
    "mix.exs",
    "mix.lock",
    "Package.swift",
    "Package.resolved",
    "flake.nix",
    "flake.lock",
    "MODULE.bazel",
    "WORKSPACE",
    "CMakeLists.txt",
    "Makefile",
    "Justfile",
    "justfile",
    "Taskfile.yml",
    "Dockerfile",
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.yml",
    "compose.yaml",
    "skaffold.yaml",
    "proto/",
    "protos/",
    "helm/",
    "helm-chart/",
    "chart/",
    "charts/",
    "k8s/",
    "kubernetes/",
    "kubernetes-manifests/",
    "kustomize/",
    "istio-manifests/",
    "terraform/",
];
/// What only maintainers change, beside the policy itself.
const PROTECTED: [&str; 18] = [
    ".github/",
    ".gitlab/",
    ".gitlab-ci.yml",
    ".circleci/",
    ".buildkite/",
    ".travis.yml",
    ".drone.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "cloudbuild.yaml",
    "Jenkinsfile",
    ".husky/",
    ".githooks/",
    ".pre-commit-config.yaml",
    "lefthook.yml",
    ".gitattributes",
    "CODEOWNERS",
    "docs/CODEOWNERS",
];
/// A folder `hooks` has git's hooks only if one of these is in it.
const HOOKS: [Event; 4] = [Event::PreCommit, Event::CommitMsg, Event::PrePush, Event::PreReceive];
/// What stays on one machine.
pub(super) const LOCAL: [&str; 4] = ["AGENT_FOCUS.md", ".agent.env", "*.local", ".locks/"];

/// Folders of database migrations, by the end of their path.
const MIGRATIONS: [&str; 4] = ["alembic", "migrations", "db/migrate", "db/migration"];
/// In them lie programs or SQL.
const MIGRATION_FILES: [&str; 13] =
    ["sql", "py", "rb", "js", "ts", "mjs", "go", "rs", "php", "java", "kt", "cs", "exs"];
/// More folders than this are told by their name alone.
const FEW: usize = 6;

/// More common folders than this are none.
const MOST_COMMON: usize = 100;

/// A named set of paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Its name.
    pub name: &'static str,
    /// What it is, for a comment.
    pub about: &'static str,
    /// The policy's patterns.
    pub paths: Vec<String>,
    /// The policy's word.
    pub access: &'static str,
}

/// All areas of a repository, in the order of the policy, and the folders of migrations. A folder at the root that is or
/// has a package belongs to one agent.
pub fn areas(files: &Files<'_>, structure: &Structure) -> (Vec<Area>, Vec<String>) {
    let is_there = |path: &&str| match path.strip_suffix('/') {
        Some(folder) => files.count(folder) > 0 && !files.has(folder) && !structure.has(folder),
        None => files.has(path),
    };
    let top = |paths: &[&str]| -> Vec<String> {
        paths.iter().filter(|path| is_there(path)).map(|path| format!("/{path}")).collect()
    };
    let mut protected = vec![format!("/{FILE}"), format!("/{}", cases::FILE)];
    protected.extend(top(&PROTECTED));
    if HOOKS.iter().any(|hook| files.has(&format!("hooks/{}", hook.name()))) {
        protected.push("/hooks/".to_owned());
    }
    let (migrations, patterns) = migrations(files);
    let area = |name, about, paths, access| Area { name, about, paths, access };
    let areas = vec![
        area(
            "common",
            "Shared code: changing it needs the lock (git lane lock common).",
            structure.common.iter().take(MOST_COMMON).map(|folder| folder_pattern(folder)).collect(),
            "lock",
        ),
        area(
            "shared",
            "Manifests, lockfiles and deployment: commits need a trailer `Coordinated-with: <agent>`.",
            top(&SHARED),
            "coordinate",
        ),
        area(
            "migrations",
            "Database migrations: one owner keeps their order. Remove this where each service has its own database.",
            patterns,
            "owner",
        ),
        area("policy", "The policy, CI and git hooks: maintainers only.", protected, "maintainer"),
        area("local", "Local files, never committed.", LOCAL.map(str::to_owned).to_vec(), "never"),
    ];
    (areas.into_iter().filter(|area| !area.paths.is_empty()).collect(), migrations)
}

/// The pattern of all that lies below a folder.
pub fn folder_pattern(folder: &str) -> String {
    let escaped = escape(folder);
    if escaped.contains('/') { format!("{escaped}/**") } else { format!("/{escaped}/**") }
}

/// A set of all patterns of areas.
pub fn path_set(areas: &[Area]) -> PathSet {
    let mut set = PathSet::new(false);
    let patterns = areas.iter().flat_map(|area| &area.paths).filter_map(|path| Pattern::new(path).ok());
    patterns.enumerate().for_each(|(id, pattern)| set.insert(&pattern, id));
    set
}

/// Folders of migrations, and the patterns that mean them.
fn migrations(files: &Files<'_>) -> (Vec<String>, Vec<String>) {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    for file in files.tracked() {
        let is_migration = file.path.rsplit_once('.').is_some_and(|(_, end)| MIGRATION_FILES.contains(&end));
        if is_migration {
            // The outermost: `alembic/versions` and its like are inside.
            let folder = ancestors(&file.path).filter(|folder| kind(folder).is_some()).last();
            let is_ours =
                |folder: &&str| !folder.split('/').any(is_aside) && !folder.contains(char::is_control);
            found.extend(folder.filter(is_ours));
        }
    }
    let mut patterns = BTreeSet::new();
    if found.len() > FEW {
        patterns.extend(found.iter().filter_map(|folder| Some(format!("**/{}/**", kind(folder)?))));
    } else {
        patterns.extend(found.iter().map(|folder| folder_pattern(folder)));
    }
    (found.into_iter().map(str::to_owned).collect(), patterns.into_iter().collect())
}

fn kind(folder: &str) -> Option<&'static str> {
    let is_it = |end: &&&str| match end.split_once('/') {
        Some((above, last)) => name(folder) == last && name(parent(folder)) == above,
        None => name(folder) == **end,
    };
    MIGRATIONS.iter().find(is_it).copied()
}

/// Whether a folder of this name holds what is not the product itself: tests, and copies of others' work.
pub fn is_aside(name: &str) -> bool {
    const ASIDE: [&str; 24] = [
        "test",
        "tests",
        "__tests__",
        "e2e",
        "spec",
        "specs",
        "fixtures",
        "__fixtures__",
        "testdata",
        "test-data",
        "bench",
        "benches",
        "benchmark",
        "benchmarks",
        "vendor",
        "third_party",
        "node_modules",
        "dist",
        "build",
        "target",
        "scripts",
        "tools",
        "hack",
        "ci",
    ];
    ASIDE.contains(&name) || name.starts_with('.')
}

/// Whether a folder of this name is read more than it is run.
pub fn is_reading(name: &str) -> bool {
    const READING: [&str; 14] = [
        "doc", "docs", "example", "examples", "sample", "samples", "demo", "demos", "site", "website",
        "assets", "images", "img", "contrib",
    ];
    READING.contains(&name)
}

/// Whether a folder of this name belongs to everybody.
pub fn is_common(name: &str) -> bool {
    const COMMON: [&str; 9] =
        ["common", "shared", "core", "lib", "libs", "util", "utils", "_common", "_shared"];
    COMMON.contains(&name)
        || ["common", "shared"].iter().any(|word| {
            name.strip_prefix(word).is_some_and(|rest| rest.starts_with(['-', '_']))
                || name.strip_suffix(word).is_some_and(|rest| rest.ends_with(['-', '_']))
        })
}

#[cfg(test)]
mod tests {
    use super::super::files::tracked;
    use super::*;

    fn paths(list: &[&str], common: &[&str]) -> Vec<(&'static str, Vec<String>)> {
        let list = tracked(list);
        let common = common.iter().map(|folder| (*folder).to_owned()).collect();
        let structure = Structure { common, ..Structure::default() };
        areas(&Files::new(&list), &structure).0.into_iter().map(|area| (area.name, area.paths)).collect()
    }

    #[test]
    fn only_what_is_there() {
        let found = paths(&["src/x", "package.json", "helm/x", "hooks/useThing.ts"], &[]);
        assert_eq!(found[0], ("shared", vec!["/package.json".into(), "/helm/".into()]));
        assert_eq!(found[1], ("policy", vec!["/policy.yaml".into(), "/policy.tests.yaml".into()]));
        assert_eq!(found.len(), 3, "no hooks of git in hooks/: {found:?}");
        let found = paths(&["hooks/pre-commit", ".github/x"], &["libs/common", "shared"]);
        assert_eq!(found[0], ("common", vec!["libs/common/**".into(), "/shared/**".into()]));
        assert!(found[1].1.ends_with(&["/.github/".into(), "/hooks/".into()]), "{found:?}");
    }

    #[test]
    fn migrations_are_found() {
        let found = paths(
            &[
                "services/api/alembic/versions/1.py",
                "services/api/alembic/versions/migrations/2.py",
                "db/migrate/1_x.rb",
                "web/docs/migrations/v2.md",
                "tests/migrations/1.sql",
            ],
            &[],
        );
        assert_eq!(found[0], ("migrations", vec!["db/migrate/**".into(), "services/api/alembic/**".into()]));
        let many: Vec<String> = (0..9).map(|at| format!("a{at}/migrations/1.py")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(paths(&many, &[])[0].1, ["**/migrations/**"]);
    }

    #[test]
    fn names_of_common_folders() {
        assert!(["common", "shared-types", "go_common"].iter().all(|name| is_common(name)));
        assert!(!["commonwealth", "web", "unshared"].iter().any(|name| is_common(name)));
    }
}
