//! The health of services and their logs: real processes, real HTTP servers, and a stand-in that prints what `kubectl` prints.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Ran, Scratch, Worktree};
use serde_json::Value;

/// Two agents with services; `health`: what the policy says of them.
fn repository(health: &str) -> Scratch {
    let scratch = Scratch::empty();
    scratch.write("policy.yaml", &policy(health));
    for service in ["web", "api", "jobs", "free"] {
        scratch.write(&format!("services/{service}/main.py"), "x\n");
    }
    scratch.git(&["add", "-A"]).ok();
    scratch.git(&["commit", "-q", "-m", "first"]).ok();
    scratch
}

fn policy(health: &str) -> String {
    format!(
        "version: 1\nservices: {{ paths: \"services/{{service}}/**\" }}\nbranch: {{ pattern: \"feat/{{agent}}/{{feature}}\" }}\n\
         agents:\n  a1: {{ services: [web, api], worktree: ../wt-a1, ports: 29300-29319, env: {{ WHO: one, KEY: \"${{SECRET_OF_A1}}\" }} }}\n  \
         a2: {{ services: [jobs], worktree: ../wt-a2, env: {{ WHO: two }} }}\n\
         health: {health}\n"
    )
}

fn agent(scratch: &Scratch) -> Worktree {
    scratch.worktree("wt-a1", "feat/a1/x")
}

/// Service, state and reason of each.
fn states(ran: &Ran) -> Vec<(String, String, String)> {
    let json = ran.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = json["health"].as_array().unwrap_or_else(|| panic!("no health: {}", ran.all())).iter();
    all.map(|one| (text(&one["service"]), text(&one["state"]), text(&one["reason"]))).collect()
}

fn health(tree: &Worktree) -> Vec<(String, String, String)> {
    states(&tree.lane(&["status", "--health", "--format", "json"]).ok())
}

fn is_state(found: &(String, String, String), state: &str, reason: &str) {
    assert!(found.1 == state && found.2.contains(reason), "{found:?}, not {state}: {reason}");
}

#[test]
fn commands_in_the_agents_worktree_and_environment() {
    let scratch = repository(
        "{ check: \"echo $WHO $LANE_SERVICE {path} $(basename $PWD); test {service} = web\", logs: \"echo logged {service}\" }",
    );
    let tree = agent(&scratch);
    let ran = tree.lane(&["status", "--health", "--format", "json"]).ok();
    let json = ran.json();
    let one = &json["health"][1];
    assert_eq!(one["output"], "one api services/api wt-a1\n");
    assert_eq!(
        (&one["state"], &one["exit_code"], &one["agent"]),
        (&"unhealthy".into(), &1.into(), &"a1".into())
    );
    assert_eq!(json["health"][0]["state"], "healthy");
    assert_eq!(json["health"].as_array().unwrap().len(), 2, "its own alone");
    assert_eq!(json["lines"][0]["health"], serde_json::json!({ "healthy": 1, "unhealthy": 1, "unknown": 0 }));
    let ran = tree.lane(&["status", "--health"]).ok();
    ran.says("HEALTH").says("1/2 down").says("a1  web  ok\n").says("a1  api  down: exit code 1: one api");
    tree.lane(&["status", "--health", "--check"]).fails(1).says("error: down: api\n");
    // What is named as the next step is typed.
    let ran = tree.lane(&["status", "--health"]).ok().says("see its logs:\n").says("git lane logs api\n");
    assert_eq!(tree.lane(&["logs", "api"]).ok().out, "logged api\n");
    ran.says("git lane status --health -v\n");
    tree.lane(&["status", "--health", "-v"]).ok().says("      | one api services/api wt-a1\n").says("(0.");
    tree.lane(&["status"]).ok().does_not_say("HEALTH").does_not_say("health:");
    tree.lane(&["status", "--check"]).fails(2);
    // From the main worktree, those of all agents: each in its own worktree.
    let all = scratch.lane(&["status", "--health", "--format", "json"]).ok();
    let found = states(&all);
    assert_eq!(found.iter().map(|one| one.0.as_str()).collect::<Vec<_>>(), ["web", "api", "jobs"]);
    is_state(&found[2], "unknown", "the worktree of a2 is not there");
    assert_eq!(all.json()["health"][1]["output"], "one api services/api wt-a1\n");
    scratch.worktree("wt-a2", "feat/a2/x");
    let all = scratch.lane(&["status", "--health", "--format", "json"]).ok();
    assert_eq!(all.json()["health"][2]["output"], "two jobs services/jobs wt-a2\n");
}

