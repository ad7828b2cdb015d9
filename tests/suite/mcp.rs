//! `git lane mcp`, by a client that speaks the protocol over pipes: each tool says what the command says.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{LANE, Ran, Scratch, Worktree};

/// A client and its server.
struct Client {
    server: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    last: u64,
}

impl Client {
    /// Starts a server in a worktree, and shakes hands.
    fn start(at: &Worktree) -> Self {
        let mut client = Self::silent(at);
        let hello = json!({
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" },
        });
        let told = client.ask("initialize", hello);
        assert_eq!(told["result"]["serverInfo"]["name"], "git-lane", "{told}");
        assert_eq!(told["result"]["protocolVersion"], "2025-06-18", "{told}");
        client.write(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");
        client
    }

    fn silent(at: &Worktree) -> Self {
        let mut command = at.command(LANE);
        command.arg("mcp").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = command.spawn().unwrap();
        let input = server.stdin.take();
        let output = BufReader::new(server.stdout.take().unwrap());
        Self { server, input, output, last: 0 }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    fn send(&mut self, method: &str, params: Value) -> u64 {
        self.last += 1;
        let message = json!({ "jsonrpc": "2.0", "id": self.last, "method": method, "params": params });
        self.write(format!("{message}\n").as_bytes());
        self.last
    }

    /// The next message; each line is one.
    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        let told = self.read();
        assert_eq!(told["id"], id, "{told}");
        told
    }

    /// Calls a tool, and holds the forms of its answer to each other.
    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let told = self.ask("tools/call", json!({ "name": tool, "arguments": arguments }));
        let result = &told["result"];
        let said = result["structuredContent"].clone();
        let code = said["exit_code"].as_i64().unwrap_or_else(|| panic!("{told}"));
        assert_eq!(result["isError"], code == 2, "{told}");
        let texts: Vec<&str> = result["content"]
            .as_array()
            .unwrap()
            .iter()
            .map(|block| block["text"].as_str().unwrap())
            .collect();
        assert!(texts.last().unwrap().starts_with(&format!("exit code {code}")), "{told}");
        if texts.len() == 2 {
            assert_eq!(serde_json::from_str::<Value>(texts[0]).unwrap(), said["result"], "{told}");
        } else {
            assert_eq!(said["result"], Value::Null, "{told}");
        }
        said
    }

    /// Ends standard input; how the server ends, and what it wrote until then.
    fn end(mut self) -> Ran {
        drop(self.input.take());
        let mut out = String::new();
        std::io::Read::read_to_string(&mut self.output, &mut out).unwrap();
        let mut ran = Ran::from(self.server.wait_with_output().unwrap());
        ran.out = out;
        ran
    }
}

/// The same by the command.
#[track_caller]
fn is_what_the_command_says(said: &Value, at: &Worktree, line: &[&str]) {
    let ran = at.lane(&[&["--format", "json"], line].concat());
    assert_eq!(said["exit_code"], ran.code, "{said}\n{}", ran.all());
    assert_eq!(said["result"], ran.json(), "{line:?}");
    assert_eq!(said["messages"], ran.err.trim_end(), "{line:?}");
}

#[test]
fn tools_and_resources_are_listed() {
    let scratch = Scratch::new();
    let mut client = Client::start(&scratch.main());
    let told = client.ask("tools/list", json!({}));
    let tools = told["result"]["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["who", "check", "lock", "unlock", "locks", "request", "land", "inbox", "status", "conflicts"]
    );
    for tool in tools {
        let reads = !["lock", "unlock", "request", "land", "inbox"].contains(&tool["name"].as_str().unwrap());
        assert_eq!(tool["annotations"]["readOnlyHint"], reads, "{tool}");
        assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
        assert!(tool["description"].as_str().unwrap().len() < 400, "{tool}");
    }
    let told = client.ask("resources/list", json!({}));
    let uris: Vec<&Value> =
        told["result"]["resources"].as_array().unwrap().iter().map(|resource| &resource["uri"]).collect();
    assert_eq!(uris, ["git-lane://policy", "git-lane://rules"]);
    // What is in the worktree does not count.
    let policy = std::fs::read_to_string(scratch.root().join("policy.yaml")).unwrap();
    scratch.write("policy.yaml", "version: 1\n");
    let told = client.ask("resources/read", json!({ "uri": "git-lane://policy" }));
    assert_eq!(told["result"]["contents"][0]["text"], policy, "{told}");
    let told = client.ask("resources/read", json!({ "uri": "git-lane://rules" }));
    let rules = scratch.lane(&["rule", "--markdown"]).ok().out;
    assert_eq!(told["result"]["contents"][0]["text"], rules, "{told}");
    let told = client.ask("resources/read", json!({ "uri": "file:///etc/passwd" }));
    assert!(told["error"]["message"].as_str().unwrap().contains("unknown resource"), "{told}");
    client.end().ok();
}

