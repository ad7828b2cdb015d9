//! Every agent at a glance, in text, for programs, and on a terminal.

use std::path::PathBuf;

use crate::support::terminal::Tmux;
use crate::support::{LANE, POLICY, Scratch, Worktree};
use git_lane::conflicts::{Clash, Forecast};
use git_lane::status::screen::{Key, Screen};
use git_lane::status::table::{table, truncate};
use git_lane::status::{Check, LastCommit, Line, Lock, Pair, Pull, Status, json};
use lane_core::facts::{Oid, RepoPath, Unavailable};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

const NOW: i64 = 1_767_000_000;

fn oid(digit: &str) -> Oid {
    Oid::from_hex(&digit.repeat(40)).unwrap()
}

/// A line of an agent that works.
fn line(agent: &str, branch: &str) -> Line {
    Line {
        agent: Some(agent.to_owned()),
        root: Some(PathBuf::from(format!("/w/wt-{agent}"))),
        branch: Some(branch.to_owned()),
        head: Some(oid("a")),
        ahead: Some(3),
        behind: Some(12),
        merge_base_at: Some(NOW - 3 * 3_600),
        lines: Some((124, Some(300))),
        uncommitted: Some(2),
        check: Some(Check::default()),
        last: Some(LastCommit {
            subject: "[A1] feat: a pool that can be widened while it is in use".into(),
            at: NOW - 700,
        }),
        ..Line::default()
    }
}

fn sample() -> Status {
    let mut one = line("a1", "feat/a1/mlflow-integration");
    one.locks.push(Lock { scope: "common".into(), left: 5_000, reason: Some("a new pool".into()) });
    one.ports = vec![8080, 8081];
    let mut two = line("a2", "feat/a2/rag");
    two.under_way = Some("rebase");
    two.waits.push("common".into());
    two.lines = Some((412, Some(300)));
    two.check = Some(Check {
        errors: 1,
        warnings: 2,
        findings: vec![
            (true, "oversized-change".into(), "412 lines, 300 allowed".into()),
            (false, "stale-base".into(), "the merge base is 3 h old".into()),
        ],
        undecided: Vec::new(),
        not_run: vec![],
    });
    two.pulls.push(Pull { number: 41, url: "https://example.com/pull/41".into(), is_draft: true });
    two.last = Some(LastCommit {
        subject: "[A2] feat: 日本語の件名はとても長いです".into(),
        at: NOW - 90_000,
    });
    let why = Unavailable::new("/w/wt-a3 is gone", "git worktree prune, if it will not come back");
    let three = Line {
        agent: Some("a3".into()),
        root: Some("/w/wt-a3".into()),
        troubles: vec![why],
        ..Line::default()
    };
    let clash =
        |path: &str| Clash { path: RepoPath(path.as_bytes().to_vec()), kinds: vec!["contents".into()] };
    let pair = |two: &str, forecast| Pair {
        one: "a1".into(),
        two: two.into(),
        tips: (oid("a"), oid("b")),
        forecast,
    };
    Status {
        now: NOW,
        base: ("main".into(), Some(oid("c"))),
        lines: vec![one, two, three, Line { agent: None, ..line("main", "main") }],
        clashes: vec![
            pair("a2", Forecast::Conflicts(vec![clash("services/common/db.py"), clash("b"), clash("c")])),
            pair("main", Forecast::Clean),
        ],
        health: None,
        observes: false,
        notes: vec!["pull requests: no answer within 3 s".into()],
    }
}

fn rows(status: &Status, width: usize) -> String {
    let table = table(status, width);
    let rows = std::iter::once(table.head).chain(table.rows.into_iter().map(|(row, _)| row));
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_table_fits_its_width() {
    let status = sample();
    insta::assert_snapshot!(rows(&status, 80));
    insta::assert_snapshot!(rows(&status, 140));
    for width in 0..160 {
        assert!(rows(&status, width).lines().all(|row| truncate(row, width) == row), "{width}");
    }
}

/// The rows of the screen, each after a mark for how it looks.
fn frame(screen: &mut Screen, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| screen.draw(frame, true)).unwrap();
    let buffer = terminal.backend().buffer();
    let mut rows = String::new();
    for y in 0..height {
        let cells: Vec<&Cell> = (0..width).map(|x| &buffer[(x, y)]).collect();
        let is = |look: fn(&&&Cell) -> bool| cells.iter().any(|cell| look(&cell));
        rows.push(match () {
            () if is(|cell| cell.modifier.contains(Modifier::REVERSED)) => '>',
            () if is(|cell| cell.fg == Color::Red) => '!',
            () if is(|cell| cell.fg == Color::Yellow) => '~',
            () => ' ',
        });
        let mut x = 0;
        let mut row = String::new();
        while let Some(cell) = cells.get(x) {
            row.push_str(cell.symbol());
            x += cell.symbol().width().max(1);
        }
        rows += row.trim_end();
        rows.push('\n');
    }
    rows
}