#[test]
fn a_branch_has_no_say() {
    let scratch = repository("{ check: \"true {service}\" }");
    let tree = agent(&scratch);
    tree.write("policy.yaml", policy("{ check: \"touch ran {service}\" }"));
    health(&tree);
    assert!(!tree.root.join("ran").exists());
    // Unless somebody names it.
    tree.lane(&["status", "--health", "--policy", "policy.yaml"]).ok();
    assert!(tree.root.join("ran").exists());
    let none = repository("{ logs: \"true {service}\" }");
    none.lane(&["status", "--health"]).ok().says("health: no service here has a check");
    none.lane(&["status", "--health", "--check"]).fails(2).says("no service here has a check");
    let none = Scratch::with_policy("version: 1\nagents: { a1: { owns: [/docs/] } }\n");
    none.lane(&["status", "--health"]).fails(2).says("does not say how the health of services is checked");
    none.lane(&["logs"]).fails(2).says("add for example");
}

#[test]
fn what_hangs_ends_by_its_time_with_all_that_it_started() {
    let scratch = repository(
        "{ check: \"sleep 300 & echo $! >../{service}.pid; echo waiting; wait\", logs: \"sleep 300 & echo $! >../{service}.pid; echo line; wait\", timeout: 1s }",
    );
    let tree = agent(&scratch);
    let started = Instant::now();
    let found = health(&tree);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    for one in &found {
        is_state(one, "unhealthy", "no answer within 1 s: waiting");
        assert!(is_gone(&tree, &one.0));
    }
    let ran = tree
        .lane(&["logs", "web"])
        .fails(1)
        .says("line\n")
        .says("logs of `web` are cut: the command took too long");
    assert_eq!(ran.out, "line\n");
    assert!(is_gone(&tree, "web"));
    let left: Vec<_> = std::fs::read_dir(logs_of(&tree)).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

fn logs_of(tree: &Worktree) -> std::path::PathBuf {
    let folder =
        tree.git(&["rev-parse", "--path-format=absolute", "--git-path", "lane/logs/health"]).ok().out;
    // What is per worktree lies in the worktree's own git folder.
    let git_dir = tree.git(&["rev-parse", "--absolute-git-dir"]).ok().out;
    let own = Path::new(git_dir.trim()).join("lane/logs/health");
    if own.exists() { own } else { folder.trim().into() }
}

/// Whether the process whose number a file has is no more.
fn is_gone(tree: &Worktree, service: &str) -> bool {
    let pid = std::fs::read_to_string(tree.root.join(format!("../{service}.pid"))).unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(10) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim())).unwrap_or_default();
        if !status.contains("\nState:\t") || status.contains("State:\tZ") {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_everything() {
    let (sender, asked) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let silent = serve(move |_, _| {
        sender.lock().unwrap().send(()).unwrap();
        std::thread::sleep(Duration::from_secs(60));
    });
    let scratch = repository(&format!(
        "{{ check: \"sleep 300 & echo $! >../{{service}}.pid; wait\", services: {{ web: {{ check: \"http://127.0.0.1:{silent}/\" }} }}, timeout: 50s }}"
    ));
    let tree = agent(&scratch);
    for policy in ["one", "two"] {
        let mut command = tree.command(crate::support::LANE);
        command.args(["status", "--health", "--format", "json"]);
        if policy == "two" {
            tree.write(
                "other.yaml",
                self::policy(&addresses(&format!("http://127.0.0.1:{silent}/"), "none").replace("1s", "50s")),
            );
            command.args(["--policy", "other.yaml"]);
        }
        let child = command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        asked.recv().unwrap();
        while policy == "one"
            && !std::fs::read_to_string(tree.root.join("../api.pid")).is_ok_and(|text| text.ends_with('\n'))
        {
            std::thread::sleep(Duration::from_millis(20));
        }
        let started = Instant::now();
        tree.command("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        let ran: Ran = child.wait_with_output().unwrap().into();
        let found = states(&ran.fails(130));
        assert!(found.iter().all(|one| one.1 == "unknown" && one.2 == "interrupted"), "{found:?}");
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    }
    assert!(is_gone(&tree, "api"));
}

#[test]
fn output_without_end_is_bounded() {
    let scratch = repository("{ check: \"yes {service}\", logs: \"yes {service}\", timeout: 20s }");
    let tree = agent(&scratch);
    let started = Instant::now();
    for one in health(&tree) {
        is_state(&one, "unknown", "the check wrote too much");
    }
    let ran = tree.lane(&["logs", "web", "--tail", "3"]).fails(1).says("logs of `web` are cut");
    assert!(ran.out.lines().count() <= 3 && ran.out.starts_with("web\n"), "{}", ran.out);
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    tree.lane(&["status", "--health", "--check"]).fails(2).says("could not be checked: web, api");
}

/// What `kubectl` prints, by the label that it is asked for.
const KUBECTL: &str = r#"#!/bin/sh
heading='NAME                   READY   STATUS             RESTARTS      AGE'
case "$*" in
*unreachable*)
    echo 'The connection to the server localhost:8080 was refused - did you specify the right host or port?' >&2
    exit 1;;
"get pods"*app=web)
    echo "$heading"
    echo 'web-7d4b9c6f5-x2x8p    1/1     Running            0             3m12s';;
