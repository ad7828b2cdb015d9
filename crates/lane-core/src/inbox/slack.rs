//! Notices as an incoming webhook of Slack takes them. Mattermost, Google Chat and Discord (below `/slack`) take the same.

use serde_json::{Value, json};

use super::Notice;

/// The most notices of one message.
pub const MOST: usize = 20;

/// A text in which nothing is a link, a mention or an entity: <https://docs.slack.dev/messaging/formatting-message-text>.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The body of a message about at most [`MOST`] notices. `place`: which repository.
pub fn message(place: &str, notices: &[Notice]) -> Value {
    let lines = notices.iter().take(MOST).map(|notice| {
        let agent = notice.agent.as_deref().map(|agent| format!("*{}*: ", escape(agent))).unwrap_or_default();
        // A backtick would end the code that the command stands in.
        let next = escape(&notice.next.replace('`', "'"));
        format!("{agent}{}\n`{next}`", escape(&notice.text))
    });
    let lines = lines.collect::<Vec<_>>().join("\n");
    json!({ "text": format!("git-lane, {}\n{lines}", escape(place)) })
}

#[cfg(test)]
mod tests {
    use super::super::REQUEST_RECEIVED;
    use super::*;

    #[test]
    fn nothing_of_others_is_a_mention() {
        let notice = Notice::new(&REQUEST_RECEIVED, Some("a1"), 0, vec!["m".into()]);
        let notice = notice.says("r1", "a2 asks (<!channel> & <@U1>)", "git lane request show r1".into());
        let body = message("shop", &[notice]);
        assert_eq!(
            body,
            json!({ "text": "git-lane, shop\n*a1*: a2 asks (&lt;!channel&gt; &amp; &lt;@U1&gt;)\n`git lane request show r1`" })
        );
    }
}
