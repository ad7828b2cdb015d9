//! GraphQL, for what REST has no endpoint for. An answer of status 200 may hold errors, data, or both.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::client::{Client, useless};
use super::error::Error;
use super::transport::{Answer, Call, Method};

#[derive(Deserialize)]
struct Response {
    data: Option<Value>,
    #[serde(default)]
    errors: Vec<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    message: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    path: Vec<Value>,
}

impl Failure {
    /// Where it went wrong, as `repository.mergeQueue`.
    fn place(&self) -> String {
        let step = |step: &Value| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
        self.path.iter().map(step).collect::<Vec<_>>().join(".")
    }

    fn is(&self, kind: &str) -> bool {
        self.kind.as_deref() == Some(kind)
    }
}

/// The status that REST would have answered with, for a limit and for a fault of GitHub's own; both are worth another try.
/// Everything else is decided where the data are read.
pub(super) fn status_of(answer: &Answer) -> u16 {
    let is_success = (200..300).contains(&answer.status);
    let Some(read) = is_success.then(|| serde_json::from_str::<Response>(&answer.body).ok()).flatten() else {
        return answer.status;
    };
    let is_limit = |failure: &Failure| {
        failure.is("RATE_LIMITED") || failure.message.to_ascii_lowercase().contains("rate limit")
    };
    let is_internal = |failure: &Failure| {
        failure.is("INTERNAL")
            || failure.message.starts_with("Something went wrong while executing your query")
    };
    match read.errors.as_slice() {
        errors if errors.iter().any(is_limit) => 429,
        errors if errors.iter().any(is_internal) => 502,
        _ => answer.status,
    }
}

impl Client {
    /// A call of one named operation.
    pub fn graphql(&self, operation: &str, query: &str, variables: Value, needs: &'static str) -> Call {
        let body = json!({ "query": query, "operationName": operation, "variables": variables });
        Call { method: Method::Post, url: self.graphql_url(), body: Some(body), needs }
    }

    /// The data of an answer. An error in one of the `optional` places leaves `null` there and no more.
    ///
    /// # Errors
    /// The first error in any other place.
    pub fn graphql_data<T: DeserializeOwned>(
        &self,
        call: &Call,
        answer: &Answer,
        optional: &[&str],
    ) -> Result<T, Error> {
        let read: Response = self.decode(call, answer)?;
        if let Some(failure) = read.errors.iter().find(|it| !optional.contains(&it.place().as_str())) {
            return Err(self.graphql_error(call, failure));
        }
        let data = read.data.ok_or_else(|| useless(call, answer.status, "there is no data"))?;
        serde_json::from_value(data).map_err(|error| {
            useless(call, answer.status, &self.plain(&format!("its data do not fit: {error}")))
        })
    }

    /// What went wrong in one of the places that may lack.
    pub fn graphql_error_at(&self, call: &Call, answer: &Answer, place: &str) -> Option<Error> {
        let read: Response = self.decode(call, answer).ok()?;
        let failure = read.errors.iter().find(|failure| failure.place() == place)?;
        Some(self.graphql_error(call, failure))
    }

    fn graphql_error(&self, call: &Call, failure: &Failure) -> Error {
        let (name, message, needs) = (call.to_string(), self.plain(&failure.message), call.needs);
        match failure.kind.as_deref() {
            Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => Error::Forbidden { call: name, message, needs },
            Some("NOT_FOUND") => Error::NotFound { call: name, needs },
            _ if failure.message.starts_with("Resource not accessible") => {
                Error::Forbidden { call: name, message, needs }
            }
            _ => Error::Refused { call: name, message },
        }
    }
}
