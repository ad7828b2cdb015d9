use std::collections::BTreeMap;

use super::*;
use crate::policy::origin::settings;
use crate::policy::{FILE, Plan, load};

mod misuse;

/// Files in memory. What begins with `!` is something else than a file.
struct InMemory(BTreeMap<String, String>);

impl Files for InMemory {
    fn read(&self, path: &str) -> Result<Found, Unavailable> {
        Ok(match self.0.get(path).map(String::as_str) {
            Some("!gone") => return Err(Unavailable::new("it is not here", "git fetch")),
            Some(text) => match text.strip_prefix('!') {
                Some(what) => Found::Other(what.to_owned()),
                None => Found::Text(text.to_owned()),
            },
            None => Found::Missing,
        })
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, Unavailable> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let below = self.0.keys().filter_map(|path| path.strip_prefix(&prefix));
        let mut names: Vec<String> = below.map(|rest| rest.split('/').next().unwrap().to_owned()).collect();
        names.dedup();
        Ok(names)
    }

    fn name(&self, path: &str) -> String {
        format!("main:{path}")
    }
}

fn composed(files: &[(&str, &str)]) -> Source {
    let files = InMemory(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect());
    let own = Source::new(format!("main:{FILE}"), files.0[FILE].as_str());
    compose(own, FILE, &files).unwrap()
}

#[track_caller]
fn plan(files: &[(&str, &str)]) -> Plan {
    load(composed(files), false).unwrap_or_else(|error| panic!("{:#?}", error.diagnostics))
}

/// What is wrong, each with its places.
fn mistakes(files: &[(&str, &str)]) -> Vec<String> {
    let error = load(composed(files), false).expect_err("mistakes");
    let shown = error.diagnostics.iter().map(|it| {
        let place = error.text.place(it.span.start);
        let related = it.related.as_ref().map(|(span, _)| format!(" ({})", error.text.place(span.start)));
        format!("{place}: {}{}", it.message, related.unwrap_or_default())
    });
    shown.collect()
}

fn area(plan: &Plan, path: &str) -> String {
    plan.decide(path.as_bytes(), false).area().map(|area| area.name.value.clone()).unwrap_or_default()
}

const SHARED: &str = "\
version: 1
areas:
  - { name: ci, paths: [/.ci/], access: maintainer }
  - { name: docs, paths: [/docs/], access: lock }
locks: { ttl: 1h, grace: 5m }
rules: { foreign-path: warn }
";

#[test]
fn what_a_policy_builds_on_is_part_of_it() {
    let own = "version: 1\nextends: [policy/shared.yaml]\nagents: { a1: { owns: [/src/] } }\nareas:\n  \
               - { name: guide, paths: [/docs/guide.md], access: open }\nlocks: { ttl: 2h }\n";
    let plan = plan(&[(FILE, own), ("policy/shared.yaml", SHARED)]);
    let found: Vec<String> = settings(&plan)
        .unwrap()
        .iter()
        .filter_map(|it| Some(format!("{} {} {}", plan.source.place(it.at?), it.path, it.value)))
        .collect();
    for said in [
        "main:policy.yaml:3:24 agents.a1.owns[0] \"/src/\"",
        "main:policy/shared.yaml:3:13 areas[0].name \"ci\"",
        "main:policy/shared.yaml:4:13 areas[1].name \"docs\"",
        "main:policy.yaml:5:13 areas[2].name \"guide\"",
        "main:policy.yaml:6:15 locks.ttl \"2h\"",
        "main:policy/shared.yaml:5:26 locks.grace \"5m\"",
        "main:policy/shared.yaml:6:24 rules.foreign-path \"warn\"",
    ] {
        assert!(found.iter().any(|line| line == said), "{said} is not in {found:#?}");
    }
    assert_eq!(area(&plan, "docs/a.md"), "docs");
    assert_eq!(area(&plan, "docs/guide.md"), "guide", "the policy's own areas stand last");
    let line = plan.line(plan.decide(b"docs/a.md", false).span).unwrap();
    assert_eq!((line.file.as_deref(), line.line), (Some("main:policy/shared.yaml"), 4));
    let line = plan.line(plan.decide(b"docs/guide.md", false).span).unwrap();
    assert_eq!((line.file, line.line), (None, 5));
}

