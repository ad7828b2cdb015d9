//! A webhook that takes messages as Slack does.
//!
//! Its address is a secret: whoever has it may write there. No message of ours has more of it than the host.

use std::sync::mpsc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use url::{Host, Url};

use super::{Channel, Failure, IsEnding};
use lane_core::inbox::{Notice, slack};
use lane_core::text::plain;

/// How long one message may take, with its answer.
const LIMIT: Duration = Duration::from_secs(10);
/// How often it is looked whether this process is to end.
const TICK: Duration = Duration::from_millis(50);
/// The most bytes that are read of an answer, and the most characters that are shown of it.
const ANSWER: (usize, usize) = (4_096, 80);

/// A webhook.
pub struct Webhook {
    url: Url,
    place: String,
}

/// Where a webhook is, without its secret.
fn host_of(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

impl Webhook {
    /// One at this address. `place`: which repository the messages are about.
    ///
    /// # Errors
    /// What is wrong with the address, without it.
    pub fn new(address: &str, place: &str) -> Result<Self, String> {
        let url = Url::parse(address.trim()).map_err(|_| "is not an address".to_owned())?;
        let is_local = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err("is not an address".to_owned()),
        };
        match url.scheme() {
            "https" => Ok(Self { url, place: place.to_owned() }),
            "http" if is_local => Ok(Self { url, place: place.to_owned() }),
            _ => Err("must begin with https://; http:// is for this machine alone".to_owned()),
        }
    }

    /// Where it is, without its secret.
    pub fn host(&self) -> String {
        host_of(&self.url)
    }

    /// A text in which the address does not stand, whoever wrote it.
    fn without_secret(&self, text: &str) -> String {
        let path = self.url.path();
        let text = text.replace(self.url.as_str(), &host_of(&self.url));
        if path.len() > 1 { text.replace(path, "/…") } else { text }
    }
}

impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn most(&self) -> usize {
        slack::MOST
    }

    fn deliver(&mut self, notices: &[Notice], is_ending: IsEnding<'_>) -> Result<(), Failure> {
        let body = slack::message(&self.place, notices).to_string();
        let (url, (sender, answered)) = (self.url.clone(), mpsc::channel());
        // Another thread: a server that does not answer keeps nobody from ending this process.
        std::thread::spawn(move || {
            let _ = sender.send(post(&url, body));
        });
        loop {
            match answered.recv_timeout(TICK) {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(failure)) => return Err(self.cleaned(failure)),
                Err(mpsc::RecvTimeoutError::Timeout) if is_ending() => return Err(Failure::Interrupted),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(Failure::Later("the connection broke off".to_owned(), None));
                }
            }
        }
    }
}

impl Webhook {
    fn cleaned(&self, failure: Failure) -> Failure {
        let at = |why: &str| format!("{}: {}", host_of(&self.url), self.without_secret(why));
        match failure {
            Failure::Later(why, after) => Failure::Later(at(&why), after),
            Failure::Never(why) => Failure::Never(at(&why)),
            Failure::Unusable(why) => Failure::Unusable(at(&why)),
            Failure::Interrupted => Failure::Interrupted,
        }
    }
}

fn post(url: &Url, body: String) -> Result<(), Failure> {
    let later = |why: String| Failure::Later(why, None);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| later(error.to_string()))?;
    let sent = async { tokio::time::timeout(LIMIT, exchange(url, body)).await };
    let result = match runtime.block_on(sent) {
        Ok(result) => result,
        Err(_) => Err(later(format!("no answer within {} s", LIMIT.as_secs()))),
    };
    // A name that is still being looked up keeps nobody waiting.
    runtime.shutdown_background();
    result
}

async fn exchange(url: &Url, body: String) -> Result<(), Failure> {
    let connector = HttpsConnectorBuilder::new()
        .with_native_roots()
        .map_err(|error| Failure::Unusable(format!("no CA certificates: {error}")))?
        .https_or_http()
        .enable_http1()
        .build();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let request = Request::builder()
        .method(Method::POST)
        .uri(url.as_str())
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .header(USER_AGENT, concat!("git-lane/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| Failure::Unusable(error.to_string()))?;
    let response = client.request(request).await.map_err(|error| Failure::Later(innermost(&error), None))?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let after =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let answer = Limited::new(response.into_body(), ANSWER.0).collect().await;
    let answer = answer.map(|answer| answer.to_bytes()).unwrap_or_default();
    let answer: String = plain(&String::from_utf8_lossy(&answer)).chars().take(ANSWER.1).collect();
    let said = if answer.is_empty() { String::new() } else { format!(": {answer}") };
    let why = format!("answered {}{said}", status.as_u16());
    Err(match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Failure::Later(why, after.map(Duration::from_secs))
        }
        status if status.is_server_error() => Failure::Later(why, after.map(Duration::from_secs)),
        // What Slack says of a message that it does not take: nothing is wrong with the address.
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE => Failure::Never(why),
        _ => Failure::Unusable(why),
    })
}

/// The innermost reason, which is the one that says something.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let is_fine = |address: &str| Webhook::new(address, "x").map(|_| ());
        assert_eq!(is_fine("https://hooks.slack.com/services/T0/B0/x"), Ok(()));
        assert_eq!(is_fine("http://127.0.0.1:8065/hooks/x"), Ok(()));
        assert_eq!(is_fine("http://[::1]:80/x"), Ok(()));
        let insecure = Err("must begin with https://; http:// is for this machine alone".to_owned());
        assert_eq!(is_fine("http://hooks.slack.com/services/T0/B0/x"), insecure);
        assert_eq!(is_fine("file:///etc/passwd"), Err("is not an address".to_owned()));
        assert_eq!(is_fine("T0/B0/x"), Err("is not an address".to_owned()));
    }

    #[test]
    fn no_message_has_the_secret() {
        let hook = Webhook::new("https://hooks.slack.com/services/T0/B0/secret", "x").unwrap();
        let failure = Failure::Later(
            "https://hooks.slack.com/services/T0/B0/secret is /services/T0/B0/secret".into(),
            None,
        );
        let Failure::Later(text, None) = hook.cleaned(failure) else { panic!("another kind") };
        assert_eq!(text, "https://hooks.slack.com: https://hooks.slack.com is /…");
    }
}
