//! A small GitHub that remembers: check runs, comments, labels, pull requests. Its answers are GitHub's own examples,
//! changed where they have to be, and are held against GitHub's description.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use wiremock::Request;

use super::description::{DESCRIPTION, example};
use super::server::{Reply, Server, body_of, json_of, status};

pub const SHA: &str = "ce587453ced02b1526dfb4cb910479d431683101";
pub const ME: &str = "github-actions[bot]";

#[derive(Default)]
pub struct State {
    pub runs: Vec<Value>,
    /// Of each run, in its order.
    pub annotations: Vec<Vec<Value>>,
    pub comments: Vec<Value>,
    pub labels: Vec<String>,
    pub pulls: Vec<Value>,
    /// Changes to the one pull request that can be read by its number.
    pub pull: Option<fn(&mut Value)>,
    /// What its head is.
    pub head: String,
    /// Who gave labels, in the form of the list.
    pub label_events: Vec<Value>,
    /// Who reviewed it: the account, the state, and the head that it is about, or else the one that is there.
    pub reviews: Vec<(&'static str, &'static str, Option<&'static str>)>,
    /// Who pushed the head, and when.
    pub pushed: Option<(&'static str, &'static str)>,
    /// The token may only read.
    pub only_reads: bool,
    /// What goes wrong, at the first request that fits.
    faults: Vec<Fault>,
    /// Done at the beginning of the next request, as by somebody else.
    pub meanwhile: Option<fn(&mut State)>,
    /// Lists show what was there before: they are read from a copy that lags behind.
    pub lists_lag: bool,
    wrong: Vec<String>,
    next_id: u64,
}

pub struct Fault {
    method: &'static str,
    path_has: &'static str,
    is_done: bool,
    status: Option<u16>,
}

/// A fault: at `method` and a part of the path; whether it takes effect; a status, or no answer.
pub fn fault(method: &'static str, path_has: &'static str, is_done: bool, status: Option<u16>) -> Fault {
    Fault { method, path_has, is_done, status }
}

pub struct Fake {
    pub state: Arc<Mutex<State>>,
    pub server: Server,
}

impl Fake {
    pub fn new(faults: Vec<Fault>) -> Self {
        let state = Arc::new(Mutex::new(State { faults, next_id: 100, ..State::default() }));
        let shared = state.clone();
        let server = Server::new(move |request| shared.lock().unwrap().reply(request));
        Self { state, server }
    }

    /// A comment that somebody wrote before.
    pub fn comment(&self, author: &str, body: &str) {
        self.state.lock().unwrap().add_comment(author, body);
    }

    pub fn bodies(&self) -> Vec<(String, String)> {
        let state = self.state.lock().unwrap();
        let pair = |comment: &Value| (text(&comment["user"]["login"]), text(&comment["body"]));
        state.comments.iter().map(pair).collect()
    }

