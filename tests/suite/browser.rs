//! The page of the report in a real browser, driven by the scripts of `tests/browser`. Where there is none, the tests say so
//! and pass, unless `LANE_TEST_BROWSER` is `required`.

use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;

use serde_json::Value;

use crate::status_serve::Served;
use crate::support::{Ran, Scratch, Worktree, command, locks};
use lane_core::metrics::{Metrics, html};

/// A browser, and what drives it.
pub struct Browser {
    program: PathBuf,
    modules: PathBuf,
}

impl Browser {
    pub fn find() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let modules = root.join("target/browser/node_modules");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path =
            |name: &str| std::env::split_paths(&path).map(|at| at.join(name)).find(|at| at.is_file());
        let program = ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| on_path(name));
        let wanted: Value = serde_json::from_str(include_str!("../browser/package.json")).unwrap();
        let is_installed = wanted["dependencies"].as_object().unwrap().iter().all(|(name, version)| {
            let read = std::fs::read(modules.join(name).join("package.json")).unwrap_or_default();
            serde_json::from_slice::<Value>(&read).unwrap_or_default()["version"] == *version
        });
        if let (Some(program), true, Some(_)) = (program, is_installed, on_path("node")) {
            return Some(Self { program, modules });
        }
        let missing = "no browser to test in: apt-get install chromium, then scripts/install-browser";
        assert!(std::env::var_os("LANE_TEST_BROWSER").is_none_or(|word| word != "required"), "{missing}");
        static SAID: Once = Once::new();
        // Past the test's own capture: whoever runs the tests is to see it.
        SAID.call_once(|| drop(writeln!(std::io::stderr(), "skipped: {missing}")));
        None
    }

    /// A script of `tests/browser`, not started yet.
    pub fn script(&self, home: &Path, name: &str, args: &[&str]) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(name);
        let mut command = command("node", home, home);
        command.arg(script).args(args);
        command.env("LANE_BROWSER", &self.program).env("LANE_BROWSER_MODULES", &self.modules);
        command
    }

    fn check_file(&self, home: &Path, page: &str, name: &str, extent: &str) {
        let path = home.join(name);
        std::fs::write(&path, page).unwrap();
        let pictures = std::env::var("LANE_TEST_PICTURES").map(|folder| format!("{folder}/{name}"));
        let mut args = vec![path.to_str().unwrap(), extent];
        if let Ok(folder) = &pictures {
            std::fs::create_dir_all(folder).unwrap();
            args.push(folder);
        }
        let ran: Ran = self.script(home, "file.mjs", &args).output().unwrap().into();
        ran.ok().says("0 failed");
    }

    /// A made report, as JSON.
    fn fixture(&self, home: &Path, agents: &str, days: &str) -> String {
        let made = Ran::from(self.script(home, "fixture.mjs", &[agents, days]).output().unwrap()).ok();
        // As the program would have it: no key of the model is missing, and each is of its type.
        let schema = jsonschema::validator_for(&Metrics::json_schema()).unwrap();
        let wrong: Vec<String> = schema.iter_errors(&made.json()).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        made.out
    }
}

/// A command whose commits are of today, as those of a report's period.
fn now(at: &Worktree, args: &[&str]) -> Ran {
    let mut command = at.command("git");
    command.args(args).env_remove("GIT_AUTHOR_DATE").env_remove("GIT_COMMITTER_DATE");
    command.output().unwrap().into()
}

/// Two agents with changes that were merged, a commit that was refused, and locks that were held and waited for.
fn history() -> (Scratch, Worktree, Worktree) {
    let (scratch, one, two) = locks::two();
    one.lane(&["lock", "common", "--reason", "a wider pool"]).ok();
    two.lane(&["lock", "common", "--queue", "--reason", "a <b>retry</b>"]);
    one.commit("services/revenue/main.py", "of another lane\n", "[A1] feat: refused").fails(1);
    one.git(&["reset", "-q", "--hard"]).ok();
    for (at, tag, lane) in [(&one, "A1", "orchestrator"), (&two, "A2", "rag_pipeline")] {
        for part in ["first", "second"] {
            at.write(&format!("services/{lane}/{part}.py"), "line\n".repeat(12));
            at.git(&["add", "-A"]).ok();
            now(at, &["commit", "-q", "--no-verify", "-m", &format!("[{tag}] feat: {part} </script>")]).ok();
        }
        let branch = at.git(&["branch", "--show-current"]).ok().out;
        now(&scratch.main(), &["merge", "-q", "--no-ff", "--no-verify", "--no-edit", branch.trim()]).ok();
    }
    scratch.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    scratch.git(&["fetch", "-q"]).ok();
    one.lane(&["unlock", "common"]).ok();
    (scratch, one, two)
}

#[test]
fn a_report_of_a_real_history_is_a_page() {
    let Some(browser) = Browser::find() else { return };
    let (scratch, one, _) = history();
    let page = one.lane(&["report", "--format", "html"]).ok().out;
    browser.check_file(&scratch.home(), &page, "report.html", "all");
    let empty = one.lane(&["report", "--format", "html", "--since", "1s"]).ok().out;
    assert!(empty.contains("connect-src 'none'"));
}

#[test]
fn pages_of_few_and_of_many_agents_are_whole() {
    let Some(browser) = Browser::find() else { return };
    let scratch = Scratch::empty();
    for (agents, days, extent) in [("4", "60", "all"), ("4", "14", "few"), ("40", "365", "few")] {
        let report = browser.fixture(&scratch.home(), agents, days);
        let name = format!("agents-{agents}-days-{days}.html");
        browser.check_file(&scratch.home(), &html::file(&report), &name, extent);
    }
}

#[test]
fn a_served_page_tells_of_a_lock_that_is_taken() {
    let Some(browser) = Browser::find() else { return };
    let (scratch, one, two) = history();
    two.lane(&["unlock", "common"]);
    let served = Served::start(&one, &[]);
    let mut script = browser.script(&scratch.home(), "live.mjs", &[&served.address, "a1 took common"]);
    let mut child = script.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    if line == "ready\n" {
        one.lane(&["lock", "common", "--reason", "seen live"]).ok();
    }
    std::io::copy(&mut out, &mut std::io::sink()).unwrap();
    let ran: Ran = child.wait_with_output().unwrap().into();
    ran.ok();
    assert_eq!(line, "ready\n");
}