#[test]
fn its_files_are_protected_as_it_is() {
    let shared = "areas:\n  - { name: policy, paths: [/policy.yaml], access: maintainer }\n  \
                  - { name: all, paths: [/policy/], access: open }\n";
    let own = "version: 1\nextends: policy/shared.yaml\n";
    let with = |areas: &str| plan(&[(FILE, &format!("{own}{areas}")), ("policy/shared.yaml", shared)]);
    let plan = with("");
    assert_eq!(
        ["policy.yaml", "policy/shared.yaml", "policy/x"].map(|path| area(&plan, path)),
        ["policy", "policy", "all"]
    );
    let line = plan.line(plan.decide(b"policy/shared.yaml", false).span).unwrap();
    assert_eq!((line.file, line.line), (None, 2), "the line that asks for it");
    // Only the policy's own file may say something else, and it may say the same.
    for access in ["open", "maintainer"] {
        let plan =
            with(&format!("areas: [{{ name: own, paths: [/policy/shared.yaml], access: {access} }}]\n"));
        assert_eq!(area(&plan, "policy/shared.yaml"), "own");
    }
}

#[test]
fn lists_of_entries_are_joined_and_others_replaced() {
    let shared = "maintainers: [ann@x.org]\ncontent: secrets\ntests: [a maintainer may change src/x]\n\
                  files: { forbid: ['*.pem'], max_size: 5MB }\ncustom: [{ id: one, run: ./one }]\nland:\n";
    let other = "agents: { a2: { owns: [/lib/] } }\ncustom: [{ id: two, run: ./two }]\n\
                 areas: [{ name: x, paths: [/x/], access: open }]\n";
    let own = "version: 1\nextends:\n# why\n- shared.yaml\n\n- /other.yaml\nagents: { a1: { owns: [/src/] } }\n\
               maintainers: [bob@x.org]\ncontent: [{ name: no-print, pattern: 'print' }]\nfiles: { forbid: ['*.key'] }\nareas:\n";
    let plan = plan(&[(FILE, own), ("shared.yaml", shared), ("other.yaml", other)]);
    let policy = serde_json::to_value(&plan.policy).unwrap();
    assert_eq!(plan.policy.agent_ids().collect::<Vec<_>>(), ["a2", "a1"]);
    assert_eq!(policy["maintainers"], serde_json::json!(["bob@x.org"]));
    assert_eq!(policy["files"]["forbid"], serde_json::json!(["*.key"]));
    assert!(!policy["files"]["max_size"].is_null());
    assert_eq!(policy["content"].as_array().unwrap().len(), 2);
    assert_eq!(policy["custom"].as_array().unwrap().len(), 2);
    assert_eq!(
        policy["areas"].as_array().unwrap().len(),
        1,
        "a key with nothing behind it takes nothing away"
    );
    assert_eq!(policy.get("extends"), None, "what is shown is whole");
}

#[test]
fn files_extend_others() {
    let plan = plan(&[
        (FILE, "version: 1\nextends: [a.yaml, b.yaml]\n"),
        ("a.yaml", "extends: c.yaml\nbranch: { pattern: 'a/{agent}/{x}' }\n"),
        ("b.yaml", "extends: c.yaml\nremote: b\n"),
        ("c.yaml", "version: 1\nremote: c\nbase: trunk\nbranch: { pattern: 'c/{agent}/{x}' }\n"),
    ]);
    let policy = &plan.policy;
    assert_eq!((policy.remote.value.as_str(), policy.base.value.as_str()), ("b", "trunk"));
    assert_eq!(policy.branch.pattern.as_ref().unwrap().value, "a/{agent}/{x}");
    assert_eq!(plan.source.files().len(), 3, "each file once");
}

