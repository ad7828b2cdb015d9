//! What `git lane report` tells of history, held against what git's own commands count.
//!
//! `LANE_TEST_REPOSITORIES` names further repositories, separated by colons, whose numbers are held against git's, too:
//! `LANE_TEST_REPOSITORIES=/path/one:/path/two cargo test --test suite report_history:: -- --nocapture`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::report_edges::unread;
use crate::support::{LANE, Ran, Scratch, command};

const AGENTS: &str = "
services: { paths: 'services/{service}/**' }
agents:
  a1: { services: [one] }
  a2: { services: [two] }
  a3: { services: [three] }
  a4: { services: [four] }
areas: [{ name: common, paths: [/common/], access: lock }]
branch: { pattern: 'feat/{agent}/{feature}', protected: [BASE] }
message: { tag: ['[{AGENT}]', 'Agent: {agent}'] }
change: { max_lines: 300, exclude: ['*.lock'] }
";
/// The tree that has nothing in it.
const EMPTY: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// A number of the report, the same as git counts it, and the command.
struct Pair {
    what: &'static str,
    report: String,
    git: String,
    by: &'static str,
}

/// A repository whose report is held against git's own numbers.
struct Oracle<'a> {
    folder: &'a Path,
    home: &'a Path,
    base: String,
    /// The base's line, newest first: commit, parents, time of its commit, subject.
    line: Vec<(String, Vec<String>, i64, String)>,
    report: Value,
}

impl<'a> Oracle<'a> {
    fn new(folder: &'a Path, home: &'a Path) -> Self {
        let mut oracle = Self { folder, home, base: String::new(), line: Vec::new(), report: Value::Null };
        oracle.base = oracle.git(&["symbolic-ref", "--short", "HEAD"]).trim().to_owned();
        oracle.line = oracle.read_line();
        let policy = home.join("oracle-policy.yaml");
        let text = format!("version: 1\nbase: {}\n{}", oracle.base, AGENTS.replace("BASE", &oracle.base));
        std::fs::write(&policy, text).unwrap();
        let args = ["report", "--since", "30000d", "--format", "json", "--policy", policy.to_str().unwrap()];
        let mut lane = command(LANE, folder, home);
        oracle.report = Ran::from(lane.args(args).output().unwrap()).ok().json();
        oracle
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut git = command("git", self.folder, self.home);
        git.args(["--no-replace-objects"]).args(args).output().unwrap().into()
    }

    fn git(&self, args: &[&str]) -> String {
        self.run(args).ok().out
    }

    fn read_line(&self) -> Vec<(String, Vec<String>, i64, String)> {
        let (mut line, mut tip) = (Vec::new(), self.base.clone());
        loop {
            let log = self.git(&["log", "--first-parent", "--format=%H%x09%P%x09%ct%x09%s", &tip]);
            let mut pulled = None;
            for row in log.lines() {
                let mut words = row.splitn(4, '\t');
                let mut word = || words.next().unwrap().to_owned();
                let (oid, parents, time, subject) = (word(), word(), word(), word());
                let parents: Vec<String> = parents.split_whitespace().map(str::to_owned).collect();
                let (local, remote) =
                    (format!("Merge branch '{}'", self.base), format!("'origin/{}'", self.base));
                let is_pull = subject.starts_with(&local)
                    || subject.starts_with("Merge remote-tracking branch ") && subject.contains(&remote);
                pulled = Some(parents.clone()).filter(|parents| is_pull && parents.len() == 2);
                line.push((oid, parents, time.parse().unwrap(), subject));
                if pulled.is_some() {
                    break;
                }
            }
            match pulled {
                Some(parents) => tip = parents[1].clone(),
                None => return line,
            }
        }
    }

    fn changes(&self) -> &Vec<Value> {
        self.report["changes"].as_array().unwrap()
    }

    /// What the base was before a change.
    fn before(&self, change: &Value) -> String {
        let at =
            self.line.iter().position(|(oid, ..)| change["commit"] == **oid).expect("a commit of the line");
        let run = if change["is_merge"] == true { 1 } else { change["commits"].as_u64().unwrap() as usize };
        self.line.get(at + run).map_or(EMPTY.to_owned(), |(oid, ..)| oid.clone())
    }

