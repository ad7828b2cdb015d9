//! What a lock is taken on: an area of the policy, or paths inside one.

use crate::error::Error;
use crate::policy::model::{Access, Area};
use crate::policy::pattern::{Pattern, escape};
use crate::policy::{Owner, Plan, did_you_mean};

/// What a lock is taken on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The area.
    pub area: String,
    /// The area's name, or a pattern from the repository's root with at least one slash in it.
    pub text: String,
    /// The pattern; `None` for the whole area.
    pattern: Option<Pattern>,
}

/// A scope as it was typed.
#[derive(Clone, Copy)]
pub struct PathArgument<'a> {
    /// The words.
    pub text: &'a str,
    /// The folder that it was typed in, from the repository's root: `services/` or nothing.
    pub folder: &'a str,
    /// Whether a file or folder of this name is there, so that its brackets and stars mean themselves.
    pub exists: &'a dyn Fn(&str) -> bool,
}

impl Scope {
    /// The whole of an area.
    pub fn of_area(area: &str) -> Self {
        Self { area: area.to_owned(), text: area.to_owned(), pattern: None }
    }

    /// A scope as it is stored: `None` where the text is no pattern.
    pub fn from_record(area: &str, text: &str) -> Option<Self> {
        if area == text {
            return Some(Self::of_area(area));
        }
        let rooted = format!("/{}", text.trim_start_matches('/'));
        let pattern = text.contains('/').then(|| Pattern::new(&rooted).ok()).flatten()?;
        Some(Self { area: area.to_owned(), text: text.to_owned(), pattern: Some(pattern) })
    }

    /// What somebody typed: the name of an area, or a path or pattern inside one.
    ///
    /// # Errors
    /// No such area, a pattern that is none, or paths that no lock is asked for.
    pub fn resolve(plan: &Plan, typed: &PathArgument<'_>) -> Result<Self, Error> {
        let text = typed.text;
        if text.is_empty() || text.contains(char::is_control) {
            return Err(Error::usage(
                "a scope is the name of an area, or a path inside one",
                format!("areas with locks: {}", lockable(plan).join(", ")),
            ));
        }
        if let Some(area) = plan.policy.areas.iter().find(|area| area.name.value == text) {
            return match area.access.value {
                Access::Lock => Ok(Self::of_area(text)),
                _ => Err(needs_none(&format!("the area `{text}`"), area)),
            };
        }
        let path = from_root(typed)?;
        let is_there = (typed.exists)(path.trim_end_matches('/'));
        let pattern = if is_there { escape(&path) } else { path.clone() };
        let is_literal = is_there || !path.contains(['*', '?', '[', '\\']);
        Self::inside(plan, text, &pattern, is_literal)
    }

    /// A pattern from the root, inside the last area that has all of it.
    fn inside(plan: &Plan, typed: &str, text: &str, is_literal: bool) -> Result<Self, Error> {
        let as_pattern = |text: &str| {
            Pattern::new(&format!("/{text}"))
                .map_err(|error| Error::usage(format!("`{typed}`: {}", error.reason), error.help))
        };
        let below = format!("{}/**", text.trim_end_matches('/'));
        // A folder is named as such by those who mean all that is in it.
        let candidates = if is_literal { vec![text, &below] } else { vec![text] };
        for candidate in candidates {
            let pattern = as_pattern(candidate)?;
            let entries = plan.entries().iter().rev();
            let Some(entry) = entries.into_iter().find(|entry| entry.pattern.covers(&pattern)) else {
                continue;
            };
            return match plan.owner(entry.owner) {
                Owner::Area(area) if area.access.value == Access::Lock => {
                    let has_slash = candidate.contains('/');
                    let text = if has_slash { candidate.to_owned() } else { format!("/{candidate}") };
                    Ok(Self { area: area.name.value.clone(), text, pattern: Some(pattern) })
                }
                Owner::Area(area) => Err(needs_none(&format!("`{typed}`"), area)),
                Owner::Lane(agent) => Err(Error::usage(
                    format!("`{typed}` is in the lane of {}, which needs no lock", agent.title()),
                    format!("git lane who {}", crate::report::quote(typed.as_bytes())),
                )),
            };
        }
        Err(outside(plan, typed, &as_pattern(text)?))
    }

