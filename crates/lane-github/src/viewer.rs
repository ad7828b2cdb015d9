//! Who we are.

use serde::Deserialize;
use serde_json::json;

use super::GitHub;
use super::client::useless;
use super::error::Error;
use super::transport::{Call, Method};
use super::wire::Account;

#[derive(Deserialize)]
struct GraphQl {
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    viewer: Viewer,
}

#[derive(Deserialize)]
struct Viewer {
    login: String,
}

impl GitHub {
    /// Our own login; asked for once. A person's as it is, an app's with `[bot]` at its end, as comments show it.
    ///
    /// `GET /user` knows people only and gives 403 to the token of an app, which the token of a workflow is; for
    /// that GraphQL has `viewer`.
    ///
    /// # Errors
    /// Any.
    pub fn viewer(&self) -> Result<&str, Error> {
        if let Some(login) = self.viewer.get() {
            return Ok(login);
        }
        let user = self.client.url(&["user"], &[])?;
        let login = match self.client.get::<Account>(user, "contents: read") {
            Ok(user) => user.login,
            Err(error) if error.is_forbidden() => self.viewer_of_graphql()?,
            Err(error) => return Err(error),
        };
        Ok(self.viewer.get_or_init(|| login))
    }

    fn viewer_of_graphql(&self) -> Result<String, Error> {
        let call = Call {
            method: Method::Post,
            url: self.client.graphql_url(),
            body: Some(json!({ "query": "{ viewer { login } }" })),
            needs: "contents: read",
        };
        // It changes nothing, so it may be sent again.
        let answer = self.client.repeat(&call)?;
        let read: GraphQl = self.client.decode(&call, &answer)?;
        let data = read.data.ok_or_else(|| useless(&call, answer.status, "it does not name the account"))?;
        Ok(data.viewer.login)
    }
}
