//! Who we are.

use serde::Deserialize;
use serde_json::json;

use super::GitHub;
use super::error::Error;
use super::wire::Account;

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
        let call =
            self.client.graphql("Viewer", "query Viewer { viewer { login } }", json!({}), "contents: read");
        // It changes nothing, so it may be sent again.
        let answer = self.client.repeat(&call)?;
        let data: Data = self.client.graphql_data(&call, &answer, &[])?;
        Ok(data.viewer.login)
    }
}