/// The policy's own lines behind `version: 1`, another file, and what is said.
const WRONG: &[(&str, (&str, &str), &str)] = &[
    ("extends: [shard.yaml]", ("shared.yaml", ""), "main:policy.yaml:2:11: no file main:shard.yaml"),
    ("extends: x", ("x", "!is a symbolic link"), "main:policy.yaml:2:10: main:x is a symbolic link"),
    ("extends: [policy.yaml]", ("x", ""), "main:policy.yaml:2:11: policy.yaml extends itself"),
    (
        "extends: [a]",
        ("a", "extends: [policy.yaml]"),
        "main:a:1:11: policy.yaml extends itself: policy.yaml -> a -> policy.yaml",
    ),
    ("extends: [a]", ("a", "areas: ["), "main:a:1:8: not valid YAML"),
    ("extends: [a]", ("a", ""), "main:a:1:1: expected a mapping for a policy, found nothing"),
    ("extends: [a]", ("a", "version: 2"), "main:a:1:10: unknown version"),
    ("extends: [a]", ("a", "areass: []"), "main:a:1:1: unknown key `areass`"),
    (
        "extends: [a]",
        ("a", "rules: {}\nrules: {}"),
        "main:a:2:1: duplicate key `rules` in the policy (main:a:1:1)",
    ),
    (
        "extends: [a]\nagents: { a1: {} }",
        ("a", "\nagents: { a1: {} }"),
        "main:policy.yaml:3:11: duplicate key `a1` in `agents` (main:a:2:11)",
    ),
    (
        "extends: [a]\nareas: [{ name: c, paths: [/c/], access: open }]",
        ("a", "areas: [{ name: c, paths: [/d/], access: open }]"),
        "main:policy.yaml:3:17: ",
    ),
    ("extends: [../a.yaml]", ("a", ""), "main:policy.yaml:2:11: `../a.yaml` is not the path of a file"),
    ("extends: ['*.yaml']", ("a", ""), "main:policy.yaml:2:11: `*.yaml` is not the path of a file"),
    ("extends: ['https://x/a']", ("a", ""), "2:11: `https://x/a` is not a file of this repository"),
    ("extends: { a: b }", ("a", ""), "2:10: expected a list of paths for `extends`, found a mapping"),
    ("extends: [a, 3]", ("a", "base: x"), "2:10: expected a list of paths for `extends`, found a list with"),
    (
        "'extends': [a]",
        ("a", "base: x"),
        "main:policy.yaml:2:1: which files belong to the policy could not be read",
    ),
    (
        "extends: [a]",
        ("a", "base: x\n\"extends\": b"),
        "main:a:2:12: which files belong to the policy could not be read",
    ),
];

#[test]
fn what_is_wrong_has_its_place() {
    for (own, other, wanted) in WRONG {
        let told = mistakes(&[(FILE, &format!("version: 1\n{own}\n")), *other]);
        assert!(told.iter().any(|line| line.contains(wanted)), "{own}: {told:#?}, wanted {wanted}");
    }
}

#[test]
fn how_many_files_and_how_deep() {
    let mut files = vec![(FILE.to_owned(), "version: 1\nextends: [a0]\n".to_owned())];
    files.extend((0..20).map(|at| (format!("a{at}"), format!("extends: [a{}]\n", at + 1))));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert_eq!(mistakes(&files), ["main:a7:1:11: more than 8 files extend one another in a row"]);
    let names: Vec<String> = (0..1_002).map(|at| format!("a{at}")).collect();
    let own = format!("version: 1\nextends: [{}]\n", names.join(", "));
    let mut files = vec![(FILE, own.as_str())];
    files.extend(names.iter().map(|name| (name.as_str(), "base: main\n")));
    let told = mistakes(&files);
    assert!(told.len() == 1 && told[0].ends_with("a policy of more than 1000 files"), "{told:?}");
}

#[test]
fn what_cannot_be_read_now_is_no_mistake() {
    let files = InMemory(BTreeMap::from([("a".to_owned(), "!gone".to_owned())]));
    let own = Source::new(FILE, "version: 1\nextends: [a]\n");
    assert_eq!(compose(own, FILE, &files).unwrap_err().reason, "it is not here");
}

#[test]
fn a_policy_that_asks_for_nothing_stays_as_it_is() {
    for text in [
        "version: 1\n",
        "version: 1\nextends: []\n",
        "version: 1\nextends:\n",
        "version: 1\n# extends: [a]\n",
    ] {
        let source = composed(&[(FILE, text)]);
        assert_eq!(source, Source::new(format!("main:{FILE}"), text));
        assert!(load(source, false).is_ok(), "{text}");
    }
}

const WITH_FOLDERS: &str = "\
version: 1
extends: shared.yaml
include: ['services/*/lane.yaml']
agents: { a1: {}, a2: {} }
areas:
  - { name: policy, paths: [/policy.yaml], access: maintainer }
";
const WEB: &str = "areas:\n  - { name: web, paths: ['**'], access: owner, owner: a1 }\n  - { name: sql, paths: '*.sql', access: lock }\n";
const API: &str = "version: 1\nagents:\n  'w{1..2}': { owns: ['/jobs/{n}/'] }\n";