    /// Files and lines of each change, by `git diff --numstat -M` with the attributes of the base before it.
    fn numstat(&self) -> Vec<(u64, u64)> {
        let of = |change: &Value| {
            let (before, tip) = (self.before(change), change["commit"].as_str().unwrap());
            let attributes = format!("--attr-source={before}");
            let rows = self.git(&[&attributes, "diff", "--numstat", "-M", "--no-ext-diff", &before, tip]);
            let count = |word: &str| word.parse::<u64>().unwrap_or(0);
            let lines = |row: &str| row.split('\t').take(2).map(count).sum::<u64>();
            (rows.lines().count() as u64, rows.lines().map(lines).sum())
        };
        self.changes().iter().map(of).collect()
    }

    fn lead_times(&self) -> Vec<u64> {
        let of = |change: &Value| {
            let (before, tip) = (self.before(change), change["commit"].as_str().unwrap());
            let range = if before == EMPTY { tip.to_owned() } else { format!("{before}..{tip}") };
            let made = self.git(&["log", "--no-merges", "--format=%at", &range]);
            let made = made.lines().map(|time| time.parse::<i64>().unwrap()).filter(|time| *time > 0).min();
            let merged = self.git(&["log", "-1", "--format=%ct %at", tip]);
            let (merged, own) = merged.trim().split_once(' ').unwrap();
            let (merged, made) = (merged.parse::<i64>().unwrap(), made.unwrap_or(own.parse().unwrap()));
            let is_told = change["is_merge"] == true || made != merged;
            (is_told && made > 0).then(|| u64::try_from(merged - made).ok()).flatten()
        };
        let mut times: Vec<u64> = self.changes().iter().filter_map(of).collect();
        times.sort_unstable();
        times
    }

    /// Merges of two that `git merge-tree` cannot make.
    fn conflicts(&self) -> usize {
        let merges = self.git(&[
            "rev-list",
            "--parents",
            "--min-parents=2",
            "--max-parents=2",
            "--branches",
            "--remotes",
        ]);
        let is_lost = |row: &&str| {
            let words: Vec<&str> = row.split(' ').collect();
            self.run(&["merge-tree", "--write-tree", words[1], words[2]]).code == 1
        };
        merges.lines().filter(is_lost).count()
    }

    fn requests(&self) -> BTreeSet<u64> {
        let number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok();
        let of = |subject: &str| match subject.strip_prefix("Merge pull request #") {
            Some(rest) => number(rest),
            None => subject.strip_suffix(')')?.rsplit_once("(#")?.1.parse().ok(),
        };
        self.line.iter().filter_map(|(.., subject)| of(subject)).collect()
    }

    fn by_branch(&self) -> usize {
        let is_agents = |subject: &str| {
            let branch = subject.strip_prefix("Merge pull request #").and_then(|rest| rest.split_once('/'));
            let agent = branch.and_then(|(_, branch)| branch.strip_prefix("feat/a")?.split_once('/'));
            agent.is_some_and(|(agent, feature)| ["1", "2", "3", "4"].contains(&agent) && !feature.is_empty())
        };
        self.line.iter().filter(|(_, parents, _, subject)| parents.len() > 1 && is_agents(subject)).count()
    }

    /// How far the branch that is farthest behind is, behind and ahead.
    fn farthest(&self) -> (String, String) {
        let Some(branch) = self.report["branches"].get(0) else { return ("none".into(), "none".into()) };
        let range = format!("{}...{}", self.base, branch["branch"].as_str().unwrap());
        let counted = self.git(&["rev-list", "--left-right", "--count", &range]);
        let told = format!("{} behind, {} ahead", branch["behind"], branch["ahead"]);
        let words: Vec<&str> = counted.split_whitespace().collect();
        (told, format!("{} behind, {} ahead", words[0], words[1]))
    }

    fn sum(&self, key: &str) -> u64 {
        self.changes().iter().map(|change| change[key].as_u64().unwrap()).sum()
    }