"get pods"*app=api)
    echo "$heading"
    echo 'api-5f7c8d9b4-k9z7q    0/1     CrashLoopBackOff   5 (33s ago)   4m2s';;
"get pods"*)
    echo 'No resources found in default namespace.' >&2;;
"wait "*app=api*)
    echo 'error: timed out waiting for the condition on pods/api-5f7c8d9b4-k9z7q' >&2
    exit 1;;
"wait "*)
    echo 'pod/web-7d4b9c6f5-x2x8p condition met';;
"logs "*)
    printf 'GET / 200\r\n\033[31mGET /x 500\033[0m\n\033]0;title\007\342\200\256evil\n';;
esac
"#;

fn with_path(tree: &Worktree, folder: &Path, args: &[&str]) -> Ran {
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    tree.lane_env(args, &[("PATH", &path)])
}

fn stand_in(scratch: &Scratch, name: &str, text: &str) -> std::path::PathBuf {
    let folder = scratch.home().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[test]
fn kubectl_as_it_prints() {
    let scratch = repository(
        "{ check: \"kubectl get pods -l app={service}\", logs: \"kubectl logs -l app={service} --tail={lines}\" }",
    );
    let bin = stand_in(&scratch, "kubectl", KUBECTL);
    let tree = agent(&scratch);
    scratch.worktree("wt-a2", "feat/a2/x");
    let ask = |tree: &Worktree, args: &[&str]| states(&with_path(tree, &bin, args));
    let found = ask(&scratch.main(), &["status", "--health", "--format", "json"]);
    is_state(&found[0], "healthy", "");
    is_state(&found[1], "unhealthy", "api-5f7c8d9b4-k9z7q: CrashLoopBackOff, 0/1 ready");
    is_state(&found[2], "unhealthy", "No resources found in default namespace.");
    let other = |check: &str| {
        tree.write("other.yaml", policy(&format!("{{ check: \"{check}\" }}")));
        ask(&tree, &["status", "--health", "--format", "json", "--policy", "other.yaml"])
    };
    let found = other("kubectl wait --for=condition=ready pod -l app={service} --timeout=5s");
    is_state(&found[0], "healthy", "");
    is_state(&found[1], "unhealthy", "timed out waiting for the condition");
    let found = other("kubectl get pods | grep {service}");
    is_state(&found[0], "unhealthy", "exit code 1");
    is_state(
        &other("kubectl get pods -l unreachable={service}")[0],
        "unknown",
        "The connection to the server",
    );
    let ran = with_path(&tree, &bin, &["logs", "web"]).ok();
    assert_eq!(ran.out, "GET / 200\nGET /x 500\n\\x1b]0;title\\x07\\u{202e}evil\n");
    let ran = with_path(&tree, &bin, &["logs", "--tail", "1"]).ok();
    assert_eq!(ran.out.lines().map(|line| &line[..6]).collect::<Vec<_>>(), ["web | ", "api | "]);
}

/// The answers of a cluster, as far as `kubectl get pods` asks: tables of pods, by label.
fn cluster() -> u16 {
    let table = |rows: &[[&str; 5]]| {
        let columns = ["Name", "Ready", "Status", "Restarts", "Age"];
        let column = |name: &&str| serde_json::json!({ "name": name, "type": "string", "format": "", "description": "", "priority": 0 });
        let row = |cells: &[&str; 5]| serde_json::json!({ "cells": cells, "object": { "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": { "name": cells[0], "namespace": "default" } } });
        serde_json::json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {},
            "columnDefinitions": columns.iter().map(column).collect::<Vec<_>>(),
            "rows": rows.iter().map(row).collect::<Vec<_>>(),
        })
    };
    let web = table(&[["web-7d4b9c6f5-x2x8p", "1/1", "Running", "0", "3m12s"]]);
    let api = table(&[["api-5f7c8d9b4-k9z7q", "0/1", "CrashLoopBackOff", "5 (33s ago)", "4m2s"]]);
    let none = table(&[]);
    serve(move |request, stream| {
        let address = request.split(' ').nth(1).unwrap_or_default();
        let answer = match address.split('?').next() {
            Some("/api") => serde_json::json!({ "kind": "APIVersions", "versions": ["v1"] }),
            Some("/apis") => serde_json::json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": [] }),
            Some("/api/v1") => serde_json::json!({
                "kind": "APIResourceList", "groupVersion": "v1",
                "resources": [{ "name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod", "verbs": ["get", "list"] }],
            }),
            _ if address.contains("web") => web.clone(),
            _ if address.contains("api&") || address.ends_with("api") => api.clone(),
            _ => none.clone(),
        }
        .to_string();
        let length = answer.len();
        say(
            stream,
            &format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{answer}"
            ),
        );
    })
}

