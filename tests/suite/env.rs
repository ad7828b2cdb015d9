//! `git lane env`, `run` and `port`: one environment, in all its forms.
#![cfg(unix)]

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::LANE;
use crate::support::setup::{Bare, policy};
use crate::support::terminal::Tmux;

const SECRET: &str = "it's \"a\" $secret `x` \\ end";

fn bare() -> Bare {
    let bare = Bare::new(&policy(2, ""));
    bare.lane(&["setup"]).ok();
    bare
}

const SHOW: &str = "for n in AGENT_ID AGENT_NAME AGENT_SERVICES PORT_OFFSET PORT_RANGE DB_SCHEMA AGENT_MEMORY LIMIT_TPM KEY \
                    DATABASE_URL; do printf '%s=' $n; printenv $n || echo; done";

fn expected() -> String {
    format!(
        "AGENT_ID=a1\nAGENT_NAME=Agent 1\nAGENT_SERVICES=s1\nPORT_OFFSET=21010\nPORT_RANGE=21010-21014\n\
         DB_SCHEMA=agent_a1\nAGENT_MEMORY=2GB\nLIMIT_TPM=1\nKEY={SECRET}\n\
         DATABASE_URL=postgresql://u:p@h/d?sslmode=require&options=-csearch_path%3Dagent_a1%2Cpublic\n"
    )
}

const OUTSIDE: [(&str, &str); 3] = [
    ("KEY_A1", SECRET),
    ("DATABASE_URL", "postgresql://u:p@h/d?sslmode=require"),
    ("AGENT_MEMORY", "of somebody else"),
];

#[test]
fn through_a_shell_a_file_and_a_child() {
    let bare = bare();
    let tree = bare.tree("a1");
    let sh = |script: &str| {
        let mut command = tree.command("sh");
        command.args(["-c", script]).envs(OUTSIDE);
        crate::support::Ran::from(command.output().unwrap()).ok().out
    };
    assert_eq!(sh(&format!("eval \"$('{LANE}' env a1)\"; {SHOW}")), expected());
    assert_eq!(
        sh(&format!("eval \"$('{LANE}' env --format sh)\"; eval \"$('{LANE}' env)\"; {SHOW}")),
        expected()
    );
    assert_eq!(sh(&format!(". ./.agent.env; . ./.agent.env; {SHOW}")), expected(), "the file, even twice");
    let twice = format!(". ../wt-a2/.agent.env; . ./.agent.env; {SHOW}");
    assert_eq!(sh(&twice), expected(), "another agent's before it");
    assert_eq!(
        sh(&format!("'{LANE}' run -- sh -c \"$0\"").replace("$0", &SHOW.replace('$', "\\$"))),
        expected()
    );
    assert_eq!(
        sh(&format!("set -a; eval \"$('{LANE}' env --format sh)\"; sh -c '{}'", SHOW.replace('\'', "'\\''"))),
        expected()
    );
}

/// What a shell has in these variables after a script, each in brackets.
fn after(
    tree: &crate::support::Worktree,
    shell: &[&str],
    script: &str,
    names: &str,
    outside: &[(&str, &str)],
) -> (String, String) {
    let mut command = tree.command(shell[0]);
    let show =
        format!("{script}; for n in {names}; do printf '%s=[%s]' $n \"$(printenv $n || echo -)\"; done");
    command.args(&shell[1..]).args(["-c", &show]).envs(outside.iter().copied());
    let ran = crate::support::Ran::from(command.output().unwrap()).ok();
    (ran.out, ran.err)
}

