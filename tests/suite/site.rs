//! The documentation: where its links lead, what its quick start says, and the site that is made of it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::browser::Browser;
use crate::support::{LANE, Ran, Scratch, command};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn script(home: &Path, name: &str, args: &[&str]) -> Ran {
    let mut command = command(Path::new(ROOT).join("scripts").join(name), Path::new(ROOT), home);
    command.args(args).output().unwrap().into()
}

#[test]
fn links_of_the_documentation_lead_somewhere() {
    let scratch = Scratch::empty();
    script(&scratch.home(), "check-links", &[]).ok().says(", 0 dead");
    scratch.write(
        "docs/a.md",
        "# A `b`: c, d\n\n## Twice\n## Twice\n<a id=\"own\"></a>\n[self](#a-b-c-d) [1](#twice-1) [own](#own) [up](../x.rs#L3)\n\
         [page](b%20c.md#heading) [out](https://example.com/x#y)\n\n```text\n[code](gone.md)\n```\n`[span](gone.md)` <!-- [no](gone.md) -->\n",
    );
    scratch.write("docs/b c.md", "Heading\n\n# [Heading](a.md)\n");
    scratch.write("x.rs", "");
    let root = scratch.root().to_str().unwrap().to_owned();
    script(&scratch.home(), "check-links", &[&root]).ok().says("2 pages, 7 links, 0 dead");
    let dead = [
        ("[x](gone.md)", "gone.md: no such file"),
        ("![x](A.md)", "A.md: no such file"),
        ("[x](a.md#gone)", "a.md#gone: no such heading"),
        ("[x](#twice-2)", "#twice-2: no such heading"),
        ("[x](../x.rs#fn)", "../x.rs#fn: no such heading"),
        ("[x](/docs/a.md)", "/docs/a.md: begins at the root of the host"),
        ("[x](../../etc)", "../../etc: leads out of the folder"),
        ("[x](http://example.com)", "http://example.com: not https"),
        ("[x](https://localhost/)", "https://localhost/: not the name of a host"),
        ("[x]: gone.md", "gone.md: no such file"),
        ("<img src=\"gone.svg\">", "gone.svg: no such file"),
    ];
    let text: String = dead.iter().map(|(link, _)| format!("{link}\n\n")).collect();
    scratch.write("docs/dead.md", &text);
    let ran = script(&scratch.home(), "check-links", &[&root]).fails(1);
    for (at, (_, why)) in dead.iter().enumerate() {
        assert!(ran.out.contains(&format!("docs/dead.md:{}: {why}\n", at * 2 + 1)), "{why}\n{}", ran.all());
    }
    script(&scratch.home(), "check-links", &["--site", &scratch.home().join("gone").display().to_string()])
        .fails(2);
}

/// A `$ command` of a page, and what it prints there.
fn shown(page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for block in page.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            match (line.strip_prefix("$ "), found.last_mut()) {
                (Some(command), _) => found.push((command.to_owned(), String::new())),
                (None, Some((_, output))) => *output += &format!("{line}\n"),
                (None, None) => panic!("output of no command: {line}"),
            }
        }
    }
    found
}

#[test]
fn the_quick_start_is_what_happens() {
    let scratch = Scratch::empty();
    let home = scratch.home();
    let mut folder = home.join("shop");
    scratch.run(&home, "git", &["init", "-q", "-b", "main", "shop"]).ok();
    for service in ["billing", "cart", "common"] {
        std::fs::create_dir_all(folder.join("services").join(service)).unwrap();
        std::fs::write(folder.join("services").join(service).join("main.py"), "x = 1\n").unwrap();
    }
    scratch.run(&folder, "git", &["add", "-A"]).ok();
    scratch.run(&folder, "git", &["commit", "-q", "-m", "feat: a shop"]).ok();
    let path = format!("{}:{}", Path::new(LANE).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let all = shown(include_str!("../../docs/quick-start.md"));
    assert!(all.len() > 10);
    for (line, output) in all {
        let mut command = command("sh", &folder, &home);
        command
            .args(["-c", &format!("exec 2>&1\n{line}\ncode=$?\npwd >'{}/at'\nexit $code", home.display())]);
        let ran: Ran = command.env("PATH", &path).output().unwrap().into();
        let out = ran.out.replace(home.to_str().unwrap(), "/home/me");
        if !output.is_empty() {
            assert_eq!(out, output, "{line}");
        }
        assert_eq!(ran.code, i32::from(output.starts_with("error[")), "{line}\n{out}");
        folder = PathBuf::from(std::fs::read_to_string(home.join("at")).unwrap().trim());
    }
}

/// mdBook, where scripts/install-mdbook or somebody else put it. Without it the test of the site says so and passes,
/// unless `LANE_TEST_SITE` is `required`.
fn has_mdbook() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).chain([Path::new(ROOT).join("target/mdbook/bin")]);
    let is_there = folders.any(|folder| folder.join("mdbook").is_file());
    let missing = "no mdBook to build the site with: scripts/install-mdbook";
    assert!(
        is_there || std::env::var_os("LANE_TEST_SITE").is_none_or(|word| word != "required"),
        "{missing}"
    );
    if !is_there {
        // Past the test's own capture: whoever runs the tests is to see it.
        drop(writeln!(std::io::stderr(), "skipped: {missing}"));
    }
    is_there
}