#[test]
fn each_tool_says_what_its_command_says() {
    let (scratch, a2) = Scratch::installed();
    let a4 = scratch.worktree("a4", "feat/a4/x");
    a4.lane(&["install", "--agent", "a4"]).ok();
    let mut client = Client::start(&a2);
    let here = json!({ "cwd": a4.root });

    let said = client.call("who", json!({ "paths": ["services/revenue/main.py", "policy.yaml"] }));
    is_what_the_command_says(&said, &a2, &["who", "services/revenue/main.py", "policy.yaml"]);
    // Who asks comes from the folder.
    let mine = json!({ "paths": ["services/revenue/main.py"], "mine": true });
    let said = client.call("who", mine.clone());
    is_what_the_command_says(&said, &a2, &["who", "--mine", "services/revenue/main.py"]);
    assert_eq!(said["exit_code"], 1);
    let mut elsewhere = mine;
    elsewhere["cwd"] = here["cwd"].clone();
    let said = client.call("who", elsewhere);
    is_what_the_command_says(&said, &a4, &["who", "--mine", "services/revenue/main.py"]);
    assert_eq!(said["exit_code"], 0);

    a2.sneak("services/revenue/main.py", "x\n", "feat(revenue): x");
    let said = client.call("check", json!({}));
    is_what_the_command_says(&said, &a2, &["check"]);
    assert_eq!(said["exit_code"], 1);
    assert_eq!(said["result"]["findings"][0]["rule"], "foreign-path");
    a2.write("services/rag_pipeline/main.py", "x\n");
    a2.git(&["add", "-A"]).ok();
    let said = client.call("check", json!({ "staged": true }));
    is_what_the_command_says(&said, &a2, &["check", "--staged"]);

    let said = client.call("lock", json!({ "scopes": ["common"], "reason": "new base class", "ttl": "1h" }));
    assert_eq!(
        (&said["exit_code"], &said["result"]["locks"][0]["agent"]),
        (&json!(0), &json!("a2")),
        "{said}"
    );
    let said = client.call("lock", json!({ "scopes": ["common"], "cwd": a4.root }));
    assert_eq!(said["exit_code"], 1, "{said}");
    assert!(said["result"]["refused"].is_object(), "{said}");
    assert!(said["messages"].as_str().unwrap().contains("new base class"), "{said}");
    let said = client.call("locks", json!({ "log": true }));
    is_what_the_command_says(&said, &a2, &["locks", "--log"]);
    let said = client.call("unlock", json!({ "scopes": ["common"] }));
    assert_eq!((&said["exit_code"], &said["result"][0]["state"]), (&json!(0), &json!("released")), "{said}");

    let ask = json!({ "action": "submit", "paths": ["services/revenue/main.py"], "reason": "add a field" });
    let said = client.call("request", ask);
    let id = said["result"]["request"]["id"].as_str().unwrap_or_else(|| panic!("{said}")).to_owned();
    let said = client.call("request", json!({ "action": "list", "cwd": a4.root }));
    is_what_the_command_says(&said, &a4, &["request", "list"]);
    let said = client.call("request", json!({ "action": "accept", "id": id }));
    assert_eq!(said["exit_code"], 1, "it is not its own to accept: {said}");
    let said = client.call("request", json!({ "action": "accept", "id": id, "cwd": a4.root }));
    assert_eq!(
        (&said["exit_code"], &said["result"]["request"]["state"]),
        (&json!(0), &json!("accepted")),
        "{said}"
    );
    let said = client.call("request", json!({ "action": "show", "id": id }));
    is_what_the_command_says(&said, &a2, &["request", "show", &id]);

    let said = client.call("conflicts", json!({}));
    is_what_the_command_says(&said, &a2, &["conflicts"]);
    let said = client.call("status", json!({}));
    let by_command = a2.lane(&["--format", "json", "status"]).ok().json();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!((&said["exit_code"], keys(&said["result"])), (&json!(0), keys(&by_command)), "{said}");
    let ended = client.end().ok();
    assert_eq!(ended.all(), "");
}

