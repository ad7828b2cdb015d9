//! Trouble on the way: limits, broken connections, pages, moved repositories.

use std::net::TcpListener;
use std::time::Duration;

use lane_github::{Error, Patience};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::description::example;
use super::server::{NOW, Reply, Server, json_of, status};

fn pull() -> ResponseTemplate {
    json_of(200, example("GET", "/repos/{owner}/{repo}/pulls/{pull_number}"))
}

fn limited(code: u16, message: &str, headers: &[(&'static str, String)]) -> ResponseTemplate {
    let start = json_of(code, json!({ "message": message }));
    headers.iter().fold(start, |answer, (name, value)| answer.insert_header(*name, value.as_str()))
}

fn reset_in(seconds: i64) -> Vec<(&'static str, String)> {
    vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", (NOW + seconds).to_string())]
}

#[test]
fn a_limit_that_passes_soon_is_waited_for() {
    let server = Server::with([
        limited(403, "API rate limit exceeded", &reset_in(20)),
        limited(429, "slow down", &[("retry-after", "5".to_owned())]),
        pull(),
    ]);
    assert_eq!(server.github().pull_request(1).unwrap().number, 1347);
    assert_eq!(server.slept(), [21.0, 5.0]);
}

#[test]
fn a_limit_that_takes_too_long_is_told() {
    let server = Server::with([limited(403, "API rate limit exceeded", &reset_in(1800))]);
    let error = server.github().pull_request(1).unwrap_err();
    let Error::RateLimited { until, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*until, NOW + 1801);
    assert_eq!(
        error.to_string(),
        "GitHub's rate limit is reached until 2026-02-02 03:10:01 UTC (GET /repos/o/n/pulls/1)"
    );
    assert!(error.help().contains("rerun after 2026-02-02 03:10:01 UTC"));
    assert!(server.slept().is_empty());
}

#[test]
fn waits_are_added_up_over_calls() {
    let wait = || limited(429, "slow down", &[("retry-after", "25".to_owned())]);
    let server = Server::with([wait(), pull(), wait(), pull(), wait(), pull()]);
    let github = server.github();
    github.pull_request(1).unwrap();
    github.pull_request(1).unwrap();
    assert!(matches!(github.pull_request(1), Err(Error::RateLimited { .. })));
    assert_eq!(server.slept(), [25.0, 25.0]);
}

#[test]
fn a_post_that_met_a_limit_is_sent_again() {
    let secondary = limited(403, "You have exceeded a secondary rate limit.", &[]);
    let label = example("POST", "/repos/{owner}/{repo}/labels");
    let server = Server::with([status(404), secondary, json_of(201, label)]);
    server.github().ensure_label("a1", "0e8a16", "").unwrap();
    assert_eq!(server.slept(), [60.0]);
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn questions_are_asked_again() {
    for code in [500, 502, 503, 504] {
        let server = Server::with([status(code), status(code), pull()]);
        server.github().pull_request(1).unwrap();
        assert_eq!(server.slept(), [0.5, 1.0], "{code}");
    }
    let server = Server::with([Reply::Nothing, pull().into()]);
    server.github().pull_request(1).unwrap();
    let server = Server::with([502; 4].map(status));
    let error = server.github().pull_request(1).unwrap_err();
    assert!(matches!(error, Error::Answer { status: 502, .. }));
    let page = || status(502).set_body_string("<html><h1>Unicorn!</h1></html>");
    let pages = Server::with([page(), page(), page(), page()]);
    let told = pages.github().pull_request(1).unwrap_err().to_string();
    assert_eq!(told, "GitHub answered 502 to GET /repos/o/n/pulls/1: no reason given");
    assert!(error.help().contains("githubstatus"));
    assert_eq!(server.slept(), [0.5, 1.0, 2.0]);
}

#[test]
fn what_github_has_decided_is_not_asked_again() {
    let message = |code: u16| json_of(code, json!({ "message": "No." }));
    for code in [400, 401, 403, 404, 410, 422] {
        let server = Server::with([message(code)]);
        let error = server.github().pull_request(1).unwrap_err();
        let fits = match code {
            401 => matches!(error, Error::Unauthorized { .. }),
            403 => matches!(error, Error::Forbidden { .. }),
            404 | 410 => matches!(error, Error::NotFound { .. }),
            _ => matches!(error, Error::Answer { status, .. } if status == code),
        };
        assert!(fits, "{code}: {error:?}");
        assert!(!error.help().is_empty());
        assert_eq!(server.asked().len(), 1);
    }
}

#[test]
fn an_answer_that_takes_too_long_is_none() {
    let patience = Patience { answer: Duration::from_millis(200), ..Patience::default() };
    let slow = || pull().set_delay(Duration::from_secs(1));
    let server = Server::with([slow(), pull()]);
    server.github_with(&patience, "").pull_request(1).unwrap();
    let server = Server::with([slow(), slow(), slow(), slow()]);
    let error = server.github_with(&patience, "").pull_request(1).unwrap_err();
    assert_eq!(error.to_string(), "no answer from GitHub (GET /repos/o/n/pulls/1): none within 0.2 s");
}

#[test]
fn nobody_is_there() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let vars = [
        ("GITHUB_API_URL", format!("http://{free}")),
        ("GITHUB_REPOSITORY", "o/n".to_owned()),
        ("GH_TOKEN", "t".to_owned()),
    ];
    let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, value)| value.clone());
    let settings = lane_github::Settings::read(var, None).unwrap();
    let github = lane_github::GitHub::connect(&settings).unwrap();
    let error = github.pull_request(1).unwrap_err();
    assert!(matches!(&error, Error::Unreachable { reason, .. } if reason.contains("refused")), "{error:?}");
}

