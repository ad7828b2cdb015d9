//! A token goes to one host and is shown to nobody; what comes from outside cannot steer a terminal.

use lane_core::facts::Unavailable;
use lane_github::Error;
use serde_json::json;

use super::server::{Reply, Server, TOKEN, json_of};

#[test]
fn a_token_is_never_printed() {
    let settings = Server::with([Reply::Nothing]).settings("");
    assert!(!format!("{settings:?}{settings:#?}").contains(TOKEN));
    // Not even if the server says it back.
    for code in [400, 401, 403, 404, 422, 429, 500] {
        let server =
            Server::with([0; 4].map(|_| json_of(code, json!({ "message": format!("Bad: {TOKEN}") }))));
        let error = server.github().pull_request(1).unwrap_err();
        let why = Unavailable::from(error.clone());
        let shown = format!("{error}{error:?}{error:#?}{}{why:?}", error.help());
        assert!(!shown.contains(TOKEN), "{shown}");
    }
    let server = Server::with([json_of(401, json!({ "message": "Bad credentials" }))]);
    let error = server.github().pull_request(1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "GitHub rejected the token from GH_TOKEN (GET /repos/o/n/pulls/1): Bad credentials"
    );
}

#[test]
fn a_body_that_does_not_fit_does_not_show_the_token() {
    let server = Server::with([json_of(200, json!({ "number": TOKEN }))]);
    let error = server.github().pull_request(1).unwrap_err();
    assert!(!format!("{error}{error:?}").contains(TOKEN), "{error}");
}

#[test]
fn messages_from_outside_are_one_plain_line() {
    let message = format!("\u{1b}[2J\r\nfine{}", "!".repeat(1000));
    let server = Server::with([json_of(422, json!({ "message": message }))]);
    let error = server.github().pull_request(1).unwrap_err();
    let Error::Answer { message, .. } = &error else { panic!("{error:?}") };
    assert!(!message.contains(char::is_control) && message.len() <= 300, "{message:?}");
}

#[test]
fn names_cannot_leave_their_place_in_the_address() {
    let server = Server::with([json_of(200, json!({ "permission": "none", "role_name": "" }))]);
    let github = server.github();
    github.permission("../../user?x#y").unwrap();
    assert_eq!(server.asked(), ["GET /repos/o/n/collaborators/..%2F..%2Fuser%3Fx%23y/permission"]);
    for name in ["..", ".", ""] {
        assert!(matches!(github.permission(name), Err(Error::Settings { .. })), "{name:?}");
    }
    assert_eq!(server.asked().len(), 1);
}
