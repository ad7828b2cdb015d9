//! Addresses, asked in this process: a status, and no more of the body than is worth reading.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, CONNECTION, LOCATION, USER_AGENT};
use hyper::{Request, Response, Uri};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;

use super::{Finding, OUTPUT, Probe, Question, REQUESTS, Verdict};
use lane_core::health::{Answer, State, of_answer};
use lane_core::policy::scalar::format_duration;

/// How often it is looked at whether everything is to end.
const TICK: Duration = Duration::from_millis(50);

/// What came of a request.
type Asked = Result<Answer, Failure>;

/// Why there is no answer.
#[derive(Debug)]
enum Failure {
    /// The service did not give one.
    Service(String),
    /// It could not be asked.
    Request(String),
}

/// Asks the addresses among the questions.
pub(super) fn ask(probes: &[Probe<'_>], is_over: &AtomicBool) -> Vec<(usize, Finding)> {
    let addresses = probes.iter().enumerate().filter_map(|(at, probe)| match &probe.question {
        Question::Address(address, timeout) => Some((at, Arc::<str>::from(address.as_str()), *timeout)),
        _ => None,
    });
    let mut waiting: VecDeque<(usize, Arc<str>, Duration)> = addresses.collect();
    if waiting.is_empty() {
        return Vec::new();
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let unknown =
                |at| (at, Finding::of(Verdict::unknown(format!("no request can be sent: {error}"))));
            return waiting.into_iter().map(|(at, ..)| unknown(at)).collect();
        }
    };
    let mut findings = Vec::new();
    runtime.block_on(async {
        let mut running = JoinSet::new();
        while !is_over.load(Ordering::Relaxed) {
            while running.len() < REQUESTS
                && let Some((at, address, timeout)) = waiting.pop_front()
            {
                running.spawn(async move {
                    let started = Instant::now();
                    let asked = within(&address, timeout).await;
                    (at, asked, timeout, started.elapsed())
                });
            }
            match tokio::time::timeout(TICK, running.join_next()).await {
                Ok(Some(Ok((at, asked, timeout, time)))) => {
                    findings.push((at, judged(&probes[at], asked, timeout, time)));
                }
                Ok(None) if waiting.is_empty() => break,
                _ => {}
            }
        }
    });
    // A name that is still being looked up keeps nobody waiting.
    runtime.shutdown_background();
    findings
}

fn judged(probe: &Probe<'_>, asked: Asked, timeout: Duration, time: Duration) -> Finding {
    let answer = match asked {
        Ok(answer) => answer,
        Err(Failure::Service(reason)) => {
            let verdict = Verdict { state: State::Unhealthy, reason };
            return Finding { time, ..Finding::of(verdict) };
        }
        Err(Failure::Request(reason)) => return Finding { time, ..Finding::of(Verdict::unknown(reason)) },
    };
    let verdict = of_answer(&probe.check, &answer, timeout);
    Finding { verdict, output: answer.body, exit_code: None, status: Some(answer.status), time }
}

async fn within(address: &str, timeout: Duration) -> Asked {
    let end = tokio::time::Instant::now() + timeout;
    let response = tokio::time::timeout_at(end, send(address)).await;
    let late = || Failure::Service(format!("no answer within {}", format_duration(timeout.as_secs())));
    let response = response.unwrap_or_else(|_| Err(late()))?;
    let location = response.headers().get(LOCATION);
    let location = location.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut answer =
        Answer { status: response.status().as_u16(), location, body: String::new(), is_unfinished: false };
    let mut bytes = Vec::new();
    let mut body = response.into_body();
    loop {
        let frame = match tokio::time::timeout_at(end, body.frame()).await {
            Err(_) => {
                answer.is_unfinished = true;
                break;
            }
            Ok(None) => break,
            Ok(Some(Err(error))) => {
                let status = answer.status;
                return Err(Failure::Service(format!(
                    "status {status}, but its body broke off: {}",
                    reason(&error)
                )));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() as u64 > OUTPUT {
            break;
        }
    }
    answer.body = String::from_utf8_lossy(&bytes).into_owned();
    Ok(answer)
}

async fn send(address: &str) -> Result<Response<Incoming>, Failure> {
    let wrong = |why: String| Failure::Request(format!("{address} cannot be asked: {why}"));
    let uri: Uri = address.parse().map_err(|error: hyper::http::uri::InvalidUri| wrong(error.to_string()))?;
    let is_secure = uri.scheme_str() == Some("https");
    let request = Request::get(uri)
        .header(USER_AGENT, concat!("git-lane/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| wrong(error.to_string()))?;
    let answered = if is_secure {
        let secure = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| wrong(format!("{error}; check that CA certificates are installed")))?;
        let connector = secure.https_only().enable_http1().build();
        Client::builder(TokioExecutor::new()).build(connector).request(request).await
    } else {
        Client::builder(TokioExecutor::new()).build(HttpConnector::new()).request(request).await
    };
    answered.map_err(|error| Failure::Service(reason(&error)))
}

/// The innermost reason, which is the one that says something: `Connection refused`.
fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    text.split_once(" (os error ").map_or(text.as_str(), |(words, _)| words).to_owned()
}