#[test]
fn kubectl_itself_where_it_is_installed() {
    if std::process::Command::new("kubectl").args(["version", "--client"]).output().is_err() {
        eprintln!("kubectl is not installed: not tried");
        return;
    }
    let check = format!("kubectl -s http://127.0.0.1:{} get pods -l app={{service}}", cluster());
    let scratch = repository(&format!("{{ check: \"{check}\", timeout: 60s }}"));
    scratch.worktree("wt-a2", "feat/a2/x");
    agent(&scratch);
    let found = health(&scratch.main());
    is_state(&found[0], "healthy", "");
    is_state(&found[1], "unhealthy", "api-5f7c8d9b4-k9z7q: CrashLoopBackOff, 0/1 ready");
    is_state(&found[2], "unhealthy", "No resources found in default namespace.");
}

#[test]
fn docker_compose_and_systemd_as_they_print() {
    let scratch = repository("{ check: \"docker compose ps --status running -q {service}\" }");
    let compose = "#!/bin/sh\necho 'time=\"2026-01-02\" level=warning msg=\"obsolete\"' >&2\n[ \"$6\" = api ] || echo 4f1c2a9d\n";
    let bin = stand_in(&scratch, "docker", compose);
    stand_in(
        &scratch,
        "systemctl",
        "#!/bin/sh\n[ \"$2\" = web ] && echo active && exit 0\necho failed; exit 3\n",
    );
    let tree = agent(&scratch);
    let args = ["status", "--health", "--format", "json"];
    let found = states(&with_path(&tree, &bin, &args));
    is_state(&found[0], "healthy", "");
    is_state(&found[1], "unhealthy", "no container is listed");
    tree.write("other.yaml", policy("{ check: \"systemctl is-active {service}\" }"));
    let found = states(&with_path(&tree, &bin, &[&args[..], &["--policy", "other.yaml"]].concat()));
    is_state(&found[0], "healthy", "");
    is_state(&found[1], "unhealthy", "exit code 3: failed");
}

/// What a server does with each connection, after the request was read.
fn serve(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = std::sync::Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (answer, mut stream) = (answer.clone(), stream.unwrap());
            std::thread::spawn(move || {
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                    request.push(byte[0]);
                }
                answer(&String::from_utf8_lossy(&request), &mut stream);
            });
        }
    });
    port
}

fn say(stream: &mut TcpStream, text: &str) {
    let _ = stream.write_all(text.as_bytes());
}

fn addresses(web: &str, api: &str) -> String {
    format!("{{ services: {{ web: {{ check: \"{web}\" }}, api: {{ check: \"{api}\" }} }}, timeout: 1s }}")
}

