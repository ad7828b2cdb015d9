//! What is answered to a request: the page and its data, to whoever may have them.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use lane_core::metrics::html;
use subtle::ConstantTimeEq;

use super::kept::{Kept, Reading};
use super::{INTERVAL, Source};

/// What an answer has.
pub type Body = Full<Bytes>;

/// How long what everybody is at is good for.
const STATUS: Duration = Duration::from_secs(1);
/// How long a report is: it may take seconds to read, and its period is of days.
const REPORT: Duration = Duration::from_secs(10);

/// Said with each answer: nobody keeps it, frames it, guesses its type, or is told where it came from.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];
/// What an answer that is no page may load: nothing.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

/// What is served, and to whom.
pub struct Site {
    port: u16,
    token: String,
    status: Kept,
    report: Kept,
}

impl Site {
    /// What comes from this source, behind this token.
    pub fn new(port: u16, token: String, source: impl Source) -> Self {
        let source = Arc::new(source);
        let other = Arc::clone(&source);
        let status = Kept::new(STATUS, move || source.status());
        let report = Kept::new(REPORT, move || other.report());
        Self { port, token, status, report }
    }

    /// Where it is.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.port, self.token)
    }

    /// Answers a request.
    pub async fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        if !self.is_own_host(request) {
            return plain(StatusCode::FORBIDDEN, "this host is not served here\n");
        }
        match self.page(request.uri().path()) {
            Some("") => match self.report.get().await {
                Ok(report) => page(&report),
                Err(why) => plain(StatusCode::SERVICE_UNAVAILABLE, &format!("{why}\n")),
            },
            Some("status.json") => json(self.status.get().await),
            Some("report.json") => json(self.report.get().await),
            _ => plain(StatusCode::NOT_FOUND, "not found\n"),
        }
    }

    /// What is asked for behind the token; `None` where that is another, whatever else the path has.
    fn page<'a>(&self, path: &'a str) -> Option<&'a str> {
        let (token, rest) = path.strip_prefix('/')?.split_once('/')?;
        // As long for each token, so that none can be found out bit by bit.
        bool::from(token.as_bytes().ct_eq(self.token.as_bytes())).then_some(rest)
    }

    /// Whether it was this machine's own name that was asked for. Another name that leads here (DNS rebinding) would make
    /// this page one of its own site's.
    fn is_own_host(&self, request: &Request<Incoming>) -> bool {
        let mut named = request.headers().get_all(header::HOST).iter().map(HeaderValue::as_bytes);
        let (Some(host), None) = (named.next(), named.next()) else { return false };
        let is_own = |host: &[u8]| {
            ["127.0.0.1", "localhost"].iter().any(|own| {
                host.eq_ignore_ascii_case(format!("{own}:{}", self.port).as_bytes())
                    || (self.port == 80 && host.eq_ignore_ascii_case(own.as_bytes()))
            })
        };
        is_own(host) && request.uri().authority().is_none_or(|named| is_own(named.as_str().as_bytes()))
    }
}

fn page(report: &Bytes) -> Response<Body> {
    let text = html::served(&String::from_utf8_lossy(report), INTERVAL);
    let policy = format!("{}; frame-ancestors 'none'", html::security_policy(&text));
    response(StatusCode::OK, HTML, &policy, text.into())
}

fn json(reading: Reading) -> Response<Body> {
    match reading {
        Ok(text) => response(StatusCode::OK, JSON, NOTHING, text),
        Err(why) => {
            let text = serde_json::json!({ "error": why }).to_string();
            response(StatusCode::SERVICE_UNAVAILABLE, JSON, NOTHING, text.into())
        }
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    response(status, TEXT, NOTHING, text.to_owned().into())
}

fn response(status: StatusCode, kind: &'static str, policy: &str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let policy = HeaderValue::from_str(policy).unwrap_or(HeaderValue::from_static(NOTHING));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
