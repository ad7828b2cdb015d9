//! Calls that hold: sent again where that is safe, looked after where it is not, within GitHub's limits, all pages.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::error::Error;
use super::graphql;
use super::limits::{Clock, next_page, wait_asked};
use super::settings::{Settings, Token, is_loopback};
use super::transport::{Answer, Call, Method, Patience, Transport};

/// Waits before the second, third and fourth time that something is sent.
const BACK_OFF: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
/// More pages than any repository has, so that a circle of links ends.
const PAGES: usize = 1000;
const REDIRECTS: usize = 3;

pub(super) struct Client {
    transport: Transport,
    api: Url,
    token: Token,
    clock: Box<dyn Clock>,
    /// How long limits may still be waited for.
    waiting: Cell<Duration>,
}

/// Why a request has no usable answer.
enum Failure {
    /// GitHub has decided, and nothing took effect.
    Final(Error),
    /// No answer, or a 5xx: it may have taken effect.
    Unsure(Error),
}

impl Client {
    pub fn new(settings: &Settings, patience: &Patience, clock: Box<dyn Clock>) -> Result<Self, Error> {
        Ok(Self {
            transport: Transport::new(settings, patience)?,
            api: settings.api.clone(),
            token: settings.token.clone(),
            clock,
            waiting: Cell::new(patience.limits),
        })
    }

    /// The address of an endpoint, its parts and its query encoded.
    pub fn url(&self, parts: &[&str], query: &[(&str, &str)]) -> Result<Url, Error> {
        let mut url = self.api.clone();
        // Dots would be read as steps, in whatever encoding.
        if let Some(part) = parts.iter().find(|part| ["", ".", ".."].contains(part)) {
            return Err(Error::settings(
                format!("`{part}` is not a valid name on GitHub"),
                "use the name that GitHub shows",
            ));
        }
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// Where GraphQL is, beside the REST API: `/graphql`, on a host of one's own `/api/graphql`.
    pub fn graphql_url(&self) -> Url {
        let mut url = self.api.clone();
        let path = url.path().trim_end_matches('/');
        let path = format!("{}/graphql", path.strip_suffix("/v3").unwrap_or(path));
        url.set_path(&path);
        url
    }

    /// Asks for one thing.
    pub fn get<T: DeserializeOwned>(&self, url: Url, needs: &'static str) -> Result<T, Error> {
        let call = Call { method: Method::Get, url, body: None, needs };
        self.decode(&call, &self.repeat(&call)?)
    }

    /// Asks for a list, page by page, until there is no further page or `take` has what it wants.
    ///
    /// # Errors
    /// If any page cannot be had: a list is never left half read.
    pub fn pages<T: DeserializeOwned>(
        &self,
        url: Url,
        needs: &'static str,
        mut take: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut call = Call { method: Method::Get, url, body: None, needs };
        for _ in 0..PAGES {
            let answer = self.repeat(&call)?;
            if take(self.decode(&call, &answer)?).is_break() {
                return Ok(());
            }
            let Some(next) = answer.link.as_deref().and_then(next_page) else { return Ok(()) };
            let next = call.url.join(next).ok().filter(|next| next.origin() == self.api.origin());
            call.url =
                next.ok_or_else(|| useless(&call, answer.status, "its next page is on another host"))?;
        }
        Err(useless(&call, 200, &format!("there are more than {PAGES} pages")))
    }

    /// Fetches a file that the API sends on to, from whatever host, over https unless it is on this machine.
    ///
    /// # Errors
    /// As for any call; also where the file has more than `most` bytes.
    pub fn download(&self, url: Url, needs: &'static str, most: usize) -> Result<Vec<u8>, Error> {
        let call = Call { method: Method::Get, url, body: None, needs };
        let mut url = call.url.clone();
        for _ in 0..=REDIRECTS {
            let (answer, bytes) = self.transport.fetch(&url, most).map_err(|reason| Error::Unreachable {
                call: call.to_string(),
                reason: self.plain(&reason),
            })?;
            match answer.status {
                200..=299 => return Ok(bytes),
                301 | 302 | 303 | 307 | 308 => {
                    let next = answer.location.as_deref().and_then(|next| url.join(next).ok());
                    let is_local = |next: &Url| is_loopback(&self.api) && is_loopback(next);
                    let is_safe = |next: &Url| next.scheme() == "https" || is_local(next);
                    url = next.filter(is_safe).ok_or_else(|| useless(&call, answer.status, "no address"))?;
                }
                status => match self.refusal(&call, status, "no reason given".to_owned()) {
                    Failure::Final(error) | Failure::Unsure(error) => return Err(error),
                },
            }
        }
        Err(useless(&call, 302, "it is sent on again and again"))
    }

    /// Sends what does the same however often it is sent.
    pub fn repeat(&self, call: &Call) -> Result<Answer, Error> {
        let mut delays = BACK_OFF.into_iter();
        loop {
            match (self.attempt(call), delays.next()) {
                (Ok(answer), _) => return Ok(answer),
                (Err(Failure::Unsure(_)), Some(delay)) => self.clock.sleep(delay),
                (Err(Failure::Final(error) | Failure::Unsure(error)), _) => return Err(error),
            }
        }
    }

    /// Sends what must not be done twice. Where it is not known whether it took effect, `landed` looks, and only if
    /// it did not is it sent again.
    pub fn once<T>(
        &self,
        call: &Call,
        read: impl Fn(&Answer) -> Result<T, Error>,
        landed: impl Fn() -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        let mut delays = BACK_OFF.into_iter();
        let mut is_unsure = false;
        loop {
            match self.attempt(call) {
                Ok(answer) => return read(&answer),
                // The first one came late, and the second met it.
                Err(Failure::Final(error)) if is_unsure && error.has_status(422) => {
                    return landed()?.ok_or(error);
                }
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Unsure(error)) => {
                    is_unsure = true;
                    let delay = delays.next();
                    self.clock.sleep(delay.unwrap_or(BACK_OFF[0]));
                    match (landed()?, delay) {
                        (Some(found), _) => return Ok(found),
                        (None, Some(_)) => {}
                        (None, None) => return Err(error),
                    }
                }
            }
        }
    }

