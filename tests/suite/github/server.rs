//! A server that answers as it is told, and a client that speaks to it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lane_github::{Clock, GitHub, Patience, Settings};
use serde_json::Value;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::description::DESCRIPTION;

pub const TOKEN: &str = "ghp_averysecrettokenindeed";
pub const NOW: i64 = 1_770_000_000;

/// What becomes of one request.
pub enum Reply {
    Answer(ResponseTemplate),
    /// The connection breaks.
    Nothing,
}

impl From<ResponseTemplate> for Reply {
    fn from(answer: ResponseTemplate) -> Self {
        Self::Answer(answer)
    }
}

pub fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

pub fn json_of(code: u16, body: impl serde::Serialize) -> ResponseTemplate {
    ResponseTemplate::new(code).set_body_json(body)
}

pub struct Server {
    mock: MockServer,
    runtime: tokio::runtime::Runtime,
    pub slept: Arc<Mutex<Vec<Duration>>>,
}

/// A clock that stands still, and notes for how long it was waited.
pub struct TestClock(pub Arc<Mutex<Vec<Duration>>>);

impl Clock for TestClock {
    fn now(&self) -> i64 {
        NOW
    }

    fn sleep(&self, time: Duration) {
        self.0.lock().unwrap().push(time);
    }
}

impl Server {
    /// A server that asks `reply` about each request.
    pub fn new(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mock = runtime.block_on(MockServer::start());
        // Matching decides, and leaves the answer for the responder; requests come one at a time.
        let answer = Arc::new(Mutex::new(status(500)));
        let matched = answer.clone();
        let matcher = move |request: &Request| match reply(request) {
            Reply::Answer(template) => {
                *matched.lock().unwrap() = template;
                true
            }
            Reply::Nothing => false,
        };
        let answers = Mock::given(matcher).respond_with(move |_: &Request| answer.lock().unwrap().clone());
        let breaks = Mock::given(any())
            .respond_with_err(|_: &Request| std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        runtime.block_on(answers.with_priority(1).mount(&mock));
        runtime.block_on(breaks.with_priority(2).mount(&mock));
        Self { mock, runtime, slept: Arc::default() }
    }

    /// A server with these answers, one after the other; then it is out of them.
    pub fn with(replies: impl IntoIterator<Item = impl Into<Reply>>) -> Self {
        let replies: Vec<Reply> = replies.into_iter().map(Into::into).collect();
        let replies = Mutex::new(replies.into_iter());
        Self::new(move |_| replies.lock().unwrap().next().unwrap_or(status(599).into()))
    }

    pub fn address(&self) -> String {
        self.mock.uri()
    }

    pub fn settings(&self, base: &str) -> Settings {
        let api = format!("{}{base}", self.address());
        let vars = [("GITHUB_API_URL", api.as_str()), ("GITHUB_REPOSITORY", "o/n"), ("GH_TOKEN", TOKEN)];
        let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        Settings::read(var, None).unwrap()
    }

    pub fn github(&self) -> GitHub {
        self.github_with(&Patience::default(), "")
    }

    pub fn github_with(&self, patience: &Patience, base: &str) -> GitHub {
        GitHub::with(&self.settings(base), patience, Box::new(TestClock(self.slept.clone()))).unwrap()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.runtime.block_on(self.mock.received_requests()).unwrap()
    }

    /// `GET /path?query` of each request.
    pub fn asked(&self) -> Vec<String> {
        let line = |request: &Request| {
            let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
            format!("{} {}{query}", request.method, request.url.path())
        };
        self.requests().iter().map(line).collect()
    }

    /// The seconds of each wait.
    pub fn slept(&self) -> Vec<f64> {
        self.slept.lock().unwrap().iter().map(Duration::as_secs_f64).collect()
    }
}

pub fn body_of(request: &Request) -> Option<Value> {
    (!request.body.is_empty()).then(|| serde_json::from_slice(&request.body).unwrap())
}

/// Every request of every test has to be one that GitHub describes, with the headers that it wants.
impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for request in self.requests() {
            let faults =
                DESCRIPTION.faults(request.method.as_str(), &request.url, body_of(&request).as_ref());
            assert!(faults.is_empty(), "{} {}: {faults:#?}", request.method, request.url);
            let header = |name: &str| request.headers.get(name).map(|value| value.to_str().unwrap());
            assert_eq!(header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
            assert_eq!(header("accept"), Some("application/vnd.github+json, application/json"));
            assert_eq!(header("x-github-api-version"), Some("2022-11-28"));
            assert!(header("user-agent").is_some());
        }
    }
}
