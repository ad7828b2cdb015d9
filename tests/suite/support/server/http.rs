//! HTTP in front of `git http-backend`, as small as it can be: one thread for each connection, which is
//! closed after one request.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::command;

/// A web server for all repositories of a folder.
pub struct Http {
    pub address: String,
    /// How many requests came in chunks, and how many were compressed.
    pub seen: Arc<[AtomicUsize; 2]>,
}

impl Http {
    /// Serves for as long as the test runs. `is_private`: whoever comes has to say a name, and any will do.
    pub fn serve(folder: &Path, is_private: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let folder = folder.to_owned();
        let seen = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let counted = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, counted) = (folder.clone(), Arc::clone(&counted));
                std::thread::spawn(move || {
                    let _ = answer(&stream, &folder, is_private, &counted);
                });
            }
        });
        Self { address, seen }
    }

    pub fn url(&self, user: &str) -> String {
        let user = if user.is_empty() { String::new() } else { format!("{user}:secret@") };
        format!("http://{user}{}/origin.git", self.address)
    }
}

pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

pub fn ask(stream: &TcpStream) -> std::io::Result<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default().to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    if headers.get("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        (&mut &*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = Vec::new();
    if headers.get("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let size = line.trim().split(';').next().unwrap_or_default();
            let size = u64::from_str_radix(size, 16).map_err(std::io::Error::other)?;
            let before = body.len() as u64;
            reader.by_ref().take(size).read_to_end(&mut body)?;
            assert_eq!(body.len() as u64 - before, size, "a chunk is cut short");
            reader.read_line(&mut String::new())?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = headers.get("content-length") {
        reader.take(length.parse().map_err(std::io::Error::other)?).read_to_end(&mut body)?;
    }
    Ok(Asked { method, path: path.to_owned(), query: query.to_owned(), headers, body })
}

fn answer(
    stream: &TcpStream,
    folder: &Path,
    is_private: bool,
    seen: &[AtomicUsize; 2],
) -> std::io::Result<()> {
    let asked = ask(stream)?;
    for (at, header) in ["transfer-encoding", "content-encoding"].iter().enumerate() {
        seen[at].fetch_add(usize::from(asked.headers.contains_key(*header)), Ordering::Relaxed);
    }
    let mut out = stream;
    let user = asked.headers.get("authorization").and_then(|value| user_of(value));
    if is_private && user.is_none() {
        return out.write_all(
            b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    }
    let home: PathBuf = folder.to_owned();
    let mut backend = command("git", folder, &home);
    // A server is another machine: it has nothing of whoever pushes.
    for name in
        ["GIT_EDITOR", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"]
    {
        backend.env_remove(name);
    }
    backend
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &asked.method)
        .env("PATH_INFO", &asked.path)
        .env("QUERY_STRING", &asked.query)
        .env("CONTENT_LENGTH", asked.body.len().to_string())
        .env("REMOTE_ADDR", "127.0.0.1");
    // CGI, RFC 3875: headers become variables, these two without the prefix.
    for (header, variable) in [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("accept-encoding", "HTTP_ACCEPT_ENCODING"),
        ("git-protocol", "HTTP_GIT_PROTOCOL"),
    ] {
        if let Some(value) = asked.headers.get(header) {
            backend.env(variable, value);
        }
    }
    if let Some(user) = user {
        backend.env("REMOTE_USER", user);
    }
    let mut child = backend.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut input = child.stdin.take().unwrap();
    let body = asked.body;
    let writer = std::thread::spawn(move || {
        let _ = input.write_all(&body);
    });
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let (mut status, mut headers) = ("200 OK".to_owned(), String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("status") => status = value.trim().to_owned(),
            Some(_) => headers.push_str(&format!("{line}\r\n")),
            None => break,
        }
    }
    out.write_all(format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n").as_bytes())?;
    std::io::copy(&mut reader, &mut out)?;
    let _ = writer.join();
    child.wait()?;
    out.flush()?;
    stream.shutdown(std::net::Shutdown::Write)
}

/// The name in `Basic <base64 of name:password>`.
fn user_of(value: &str) -> Option<String> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = value.strip_prefix("Basic ")?.trim_end_matches('=');
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for digit in text.bytes() {
        let digit = DIGITS.iter().position(|known| *known == digit)?;
        (bits, count) = (bits << 6 | u32::try_from(digit).ok()?, count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    text.split_once(':').map(|(user, _)| user.to_owned())
}
