//! How long GitHub asks to wait, and where a list goes on: pure.

use std::time::Duration;

use super::transport::Answer;

/// The time, and the passing of it.
pub trait Clock {
    /// Seconds since the epoch.
    fn now(&self) -> i64;
    /// Lets time pass.
    fn sleep(&self, time: Duration);
}

/// The clock of this machine.
pub(super) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> i64 {
        jiff::Timestamp::now().as_second()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// How long to wait before the same is asked again, if the answer is that there were too many calls. Nothing took
/// effect then. In the order of
/// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit>:
/// `retry-after`; `x-ratelimit-remaining: 0` with `x-ratelimit-reset`; else, for secondary limits, a minute.
pub(super) fn wait_asked(answer: &Answer, message: &str, now: i64) -> Option<Duration> {
    const MINUTE: Duration = Duration::from_secs(60);
    let is_spent = answer.remaining.as_deref().map(str::trim) == Some("0");
    let is_limit = match answer.status {
        429 => true,
        // The last call that is allowed may be one that the token may not make.
        403 if message.starts_with("Resource not accessible") => false,
        403 => {
            let is_named = message.to_ascii_lowercase().contains("rate limit");
            answer.retry_after.is_some() || is_spent || is_named
        }
        _ => false,
    };
    if !is_limit {
        return None;
    }
    let number = |text: &Option<String>| text.as_deref()?.trim().parse::<i64>().ok();
    if answer.retry_after.is_some() {
        let seconds = number(&answer.retry_after).and_then(|seconds| u64::try_from(seconds).ok());
        return Some(seconds.map_or(MINUTE, |seconds| Duration::from_secs(seconds.max(1))));
    }
    match number(&answer.reset) {
        // One second more, for the clocks need not agree.
        Some(reset) if is_spent => {
            let seconds = reset.saturating_sub(now).saturating_add(1).max(1);
            Some(Duration::from_secs(seconds.unsigned_abs()))
        }
        _ => Some(MINUTE),
    }
}

/// The target of `rel="next"` in a `Link` header (RFC 8288).
pub(super) fn next_page(link: &str) -> Option<&str> {
    let mut rest = link;
    loop {
        let (target, after) = rest.split_once('<')?.1.split_once('>')?;
        let end = after.find(",<").or_else(|| after.find(", <")).unwrap_or(after.len());
        let is_next = after[..end].split(';').any(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else { return false };
            let value = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel") && value.split(' ').any(|word| word == "next")
        });
        if is_next {
            return Some(target);
        }
        rest = &after[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: [Option<&str>; 3]) -> Answer {
        let [retry_after, remaining, reset] = headers.map(|header| header.map(str::to_owned));
        Answer { status, retry_after, remaining, reset, ..Answer::default() }
    }

    #[test]
    fn waits() {
        let wait = |status, headers, message| {
            wait_asked(&answer(status, headers), message, 1000).map(|wait| wait.as_secs())
        };
        assert_eq!(wait(200, [None, Some("0"), Some("1060")], ""), None);
        assert_eq!(
            wait(403, [None, Some("4999"), Some("1060")], "Resource not accessible by integration"),
            None
        );
        assert_eq!(
            wait(403, [None, Some("0"), Some("1060")], "Resource not accessible by integration"),
            None
        );
        assert_eq!(wait(403, [None, Some("0"), Some("1030")], "API rate limit exceeded"), Some(31));
        assert_eq!(wait(403, [None, Some("0"), Some("900")], "API rate limit exceeded"), Some(1));
        assert_eq!(wait(403, [Some("7"), None, None], "abuse"), Some(7));
        assert_eq!(wait(429, [Some("7"), Some("0"), Some("9000")], ""), Some(7));
        assert_eq!(wait(429, [None; 3], ""), Some(60));
        assert_eq!(wait(429, [Some("Wed, 21 Oct 2026 07:28:00 GMT"), None, None], ""), Some(60));
        assert_eq!(wait(403, [None; 3], "You have exceeded a secondary rate limit"), Some(60));
        assert_eq!(wait(403, [None, Some("17"), Some("9000")], "secondary rate limit"), Some(60));
        assert_eq!(wait(503, [Some("7"), None, None], ""), None);
    }

    #[test]
    fn links() {
        let three = "<https://x/?page=1>; rel=\"prev\", <https://x/?a=1,2&page=3>; rel=\"next\", <https://x/>; rel=\"last\"";
        assert_eq!(next_page(three), Some("https://x/?a=1,2&page=3"));
        assert_eq!(
            next_page("<https://x/?page=1>; rel=\"prev\",<https://x/?page=2>;rel=next"),
            Some("https://x/?page=2")
        );
        assert_eq!(next_page("<https://x/next>; rel=\"last\""), None);
        assert_eq!(next_page("<https://x/>; title=\"next\"; rel=\"first\""), None);
        assert_eq!(next_page(""), None);
    }
}