    fn pairs(&self) -> Vec<Pair> {
        let changes = self.changes();
        let merges = changes.iter().filter(|change| change["is_merge"] == true).count();
        let numstat = self.numstat();
        let times = self.lead_times();
        let numbers: BTreeSet<u64> =
            changes.iter().filter_map(|change| change["pull_request"].as_u64()).collect();
        let conflicts = self.report["conflicts"]["resolved"].as_array().unwrap().len();
        let by_branch = changes.iter().filter(|change| change["agent_by"] == "branch").count();
        let largest = changes.iter().map(|change| change["lines"].as_u64().unwrap()).max().unwrap_or(0);
        let line_merges = self.line.iter().filter(|(_, parents, ..)| parents.len() > 1).count();
        let median = times.get((times.len() * 50).div_ceil(100).max(1) - 1);
        let (told, farthest) = self.farthest();
        let pair = |what, report: &dyn ToString, git: &dyn ToString, by| Pair {
            what,
            report: report.to_string(),
            git: git.to_string(),
            by,
        };
        let total = self.git(&["rev-list", "--count", &self.base]);
        vec![
            pair(
                "commits on the base",
                &(self.sum("commits") + merges as u64),
                &total.trim(),
                "git rev-list --count BASE",
            ),
            pair("changes that are merges", &merges, &line_merges, "git log --first-parent --merges BASE"),
            pair(
                "pull requests",
                &numbers.len(),
                &self.requests().len(),
                "git log --first-parent --format=%s BASE",
            ),
            pair(
                "lines of all changes",
                &self.sum("lines"),
                &numstat.iter().map(|(_, lines)| lines).sum::<u64>(),
                "git diff --numstat -M BEFORE CHANGE",
            ),
            pair(
                "files of all changes",
                &self.sum("files"),
                &numstat.iter().map(|(files, _)| files).sum::<u64>(),
                "git diff --numstat -M BEFORE CHANGE",
            ),
            pair(
                "lines of the largest change",
                &largest,
                &numstat.iter().map(|(_, lines)| *lines).max().unwrap_or(0),
                "git diff --numstat -M BEFORE CHANGE",
            ),
            pair(
                "lead time, median in seconds",
                &self.report["lead_time"]["median"],
                &Value::from(median.copied()),
                "git log --no-merges --format=%at BEFORE..CHANGE",
            ),
            pair(
                "conflicts that were resolved",
                &conflicts,
                &self.conflicts(),
                "git merge-tree --write-tree PARENT PARENT",
            ),
            pair(
                "merges of agents' branches",
                &by_branch,
                &self.by_branch(),
                "git log --first-parent --merges --format=%s BASE",
            ),
            pair(
                "branch farthest behind",
                &told,
                &farthest,
                "git rev-list --left-right --count BASE...BRANCH",
            ),
        ]
    }

    #[track_caller]
    fn check(&self) {
        let pairs = self.pairs();
        for pair in &pairs {
            println!("| {} | {} | {} | `{}` |", pair.what, pair.report, pair.git, pair.by);
        }
        let wrong: Vec<&str> =
            pairs.iter().filter(|pair| pair.report != pair.git).map(|pair| pair.what).collect();
        assert!(wrong.is_empty(), "{}: {wrong:?}", self.folder.display());
        assert_eq!(unread(&self.report), Vec::<&str>::new());
    }
}

/// A repository with all kinds of merges, made as people make them.
pub struct Made {
    pub scratch: Scratch,
    minute: std::cell::Cell<u32>,
}

impl Made {
    pub fn new() -> Self {
        let made = Self { scratch: Scratch::empty(), minute: 0.into() };
        made.scratch
            .write("policy.yaml", &format!("version: 1\nbase: main\n{}", AGENTS.replace("BASE", "main")));
        made.scratch.write(".gitattributes", "*.bin -diff\n*.gen linguist-generated\n");
        for service in ["one", "two", "three"] {
            made.scratch.write(&format!("services/{service}/main.py"), &lines("line", 30));
        }
        made.scratch.write("common/x.py", &lines("x", 10));
        made.commit("first");
        made
    }

    pub fn main(&self) -> PathBuf {
        self.scratch.root()
    }