#[test]
fn the_screen_is_made_of_its_state() {
    let mut screen = Screen::default();
    let mut shown = frame(&mut screen, 60, 3);
    screen.update(Ok(sample()));
    shown += &frame(&mut screen, 100, 14);
    screen.press(Key::Down);
    screen.press(Key::Details);
    shown += &frame(&mut screen, 100, 18);
    screen.update(Err("the policy has mistakes\nmore".into()));
    screen.press(Key::Last);
    screen.press(Key::Down);
    shown += &frame(&mut screen, 60, 8);
    insta::assert_snapshot!(shown);
}

#[test]
fn the_selection_stays_with_its_agent() {
    let mut screen = Screen::default();
    screen.press(Key::Down);
    screen.update(Ok(sample()));
    screen.press(Key::Down);
    let mut later = sample();
    later.lines.swap(0, 1);
    screen.update(Ok(later));
    let selected = |screen: &mut Screen, height: u16| {
        let shown = frame(screen, 80, height);
        shown.lines().find_map(|row| row.strip_prefix('>').map(|row| row[..2].to_owned()))
    };
    assert_eq!(selected(&mut screen, 20).as_deref(), Some("a2"));
    // However little room there is, what is selected can be seen.
    for height in 3..20 {
        for at in [Key::First, Key::Last] {
            screen.press(at);
            assert!(selected(&mut screen, height).is_some(), "{height}");
        }
    }
    for (width, height) in [(0, 0), (1, 1), (5, 2), (80, 3)] {
        frame(&mut screen, width, height);
    }
}

#[test]
fn without_color_what_is_selected_is_still_told() {
    let mut screen = Screen::default();
    screen.update(Ok(sample()));
    let mut terminal = Terminal::new(TestBackend::new(80, 20)).unwrap();
    terminal.draw(|frame| screen.draw(frame, false)).unwrap();
    let cells = &terminal.backend().buffer().content;
    assert!(cells.iter().all(|cell| cell.fg == Color::Reset && !cell.modifier.contains(Modifier::DIM)));
    assert!(cells.iter().any(|cell| cell.modifier.contains(Modifier::REVERSED)));
}

