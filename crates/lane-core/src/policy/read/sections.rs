//! The sections of a policy, one function each.

use std::collections::BTreeMap;

use super::super::FOCUS;
use super::super::diagnostic::Diagnostic;
use super::super::model::{
    Accept, Branch, Change, History, Level, Levels, Locks, Merges, Presence, Provision, PullRequests,
    Release, Setup, Unverified, Waivers,
};
use super::super::reader::{Fields, Reader};
use super::super::scalar::Duration;
use super::super::source::Spanned;
use super::{LOCK_PREFIX, keys, required, section, text, texts};

pub(super) const LEVELS: &[(&str, Level)] =
    &[("error", Level::Error), ("observe", Level::Observe), ("warn", Level::Warn), ("off", Level::Off)];

pub(super) fn branch(reader: &mut Reader, fields: &Fields<'_>, base: &Spanned<String>) -> Branch {
    let section = section(reader, fields, "branch", keys::BRANCH);
    let protected = match &section {
        Some(fields) if fields.get("protected").is_some() => {
            texts(reader, fields, "protected", "branch.protected", true)
        }
        _ => vec![base.clone()],
    };
    let mut text = |key: &str| text(reader, section.as_ref()?, key, format_args!("branch.{key}"));
    let branch =
        Branch { pattern: text("pattern"), regex: text("regex"), example: text("example"), protected };
    branch_names(reader, &branch);
    branch
}

/// Names are told in one way, and where that is an expression, by an example too.
fn branch_names(reader: &mut Reader, branch: &Branch) {
    let span = |text: &Spanned<String>| text.span.unwrap_or_default();
    match (&branch.pattern, &branch.regex, &branch.example) {
        (Some(pattern), Some(regex), _) => reader.report(
            Diagnostic::error(span(regex), "`branch` has both `pattern` and `regex`", "a second way")
                .related(span(pattern), "the first")
                .help("remove one of them"),
        ),
        (None, Some(regex), None) => reader.report(
            Diagnostic::error(span(regex), "`branch.regex` has no `branch.example`", "needs an example")
                .help(
                    "write a name that matches, after which others are named: `example: feat/{agent}/main`",
                ),
        ),
        (_, None, Some(example)) => reader.report(
            Diagnostic::error(span(example), "`branch.example` is an example of nothing", "no effect")
                .help("it goes with `branch.regex`"),
        ),
        _ => {}
    }
}

pub(super) fn change(reader: &mut Reader, fields: &Fields<'_>) -> Change {
    let section = section(reader, fields, "change", keys::CHANGE);
    let number = |reader: &mut Reader, key: &str| {
        let node = section.as_ref()?.get(key)?;
        reader.number(node, format_args!("`change.{key}`"))
    };
    Change {
        max_lines: number(reader, "max_lines"),
        warn_at: number(reader, "warn_at"),
        exclude: section
            .as_ref()
            .map_or(Vec::new(), |fields| texts(reader, fields, "exclude", "change.exclude", false)),
    }
}

pub(super) fn pull_request(reader: &mut Reader, fields: &Fields<'_>) -> PullRequests {
    let section = section(reader, fields, "pull_request", keys::PULL_REQUEST);
    let labels = section.map(|fields| texts(reader, &fields, "labels", "pull_request.labels", true));
    PullRequests { labels: labels.unwrap_or_default() }
}

pub(super) fn waivers(reader: &mut Reader, fields: &Fields<'_>) -> Waivers {
    let section = section(reader, fields, "waivers", keys::WAIVERS);
    let get = |key: &str| section.as_ref().and_then(|fields| fields.get(key));
    let choices = [("labels", Accept::Labels), ("none", Accept::None)];
    let accept = get("accept").and_then(|node| reader.choice(node, "choice for `waivers.accept`", &choices));
    let max_age = get("max_age").and_then(|node| reader.parsed(node, "duration"));
    let day = Duration { text: "1d".to_owned(), seconds: 86_400 };
    Waivers {
        accept: accept.unwrap_or(Spanned::default_of(Accept::Labels)),
        max_age: max_age.unwrap_or(Spanned::default_of(day)),
    }
}

