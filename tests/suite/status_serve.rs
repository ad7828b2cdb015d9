//! The promises of `git lane status --serve`, over plain connections.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::{LANE, Ran, Scratch, Worktree, locks};
use git_lane::web::{Server, Source};

/// A server that runs until it is dropped.
pub struct Served {
    child: Child,
    pub address: String,
    port: u16,
    token: String,
}

impl Served {
    pub fn start(at: &Worktree, args: &[&str]) -> Self {
        let mut command = at.command(LANE);
        command.args(["status", "--serve"]).args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        let (port, token) = parts(&address);
        Self { child, address, port, token }
    }

    /// Asks for something behind the token, as a browser would.
    fn get(&self, name: &str) -> Answer {
        ask(self.port, &request("GET", &format!("/{}/{name}", self.token), &host(self.port)))
    }

    #[cfg(unix)]
    fn signal(&mut self, signal: &str) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        std::process::Command::new("kill").args(["-s", signal, &id]).status().unwrap();
        let code = self.child.wait().unwrap().code();
        let mut said = String::new();
        self.child.stderr.as_mut().unwrap().read_to_string(&mut said).unwrap();
        (code, said)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port and the token of `http://127.0.0.1:PORT/TOKEN/`.
fn parts(address: &str) -> (u16, String) {
    let rest = address.strip_prefix("http://127.0.0.1:").unwrap_or_else(|| panic!("{address}"));
    let (port, token) = rest.strip_suffix('/').unwrap().split_once('/').unwrap();
    (port.parse().unwrap(), token.to_owned())
}

fn host(port: u16) -> String {
    format!("Host: 127.0.0.1:{port}\r\n")
}

fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\n{headers}\r\n")
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

fn ask(port: u16, text: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    let all = String::from_utf8_lossy(&all).into_owned();
    let (headers, body) = all.split_once("\r\n\r\n").unwrap_or((&all, ""));
    let status = headers.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    Answer { status, headers: headers.to_owned(), body: body.to_owned() }
}

#[test]
fn it_answers_who_knows_the_token_and_nobody_else() {
    let scratch = Scratch::new();
    let served = Served::start(&scratch.main(), &[]);
    assert!(served.token.len() == 32 && served.token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let page = served.get("");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.body.contains("connect-src 'self'") && page.body.ends_with("</html>\n"));
    let status: serde_json::Value = serde_json::from_str(&served.get("status.json").body).unwrap();
    assert_eq!(status["lines"][0]["agent"], "a1");
    let report: serde_json::Value = serde_json::from_str(&served.get("report.json").body).unwrap();
    assert_eq!(report["repository"], "repo");

    let (port, token) = (served.port, &served.token);
    let other = "0".repeat(32);
    let paths = [
        "/".to_owned(),
        "/status.json".to_owned(),
        format!("/{other}/"),
        format!("/{}/", &token[..31]),
        format!("/{token}"),
        format!("/{token}0/"),
        format!("//{token}/"),
        format!("/{token}/../{token}/"),
        format!("/{token}/policy.yaml"),
        "/favicon.ico".to_owned(),
    ];
    for path in paths {
        let answer = ask(port, &request("GET", &path, &host(port)));
        assert_eq!((answer.status, answer.body.as_str()), (404, "not found\n"), "{path}");
        assert!(!answer.headers.contains(token.as_str()));
    }
}

#[test]
fn it_changes_nothing_and_answers_to_its_own_name_alone() {
    let scratch = Scratch::new();
    let served = Served::start(&scratch.main(), &[]);
    let (port, path) = (served.port, format!("/{}/status.json", served.token));
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "PROPFIND"] {
        let answer = ask(port, &request(method, &path, &(host(port) + "Content-Length: 0\r\n")));
        assert!([400, 405].contains(&answer.status), "{method}: {}", answer.status);
        assert!(method == "CONNECT" || answer.header("allow") == Some("GET, HEAD"), "{method}");
    }
    let head = ask(port, &request("HEAD", &path, &host(port)));
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    for name in ["localhost", "LOCALHOST", "127.0.0.1"] {
        let answer = ask(port, &request("GET", &path, &format!("Host: {name}:{port}\r\n")));
        assert_eq!(answer.status, 200, "{name}");
    }
    let own = host(port);
    let foreign = [
        format!("Host: rebound.example:{port}\r\n"),
        "Host: 127.0.0.1\r\n".to_owned(),
        format!("Host: 127.0.0.1:{}\r\n", port.wrapping_add(1)),
        format!("Host: 127.0.0.1:{port}.rebound.example\r\n"),
        String::new(),
        format!("{own}Host: rebound.example\r\n"),
    ];
    for headers in foreign {
        let answer = ask(port, &request("GET", &path, &headers));
        assert_eq!(answer.status, 403, "{headers}");
        assert!(!answer.body.contains("lines"));
    }
    let absolute = format!("http://rebound.example:{port}{path}");
    assert_eq!(ask(port, &request("GET", &absolute, &own)).status, 403);
}