    /// The numbers of requests with this method.
    pub fn count(&self, method: &str) -> usize {
        self.server.asked().iter().filter(|line| line.starts_with(&format!("{method} "))).count()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let wrong = &self.state.lock().unwrap().wrong;
            assert!(wrong.is_empty(), "the fake does not answer as GitHub would: {wrong:#?}");
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl State {
    fn reply(&mut self, request: &Request) -> Reply {
        if let Some(deed) = self.meanwhile.take() {
            deed(self);
        }
        let (method, path) = (request.method.as_str(), request.url.path());
        let found = self.faults.iter().position(|f| f.method == method && path.contains(f.path_has));
        let Some(fault) = found.map(|found| self.faults.remove(found)) else {
            let (code, body) = self.act(request);
            self.note(method, path, code, &body);
            return if code == 204 { status(204).into() } else { json_of(code, body).into() };
        };
        if fault.is_done {
            self.act(request);
        }
        match fault.status {
            Some(code) => json_of(code, json!({ "message": "Server Error" })).into(),
            None => Reply::Nothing,
        }
    }

    fn note(&mut self, method: &str, path: &str, code: u16, body: &Value) {
        if let Some((operation, _)) = DESCRIPTION.find(method, path).filter(|_| code < 300 && code != 204) {
            let faults = DESCRIPTION.answer_faults(operation, code, body);
            self.wrong.extend(faults.into_iter().map(|fault| format!("{method} {path}: {fault}")));
        }
    }

    pub fn add_comment(&mut self, author: &str, body: &str) -> Value {
        let mut comment = example("GET", "/repos/{owner}/{repo}/issues/{issue_number}/comments")[0].clone();
        self.next_id += 1;
        comment["id"] = json!(self.next_id);
        comment["user"]["login"] = json!(author);
        comment["user"]["type"] = json!(if author.ends_with("[bot]") { "Bot" } else { "User" });
        comment["body"] = json!(body);
        self.comments.push(comment.clone());
        comment
    }

    fn act(&mut self, request: &Request) -> (u16, Value) {
        let body = body_of(request).unwrap_or_default();
        let path = request.url.path().replace("%20", " ");
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let query = |wanted: &str| {
            request.url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
        };
        let not_found = || (404, json!({ "message": "Not Found" }));
        if self.only_reads && request.method.as_str() != "GET" && parts.last() != Some(&"graphql") {
            return (403, json!({ "message": "Resource not accessible by integration" }));
        }
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["user"]) => (403, json!({ "message": "Resource not accessible by integration" })),
            ("POST", ["graphql"]) => (200, json!({ "data": { "viewer": { "login": ME } } })),
            ("GET", [.., "commits", sha, "check-runs"]) => {
                let name = query("check_name").unwrap();
                let fits = |run: &&Value| run["head_sha"] == **sha && run["name"] == name.as_str();
                let runs: Vec<&Value> = self.runs.iter().filter(fits).collect();
                (200, json!({ "total_count": runs.len(), "check_runs": runs }))
            }
            ("POST", [.., "check-runs"]) => {
                let mut run = example("POST", "/repos/{owner}/{repo}/check-runs");
                self.next_id += 1;
                run["id"] = json!(self.next_id);
                run["html_url"] = json!(format!("https://github.com/o/n/runs/{}", self.next_id));
                self.runs.push(run);
                self.annotations.push(Vec::new());
                (201, self.fill_run(self.runs.len() - 1, &body))
            }
            (method @ ("GET" | "PATCH"), [.., "check-runs", id]) => {
                match self.runs.iter().position(|run| run["id"].as_u64() == id.parse().ok()) {
                    Some(at) if method == "PATCH" => (200, self.fill_run(at, &body)),
                    Some(at) => (200, self.runs[at].clone()),
                    None => not_found(),
                }
            }
            ("GET", [.., "issues", _, "comments"]) if self.lists_lag => (200, json!([])),
            ("GET", [.., "issues", _, "comments"]) => (200, json!(self.comments)),
            ("POST", [.., "issues", _, "comments"]) => (201, self.add_comment(ME, &text(&body["body"]))),
            (method, [.., "issues", "comments", id]) => {
                match self.comments.iter().position(|comment| comment["id"].as_u64() == id.parse().ok()) {
                    Some(at) if method == "DELETE" => {
                        self.comments.remove(at);
                        (204, Value::Null)
                    }
                    Some(at) => {
                        self.comments[at]["body"] = body["body"].clone();
                        (200, self.comments[at].clone())
                    }
                    None => not_found(),
                }
            }
            ("GET", [.., "labels", name]) if self.labels.iter().any(|label| label == name) => {
                (200, example("GET", "/repos/{owner}/{repo}/labels/{name}"))
            }
            ("GET", [.., "labels", _]) => not_found(),
            ("POST", [.., "issues", _, "labels"]) => {
                (200, example("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels"))
            }
            ("POST", [.., "labels"]) if self.labels.contains(&text(&body["name"])) => {
                (422, json!({ "message": "Validation Failed", "errors": [{ "code": "already_exists" }] }))
            }
            ("POST", [.., "labels"]) => {
                self.labels.push(text(&body["name"]));
                (201, example("POST", "/repos/{owner}/{repo}/labels"))
            }
            ("POST", [.., "pulls"]) if self.pulls.iter().any(|pull| pull["head"]["ref"] == body["head"]) => (
                422,
                json!({ "message": "Validation Failed",
                    "errors": [{ "message": "A pull request already exists for o:feat/a1/x." }] }),
            ),
            ("POST", [.., "pulls"]) => {
                let mut pull = example("POST", "/repos/{owner}/{repo}/pulls");
                pull["number"] = json!(1347 + self.pulls.len());
                pull["head"]["ref"] = body["head"].clone();
                pull["base"]["ref"] = body["base"].clone();
                pull["title"] = body["title"].clone();
                let mut simple = example("GET", "/repos/{owner}/{repo}/pulls")[0].clone();
                for key in ["number", "title", "head", "base"] {
                    simple[key] = pull[key].clone();
                }
                self.pulls.push(simple);
                (201, pull)
            }
            ("GET", [.., "pulls"]) => (200, json!(self.pulls)),
            ("GET", [.., "pulls", number]) => {
                let mut pull = example("GET", "/repos/{owner}/{repo}/pulls/{pull_number}");
                (pull["number"], pull["labels"]) = (json!(number.parse::<u64>().unwrap()), json!([]));
                (pull["title"], pull["head"]["ref"]) = (json!("[A2] feat: x"), json!("feat/a2/x"));
                (pull["head"]["sha"], pull["base"]["ref"]) = (json!(self.head), json!("main"));
                self.pull.iter().for_each(|change| change(&mut pull));
                (200, pull)
            }
            ("GET", [.., "issues", _, "events"]) => (200, json!(self.label_events)),
            ("GET", [.., "pulls", _, "reviews"]) => {
                let example = &example("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews")[0];
                let reviews = self.reviews.iter().map(|(login, state, of)| {
                    let mut review = example.clone();
                    (review["user"]["login"], review["state"]) = (json!(login), json!(state));
                    review["commit_id"] = json!(of.unwrap_or(&self.head));
                    review
                });
                (200, reviews.collect())
            }
            ("GET", [.., "activity"]) => {
                let mut all = example("GET", "/repos/{owner}/{repo}/activity");
                all.as_array_mut().unwrap().truncate(1);
                if let Some((actor, at)) = self.pushed {
                    (all[0]["after"], all[0]["timestamp"]) = (json!(self.head), json!(at));
                    all[0]["actor"]["login"] = json!(actor);
                }
                (200, all)
            }
            ("GET", [.., "collaborators", login, "permission"]) => {
                let mut answer = example("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission");
                let role = if *login == "alice" { "maintain" } else { "write" };
                (answer["permission"], answer["role_name"]) = (json!("write"), json!(role));
                (200, answer)
            }
            _ => not_found(),
        }
    }

    /// As GitHub does it: annotations are added to those that are there.
    fn fill_run(&mut self, at: usize, body: &Value) -> Value {
        let run = &mut self.runs[at];
        for key in ["name", "head_sha", "external_id", "conclusion", "status", "details_url"] {
            if !body[key].is_null() {
                run[key] = body[key].clone();
            }
        }
        for key in ["title", "summary", "text"] {
            run["output"][key] = body["output"][key].clone();
        }
        let new = body["output"]["annotations"].as_array().cloned().unwrap_or_default();
        self.annotations[at].extend(new);
        run["output"]["annotations_count"] = json!(self.annotations[at].len());
        run.clone()
    }
}