#[test]
fn folders_speak_of_themselves() {
    let files = [
        (FILE, WITH_FOLDERS),
        ("shared.yaml", "areas: [{ name: pem, paths: ['*.pem'], access: never }]\n"),
        ("services/web/lane.yaml", WEB),
        ("services/api/lane.yaml", API),
        ("services/docs/readme.md", "x"),
        ("lib/lane.yaml", "no policy"),
    ];
    let plan = plan(&files);
    assert_eq!(plan.policy.agent_ids().collect::<Vec<_>>(), ["w1", "w2", "a1", "a2"]);
    for (path, wanted) in [
        ("services/web/a/b.rs", "web"),
        ("services/web/db/x.sql", "sql"),
        ("services/api/x.sql", ""),
        ("services/web/key.pem", "pem"),
        ("services/web/lane.yaml", "policy"),
        ("services/new/lane.yaml", "policy"),
        ("services/web/x/lane.yaml", "web"),
        ("shared.yaml", "policy"),
    ] {
        assert_eq!(area(&plan, path), wanted, "{path}");
    }
    assert_eq!(plan.decide(b"services/api/jobs/2/x", false).owner_ids(), ["w2"]);
    let place = |path: &str| {
        let span = plan.decide(path.as_bytes(), false).span.unwrap();
        plan.source.place(span.start).to_string()
    };
    assert_eq!(place("services/web/db/x.sql"), "main:services/web/lane.yaml:3:25");
    assert_eq!(place("services/api/jobs/1/x"), "main:services/api/lane.yaml:3:23");
    assert_eq!(place("services/new/lane.yaml"), "main:policy.yaml:3:11");
    assert!(plan.has_file(b"services/new/lane.yaml") && !plan.has_file(b"services/new/x/lane.yaml"));
    let whole = serde_yaml::to_string(&plan.policy).unwrap();
    let flat = load(Source::new(FILE, whole), false).unwrap();
    assert_eq!(area(&flat, "services/web/a/b.rs"), "web");
}

#[test]
fn the_nearest_file_says_where_folders_are() {
    let shared = "include: services/*/lane.yaml\n";
    let files = |own: &str| {
        let own = format!("version: 1\nextends: shared.yaml\n{own}");
        plan(&[
            (FILE, &own),
            ("shared.yaml", shared),
            ("services/web/lane.yaml", "areas:\n  []"),
            ("lib/lane.yaml", "areas: []"),
        ])
    };
    let paths = |plan: &Plan| plan.source.files().iter().map(|part| part.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&files("")), ["shared.yaml", "services/web/lane.yaml"]);
    assert_eq!(paths(&files("include: [lib/lane.yaml]\n")), ["shared.yaml", "lib/lane.yaml"]);
}

#[test]
fn what_is_wrong_with_folders_has_its_place() {
    for (own, other, wanted) in [
        ("include: ['**/lane.yaml']", ("x", ""), "main:policy.yaml:2:11: `**/lane.yaml` has `**`"),
        ("include: [lane.yaml]", ("x", ""), "main:policy.yaml:2:11: `lane.yaml` is in no folder"),
        ("include: [lane/]", ("x", ""), "main:policy.yaml:2:11: `lane/` is a folder"),
        ("include: ['a/[x']", ("x", ""), "main:policy.yaml:2:11: `a/[x`: "),
        ("include: [s/lane.yaml]", ("s/lane.yml", ""), "main:policy.yaml:2:11: no file main:s/lane.yaml"),
        ("include: [s/*/l]", ("s/web/l", "!is a symbolic link"), "2:11: main:s/web/l is a symbolic link"),
        (
            "include: [s/*/l]",
            ("s/web/l", "mode: observe"),
            "main:s/web/l:1:1: `mode` in the file of a folder",
        ),
        (
            "include: [s/*/l]",
            ("s/web/l", "extends: [x]"),
            "main:s/web/l:1:1: `extends` in the file of a folder",
        ),
        (
            "include: [s/*/l]",
            ("s/web/l", "agents: { a1: { services: [x] } }"),
            "l:1:17: `services` in the file of",
        ),
        (
            "include: [s/*/l]",
            ("s/web/l", "areas: [{ name: x, paths: [../api/], access: open }]"),
            "main:s/web/l:1:28: `../api/` leaves the folder s/web",
        ),
        (
            "include: [s/*/l]",
            ("s/web/l", "areas: [{ name: x, paths: ['!x'], access: open }]"),
            "l:1:28: `!x`: ",
        ),
        ("include: [s/*/l]", ("s/{n}/l", "areas: []"), "2:11: main:s/{n}/l has a `{` in its path"),
    ] {
        let told = mistakes(&[(FILE, &format!("version: 1\n{own}\n")), other]);
        assert!(told.iter().any(|line| line.contains(wanted)), "{own}: {told:#?}, wanted {wanted}");
    }
}