#[test]
fn no_other_site_may_read_frame_or_keep_it() {
    let scratch = Scratch::new();
    let served = Served::start(&scratch.main(), &[]);
    let origin = host(served.port) + "Origin: http://other.example\r\n";
    for name in ["", "status.json", "report.json", "nothing"] {
        let path = format!("/{}/{name}", served.token);
        let answer = ask(served.port, &request("GET", &path, &origin));
        for (header, value) in [
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(header), Some(value), "{name}: {header}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(!answer.headers.to_lowercase().contains("access-control"), "{name}");
        assert_eq!(answer.header("server"), None);
    }
}

#[test]
fn who_is_slow_or_says_too_much_costs_nobody_else() {
    let scratch = Scratch::new();
    let served = Served::start(&scratch.main(), &[]);
    let port = served.port;
    // Clients that say half a word, and one that never reads what it asked for.
    let slow: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.write_all(b"GET /").unwrap();
            stream
        })
        .collect();
    let mut deaf = TcpStream::connect(("127.0.0.1", port)).unwrap();
    deaf.write_all(request("GET", &format!("/{}/", served.token), &host(port)).as_bytes()).unwrap();
    assert_eq!(served.get("status.json").status, 200);
    // Those are cut off by themselves.
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    }
    let many = host(port) + &"X-A: b\r\n".repeat(200);
    let long = host(port) + &format!("X-A: {}\r\n", "b".repeat(64 * 1024));
    for headers in [many, long] {
        let answer = ask(port, &request("GET", &format!("/{}/status.json", served.token), &headers));
        assert!([0, 431].contains(&answer.status), "{}", answer.status);
    }
    assert_eq!(served.get("status.json").status, 200);
}

#[cfg(unix)]
#[test]
fn several_serve_at_once_and_signals_end_them() {
    let scratch = Scratch::new();
    let mut one = Served::start(&scratch.main(), &[]);
    let mut two = Served::start(&scratch.main(), &["--format", "text", "-q"]);
    assert_ne!((one.port, &one.token), (two.port, &two.token));
    assert_eq!((one.get("").status, two.get("").status), (200, 200));
    assert_eq!(ask(two.port, &request("GET", &format!("/{}/", one.token), &host(two.port))).status, 404);

    let port = one.port.to_string();
    let taken = scratch.lane(&["status", "--serve", "--port", &port]).fails(2);
    taken.says(&format!("port {port} is in use")).says("git lane status --serve");
    assert!(scratch.lane(&["report", "--format", "html"]).ok().out.starts_with("<!doctype html>"));
    let (code, said) = one.signal("INT");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Ctrl-C ends it") && !said.contains("error"), "{said}");
    // The port is free again at once.
    let again = Served::start(&scratch.main(), &["--port", &port]);
    assert_eq!((again.port, again.get("").status), (one.port, 200));
    assert_eq!(two.signal("TERM"), (Some(0), String::new()));
}