#[test]
fn everything_for_programs() {
    let value = json::status(&sample());
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

/// Agents that differ in all that is shown.
fn busy() -> (Scratch, Worktree) {
    let policy = POLICY.replace("max_age: 3h", "max_age: null").replace("wt-a1-mlops", "wt-a1");
    let scratch = Scratch::with_policy(&policy);
    scratch.add_origin();
    let one = scratch.worktree("wt-a1", "feat/a1/x");
    let two = scratch.worktree("a2", "feat/a2/x");
    for (tree, agent) in [(&one, "a1"), (&two, "a2")] {
        tree.lane(&["install", "--agent", agent]).ok();
    }
    let at = (jiff::Timestamp::now().as_second() - 2 * 3_600 - 600).to_string();
    one.write("shared.txt", "one\n");
    one.git(&["add", "-A"]).ok();
    let mut commit = one.command("git");
    commit.args(["commit", "-q", "-m", "feat: one"]).env("GIT_COMMITTER_DATE", format!("{at} +0000"));
    assert!(commit.status().unwrap().success());
    two.sneak("services/revenue/main.py", "theirs\n", "[A2] feat: theirs");
    two.sneak("shared.txt", "two\n", "[A2] feat: two");
    two.write("services/rag_pipeline/new.py", "new\n");
    one.lane(&["lock", "common", "--reason", "a pool"]).ok();
    (scratch, two)
}

fn line_of(status: &serde_json::Value, key: &str, name: &str) -> serde_json::Value {
    let lines = status["lines"].as_array().unwrap();
    lines.iter().find(|line| line[key].as_str().is_some_and(|value| value.ends_with(name))).unwrap().clone()
}

#[test]
fn real_worktrees() {
    let (scratch, two) = busy();
    // What is said to the hook or the shell that asks is not said to the other worktrees.
    let status = two.lane_env(&["status", "--format", "json"], &[("AGENT_ID", "a2")]).ok().json();
    let agents: Vec<_> =
        status["lines"].as_array().unwrap().iter().map(|line| line["agent"].clone()).collect();
    assert_eq!(agents, ["a1".into(), "a2".into(), "a3".into(), "a4".into(), serde_json::Value::Null]);
    let one = line_of(&status, "agent", "a1");
    assert_eq!(one["branch"], "feat/a1/x");
    assert_eq!((&one["ahead"], &one["behind"], &one["uncommitted"]), (&1.into(), &0.into(), &0.into()));
    assert_eq!((&one["lines"], &one["limit"]), (&1.into(), &300.into()));
    assert_eq!(one["check"]["errors"], 0);
    assert_eq!(one["locks"][0]["scope"], "common");
    assert_eq!(one["last"]["subject"], "[A1] feat: one");
    assert_eq!(one["merge_base"], "2026-01-02T03:04:05Z");
    let line = line_of(&status, "agent", "a2");
    assert_eq!((&line["ahead"], &line["uncommitted"]), (&2.into(), &1.into()));
    // The very findings of `git lane check` there.
    let check = two.lane(&["check", "--format", "json"]).fails(1).json();
    let wanted: Vec<_> = check["findings"].as_array().unwrap().iter().map(|f| f["rule"].clone()).collect();
    let found: Vec<_> =
        line["check"]["findings"].as_array().unwrap().iter().map(|f| f["rule"].clone()).collect();
    assert_eq!(found, wanted);
    assert!(found.contains(&"foreign-path".into()), "{found:?}");
    let conflicts = status["conflicts"].as_array().unwrap();
    assert_eq!(conflicts.len(), 1, "{conflicts:#?}");
    assert_eq!((&conflicts[0]["one"], &conflicts[0]["two"]), (&"a1".into(), &"a2".into()));
    assert_eq!(conflicts[0]["files"][0]["path"], "shared.txt");
    assert!(
        line_of(&status, "agent", "a3")["troubles"][0]["reason"].as_str().unwrap().contains("does not exist")
    );
    let text = two.lane(&["status"]).ok().out;
    let text = text.replace(scratch.home().to_str().unwrap(), "<home>");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let row = text.lines().find(|line| line.starts_with("a1 ")).unwrap();
    assert!(row.contains("+1 -0") && row.contains("1/300") && row.contains("common"), "{text}");
    assert!(row.contains("2h [A1]"), "{text}");
    assert!(text.contains("\n  a1 + a2: shared.txt\n"), "{text}");
}

#[test]
fn a_worktree_that_is_broken_is_a_line_that_says_so() {
    let (scratch, two) = busy();
    let gone = scratch.worktree("gone", "feat/a3/x");
    std::fs::remove_dir_all(&gone.root).unwrap();
    let cut = scratch.worktree("cut", "feat/a4/x");
    std::fs::write(cut.root.join(".git"), "gitdir: /nowhere\n").unwrap();
    let stray = scratch.worktree("stray", "stray");
    std::fs::remove_file(stray.root.join(".git")).unwrap();
    stray.git(&["init", "-q", "."]).ok();
    let headless = scratch.worktree("headless", "headless");
    std::fs::write(scratch.root().join(".git/worktrees/headless/HEAD"), "garbage\n").unwrap();
    let index = scratch.worktree("index", "index");
    std::fs::write(scratch.root().join(".git/worktrees/index/index"), "garbage").unwrap();
    let born = scratch.worktree("born", "born");
    born.git(&["checkout", "-q", "--orphan", "unborn"]).ok();
    let status = two.lane(&["status", "--format", "json"]).ok().json();
    for (name, reason) in [
        (&gone, "is missing"),
        (&cut, "is broken"),
        (&stray, "belongs to another repository"),
        (&headless, ""),
        (&index, "cannot be read"),
    ] {
        let line = line_of(&status, "worktree", name.root.file_name().unwrap().to_str().unwrap());
        let why = line["troubles"][0]["reason"].as_str().unwrap_or_default().to_owned();
        assert!(!why.is_empty() && why.contains(reason), "{line:#}");
        assert!(line["troubles"][0]["help"].as_str().is_some(), "{line:#}");
    }
    let unborn = line_of(&status, "worktree", "/born");
    assert_eq!((&unborn["branch"], &unborn["head"]), (&"unborn".into(), &serde_json::Value::Null));
    assert_eq!(line_of(&status, "agent", "a1")["check"]["errors"], 0, "the others are as they were");
    two.lane(&["status"]).ok().says("is missing)").says("a1 ");
    two.lane(&["status", "-v"]).ok().says("worktree repair\n");
}

#[test]
fn ports_that_something_listens_on() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let scratch = Scratch::with_policy(&POLICY.replace("ports: 8080-8099", &format!("ports: {port}-{port}")));
    let status = scratch.lane(&["status", "--format", "json"]).ok().json();
    assert_eq!(line_of(&status, "agent", "a1")["ports"], serde_json::json!([port]));
}