    /// Reads a body.
    pub fn decode<T: DeserializeOwned>(&self, call: &Call, answer: &Answer) -> Result<T, Error> {
        serde_json::from_str(&answer.body).map_err(|error| {
            useless(call, answer.status, &self.plain(&format!("its body does not fit: {error}")))
        })
    }

    /// Sends it, also past limits and to where it has moved, until there is an answer of its own.
    fn attempt(&self, call: &Call) -> Result<Answer, Failure> {
        let mut call = call.clone();
        let mut redirects = 0;
        loop {
            let mut answer = self.transport.send(&call).map_err(|reason| {
                Failure::Unsure(Error::Unreachable { call: call.to_string(), reason: self.plain(&reason) })
            })?;
            if call.operation().is_some() {
                answer.status = graphql::status_of(&answer);
            }
            let message = self.message(&answer);
            if let Some(wait) = wait_asked(&answer, &message, self.clock.now()) {
                self.wait(wait, &call).map_err(Failure::Final)?;
                continue;
            }
            match answer.status {
                200..=299 => return Ok(answer),
                301 | 302 | 307 | 308 if redirects < REDIRECTS => {
                    redirects += 1;
                    match self.moved(&call, &answer) {
                        Some(url) => call.url = url,
                        None => return Err(Failure::Final(useless(&call, answer.status, &message))),
                    }
                }
                status => return Err(self.refusal(&call, status, message)),
            }
        }
    }

    /// Where a renamed repository is now; only on the same host, and never with the method changed.
    fn moved(&self, call: &Call, answer: &Answer) -> Option<Url> {
        let is_kept = call.method == Method::Get || matches!(answer.status, 307 | 308);
        let url = call.url.join(answer.location.as_deref()?).ok()?;
        (is_kept && url.origin() == self.api.origin()).then_some(url)
    }

    /// Lets some time pass, for something on GitHub's side that is on its way.
    pub fn pause(&self, time: Duration) {
        self.clock.sleep(time);
    }

    fn wait(&self, wait: Duration, call: &Call) -> Result<(), Error> {
        match self.waiting.get().checked_sub(wait) {
            Some(left) => {
                self.waiting.set(left);
                self.clock.sleep(wait);
                Ok(())
            }
            None => Err(Error::RateLimited {
                call: call.to_string(),
                until: self.clock.now().saturating_add(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX)),
            }),
        }
    }

    fn refusal(&self, call: &Call, status: u16, message: String) -> Failure {
        let needs = call.needs;
        let name = call.to_string();
        match status {
            401 => Failure::Final(Error::Unauthorized { call: name, message, token_from: self.token.from }),
            403 => Failure::Final(Error::Forbidden { call: name, message, needs }),
            404 | 410 => Failure::Final(Error::NotFound { call: name, needs }),
            500.. => Failure::Unsure(Error::Answer { call: name, status, message }),
            _ => Failure::Final(Error::Answer { call: name, status, message }),
        }
    }

    /// GitHub's own word on an error: `message` and what `errors` say.
    fn message(&self, answer: &Answer) -> String {
        if (200..300).contains(&answer.status) {
            return String::new();
        }
        let Ok(body) = serde_json::from_str::<Value>(&answer.body) else {
            // A page of whatever stands in between says nothing in one line.
            let is_page = answer.body.trim_start().starts_with('<');
            return self.plain(if is_page { "" } else { &answer.body });
        };
        let mut words: Vec<&str> = body["message"].as_str().into_iter().collect();
        for error in body["errors"].as_array().into_iter().flatten() {
            words.extend(["message", "code", "field"].iter().filter_map(|key| error[*key].as_str()));
            words.extend(error.as_str());
        }
        self.plain(&words.join("; "))
    }

    /// Text from outside for one line of a terminal: short, without control characters, without the token.
    pub fn plain(&self, text: &str) -> String {
        let text = self.token.hidden_in(text);
        let kept: String = lane_core::text::plain(&text).chars().take(300).collect();
        if kept.is_empty() { "no reason given".to_owned() } else { kept }
    }
}

pub(super) fn useless(call: &Call, status: u16, message: &str) -> Error {
    Error::Answer { call: call.to_string(), status, message: message.to_owned() }
}