#[test]
fn it_listens_on_the_loopback_address_alone() {
    let scratch = Scratch::new();
    let served = Served::start(&scratch.main(), &[]);
    assert!(TcpStream::connect(("127.0.0.1", served.port)).is_ok());
    // 127.0.0.2 is this machine too, where the system has the whole network on it, but not the address that was taken.
    let other = std::net::SocketAddr::from(([127, 0, 0, 2], served.port));
    assert!(TcpStream::connect_timeout(&other, Duration::from_secs(5)).is_err());
    let usage = scratch.lane(&["status", "--port", "8080"]);
    usage.fails(2).says("--serve");
    scratch.lane(&["status", "--serve", "--watch"]).fails(2);
}

#[test]
fn what_is_shown_is_as_it_is_now() {
    let (_scratch, one, two) = locks::two();
    let served = Served::start(&one, &[]);
    let locks_of = |name: &str| {
        let status: serde_json::Value = serde_json::from_str(&served.get("status.json").body).unwrap();
        let lines = status["lines"].as_array().unwrap().clone();
        let line = lines.into_iter().find(|line| line["agent"] == name).unwrap();
        line["locks"].as_array().unwrap().iter().map(|lock| lock["scope"].clone()).collect::<Vec<_>>()
    };
    assert!(locks_of("a2").is_empty());
    two.lane(&["lock", "common", "--reason", "soon shown"]).ok();
    let until = Instant::now() + Duration::from_secs(60);
    while locks_of("a2") != ["common"] {
        assert!(Instant::now() < until, "the lock is never shown");
        std::thread::sleep(Duration::from_millis(200));
    }
    // Nothing of the repository is locked or changed by looking.
    let before: Ran = two.git(&["status", "--porcelain"]);
    served.get("status.json");
    assert_eq!(two.git(&["status", "--porcelain"]), before);
    assert!(!one.root.join(".git/index.lock").exists());
}

#[test]
fn what_cannot_be_read_is_said() {
    let scratch = Scratch::new();
    let served = Served::start(&scratch.main(), &[]);
    scratch.write("policy.yaml", "version: [\n");
    scratch.git(&["commit", "-qam", "a policy with a mistake"]);
    std::fs::rename(scratch.root().join(".git"), scratch.root().join("gone")).unwrap();
    let answer = served.get("status.json");
    assert_eq!(answer.status, 503, "{}", answer.body);
    let said: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert!(said["error"].as_str().is_some_and(|text| !text.is_empty()));
}

/// Counts how often it is read, and takes its time.
struct Slow(Arc<AtomicUsize>);

impl Source for Slow {
    fn status(&self) -> Result<String, String> {
        std::thread::sleep(Duration::from_millis(300));
        Ok(format!("{}", self.0.fetch_add(1, Ordering::SeqCst)))
    }

    fn report(&self) -> Result<String, String> {
        Err("no report".into())
    }
}

#[test]
fn many_who_ask_at_once_share_one_reading() {
    let count = Arc::new(AtomicUsize::new(0));
    let server = Server::bind(0, Slow(Arc::clone(&count))).unwrap();
    let (port, token) = parts(&server.address());
    // It ends with the test's process: the signals it waits for are this process's own.
    std::thread::spawn(move || server.run());
    let asked = Instant::now();
    let status = request("GET", &format!("/{token}/status.json"), &host(port));
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..30).map(|_| scope.spawn(|| ask(port, &status).status)).collect();
        assert!(all.into_iter().all(|one| one.join().unwrap() == 200));
    });
    // Each reading is good for a second: so many at the most, however slow the machine is.
    let most = usize::try_from(asked.elapsed().as_secs()).unwrap() + 1;
    assert!(
        count.load(Ordering::SeqCst) <= most,
        "{} readings, {most} at the most",
        count.load(Ordering::SeqCst)
    );
    let page = ask(port, &request("GET", &format!("/{token}/"), &host(port)));
    assert_eq!((page.status, page.body.as_str()), (503, "no report\n"));
}