#[test]
fn without_a_terminal_nothing_is_watched() {
    let (_scratch, two) = Scratch::installed();
    two.lane(&["status", "--watch"]).fails(2).says("--watch needs a terminal");
    two.lane(&["status", "--interval", "5"]).fails(2).says("--watch");
    two.lane(&["status", "--watch", "--interval", "0"]).fails(2);
}

#[test]
fn a_terminal_is_left_as_it_was() {
    let (_scratch, two) = busy();
    let Some(tmux) = Tmux::start(&two) else { return };
    let start = |tmux: &Tmux| {
        tmux.keys(&[&format!("clear; echo before; {LANE} status --watch -n 60"), "Enter"]);
        tmux.until("shown", |screen| screen.contains("AGENT") && screen.contains("a1 + a2: shared.txt"))
    };
    let shown = start(&tmux);
    assert!(shown.contains("j/k select"), "{shown}");
    tmux.keys(&["j", "Enter"]);
    tmux.until("details", |screen| screen.contains("foreign-path:"));
    tmux.keys(&["Down", "Up", "Up"]);
    tmux.until("details of another", |screen| {
        screen.contains("lock      common for ") && screen.contains(": a pool")
    });
    two.write("another.txt", "new\n");
    tmux.keys(&["j", "Enter", "r"]);
    tmux.until("read anew", |screen| {
        screen.lines().any(|line| line.starts_with("a2 ") && line.split_whitespace().any(|word| word == "2"))
    });
    tmux.run(&["resize-window", "-t", "w", "-x", "60", "-y", "12"]);
    tmux.until("narrower", |screen| {
        screen.lines().any(|line| line.starts_with("a2 ")) && screen.lines().count() <= 12
    });
    tmux.run(&["resize-window", "-t", "w", "-x", "80", "-y", "24"]);
    tmux.keys(&["q"]);
    tmux.is_as_before("after q");
    for signal in ["INT", "TERM", "HUP"] {
        start(&tmux);
        let pid = tmux.run(&["display-message", "-p", "-t", "w", "#{pane_pid}"]).0;
        let child = two.command("pgrep").args(["-P", pid.trim()]).output().unwrap();
        let child = String::from_utf8_lossy(&child.stdout).trim().to_owned();
        assert!(two.command("kill").args([&format!("-{signal}"), &child]).status().unwrap().success());
        tmux.is_as_before(signal);
    }
    start(&tmux);
    tmux.keys(&["C-c"]);
    tmux.is_as_before("after Ctrl-C");
}

