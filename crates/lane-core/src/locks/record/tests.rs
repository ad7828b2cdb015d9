use super::*;

pub fn stake(agent: &str, scope: &str, nonce: &str) -> Stake {
    Stake {
        agent: agent.into(),
        scope: scope.into(),
        ttl: 100,
        nonce: nonce.into(),
        uptime: 1_000_000,
        at: 1_000,
        machine: Machine { host: "here".into(), boot: Some("b1".into()), pids: Some("p".into()) },
        process: None,
        worktree: "/w".into(),
        repository: None,
    }
}

pub fn record() -> LockRecord {
    let event = LockEvent {
        kind: LockEventKind::Take,
        agent: "a1".into(),
        scope: "common".into(),
        generation: 3,
        at: 1_000,
        host: "here".into(),
        worktree: "/w".into(),
        reason: Some("{not json}".into()),
        from: vec![],
        pushed: None,
        base: None,
    };
    let lease = Lease {
        stake: stake("a1", "common", "n"),
        generation: 3,
        since: 1_000,
        reason: None,
        base: None,
        by_hand: None,
        from: vec![],
    };
    LockRecord { generation: 3, leases: vec![lease], ..LockRecord::first("common", event) }
}

#[test]
fn a_record_is_read_back() {
    let message = record().message().expect("a message");
    assert!(message.starts_with("a1 takes common@3: {not json}\n\n{\"lane-lock\":1,"), "{message}");
    assert_eq!(LockRecord::parse(&message, Some("common")), Ok(record()));
}

#[test]
fn tricks_are_taken_out() {
    let mut tricky = record();
    tricky.event.reason = Some("a\u{1b}[2Jb\n\nc \u{202e}d".into());
    tricky.leases[0].stake.worktree = "/w\rx".into();
    let message = tricky.message().expect("a message");
    let record = LockRecord::parse(&message, None).expect("a record");
    assert_eq!(record.event.reason.as_deref(), Some("a\\x1b[2Jb c \\u{202e}d"));
    assert_eq!(record.leases[0].stake.worktree, "/w x");
}

#[test]
fn what_is_no_record() {
    let wrong = |edit: &dyn Fn(&mut LockRecord)| {
        let mut record = record();
        edit(&mut record);
        LockRecord::parse(&record.message().expect("a message"), Some("common")).expect_err("refused")
    };
    assert_eq!(LockRecord::parse("hello\n", None), Err("it was not written by git-lane".into()));
    assert_eq!(LockRecord::parse("{\"a\":1}", None), Err("it was not written by git-lane".into()));
    assert!(wrong(&|record| record.format = 2).contains("newer git-lane"));
    assert!(wrong(&|record| record.area = "other".into()).contains("area `other`"));
    assert!(wrong(&|record| record.leases[0].stake.agent = "../x".into()).contains("not a valid name"));
    assert!(wrong(&|record| record.generation = 2).contains("do not increase"));
    assert!(wrong(&|record| record.leases[0].stake.scope = "a/[".into()).contains("not a valid scope"));
    let mut outside = record();
    outside.area = "/../../x".into();
    let outside = outside.message().expect("a message");
    assert!(LockRecord::parse(&outside, None).expect_err("refused").contains("not a valid name"));
    let half = record().message().expect("a message").replace("\"leases\"", "\"x\"");
    assert!(LockRecord::parse(&half, None).expect_err("refused").contains("damaged"));
}

#[test]
fn a_commit_is_what_git_takes() {
    let raw = record().commit("4b825dc642cb6eb9a060e54bf8d69288fbee4904", Some("abc")).expect("bytes");
    let text = String::from_utf8(raw).expect("text");
    assert!(text.starts_with(
        "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nparent abc\nauthor a1 <a1@git-lane> 1000 +0000\n"
    ));
}