#[test]
fn what_cannot_be_decided_is_an_error_with_its_help() {
    let scratch = Scratch::new();
    let mut client = Client::start(&scratch.main());
    let outside = tempfile::tempdir().unwrap();
    let said = client.call("check", json!({ "cwd": outside.path() }));
    assert_eq!((&said["exit_code"], &said["result"]["verdict"]), (&json!(2), &json!("undecided")), "{said}");
    for (tool, arguments, words) in [
        ("who", json!({ "paths": ["a"], "cwd": "/no/such/folder" }), "`cwd` is not a folder"),
        ("who", json!({ "paths": ["a"], "agent": "a1" }), "`who` has no argument `agent`"),
        ("who", json!({ "paths": [{}] }), "`paths` must be an array of strings"),
        ("who", json!({ "paths": ["a\u{0}b"] }), "git-lane could not be started"),
        ("who", json!({}), "required arguments were not provided"),
        ("lock", json!({ "scopes": ["common"] }), "name it: --agent a1"),
        ("lock", json!({ "scopes": ["no-such-area"], "agent": "a1" }), "no-such-area"),
        ("request", json!({ "action": "submit" }), "required arguments were not provided"),
        ("check", json!({ "range": "x" }), "is not a range"),
    ] {
        let said = client.call(tool, arguments.clone());
        assert_eq!(said["exit_code"], 2, "{said}");
        assert!(said.to_string().contains(words), "no `{words}` in {said}");
    }
    let told = client.ask("tools/call", json!({ "name": "push", "arguments": {} }));
    assert!(told["error"]["message"].as_str().unwrap().contains("unknown tool `push`"), "{told}");
    let told = client.ask("no/such/method", json!({}));
    assert!(told["error"].is_object(), "{told}");
    client.end().ok();
}

#[test]
fn what_is_not_the_protocol_ends_nothing() {
    let scratch = Scratch::new();
    let mut client = Client::start(&scratch.main());
    client.write(b"not json\n\n\xff\xfe\n{\"jsonrpc\":\"2.0\",\"id\":1\n");
    client.write(format!("{}\n", "[".repeat(100_000)).as_bytes());
    // Longer than anything that is read.
    client.write(&vec![b'x'; 3 << 20]);
    client.write(b"\n");
    let said = client.call("who", json!({ "paths": ["services/revenue/main.py"] }));
    assert_eq!(said["exit_code"], 0, "{said}");
    client.end().ok();
    // Nothing was asked.
    let ended = Client::silent(&scratch.main()).end().ok();
    assert_eq!(ended.all(), "");
}

#[test]
fn a_call_that_was_cancelled_ends_its_command() {
    let (_scratch, a2) = Scratch::installed();
    a2.lane_env(&["lock", "common", "--agent", "a1"], &[]).ok();
    let mut client = Client::start(&a2);
    let id = client
        .send("tools/call", json!({ "name": "lock", "arguments": { "scopes": ["common"], "wait": "10m" } }));
    std::thread::sleep(Duration::from_millis(500));
    let cancel =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } });
    client.write(format!("{cancel}\n").as_bytes());
    let said = client.call("who", json!({ "paths": ["services/revenue/main.py"] }));
    assert_eq!(said["exit_code"], 0);
    let began = Instant::now();
    client.end().ok();
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}