    /// Whether it has a path. `is_folder`: a link or a submodule.
    pub fn has(&self, path: &[u8], is_folder: bool, fold: bool) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.matches(path, is_folder, fold))
    }

    /// Whether some path could be under both.
    pub fn conflicts(&self, other: &Self, fold: bool) -> bool {
        self.area == other.area
            && match (&self.pattern, &other.pattern) {
                (Some(one), Some(two)) => one.intersects(two, fold),
                _ => true,
            }
    }

    /// Whether it is a whole area.
    pub fn is_area(&self) -> bool {
        self.pattern.is_none()
    }
}

/// The area with locks that a scope of a commit's trailer is, or lies in.
pub fn area_of<'p>(plan: &'p Plan, scope: &str) -> Option<&'p str> {
    if let Some(area) = lockable(plan).into_iter().find(|area| *area == scope) {
        return Some(area);
    }
    let pattern = Pattern::new(&format!("/{}", scope.trim_start_matches('/'))).ok()?;
    let entry = plan.entries().iter().rev().find(|entry| entry.pattern.covers(&pattern))?;
    match plan.owner(entry.owner) {
        Owner::Area(area) if area.access.value == Access::Lock => Some(area.name.value.as_str()),
        _ => None,
    }
}

/// The names of the areas that have locks.
pub fn lockable(plan: &Plan) -> Vec<&str> {
    let areas = plan.policy.areas.iter().filter(|area| area.access.value == Access::Lock);
    areas.map(|area| area.name.value.as_str()).collect()
}

fn needs_none(what: &str, area: &Area) -> Error {
    let name = &area.name.value;
    let (why, help) = match area.access.value {
        Access::Coordinate => (
            "coordinated, not locked",
            "name the agent you talked to: git commit --trailer 'Coordinated-with: <agent>'".to_owned(),
        ),
        Access::Owner => {
            let owners: Vec<&str> = area.owner.iter().map(|id| id.value.as_str()).collect();
            (
                "restricted to its owner",
                format!(
                    "ask {} for the change: git lane request submit --area {name} --reason '…'",
                    owners.join(" or ")
                ),
            )
        }
        Access::Maintainer => ("restricted to maintainers", "ask a maintainer for the change".to_owned()),
        Access::Append => ("open for new files, and for nothing else", "add a file".to_owned()),
        Access::Never => ("kept out of git", "it is never committed, so it cannot conflict".to_owned()),
        Access::Shared | Access::Open | Access::Lock => ("open to everyone", "change it".to_owned()),
    };
    Error::usage(format!("{what} needs no lock: it is {why}"), help)
}

fn outside(plan: &Plan, typed: &str, pattern: &Pattern) -> Error {
    let locks = lockable(plan);
    let reached = plan.entries().iter().rev().find_map(|entry| match plan.owner(entry.owner) {
        Owner::Area(area) if area.access.value == Access::Lock => {
            entry.pattern.intersects(pattern, plan.folds_case()).then_some((area, &entry.text))
        }
        _ => None,
    });
    if let Some((area, text)) = reached {
        let name = &area.name.value;
        return Error::usage(
            format!("`{typed}` reaches beyond the area `{name}` ({text})"),
            format!("lock the whole area: git lane lock {name}\nor name paths inside it"),
        );
    }
    if locks.is_empty() {
        return Error::usage(
            format!("{} has no area under `access: lock`", plan.source.name),
            "no lock is needed here",
        );
    }
    let help = did_you_mean(typed, locks.iter().copied())
        .unwrap_or_else(|| format!("areas with locks: {}; or a path inside one", locks.join(", ")));
    Error::usage(format!("`{typed}` is not an area with a lock, nor a path inside one"), help)
}

/// The path or pattern from the repository's root, without a slash before it.
fn from_root(typed: &PathArgument<'_>) -> Result<String, Error> {
    // `:/` is git's own way to say so, and what help texts suggest below the root.
    let rooted = typed.text.strip_prefix(":/").or(typed.text.strip_prefix('/'));
    let (text, mut parts): (&str, Vec<&str>) = match rooted {
        Some(rooted) => (rooted, Vec::new()),
        None => (typed.text, typed.folder.split('/').filter(|part| !part.is_empty()).collect()),
    };
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Err(Error::usage(
                        format!("`{}` is outside this repository", typed.text),
                        "name a path inside an area, from the repository's root or from here",
                    ));
                }
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return Err(Error::usage(
            format!("`{}` is the whole repository", typed.text),
            "name an area, or a path inside one",
        ));
    }
    let slash = if text.ends_with('/') { "/" } else { "" };
    Ok(format!("{}{slash}", parts.join("/")))
}