pub(super) fn history(reader: &mut Reader, fields: &Fields<'_>) -> History {
    let section = section(reader, fields, "history", keys::HISTORY);
    let merges = section.as_ref().and_then(|fields| fields.get("merges")).and_then(|node| {
        let choices = [("allow", Merges::Allow), ("deny", Merges::Deny)];
        reader.choice(node, "choice for `history.merges`", &choices)
    });
    let unverified = section.as_ref().and_then(|fields| fields.get("unverified")).and_then(|node| {
        let choices = [("allow", Unverified::Allow), ("deny", Unverified::Deny)];
        reader.choice(node, "choice for `history.unverified`", &choices)
    });
    let signatures = section.as_ref().and_then(|fields| fields.get("signatures")).and_then(|node| {
        let choices = [("optional", Presence::Optional), ("required", Presence::Required)];
        reader.choice(node, "choice for `history.signatures`", &choices)
    });
    History {
        merges: merges.unwrap_or(Spanned::default_of(Merges::Allow)),
        unverified: unverified.unwrap_or(Spanned::default_of(Unverified::Allow)),
        signatures: signatures.unwrap_or(Spanned::default_of(Presence::Optional)),
        max_age: section
            .and_then(|fields| fields.get("max_age"))
            .and_then(|node| reader.parsed(node, "duration")),
    }
}

pub(super) fn locks(reader: &mut Reader, fields: &Fields<'_>) -> Locks {
    let section = section(reader, fields, "locks", keys::LOCKS);
    let mut duration = |key: &str| {
        let node = section.as_ref().and_then(|fields| fields.get(key))?;
        reader.parsed::<Duration>(node, "duration")
    };
    let default = |text: &str, seconds: u64| Spanned::default_of(Duration { text: text.to_owned(), seconds });
    let (min, ttl, max) = (duration("min_ttl"), duration("ttl"), duration("max_ttl"));
    // What nobody wrote gives way to what somebody did.
    let at_least = |value: Spanned<Duration>, low: &Option<Spanned<Duration>>| match low {
        Some(low) if value.value.seconds < low.value.seconds => Spanned::default_of(low.value.clone()),
        _ => value,
    };
    let at_most = |value: Spanned<Duration>, high: &Option<Spanned<Duration>>| match high {
        Some(high) if value.value.seconds > high.value.seconds => Spanned::default_of(high.value.clone()),
        _ => value,
    };
    let ttl = ttl.unwrap_or_else(|| at_most(at_least(default("2h", 7_200), &min), &max));
    let written = Some(ttl.clone());
    let min_ttl = min.unwrap_or_else(|| at_most(default("1m", 60), &written));
    let max_ttl = max.unwrap_or_else(|| at_least(default("1d", 86_400), &written));
    let grace = duration("grace").unwrap_or(default("10s", 10));
    let release = section.as_ref().and_then(|fields| fields.get("release")).and_then(|node| {
        let choices =
            [("manual", Release::Manual), ("on-push", Release::OnPush), ("on-merge", Release::OnMerge)];
        reader.choice(node, "choice for `locks.release`", &choices)
    });
    let mut text = |key: &str| text(reader, section.as_ref()?, key, format_args!("locks.{key}"));
    Locks {
        ttl,
        min_ttl,
        max_ttl,
        grace,
        remote: text("remote"),
        prefix: text("prefix").unwrap_or(Spanned::default_of(LOCK_PREFIX.to_owned())),
        release: release.unwrap_or(Spanned::default_of(Release::Manual)),
    }
}

pub(super) fn levels(reader: &mut Reader, fields: &Fields<'_>) -> Levels {
    let known: Vec<&str> = crate::rules::ids().collect();
    let Some(node) = fields.get("rules") else {
        return Levels::default();
    };
    let Some(section) = reader.fields(node, node.span, "`rules`", &known) else {
        return Levels::default();
    };
    let mut levels = BTreeMap::new();
    for id in known {
        if let Some(node) = section.get(id)
            && let Some(level) = reader.choice(node, "level", LEVELS)
        {
            levels.insert(id.to_owned(), level);
        }
    }
    Levels(levels)
}

pub(super) fn setup(reader: &mut Reader, fields: &Fields<'_>, harness: &[Spanned<String>]) -> Setup {
    let section = section(reader, fields, "setup", keys::SETUP);
    let written = section.filter(|fields| fields.get("instructions").is_some());
    let instructions = match written {
        Some(fields) => texts(reader, &fields, "instructions", "setup.instructions", true),
        None => {
            // Claude Code reads this one by itself.
            let own = harness.iter().any(|word| word.value == "claude").then(|| "CLAUDE.local.md".to_owned());
            std::iter::once(FOCUS.to_owned()).chain(own).map(Spanned::default_of).collect()
        }
    };
    Setup { instructions }
}

pub(super) fn provision(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Provision> {
    let Some(node) = fields.get("provision") else {
        return Vec::new();
    };
    let items = reader.items(node, "`provision`");
    let steps = items.iter().filter_map(|node| {
        let what = "a provision step";
        let fields = reader.fields(node, node.span, what, keys::PROVISION)?;
        let (name, run) = (required(reader, &fields, "name", what), required(reader, &fields, "run", what));
        Some(Provision { name: name?, run: run?, when: text(reader, &fields, "when", "when") })
    });
    steps.collect()
}
