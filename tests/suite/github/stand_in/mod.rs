//! GitHub's side of a landing: pull requests over real bare repositories, a merge queue, auto-merge. What is pushed to such
//! a repository and what the API says agree. Requests and answers are held against GitHub's own descriptions.
//!
//! Tests start one in their own process; `scripts/github-stand-in` starts one for harnesses ([`control`]).

mod control;
mod git;
mod graphql;
mod http;
pub mod repo;
mod rest;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lane_github::{GitHub, Patience, Settings as ClientSettings};
use serde_json::{Value, json};
use url::Url;

use super::description::DESCRIPTION;
use super::graphql::Request;
use super::server::{TOKEN, TestClock};
pub use git::refuse_pushes;
use repo::{Repo, Settings};

pub const ME: &str = "octocat";
/// More than any test asks; a harness asks for ever.
const REMEMBERED: usize = 10_000;

/// What becomes of one request.
pub enum Reply {
    Answer(u16, Value),
    /// The connection breaks.
    Nothing,
}

/// What goes wrong, once.
struct Fault {
    /// Part of `METHOD path (Operation)`.
    at: String,
    is_done: bool,
    status: Option<u16>,
}

/// All that a server knows.
#[derive(Default)]
pub struct Hub {
    pub repos: HashMap<String, Repo>,
    /// `METHOD path (Operation)` of each request.
    pub asked: Vec<String>,
    /// Where somebody broke a contract: the client, or this.
    pub wrong: Vec<String>,
    faults: Vec<Fault>,
    /// After so many requests an answer is lost, though what was asked for is done.
    lose_every: Option<u64>,
    count: u64,
}

impl Hub {
    /// The next request that fits `at` (a part of `METHOD path (Operation)`) is done or not, and gets a status or nothing.
    pub fn fault(&mut self, at: &str, is_done: bool, status: Option<u16>) {
        self.faults.push(Fault { at: at.to_owned(), is_done, status });
    }

    pub fn reply(&mut self, method: &str, url: &Url, token: Option<&str>, body: &[u8]) -> Reply {
        let body: Value = match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(_) if body.is_empty() => Value::Null,
            Err(error) => return Reply::Answer(400, json!({ "message": error.to_string() })),
        };
        if url.path().starts_with("/stand-in/") {
            let (code, body) = control::answer(self, method, url, &body);
            return Reply::Answer(code, body);
        }
        if token.is_none_or(|token| !token.starts_with("Bearer ")) {
            return Reply::Answer(401, json!({ "message": "Bad credentials" }));
        }
        let operation = body["operationName"].as_str().map(|name| format!(" ({name})")).unwrap_or_default();
        let line = format!("{method} {}{operation}", url.path());
        self.note(line.clone());
        let (code, answer) = match self.faults.iter().position(|fault| line.contains(&fault.at)) {
            Some(at) => {
                let fault = self.faults.remove(at);
                if fault.is_done {
                    self.act(method, url, &body);
                }
                let words = json!({ "message": "Server Error" });
                return fault.status.map_or(Reply::Nothing, |code| Reply::Answer(code, words));
            }
            None => self.act(method, url, &body),
        };
        self.count += 1;
        if self.lose_every.is_some_and(|every| self.count.is_multiple_of(every)) {
            return Reply::Nothing;
        }
        Reply::Answer(code, answer)
    }

    fn note(&mut self, line: String) {
        if self.asked.len() < REMEMBERED {
            self.asked.push(line);
        }
    }

    fn act(&mut self, method: &str, url: &Url, body: &Value) -> (u16, Value) {
        self.refresh();
        let faults = DESCRIPTION.faults(method, url, Some(body).filter(|body| !body.is_null()));
        if let Some(fault) = faults.first() {
            self.wrong.push(format!("{method} {url}: {fault}"));
            return (422, json!({ "message": fault }));
        }
        let (code, answer) = match Request::parse(body) {
            Ok(request) if url.path().ends_with("/graphql") => (200, graphql::answer(self, &request)),
            _ => rest::answer(self, method, url, body),
        };
        self.refresh();
        let path = url.path().strip_prefix("/api/v3").unwrap_or(url.path());
        if let Some((operation, _)) = DESCRIPTION.find(method, path).filter(|_| code < 300) {
            let faults = DESCRIPTION.answer_faults(operation, code, &answer);
            self.wrong.extend(faults.into_iter().map(|fault| format!("{method} {path}: {fault}")));
        }
        (code, answer)
    }

    pub fn refresh(&mut self) {
        self.repos.values_mut().for_each(Repo::refresh);
    }
}

/// A server in this process.
pub struct StandIn {
    hub: Arc<Mutex<Hub>>,
    server: http::Server,
    pub slept: Arc<Mutex<Vec<Duration>>>,
}

impl StandIn {
    pub fn start() -> Self {
        let hub = Arc::<Mutex<Hub>>::default();
        let server = http::Server::start(hub.clone());
        Self { hub, server, slept: Arc::default() }
    }

    /// Puts a bare repository onto it.
    pub fn add(&self, name: &str, git: &Path, settings: Settings) {
        let repo = Repo::new(name, git::Git(git.to_owned()), settings);
        self.hub().repos.insert(name.to_owned(), repo);
    }

    pub fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Looks at one repository, or changes it, and lets what follows from that happen.
    pub fn with<T>(&self, name: &str, deed: impl FnOnce(&mut Repo) -> T) -> T {
        let mut hub = self.hub();
        let repo = hub.repos.get_mut(name).unwrap();
        repo.refresh();
        let done = deed(repo);
        repo.refresh();
        done
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// A client; `base` is the path of the API: none, or `/api/v3` of GitHub Enterprise.
    pub fn github(&self, name: &str, base: &str) -> GitHub {
        let api = format!("{}{base}", self.address());
        let vars = [("GITHUB_API_URL", api.as_str()), ("GITHUB_REPOSITORY", name), ("GH_TOKEN", TOKEN)];
        let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let settings = ClientSettings::read(var, None).unwrap();
        GitHub::with(&settings, &Patience::default(), Box::new(TestClock(self.slept.clone()))).unwrap()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let hub = self.hub();
            assert!(hub.wrong.is_empty(), "not as GitHub describes it: {:#?}", hub.wrong);
        }
    }
}