#[test]
fn addresses_that_answer() {
    let port = serve(|request, stream| match request.split([' ', '?']).nth(1) {
        Some("/ok") => say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"up\"}"),
        Some("/none") => say(stream, "HTTP/1.1 204 No Content\r\n\r\n"),
        Some("/moved") => say(stream, "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"),
        Some("/broken") => say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"st"),
        Some("/odd") => say(stream, "hello\r\n\r\n"),
        _ => say(stream, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"),
    });
    let at = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let scratch = repository(&addresses(&at("/ok"), &at("/busy")));
    let tree = agent(&scratch);
    let ran = tree.lane(&["status", "--health", "--format", "json"]).ok();
    let found = states(&ran);
    is_state(&found[0], "healthy", "");
    is_state(&found[1], "unhealthy", "status 503");
    assert_eq!(
        (&ran.json()["health"][1]["status"], &ran.json()["health"][1]["output"]),
        (&503.into(), &"busy".into())
    );
    let ask = |health: &str| {
        tree.write("other.yaml", policy(health));
        states(&tree.lane(&["status", "--health", "--format", "json", "--policy", "other.yaml"]).ok())
    };
    let found = ask(&addresses(&at("/none"), &at("/moved")));
    is_state(&found[0], "healthy", "");
    is_state(&found[1], "unhealthy", "status 302, which leads to /login");
    let found = ask(&addresses(&at("/broken"), &at("/odd")));
    is_state(&found[0], "unhealthy", "status 200, but its body broke off");
    is_state(&found[1], "unhealthy", "");
    let words = format!(
        "{{ check: \"{}\", expect: '\"up\"', services: {{ api: {{ check: \"{}\", reject: up }} }} }}",
        at("/ok"),
        at("/ok")
    );
    let found = ask(&words);
    is_state(&found[0], "healthy", "");
    is_state(&found[1], "unhealthy", "`up` in the body");
    // A port that was given out, and one that the environment has.
    let found = ask("{ check: \"http://127.0.0.1:{port}/ok\" }");
    is_state(&found[0], "unknown", "no port is assigned yet; in the worktree of a1: git lane port web");
    let given = tree.lane(&["port", "web"]).ok().out;
    let found = ask("{ check: \"http://127.0.0.1:{port}/ok\" }");
    is_state(&found[0], "unhealthy", "refused");
    tree.write("other.yaml", policy("{ check: \"http://127.0.0.1:${HERE}/ok?{service}\" }"));
    let args = ["status", "--health", "--format", "json", "--policy", "other.yaml"];
    is_state(&states(&tree.lane(&args).ok())[0], "unknown", "`${HERE}` in `health.check` is not set");
    let ran = tree.lane_env(&args, &[("HERE", &port.to_string())]).ok();
    is_state(&states(&ran)[0], "healthy", "");
    assert_eq!(ran.json()["health"][0]["check"], format!("http://127.0.0.1:{port}/ok?web"));
    assert!(given.trim().parse::<u16>().is_ok());
}