#[test]
fn in_the_order_of_their_references_and_nobody_elses() {
    let text = policy(2, "")
        .replace(
            "env: { KEY: \"${KEY_A1}\" }",
            "env: { A_URL: \"u:${PW}@h\", PW: \"${A1_PW}\", ONLY_A1: \"${ONLY_A1}\" }",
        )
        .replace("    database: { schema: agent_a2 }\n    memory: 2GB\n", "")
        .replace("limits: { tpm: 1 }", "limits: { rpm: 1 }");
    let bare = Bare::new(&text);
    bare.lane(&["setup"]).ok();
    let (one, names) = (bare.tree("a1"), "A_URL PW KEY DB_SCHEMA AGENT_MEMORY ONLY_A1 LIMIT_RPM LIMIT_TPM");
    let outside = [("A1_PW", "right"), ("KEY_A2", "k"), ("PW", "stranger"), ("ONLY_A1", "a1secret")];
    let env = |id: &str| format!("eval \"$('{LANE}' env {id})\"");
    let first = "A_URL=[u:right@h]PW=[right]KEY=[-]DB_SCHEMA=[agent_a1]AGENT_MEMORY=[2GB]ONLY_A1=[a1secret]LIMIT_RPM=[1]LIMIT_TPM=[-]";
    let second = "A_URL=[-]PW=[-]KEY=[k]DB_SCHEMA=[-]AGENT_MEMORY=[-]ONLY_A1=[-]LIMIT_RPM=[-]LIMIT_TPM=[2]";
    for shell in [&["sh", "-eu"][..], &["bash", "-eu"]] {
        let (file_1, file_2) = (". ./.agent.env".to_owned(), ". ../wt-a2/.agent.env".to_owned());
        for (script, expected) in [
            (file_1.clone(), first),
            (format!("{file_2}; ONLY_A1=a1secret; {file_1}"), first),
            (env("a1"), first),
            (format!("{file_1}; {file_2}"), second),
            (format!("{}; {}", env("a1"), env("a2")), second),
            (format!("{}; {file_2}", env("a1")), second),
        ] {
            assert_eq!(after(&one, shell, &script, names, &outside).0, expected, "{script}");
        }
        // One that is not set is named and unset, also where a shell would stop at it.
        let (out, err) = after(&one, shell, &file_1, "A_URL PW", &[("PW", "stranger"), ("A_URL", "old")]);
        assert_eq!(out, "A_URL=[-]PW=[-]");
        assert!(err.contains(".agent.env: PW is left out: A1_PW is not set here\n"), "{err}");
        assert!(err.contains("A_URL is left out: PW is not set here\n"), "{err}");
    }
    let ran = bare.at.lane_env(&["run", "a2", "--", "sh", "-c", "echo [$ONLY_A1$PW]"], &outside).ok();
    assert_eq!(ran.out, "[]\n");
}

#[test]
fn every_form_of_an_address_gets_the_search_path() {
    let bare = bare();
    let tree = bare.tree("a1");
    let uri = "options=-csearch_path%3Dagent_a1%2Cpublic";
    for (address, expected) in [
        ("postgresql://h/d", format!("postgresql://h/d?{uri}")),
        ("postgresql://h/d?options=-csearch_path%3Da2%2Cpublic&x=1", format!("postgresql://h/d?{uri}&x=1")),
        (
            "postgresql://h/d?options=-cx%3D1&x=1",
            format!("postgresql://h/d?options=-cx%3D1%20{}&x=1", &uri[8..]),
        ),
        ("host=h dbname=d", "host=h dbname=d options='-csearch_path=agent_a1,public'".to_owned()),
        (
            "host=h options='-cx=1' dbname=d",
            "host=h options='-cx=1 -csearch_path=agent_a1,public' dbname=d".to_owned(),
        ),
        ("options=-cx=1 host=h", "options='-cx=1 -csearch_path=agent_a1,public' host=h".to_owned()),
        (
            "host=h options='-csearch_path=a2,public -cx=1'",
            "host=h options='-csearch_path=agent_a1,public -cx=1'".to_owned(),
        ),
    ] {
        for shell in ["sh", "bash"] {
            let script = ". ./.agent.env; . ./.agent.env";
            let (out, _) = after(&tree, &[shell, "-u"], script, "DATABASE_URL", &[("DATABASE_URL", address)]);
            assert_eq!(out, format!("DATABASE_URL=[{expected}]"), "{shell}");
        }
        let said =
            bare.at.lane_env(&["env", "a1", "--format", "json"], &[("DATABASE_URL", address)]).ok().json();
        let said = said["DATABASE_URL"].as_str().unwrap().to_owned();
        assert!(said.contains("search_path") && said.contains("agent_a1") && !said.contains("a2"), "{said}");
    }
    let odd = [("DATABASE_URL", "mydb")];
    bare.at.lane_env(&["env", "a1"], &odd).ok().says("DATABASE_URL says nothing of the agent's schema");
    let (out, err) = after(&tree, &["sh"], ". ./.agent.env", "DATABASE_URL", &odd);
    assert_eq!(out, "DATABASE_URL=[mydb]");
    assert!(err.contains("DATABASE_URL says nothing of the schema"), "{err}");
}