/// Three pages of comments, each with the link that `next` gives to the one after it.
fn paged(next: impl Fn(&str, u32) -> String + Send + Sync + 'static) -> Server {
    let address = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let own = address.clone();
    let server = Server::new(move |request| {
        let mut pairs = request.url.query_pairs();
        let page: u32 = pairs.find(|(name, _)| name == "page").map_or(1, |(_, page)| page.parse().unwrap());
        let mut event: Value =
            example("GET", "/repos/{owner}/{repo}/issues/{issue_number}/events")[0].clone();
        event["event"] = json!("labeled");
        event["label"] = json!({ "name": format!("label-{page}"), "color": "red" });
        let answer = json_of(200, json!([event]));
        if page == 3 {
            return answer.into();
        }
        answer.insert_header("link", next(own.get().unwrap(), page + 1).as_str()).into()
    });
    address.set(server.address()).unwrap();
    server
}

#[test]
fn all_pages_are_read() {
    let server = paged(|address, page| {
        format!(
            "<{address}/repos/o/n/issues/7/events?page=1>; rel=\"first\", \
             <{address}/repos/o/n/issues/7/events?per_page=100&page={page}>; rel=\"next\""
        )
    });
    let events = server.github().label_events(7).unwrap().events;
    let labels: Vec<&str> = events.iter().map(|event| event.label.as_str()).collect();
    assert_eq!(labels, ["label-1", "label-2", "label-3"]);
}

#[test]
fn a_list_is_never_left_half_read() {
    // Another host, another port, another scheme, in the clear: the token would go with it.
    for foreign in ["http://example.com", "http://127.0.0.1:1", "https://127.0.0.1", "ftp://x"] {
        let server = paged(move |_, page| format!("<{foreign}/events?page={page}>; rel=\"next\""));
        let error = server.github().label_events(7).unwrap_err();
        assert!(error.to_string().contains("on another host"), "{error}");
        assert_eq!(server.asked().len(), 1);
    }
    // The second page is not to be had.
    let pages = std::sync::Mutex::new(0);
    let server = Server::new(move |_| {
        let mut page = pages.lock().unwrap();
        *page += 1;
        let first = json_of(200, json!([]))
            .insert_header("link", "</repos/o/n/issues/7/events?page=2>; rel=\"next\"");
        if *page == 1 { first.into() } else { status(502).into() }
    });
    assert!(server.github().label_events(7).is_err());
}

#[test]
fn a_renamed_repository_is_followed_on_the_same_host_alone() {
    let to = |code: u16, place: &str| status(code).insert_header("location", place);
    let server = Server::with([to(301, "/repos/new/n/pulls/1"), pull()]);
    server.github().pull_request(1).unwrap();
    assert_eq!(server.asked()[1], "GET /repos/new/n/pulls/1");
    for place in ["http://example.com/repos/o/n/pulls/1", "https://127.0.0.1/x", "ftp://127.0.0.1/x"] {
        let server = Server::with([to(302, place)]);
        let error = server.github().pull_request(1).unwrap_err();
        assert!(matches!(error, Error::Answer { status: 302, .. }), "{error:?}");
        assert!(error.help().contains("moved"));
    }
    let server = Server::with([301; 5].map(|code| to(code, "/repos/o/n/pulls/1")));
    assert!(server.github().pull_request(1).is_err());
    // 301 would make a GET of a POST; 307 keeps it.
    let labels = example("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels");
    let server = Server::with([to(301, "/repos/new/n/issues/7/labels")]);
    assert!(server.github().add_labels(7, &["a"]).is_err());
    let server = Server::with([to(307, "/repos/new/n/issues/7/labels"), json_of(200, labels)]);
    server.github().add_labels(7, &["a"]).unwrap();
    assert_eq!(server.asked()[1], "POST /repos/new/n/issues/7/labels");
}

#[test]
fn a_host_of_ones_own_has_its_api_below_a_path() {
    let server = Server::with([
        pull(),
        json_of(403, json!({ "message": "Resource not accessible by integration" })),
        json_of(200, json!({ "data": { "viewer": { "login": "x[bot]" } } })),
    ]);
    let github = server.github_with(&Patience::default(), "/api/v3/");
    github.pull_request(1).unwrap();
    assert_eq!(github.viewer().unwrap(), "x[bot]");
    assert_eq!(server.asked(), ["GET /api/v3/repos/o/n/pulls/1", "GET /api/v3/user", "POST /api/graphql"]);
}

#[test]
fn an_answer_that_does_not_fit_is_told() {
    let server = Server::with([json_of(200, json!({ "number": "seven" }))]);
    let error = server.github().pull_request(1).unwrap_err();
    assert!(error.to_string().contains("its body does not fit: invalid type: string \"seven\""), "{error}");
    let server = Server::with([ResponseTemplate::new(200).set_body_string("<html>")]);
    assert!(server.github().pull_request(1).unwrap_err().to_string().contains("does not fit"));
}