#[test]
fn a_line_is_held_against_its_own_base() {
    let scratch = Scratch::with_policy(&POLICY.replace("max_age: 3h", "max_age: null"));
    scratch.add_origin();
    let main = scratch.main();
    main.git(&["switch", "-q", "-c", "release/1.0"]).ok();
    main.sneak("services/revenue/r.py", "release\n", "fix: for the release");
    main.sneak("shared.txt", "release\n", "fix: another");
    main.git(&["push", "-q", "--no-verify", "origin", "release/1.0"]).ok();
    main.git(&["switch", "-q", "main"]).ok();
    main.sneak("shared.txt", "main\n", "feat: main moves on");
    main.git(&["push", "-q", "--no-verify", "origin", "main"]).ok();
    let fix = scratch.worktree("fix", "feat/a2/fix");
    fix.git(&["reset", "-q", "--hard", "origin/release/1.0"]).ok();
    fix.sneak("shared.txt", "fixed\n", "[A2] fix: it");
    // A stack of a1, whose lower part is on the remote.
    let upper = scratch.worktree("upper", "feat/a1/lower");
    upper.sneak("services/orchestrator/a.py", &"a\n".repeat(30), "[A1] feat: a");
    upper.git(&["push", "-q", "--no-verify", "origin", "feat/a1/lower"]).ok();
    upper.git(&["switch", "-q", "-c", "feat/a1/upper"]).ok();
    upper.sneak("services/orchestrator/b.py", &"b\n".repeat(20), "[A1] feat: b");
    upper.sneak("services/orchestrator/c.py", "c\n", "[A1] feat: c");
    let status = scratch.lane(&["status", "--format", "json"]).ok().json();
    let line = line_of(&status, "branch", "feat/a2/fix");
    assert_eq!((&line["ahead"], &line["behind"]), (&1.into(), &0.into()), "{line:#}");
    assert_eq!(line["base"]["name"], "release/1.0");
    let line = line_of(&status, "branch", "feat/a1/upper");
    assert_eq!((&line["ahead"], &line["lines"]), (&2.into(), &21.into()), "{line:#}");
    assert_eq!((&line["counted_from"], &line["base"]["name"]), (&"feat/a1/lower".into(), &"main".into()));
    // What goes to the release is not merged with what goes to main, nor with main itself.
    assert_eq!(status["conflicts"], serde_json::json!([]));
    let text = scratch.lane(&["status"]).ok().out;
    let row = |branch: &str| text.lines().find(|line| line.contains(branch)).unwrap().to_owned();
    assert!(row("a2/fix").contains("release/1.0") && row("a2/fix").contains("+1 -0"), "{text}");
    assert!(row("a1/upper").contains("/lower ") && row("a1/upper").contains("+2 -0"), "{text}");
    assert!(text.contains(" INTO "), "{text}");
    scratch.lane(&["conflicts", "-v"]).ok().says("a2 + release/1.0: merge").does_not_say("a2 + main");
    // A release that moves on is the one that the fix is behind.
    main.git(&["switch", "-q", "release/1.0"]).ok();
    main.sneak("shared.txt", "later\n", "fix: later");
    main.git(&["push", "-q", "--no-verify", "origin", "release/1.0"]).ok();
    let status = scratch.lane(&["status", "--format", "json"]).ok().json();
    assert_eq!(line_of(&status, "branch", "feat/a2/fix")["behind"], 1);
    assert_eq!(status["conflicts"][0]["two"], "release/1.0", "{status:#}");
    // Nor is it told of at a push.
    upper.lane(&["install", "--agent", "a1"]).ok();
    upper.sneak("shared.txt", "mine\n", "[A1] feat: shared");
    let other = scratch.worktree("other", "feat/a3/x");
    other.git(&["reset", "-q", "--hard", "origin/main"]).ok();
    other.sneak("shared.txt", "theirs\n", "[A3] feat: shared");
    let ran = upper.git(&["push", "-q", "--dry-run", "origin", "feat/a1/upper"]);
    ran.says("a3 (feat/a3/x): shared.txt").does_not_say("a2 (feat/a2/fix)");
}