    pub fn git(&self, args: &[&str]) -> Ran {
        let minute = self.minute.get() + 1;
        self.minute.set(minute);
        let time = format!("2026-03-{:02}T{:02}:{:02}:00Z", 1 + minute / 1440, minute / 60 % 24, minute % 60);
        let mut git = command("git", &self.main(), &self.scratch.home());
        git.env("GIT_AUTHOR_DATE", &time).env("GIT_COMMITTER_DATE", &time);
        git.args(args).output().unwrap().into()
    }

    pub fn commit(&self, message: &str) {
        self.git(&["add", "-A"]).ok();
        self.git(&["commit", "-q", "-m", message]).ok();
    }

    pub fn edit(&self, path: &str, text: &str, message: &str) {
        self.scratch.write(path, text);
        self.commit(message);
    }

    pub fn branch(&self, name: &str) {
        self.git(&["switch", "-q", "-c", name, "main"]).ok();
    }

    pub fn merge(&self, name: &str, number: u32) {
        self.git(&["switch", "-q", "main"]).ok();
        let message = format!("Merge pull request #{number} from team/{name}");
        self.git(&["merge", "-q", "--no-ff", "-m", &message, name]).ok();
    }

    pub fn report(&self, args: &[&str]) -> Value {
        let all = [&["report", "--since", "9000d", "--format", "json"], args].concat();
        self.scratch.lane(&all).ok().json()
    }
}

pub fn lines(word: &str, count: usize) -> String {
    (0..count).map(|number| format!("{word} {number}\n")).collect()
}

pub fn busy() -> Made {
    let made = Made::new();
    made.branch("feat/a1/x");
    made.edit("services/one/main.py", &lines("line", 35), "[A1] more");
    made.edit("services/one/data.bin", "a\nb\n", "[A1] data");
    made.edit("services/one/y.gen", &lines("made", 400), "[A1] generated");
    made.merge("feat/a1/x", 1);
    made.branch("feat/a2/y");
    made.edit(
        "common/x.py",
        &lines("x", 10).replace("x 3", "two"),
        "[A2] common\n\nLane-Waiver-Request: stale-base: away",
    );
    made.git(&["switch", "-q", "main"]).ok();
    made.edit("common/x.py", &lines("x", 10).replace("x 3", "main"), "[A3] fix: common (#7)");
    made.git(&["switch", "-q", "feat/a2/y"]).ok();
    made.git(&["merge", "-q", "main"]).fails(1);
    made.edit("common/x.py", &lines("x", 10).replace("x 3", "both"), "Merge branch 'main' into feat/a2/y");
    made.git(&["mv", "services/two/main.py", "services/two/app.py"]).ok();
    made.commit("[A2] rename");
    made.merge("feat/a2/y", 8);
    for number in 0..3 {
        made.edit(&format!("services/three/f{number}.py"), "a\n", &format!("[A3] step {number}"));
    }
    made.edit("README.md", "read\n", "docs");
    made.branch("feat/a4/open");
    made.edit("services/four/main.py", "a\n", "[A4] open");
    made.git(&["switch", "-q", "main"]).ok();
    made.edit("README.md", "read me\n", "docs: more");
    made
}

#[test]
fn ten_numbers_are_what_git_counts() {
    let made = busy();
    let (root, home) = (made.main(), made.scratch.home());
    let oracle = Oracle::new(&root, &home);
    oracle.check();
    let told: Vec<_> = oracle
        .changes()
        .iter()
        .map(|change| (change["subject"].as_str().unwrap(), change["agent"].as_str()))
        .collect();
    let wanted = [
        ("first", None),
        ("Merge pull request #1 from team/feat/a1/x", Some("a1")),
        ("[A3] fix: common (#7)", Some("a3")),
        ("Merge pull request #8 from team/feat/a2/y", Some("a2")),
        ("[A3] step 2", Some("a3")),
        ("docs", None),
        ("docs: more", None),
    ];
    assert_eq!(told, wanted);
}

#[test]
fn ten_numbers_of_real_repositories_are_what_git_counts() {
    let scratch = Scratch::empty();
    for folder in
        std::env::var("LANE_TEST_REPOSITORIES").unwrap_or_default().split(':').filter(|it| !it.is_empty())
    {
        println!("\n{folder}");
        Oracle::new(Path::new(folder), &scratch.home()).check();
    }
}