#[test]
fn the_site_is_whole_and_no_link_of_it_is_dead() {
    if !has_mdbook() {
        return;
    }
    let scratch = Scratch::empty();
    let home = scratch.home();
    let site = home.join("site").display().to_string();
    script(&home, "build-site", &["--lane", LANE, "--out", &site, "--address", "https://example.com/lane"])
        .ok();
    script(&home, "check-links", &["--site", &site]).ok().says(", 0 dead");
    let read = |name: &str| std::fs::read_to_string(Path::new(&site).join(name)).unwrap();
    let listed = read("llms.txt");
    assert!(listed.starts_with("# git-lane\n\n> "), "{listed}");
    for path in
        ["quick-start", "rules/index", "rules/unlocked-path", "agents/codex", "policy-reference", "help"]
    {
        assert!(
            listed.contains(&format!("](https://example.com/lane/{path}.html.md): ")),
            "{path}\n{listed}"
        );
        assert!(read(&format!("{path}.html.md")).starts_with("# "), "{path}");
    }
    let reference = read("policy-reference.html.md");
    assert!(reference.contains("\n| `areas[].access` | `owner`, `lock`, "), "{reference}");
    assert!(read("help.html.md").contains("\n## git lane policy check\n"));
    let Some(browser) = Browser::find() else { return };
    let mut args = vec![site.as_str()];
    let pictures = std::env::var("LANE_TEST_PICTURES").unwrap_or_default();
    if !pictures.is_empty() {
        std::fs::create_dir_all(&pictures).unwrap();
        args.push(&pictures);
    }
    let ran: Ran = browser.script(&home, "site.mjs", &args).output().unwrap().into();
    ran.ok().says(", 0 failed");
}

#[test]
fn the_policy_of_the_documentation_has_every_key_and_no_mistakes() {
    let scratch = Scratch::empty();
    let page = include_str!("../../docs/policy.md");
    let policy = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    scratch.write("policy.yaml", policy);
    scratch.write("scripts/no-todo", "#!/bin/sh\n");
    scratch.git(&["add", "--chmod=+x", "scripts/no-todo"]).ok();
    scratch.lane(&["policy", "check"]).ok().says("no mistakes");
    scratch.lane(&["policy", "test"]).ok().says("all true");
    let schema = scratch.lane(&["policy", "schema"]).ok().json();
    let has = |key: &&String| policy.lines().any(|line| line.starts_with(&format!("{key}:")));
    let missing: Vec<&String> =
        schema["properties"].as_object().unwrap().keys().filter(|key| !has(key)).collect();
    assert!(missing.is_empty(), "docs/policy.md does not have {missing:?}");
}

#[test]
fn every_command_has_its_row_in_the_documentation() {
    let page = include_str!("../../docs/commands.md");
    let help = Scratch::empty().lane(&["-h"]).ok().out;
    let commands =
        help.lines().filter_map(|line| line.strip_prefix("  ")?.split_once("  ").map(|(name, _)| name));
    let commands: Vec<&str> =
        commands.filter(|name| !name.is_empty() && !name.starts_with(['-', ' '])).collect();
    assert!(commands.len() > 30, "{commands:?}");
    let has = |name: &&&str| {
        page.lines()
            .any(|line| line.starts_with("| `git lane") && line.contains(&format!("`git lane {name}")))
    };
    let missing: Vec<&&str> = commands.iter().filter(|name| !has(name)).collect();
    assert!(missing.is_empty(), "docs/commands.md does not have {missing:?}");
}

#[test]
fn the_picture_of_a_refusal_is_what_the_program_says() {
    let scratch = Scratch::empty();
    script(&scratch.home(), "record-refusal", &["--check", "--lane", LANE]).ok();
}