#[test]
fn addresses_that_do_not_answer_in_time() {
    let silent = serve(|_, _| std::thread::sleep(Duration::from_secs(60)));
    let endless = serve(|_, stream| {
        say(stream, "HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 65_536]).is_ok() {}
    });
    let hangs = serve(|_, stream| {
        say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun");
        std::thread::sleep(Duration::from_secs(60));
    });
    // A listener that accepts nothing: the system answers for it.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = |port: u16| format!("http://127.0.0.1:{port}/");
    let scratch = repository(&addresses(&at(silent), &at(hangs)));
    let tree = agent(&scratch);
    let started = Instant::now();
    let found = health(&tree);
    is_state(&found[0], "unhealthy", "no answer within 1 s");
    is_state(&found[1], "unhealthy", "status 200, but its body did not end within 1 s");
    assert!(started.elapsed() < Duration::from_secs(15), "side by side: {:?}", started.elapsed());
    let ask = |health: &str| {
        tree.write("other.yaml", policy(health));
        states(&tree.lane(&["status", "--health", "--format", "json", "--policy", "other.yaml"]).ok())
    };
    let found = ask(&addresses(&at(endless), &at(deaf.local_addr().unwrap().port())));
    is_state(&found[0], "healthy", "");
    is_state(&found[1], "unhealthy", "no answer within 1 s");
    let found = ask(&addresses(&at(1), "http://no-such-host.invalid/"));
    is_state(&found[0], "unhealthy", "refused");
    assert_eq!(found[1].1, "unhealthy");
    // A plain server does not speak TLS.
    let found = ask(&addresses(&format!("https://127.0.0.1:{silent}/"), &at(silent)));
    assert_ne!(found[0].1, "healthy");
}

#[test]
fn logs_of_ones_own_of_named_and_of_all() {
    let scratch = repository(
        "{ logs: \"echo $WHO {service} $KEY; echo oops >&2\", services: { redis: { logs: \"echo redis log\" }, api: { logs: none } } }",
    );
    let tree = agent(&scratch);
    scratch.worktree("wt-a2", "feat/a2/x");
    let ran = tree.lane_env(&["logs"], &[("SECRET_OF_A1", "s3cret-value")]).ok();
    assert_eq!(ran.out, "one web ***\noops\n", "one alone has no prefix, and no secret is shown");
    assert_eq!(tree.lane(&["logs", "jobs"]).ok().out, "two jobs\noops\n", "another's may be read");
    assert_eq!(
        scratch.lane(&["logs"]).ok().out,
        "web   | one web\nweb   | oops\njobs  | two jobs\njobs  | oops\nredis | redis log\n"
    );
    assert_eq!(
        tree.lane(&["logs", "redis", "free"]).ok().out,
        "redis | redis log\nfree  | one free\nfree  | oops\n"
    );
    tree.lane(&["logs", "jbos"]).fails(2).says("unknown service `jbos`").says("did you mean `jobs`?");
    tree.lane(&["logs", "api"]).fails(2).says("logs of `api`: the policy has no command for its logs");
    let json = scratch.lane(&["logs", "web", "jobs", "--tail", "1", "--format", "json"]).ok().json();
    assert_eq!(json["services"][1]["lines"], serde_json::json!(["oops"]));
    assert_eq!((&json["services"][1]["agent"], &json["services"][1]["cut"]), (&"a2".into(), &true.into()));
    tree.write("other.yaml", policy("{ logs: \"echo last words {service}; exit 3\" }"));
    let ran = tree.lane(&["logs", "--policy", "other.yaml", "web"]).fails(1);
    ran.says("last words web\n").says("error: logs of `web`: the command failed (exit code 3)");
}

#[cfg(target_os = "linux")]
#[test]
fn logs_are_followed_until_somebody_ends_it() {
    use std::io::{BufRead, BufReader};
    let scratch = repository(
        "{ follow: \"sleep 300 & echo $! >../{service}.pid; while echo {service} $KEY; do sleep 0.1; done\", services: { redis: { follow: \"echo once; exit 3\" } } }",
    );
    let tree = agent(&scratch);
    let mut command = tree.command(crate::support::LANE);
    command.args(["logs", "--follow", "web", "redis"]).env("SECRET_OF_A1", "s3cret-value");
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut seen: Vec<String> = lines.by_ref().take(6).collect();
    tree.command("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    seen.extend(lines);
    let ran: Ran = child.wait_with_output().unwrap().into();
    ran.fails(130).says("error: logs of `redis`: the command failed (exit code 3)");
    assert!(seen.iter().all(|line| line == "web   | web ***" || line == "redis | once"), "{seen:?}");
    assert!(seen.iter().any(|line| line == "redis | once"), "{seen:?}");
    assert!(is_gone(&tree, "web"));
    // Whoever reads no more ends it, too.
    let started = Instant::now();
    let pipe = format!("{} logs -f web | head -n 1", crate::support::LANE);
    let ran: Ran = tree.command("sh").args(["-c", &pipe]).output().unwrap().into();
    assert_eq!(ran.out, "web\n");
    assert!(started.elapsed() < Duration::from_secs(20) && is_gone(&tree, "web"));
    tree.lane(&["logs", "web"])
        .fails(2)
        .says("no command for logs: no `health.logs`")
        .says("add for example");
    tree.lane(&["logs", "-f", "--format", "json"]).fails(2).says("--follow prints text only");
    scratch.lane(&["logs", "-f", "redis"]).fails(1).says("once\n");
}

#[test]
fn mistakes_of_the_policy_have_their_place() {
    let scratch = repository("{ check: \"curl {servce}\" }");
    let ran = scratch.lane(&["policy", "check"]).fails(2);
    ran.says("unknown placeholder `{servce}`").says("did you mean `service`?").says("policy.yaml:");
    let shown =
        repository("{ check: \"x {service}\" }").lane(&["policy", "show", "--format", "json"]).ok().json();
    assert_eq!(
        (&shown["health"]["timeout"], &shown["health"]["check"]),
        (&"10s".into(), &"x {service}".into())
    );
}