#[test]
fn a_worktree_that_no_agent_was_given_says_so() {
    let (scratch, two) = Scratch::installed();
    // As harnesses make them: a branch of their own, or none.
    let made = scratch.worktree(".claude/worktrees/fast", "worktree-fast");
    let detached = scratch.home().join("codex");
    scratch.git(&["worktree", "add", "-q", "--detach", detached.to_str().unwrap()]).ok();
    let review = scratch.home().join("review");
    scratch.git(&["worktree", "add", "-q", "-b", "release/1.0", review.to_str().unwrap()]).ok();
    let status = two.lane(&["status", "--format", "json"]).ok().json();
    for (key, name, wanted) in [
        ("branch", "worktree-fast", true),
        ("worktree", "/codex", true),
        ("worktree", "/review", false),
        ("branch", "main", false),
        ("branch", "feat/a2/x", false),
    ] {
        let line = line_of(&status, key, name);
        assert_eq!(line["unassigned"], wanted, "{line:#}");
    }
    let ran = two.lane(&["status"]).ok();
    let row = |name: &str| ran.out.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(row("fast ").contains("no lane") && row("codex ").contains("no lane"), "{}", ran.out);
    assert!(row("a2 ").contains(" ok ") && row("review ").contains(" ok "), "{}", ran.out);
    let help = format!("git lane -C {} join ID", made.root.display());
    ran.says("no agent is assigned to ").says(&help);
    two.lane(&["-C", made.root.to_str().unwrap(), "join", "a3"]).ok();
    let status = two.lane(&["status", "--format", "json"]).ok().json();
    let line = line_of(&status, "worktree", "/fast");
    assert_eq!((&line["agent"], &line["unassigned"]), (&"a3".into(), &false.into()));
    // Where the policy takes agents without a lane for maintainers, the verdict is what it is.
    let words = "unidentified: { agent: maintainer }";
    let policy = POLICY.lines().map(|line| if line.starts_with("unidentified:") { words } else { line });
    let scratch = Scratch::with_policy(&policy.collect::<Vec<_>>().join("\n"));
    scratch.worktree("fast", "worktree-fast");
    let status = scratch.lane(&["status", "--format", "json"]).ok().json();
    assert_eq!(line_of(&status, "worktree", "/fast")["unassigned"], false);
}

#[test]
fn a_worktree_that_was_copied_from_an_agent_is_whose_branch_it_has() {
    let (scratch, two) = Scratch::installed();
    let root = scratch.home().join("copy");
    two.git(&["worktree", "add", "-q", "-b", "feat/a3/y", root.to_str().unwrap()]).ok();
    let copy = Worktree { root, home: scratch.home() };
    copy.sneak("shared.txt", "mine\n", "[A3] feat: shared");
    two.sneak("shared.txt", "theirs\n", "[A2] feat: shared");
    let status = two.lane(&["status", "--format", "json"]).ok().json();
    assert_eq!(line_of(&status, "branch", "feat/a3/y")["agent"], "a3");
    two.lane(&["conflicts"]).fails(1).says("a2 + a3 would conflict");
}

/// Whether git would read files again that nobody has changed, as of now.
fn is_racy(tree: &Worktree, file: &str) -> bool {
    let index = PathBuf::from(tree.git(&["rev-parse", "--absolute-git-dir"]).ok().out.trim()).join("index");
    let time = |path: PathBuf| std::fs::metadata(path).unwrap().modified().unwrap();
    let seconds = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    seconds(time(tree.root.join(file))) >= seconds(time(index))
}

#[test]
fn an_index_is_refreshed_as_git_does_it() {
    let (_scratch, two) = Scratch::installed();
    let racy = || {
        // Checked out in the second in which the index is written.
        loop {
            two.write("requirements.txt", "fastapi\n");
            two.git(&["read-tree", "--reset", "-i", "HEAD"]).ok();
            two.git(&["update-index", "-q", "--refresh"]).ok();
            if is_racy(&two, "requirements.txt") {
                break;
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(1_100));
    };
    racy();
    two.lane_env(&["status"], &[("GIT_OPTIONAL_LOCKS", "0")]).ok();
    assert!(is_racy(&two, "requirements.txt"), "nobody wanted it to be written");
    let lock = two.git(&["rev-parse", "--absolute-git-dir"]).ok().out;
    let lock = PathBuf::from(lock.trim()).join("index.lock");
    std::fs::write(&lock, "").unwrap();
    two.lane(&["status"]).ok();
    assert!(is_racy(&two, "requirements.txt") && lock.exists(), "another git is at work");
    std::fs::remove_file(&lock).unwrap();
    two.lane(&["status"]).ok();
    assert!(!is_racy(&two, "requirements.txt") && !lock.exists());
}