#[test]
fn as_dotenv_and_json() {
    let bare = bare();
    let json = bare.at.lane_env(&["env", "a1", "--format", "json"], &OUTSIDE).ok().json();
    assert_eq!((json["KEY"].as_str(), json["AGENT_ID"].as_str()), (Some(SECRET), Some("a1")));
    let text = bare.at.lane_env(&["env", "a1", "--format", "dotenv"], &OUTSIDE).ok().out;
    let lines: Vec<(&str, &str)> = text.lines().map(|line| line.split_once('=').unwrap()).collect();
    let value = |name: &str| lines.iter().find(|(known, _)| *known == name).unwrap().1;
    assert_eq!(value("KEY"), r#""it's \"a\" $secret `x` \\ end""#);
    assert_eq!((value("AGENT_NAME"), value("PORT_OFFSET")), ("'Agent 1'", "21010"));
    assert_eq!(lines.len(), json.as_object().unwrap().len());
    bare.lane(&["who", "x", "--format", "sh"]).fails(2).says("git lane env");
    bare.lane(&["env", "a1", "--format", "sarif"]).fails(2);
}

#[test]
fn a_service_has_its_port_wherever_it_is_asked_for() {
    let free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    let first = (23_000..30_000).step_by(5).find(|port| free(*port) && free(port + 1)).unwrap();
    let bare = Bare::new(&policy(3, "").replace("21010-21014", &format!("{first}-{}", first + 1)));
    bare.lane(&["setup"]).ok();
    let port = |at: &crate::support::Worktree| at.lane(&["port", "api", "--agent", "a1"]).ok();
    for at in [&bare.at, &bare.tree("a1"), &bare.tree("a2")] {
        assert_eq!(port(at).out, format!("{first}\n"));
    }
    let one = bare.tree("a1");
    assert_eq!(one.lane(&["port", "api"]).ok().out, format!("{first}\n"));
    assert_eq!(port(&one).err, "", "nobody else has it");
    // A stranger has it: this is said, and how to have another.
    let listener = std::net::TcpListener::bind(("127.0.0.1", first)).unwrap();
    let said = port(&one);
    assert_eq!(said.out, format!("{first}\n"));
    assert!(said.err.contains(&format!("{first} is taken by")), "{}", said.err);
    assert!(said.err.contains("git lane port api --release"), "{}", said.err);
    one.lane(&["port", "api", "--release"]).ok().says(&format!("api has no port any more; {first}"));
    assert_eq!(one.lane(&["port", "api"]).ok().out, format!("{}\n", first + 1));
    one.lane(&["port", "db"]).fails(2).says("api").says("git lane port SERVICE --release");
    drop(listener);
    let json = bare.at.lane(&["port", "api", "--agent", "a1", "--release", "--format", "json"]).ok().json();
    assert_eq!((&json["port"], &json["released"]), (&(first + 1).into(), &true.into()));
    one.lane(&["port", "api", "--release"]).fails(2).says("`api` has no port of a1 here");
    for name in ["", "  ", "a\nb"] {
        one.lane(&["port", name]).fails(2).says("is not a valid service name");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let bare = bare();
    for (args, code) in
        [("policy show", "0"), ("check --agent a1 --branch feat/a2/x --range main..main", "1")]
    {
        let script = format!("{{ '{LANE}' {args}; echo \"code $?\" >&2; }} | true");
        let mut command = bare.at.command("sh");
        let ran = crate::support::Ran::from(
            command.args(["-c", &format!("sleep 0.1; {script}")]).output().unwrap(),
        );
        assert_eq!(ran.err, format!("code {code}\n"), "{args}");
    }
}

/// Presses Ctrl-C once, and tells how often the command hears of it.
#[test]
fn keys_reach_the_command_once_wherever_its_input_comes_from() {
    let bare = bare();
    let Some(tmux) = Tmux::start(&bare.tree("a1")) else { return };
    let script = bare.scratch.home().join("count.sh");
    let count = "n=0\ntrap 'n=$((n+1)); echo INT $n' INT\necho ready\ni=0\nwhile [ $i -lt 15 ]; do sleep 0.1; i=$((i+1)); \
                 done\necho heard $n times\n";
    std::fs::write(&script, count).unwrap();
    for input in ["", "</dev/null"] {
        tmux.keys(&["clear", "Enter"]);
        tmux.until("clear", |screen| !screen.contains("heard"));
        tmux.keys(&[&format!("'{LANE}' run a1 -- sh '{}' {input}", script.display()), "Enter"]);
        tmux.until("ready", |screen| screen.contains("\nready"));
        tmux.keys(&["C-c"]);
        let screen = tmux.until("done", |screen| screen.contains("heard "));
        assert!(screen.contains("heard 1 times"), "{input}:\n{screen}");
    }
}

#[test]
fn a_reference_that_is_not_set_is_named() {
    let bare = bare();
    let ran = bare.lane(&["env", "a1"]).ok();
    assert!(ran.err.contains("KEY is left out: KEY_A1 is not set here"), "{}", ran.err);
    assert!(ran.out.contains("unset KEY\n") && !ran.out.contains("export KEY="), "{}", ran.out);
    bare.lane(&["env"]).fails(2).says("no agent given, and none works here");
    bare.lane(&["env", "a7"]).fails(2).says("unknown agent");
    let none = Bare::new("version: 1\n");
    none.lane(&["env"]).fails(2).says("the policy has no agents yet").does_not_say("agents: ");
}

#[test]
fn it_runs_in_the_worktree_and_gives_the_exit_code_back() {
    let bare = bare();
    let pwd = bare.lane(&["run", "a2", "--", "pwd"]).ok();
    assert_eq!(pwd.out.trim(), bare.tree("a2").root.to_str().unwrap());
    bare.lane(&["run", "a1", "--", "sh", "-c", "exit 7"]).fails(7);
    bare.lane(&["run", "a1", "--", "sh", "-c", "kill -KILL $$"]).fails(128 + 9);
    bare.lane(&["run", "a1", "--", "no-such-program"]).fails(127).says("no-such-program");
    bare.lane(&["run", "a1", "--", "/dev/null"]).fails(126);
    bare.lane(&["run", "a1", "-v", "--", "true"]).ok().says("memory: 2000000000 bytes");
    std::fs::remove_dir_all(bare.tree("a2").root).unwrap();
    bare.lane(&["run", "a2", "--", "true"]).fails(2).says("git lane setup a2");
}

#[test]
fn memory_is_limited() {
    let bare = Bare::new(&policy(1, "").replace("memory: 2GB", "memory: 200MB"));
    bare.lane(&["setup"]).ok();
    let take = |megabytes: u32| {
        let script = format!("dd if=/dev/zero of=/dev/null bs={megabytes}M count=1");
        bare.lane(&["run", "a1", "--", "sh", "-c", &script]).code
    };
    assert_eq!(take(20), 0);
    assert_ne!(take(400), 0);
    // A control group counts all that the command starts, and is gone with it; a limit on address space does not.
    let hold = "head -c 150M /dev/zero | tail -c 150M >/dev/null";
    let script = format!("({hold}) & first=$!; {hold}; second=$?; wait $first && exit $second");
    let both = bare.lane(&["run", "a1", "-v", "--", "sh", "-c", &script]);
    match both.err.split_once("by the control group ") {
        Some((_, rest)) => {
            assert_ne!(both.code, 0, "{}", both.err);
            assert!(!std::path::Path::new(rest.lines().next().unwrap()).exists(), "{rest}");
        }
        None => assert_eq!(both.code, 0, "{}", both.err),
    }
}

#[test]
fn signals_reach_the_command() {
    let bare = bare();
    let script = "trap 'echo got TERM; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    let mut command = bare.command(&["run", "a1", "--", "sh", "-c", script]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert_eq!(line, "ready\n");
    let kill = |signal: &str, id: u32| {
        assert!(bare.at.command("kill").args([signal, &id.to_string()]).status().unwrap().success());
    };
    kill("-TERM", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(5));
    std::io::Read::read_to_string(&mut out, &mut line).unwrap();
    assert_eq!(line, "ready\ngot TERM\n");
    // One that does not care dies of it: 128 and the signal.
    let mut command = bare.command(&["run", "a1", "--", "sh", "-c", "echo ready; exec sleep 60"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut String::new()).unwrap();
    let started = Instant::now();
    kill("-TERM", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_that_is_ignored_stays_so() {
    let bare = bare();
    let script = "echo ready; sleep 1; echo done";
    let mut command = bare.at.command("sh");
    // As nohup(1) does it.
    command.args(["-c", "trap '' HUP INT; exec \"$@\"", "sh", LANE, "run", "a1", "--", "sh", "-c", script]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    std::io::BufRead::read_line(&mut out, &mut text).unwrap();
    for signal in ["-HUP", "-INT"] {
        assert!(bare.at.command("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    std::io::Read::read_to_string(&mut out, &mut text).unwrap();
    assert_eq!(text, "ready\ndone\n");
}
