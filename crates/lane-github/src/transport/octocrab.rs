//! All that knows octocrab, http and tokio.
//!
//! octocrab brings the TLS, the token's header (sent to the API's host alone), the API's version and the time to
//! connect. Its retries are switched off, for they send a `POST` again that may have taken effect; its own calls are
//! not used, for they read one page, fail on a field that nobody asked for, and hide the headers.

use std::time::Duration;

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Limited};
use octocrab::Octocrab;
use tokio::runtime::{Builder, Runtime};
use url::Url;

use super::{Answer, Call, Method, Patience};
use crate::error::Error;
use crate::settings::Settings;

type Response = http::Response<BoxBody<bytes::Bytes, octocrab::Error>>;

pub struct Transport {
    octocrab: Octocrab,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    answer: Duration,
}

impl Transport {
    pub fn new(settings: &Settings, patience: &Patience) -> Result<Self, Error> {
        let broken = |why: String| {
            Error::settings(
                format!("a connection to GitHub could not be set up: {}", settings.token.hidden_in(&why)),
                "check that CA certificates are installed (on Debian: apt-get install ca-certificates)",
            )
        };
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|e| broken(e.to_string()))?;
        // octocrab starts a task while it is built.
        let guard = runtime.enter();
        // The host alone: octocrab would put the API's path before each that does not begin with it, as GraphQL's.
        let octocrab = Octocrab::builder()
            .base_uri(settings.api.origin().ascii_serialization())
            .map_err(|e| broken(reason(&e)))?
            .personal_token(settings.token.reveal())
            .set_connect_timeout(Some(patience.connect))
            .build()
            .map_err(|e| broken(reason(&e)))?;
        drop(guard);
        Ok(Self { octocrab, runtime: Some(runtime), answer: patience.answer })
    }

    /// Sends it once.
    ///
    /// # Errors
    /// Why there is no answer: it may have taken effect all the same.
    pub fn send(&self, call: &Call) -> Result<Answer, String> {
        let Some(runtime) = &self.runtime else { return Err("the connection is closed".to_owned()) };
        let in_time = async { tokio::time::timeout(self.answer, self.exchange(call)).await };
        match runtime.block_on(in_time) {
            Ok(answered) => answered.map_err(|error| reason(&error)),
            Err(_) => Err(format!("none within {} s", self.answer.as_secs_f32())),
        }
    }

    /// Fetches a file, from any host: the API's alone is given the token. What is not a success has no bytes.
    ///
    /// # Errors
    /// Why there is no answer, or that it has more than `most` bytes.
    pub fn fetch(&self, url: &Url, most: usize) -> Result<(Answer, Vec<u8>), String> {
        let Some(runtime) = &self.runtime else { return Err("the connection is closed".to_owned()) };
        let call = Call { method: Method::Get, url: url.clone(), body: None, needs: "" };
        let fetched = async {
            let response = self.response(&call).await.map_err(|error| reason(&error))?;
            let answer = head_of(&response);
            if !response.status().is_success() {
                return Ok((answer, Vec::new()));
            }
            let body = Limited::new(response.into_body(), most).collect().await;
            let bytes = body.map_err(|error| reason(&*error))?.to_bytes();
            Ok((answer, bytes.to_vec()))
        };
        match runtime.block_on(async { tokio::time::timeout(self.answer, fetched).await }) {
            Ok(fetched) => fetched,
            Err(_) => Err(format!("none within {} s", self.answer.as_secs_f32())),
        }
    }

    async fn response(&self, call: &Call) -> octocrab::Result<Response> {
        let request = http::Request::builder()
            .method(call.method.name())
            .uri(call.url.as_str())
            .header(http::header::ACCEPT, "application/vnd.github+json, application/json");
        let request = self.octocrab.build_request(request, call.body.as_ref())?;
        self.octocrab.execute(request).await
    }

    async fn exchange(&self, call: &Call) -> octocrab::Result<Answer> {
        let response = self.response(call).await?;
        let answer = head_of(&response);
        Ok(Answer { body: self.octocrab.body_to_string(response).await?, ..answer })
    }
}

/// What is answered, but for the body.
fn head_of(response: &Response) -> Answer {
    let header = |name: &str| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    Answer {
        status: response.status().as_u16(),
        body: String::new(),
        link: header("link"),
        location: header("location"),
        retry_after: header("retry-after"),
        remaining: header("x-ratelimit-remaining"),
        reset: header("x-ratelimit-reset"),
    }
}

impl Drop for Transport {
    /// A name that is still being looked up keeps nobody waiting.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The innermost reason, which is the one that says something: `Connection refused`, not `Service Error`.
fn reason(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