/// The name of the file that an agent's lock has in each worktree.
pub fn file_name(area: &str, scope: &str, agent: &str) -> String {
    if area == scope {
        return format!(".{area}-lock-{agent}");
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '+' };
    let path: String = scope.trim_start_matches('/').chars().map(plain).take(120).collect();
    format!(".{area}+{path}-lock-{agent}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::plan;

    const POLICY: &str = "version: 1\nagents: {a1: {owns: [src/own/]}, a2: {}}\nareas:\n\
        - {name: common, paths: ['common/**', '/one'], access: lock}\n\
        - {name: deep, paths: ['common/deep/**'], access: lock}\n\
        - {name: deps, paths: [deps.txt], access: coordinate}\n";

    fn resolve(text: &str, folder: &str) -> Result<(String, String), String> {
        let typed = PathArgument { text, folder, exists: &|path| path == "common/[id].py" };
        let found = Scope::resolve(&plan(POLICY), &typed);
        found.map(|scope| (scope.area, scope.text)).map_err(|error| {
            let help = error.help().unwrap_or_default().to_owned();
            format!("{error} / {help}")
        })
    }

    macro_rules! resolves {
        ($($name:ident: $text:literal in $folder:literal => $area:literal, $scope:literal;)*) => {$(
            #[test]
            fn $name() {
                assert_eq!(resolve($text, $folder), Ok(($area.to_owned(), $scope.to_owned())));
            }
        )*};
    }

    resolves! {
        an_area: "common" in "" => "common", "common";
        an_area_from_below: "common" in "src/" => "common", "common";
        a_path: "common/db.py" in "" => "common", "common/db.py";
        a_path_from_its_folder: "db.py" in "common/" => "common", "common/db.py";
        a_path_from_elsewhere: "../common/./db.py" in "src/" => "common", "common/db.py";
        a_path_from_the_root: "/common/db.py" in "src/" => "common", "common/db.py";
        a_path_from_the_top: ":/common/db.py" in "src/" => "common", "common/db.py";
        a_path_without_a_slash: "one" in "" => "common", "/one";
        a_pattern: "common/*.py" in "" => "common", "common/*.py";
        a_folder: "common" in "common/" => "common", "common";
        all_of_a_folder: "./common" in "" => "common", "common/**";
        all_of_a_folder_by_slash: "common/" in "" => "common", "common/**";
        the_last_area: "common/deep/x" in "" => "deep", "common/deep/x";
        a_name_with_brackets: "common/[id].py" in "" => "common", "common/\\[id].py";
    }

    macro_rules! refuses {
        ($($name:ident: $text:literal => $($words:literal),+;)*) => {$(
            #[test]
            fn $name() {
                let error = resolve($text, "").expect_err("refused");
                $(assert!(error.contains($words), "no `{}` in: {error}", $words);)+
            }
        )*};
    }

    refuses! {
        a_near_miss: "comon" => "is not an area with a lock, nor a path inside one", "did you mean `common`?";
        nothing_like_it: "kubernetes" => "areas with locks: common, deep";
        another_access: "deps" => "needs no lock", "Coordinated-with";
        a_path_of_another_access: "deps.txt" => "needs no lock";
        a_lane: "src/own/x" => "in the lane of a1";
        too_wide: "**/*.py" => "reaches beyond the area";
        up_and_out: "../x" => "is outside this repository";
        the_whole: "." => "the whole repository";
        no_pattern: "common/[x" => "`[` is never closed";
        nothing: "" => "the name of an area";
    }

    #[test]
    fn conflicts_are_those_of_the_patterns() {
        let scope = |text: &str| Scope::from_record("common", text).expect("a scope");
        let conflict = |a: &str, b: &str| scope(a).conflicts(&scope(b), false);
        assert!(conflict("common", "common/x"));
        assert!(conflict("src/*.rs", "src/a*"));
        assert!(conflict("src/", "src/a/b"));
        assert!(!conflict("src/a", "src/b"));
        assert!(!conflict("src/*.rs", "src/*.py"));
        assert!(!scope("common").conflicts(&Scope::of_area("deep"), false));
        assert!(Scope::from_record("common", "other").is_none(), "neither the area nor a path");
    }
}
