//! One comment, of ours, up to date.

use lane_github::{Comment, Error};
use serde_json::json;

use super::fake::{Fake, ME, fault};
use super::server::{Server, json_of};

const START: &str = "<!-- git-lane -->\n";

fn publish(fake: &Fake, body: Option<&str>) -> Comment {
    fake.server.github().publish_comment(7, "git-lane", body).unwrap()
}

fn ours(body: &str) -> (String, String) {
    (ME.to_owned(), format!("{START}{body}"))
}

#[test]
fn a_comment_is_made_kept_changed_and_taken_back() {
    let fake = Fake::new(vec![]);
    assert_eq!(publish(&fake, None), Comment::Absent);
    assert_eq!(publish(&fake, Some("two findings")), Comment::Created);
    assert_eq!(publish(&fake, Some("two findings")), Comment::Unchanged);
    assert_eq!(fake.count("PATCH"), 0);
    assert_eq!(publish(&fake, Some("one finding")), Comment::Updated);
    assert_eq!(fake.bodies(), [ours("one finding")]);
    assert_eq!(publish(&fake, None), Comment::Removed);
    assert_eq!(fake.bodies(), []);
}

#[test]
fn line_ends_are_no_difference() {
    let fake = Fake::new(vec![]);
    fake.comment(ME, "<!-- git-lane -->\r\na\r\nb");
    assert_eq!(publish(&fake, Some("a\nb\n")), Comment::Unchanged);
}

#[test]
fn comments_of_others_are_not_touched() {
    let fake = Fake::new(vec![]);
    let strangers = [
        ("octocat", format!("{START}all is well, believe me")),
        ("other-app[bot]", format!("{START}as well")),
        ("github-actions", format!("{START}a person may be called that")),
        (ME, "<!-- git-lane-coverage -->\nanother job's".to_owned()),
        (ME, format!("> {START}quoted")),
    ];
    strangers.iter().for_each(|(author, body)| fake.comment(author, body));
    assert_eq!(publish(&fake, None), Comment::Absent);
    assert_eq!(publish(&fake, Some("two findings")), Comment::Created);
    assert_eq!(publish(&fake, None), Comment::Removed);
    let left = fake.bodies();
    let wanted = strangers.map(|(author, body)| (author.to_owned(), body));
    assert_eq!(left, wanted);
}

#[test]
fn of_two_the_older_stays() {
    let fake = Fake::new(vec![]);
    fake.comment(ME, &format!("{START}older"));
    fake.comment("octocat", "a word between");
    fake.comment(ME, &format!("{START}younger"));
    assert_eq!(publish(&fake, Some("now")), Comment::Updated);
    assert_eq!(fake.bodies(), [ours("now"), ("octocat".to_owned(), "a word between".to_owned())]);
}

#[test]
fn all_of_ours_go_when_there_is_nothing_to_say() {
    let fake = Fake::new(vec![]);
    fake.comment(ME, &format!("{START}older"));
    fake.comment(ME, &format!("{START}younger"));
    assert_eq!(publish(&fake, None), Comment::Removed);
    assert_eq!(fake.bodies(), []);
}

#[test]
fn two_jobs_at_the_same_moment_agree_on_one() {
    let fake = Fake::new(vec![]);
    let github = fake.server.github();
    // The other job's comes in after we looked: with the first POST.
    fake.state.lock().unwrap().meanwhile = Some(|state| {
        state.meanwhile = Some(|state| drop(state.add_comment(ME, &format!("{START}of the other job"))));
    });
    assert_eq!(github.publish_comment(7, "git-lane", Some("ours")).unwrap(), Comment::Created);
    assert_eq!(fake.bodies(), [ours("ours")]);
}

#[test]
fn a_list_that_lags_behind_makes_no_second_comment() {
    let fake = Fake::new(vec![]);
    fake.state.lock().unwrap().lists_lag = true;
    assert_eq!(publish(&fake, Some("ours")), Comment::Created);
    assert_eq!(fake.count("POST"), 1);
}

#[test]
fn whatever_answer_is_lost_there_is_one_comment() {
    for is_done in [true, false] {
        for status in [Some(502), None] {
            let fake = Fake::new(vec![
                fault("POST", "comments", is_done, status),
                fault("PATCH", "comments", is_done, status),
                fault("DELETE", "comments", is_done, status),
            ]);
            publish(&fake, Some("first"));
            assert_eq!(fake.bodies(), [ours("first")], "{is_done} {status:?}");
            publish(&fake, Some("second"));
            assert_eq!(fake.bodies(), [ours("second")], "{is_done} {status:?}");
            assert_eq!(publish(&fake, None), Comment::Removed);
            assert_eq!(fake.bodies(), [], "{is_done} {status:?}");
        }
    }
}

#[test]
fn a_marker_cannot_end_its_comment() {
    let fake = Fake::new(vec![]);
    fake.server.github().publish_comment(7, "x --> <b>", Some("body")).unwrap();
    assert_eq!(fake.bodies()[0].1, "<!-- x  b -->\nbody");
}

#[test]
fn a_long_body_keeps_its_marker() {
    let fake = Fake::new(vec![]);
    let long = "ä".repeat(50_000);
    assert_eq!(publish(&fake, Some(&long)), Comment::Created);
    assert_eq!(publish(&fake, Some(&long)), Comment::Unchanged);
    let body = &fake.bodies()[0].1;
    assert!(body.starts_with(START) && body.ends_with('…') && body.len() <= 65_535);
}

#[test]
fn who_we_are() {
    // A person's token.
    let server = Server::with([json_of(200, json!({ "login": "octocat", "type": "User" }))]);
    let github = server.github();
    assert_eq!(github.viewer().unwrap(), "octocat");
    assert_eq!(github.viewer().unwrap(), "octocat");
    assert_eq!(server.asked(), ["GET /user"]);
    // An app's.
    let fake = Fake::new(vec![]);
    assert_eq!(fake.server.github().viewer().unwrap(), ME);
    assert_eq!(fake.server.asked(), ["GET /user", "POST /graphql"]);
    // One that nobody knows: then it cannot be told which comments are ours.
    let forbidden = || json_of(403, json!({ "message": "Resource not accessible by integration" }));
    let server = Server::with([forbidden(), json_of(200, json!({ "data": null, "errors": [] }))]);
    let error = server.github().viewer().unwrap_err();
    assert!(matches!(error, Error::Answer { .. }), "{error:?}");
}
