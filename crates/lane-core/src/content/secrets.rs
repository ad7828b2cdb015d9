//! Keys and tokens of well-known providers, told by the form that their provider gives them. No regular expression is
//! compiled for them, so that the set costs the start of a hook nothing.

/// A form of a key: a fixed start, and characters of one kind after it.
struct Form {
    /// What it is, for messages.
    name: &'static str,
    /// How it begins.
    start: &'static str,
    /// The characters that follow.
    body: Body,
    /// How many of them at least.
    least: usize,
    /// How many at most; more are another thing.
    most: usize,
}

/// The characters of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    /// `A`-`Z` and digits.
    Upper,
    /// Small hexadecimal digits.
    Hex,
    /// Letters and digits.
    Word,
    /// Letters, digits, `_` and `-`.
    Url,
    /// The same, and `.`, `/`, `+`, `=`.
    Any,
}

impl Body {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Self::Word => byte.is_ascii_alphanumeric(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Any => byte.is_ascii_alphanumeric() || b"_-./+=".contains(&byte),
        }
    }
}

const fn form(name: &'static str, start: &'static str, body: Body, least: usize, most: usize) -> Form {
    Form { name, start, body, least, most }
}

/// Where two begin alike, the longer start comes first.
const FORMS: &[Form] = &[
    form("an AWS access key", "AKIA", Body::Upper, 16, 16),
    form("an AWS access key", "ASIA", Body::Upper, 16, 16),
    form("a GitHub token", "ghp_", Body::Word, 36, 36),
    form("a GitHub token", "gho_", Body::Word, 36, 36),
    form("a GitHub token", "ghu_", Body::Word, 36, 36),
    form("a GitHub token", "ghs_", Body::Any, 36, 4000),
    form("a GitHub token", "ghr_", Body::Word, 36, 76),
    form("a GitHub token", "github_pat_", Body::Url, 82, 82),
    form("a GitLab token", "glpat-", Body::Any, 20, 300),
    form("a GitLab token", "gldt-", Body::Url, 20, 64),
    form("a GitLab token", "glrt-", Body::Any, 20, 300),
    form("a GitLab token", "glptt-", Body::Hex, 40, 40),
    form("a GitLab token", "glcbt-", Body::Url, 20, 64),
    form("a Slack token", "xoxb-", Body::Url, 40, 120),
    form("a Slack token", "xoxp-", Body::Url, 40, 120),
    form("a Slack token", "xoxa-", Body::Url, 40, 160),
    form("a Slack token", "xoxr-", Body::Url, 40, 160),
    form("a Slack token", "xapp-1-", Body::Url, 60, 160),
    form("a Slack webhook", "https://hooks.slack.com/services/T", Body::Any, 35, 60),
    form("a Stripe key", "sk_live_", Body::Word, 24, 200),
    form("a Stripe key", "rk_live_", Body::Word, 24, 200),
    form("a Google API key", "AIza", Body::Url, 35, 35),
    form("a Google client secret", "GOCSPX-", Body::Url, 28, 28),
    form("an Anthropic key", "sk-ant-", Body::Url, 80, 130),
    form("an OpenAI key", "sk-proj-", Body::Url, 48, 200),
    form("an OpenAI key", "sk-svcacct-", Body::Url, 48, 200),
    form("an OpenAI key", "sk-admin-", Body::Url, 48, 200),
    form("an OpenRouter key", "sk-or-v1-", Body::Hex, 64, 64),
    form("an npm token", "npm_", Body::Word, 36, 36),
    form("a PyPI token", "pypi-AgE", Body::Url, 60, 400),
    form("a RubyGems key", "rubygems_", Body::Hex, 48, 48),
    form("a Docker token", "dckr_pat_", Body::Url, 27, 32),
    form("a SendGrid key", "SG.", Body::Any, 66, 66),
    form("a Hugging Face token", "hf_", Body::Word, 34, 34),
    form("a DigitalOcean token", "dop_v1_", Body::Hex, 64, 64),
    form("a Shopify token", "shpat_", Body::Hex, 32, 32),
    form("a Shopify token", "shpss_", Body::Hex, 32, 32),
    form("a Databricks token", "dapi", Body::Hex, 32, 32),
    form("a Vault token", "hvs.", Body::Url, 90, 200),
    form("a Grafana token", "glsa_", Body::Url, 41, 41),
    form("a Linear key", "lin_api_", Body::Word, 40, 40),
    form("a New Relic key", "NRAK-", Body::Upper, 27, 27),
    form("a Supabase token", "sbp_", Body::Hex, 40, 40),
    form("a Replicate token", "r8_", Body::Word, 37, 37),
    form("a Groq key", "gsk_", Body::Word, 52, 52),
    form("an age key", "AGE-SECRET-KEY-1", Body::Upper, 58, 58),
];

/// How a private key begins, after five dashes.
const KEYS: [&str; 7] = ["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ", "PGP "];

/// Bytes with which a form begins.
const STARTS: [bool; 256] = {
    let mut starts = [false; 256];
    let mut at = 0;
    while at < FORMS.len() {
        starts[FORMS[at].start.as_bytes()[0] as usize] = true;
        at += 1;
    }
    starts[b'-' as usize] = true;
    starts
};

/// A key in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secret {
    /// What it is: `a GitHub token`.
    pub name: &'static str,
    /// Where it begins.
    pub start: usize,
    /// How many of its first bytes may be shown: they are the same in each such key.
    pub shown: usize,
    /// How many bytes it has.
    pub len: usize,
}

/// The first key in a text from a place on.
pub fn find(text: &[u8], from: usize) -> Option<Secret> {
    let mut before = from.checked_sub(1).map_or(b' ', |at| text[at]);
    let rest = text.get(from..)?;
    for (at, &byte) in rest.iter().enumerate() {
        // Within a word, nothing begins.
        if STARTS[usize::from(byte)]
            && !(before.is_ascii_alphanumeric() || before == b'_')
            && let Some((name, shown, len)) = at_start(&rest[at..])
        {
            return Some(Secret { name, start: from + at, shown, len });
        }
        before = byte;
    }
    None
}

fn at_start(text: &[u8]) -> Option<(&'static str, usize, usize)> {
    if text.starts_with(b"-----BEGIN ") {
        return private_key(text).map(|len| ("a private key", len, len));
    }
    let form = FORMS.iter().find(|form| text.starts_with(form.start.as_bytes()))?;
    let rest = &text[form.start.len()..];
    // One that goes on beyond what is possible is no key.
    let body = rest.iter().take(form.most + 1).take_while(|byte| form.body.has(**byte)).count();
    let ends = rest.get(body).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let is_key = (form.least..=form.most).contains(&body) && ends && is_random(&rest[..body]);
    is_key.then_some((form.name, form.start.len(), form.start.len() + body))
}

fn private_key(text: &[u8]) -> Option<usize> {
    let rest = &text["-----BEGIN ".len()..];
    let kind = KEYS.iter().rev().find(|kind| {
        let kind = kind.as_bytes();
        rest.starts_with(kind) && rest[kind.len()..].starts_with(b"PRIVATE KEY")
    })?;
    let end = kind.len() + "PRIVATE KEY".len();
    let after = rest[end..].strip_prefix(b" BLOCK").unwrap_or(&rest[end..]);
    // A header that is written in code or prose has its key beside it, or none: `-----BEGIN PRIVATE KEY-----"`.
    let after = after.strip_prefix(b"-----")?;
    let next = after.strip_prefix(b"\\n").unwrap_or(after);
    let next = next.strip_prefix(b"\r").unwrap_or(next);
    let has_key = match next.first() {
        None | Some(b'\n') => true,
        Some(_) => next.len() >= 32 && next[..32].iter().all(|byte| Body::Any.has(*byte)),
    };
    has_key.then_some(text.len() - rest.len() + end)
}

/// Whether characters look drawn by lot, and not written as an example: `XXXXXXXX`, `0123456789`, `EXAMPLE`, `your-key-here`.
fn is_random(body: &[u8]) -> bool {
    let lower = body.to_ascii_lowercase();
    let words: [&[u8]; 9] = [
        b"example",
        b"sample",
        b"your",
        b"xxxx",
        b"placeholder",
        b"redacted",
        b"abcdef",
        b"1234567",
        b"dummy",
    ];
    if words.iter().any(|word| lower.windows(word.len()).any(|part| part == *word)) {
        return false;
    }
    let mut seen = [0_u32; 256];
    body.iter().for_each(|byte| seen[usize::from(*byte)] += 1);
    let kinds = seen.iter().filter(|count| **count > 0).count();
    let most = seen.iter().max().copied().unwrap_or(0) as usize;
    kinds >= 8.min(body.len() / 2) && most * 3 <= body.len().max(9)
}

/// How a key is shown: what each such key begins with, and nothing else of it.
pub fn mask(text: &[u8], secret: Secret) -> String {
    let shown = text.get(secret.start..secret.start + secret.shown).unwrap_or_default();
    let shown = String::from_utf8_lossy(shown);
    if secret.shown == secret.len { format!("{shown}") } else { format!("{shown}…") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of a form, put together here: no scanner takes this file for a leak.
    fn key(start: &str, len: usize) -> String {
        let body = "q7Zt2Kx9Wb4Rm8Yc3Hn6Vd5Pf1Lg0JsTkQaUeXiOoMzBvCyD";
        format!("{start}{}", &body.repeat(4)[..len])
    }

    fn found(text: &str) -> Option<String> {
        find(text.as_bytes(), 0).map(|secret| format!("{}: {}", secret.name, mask(text.as_bytes(), secret)))
    }

    #[test]
    fn keys_of_providers() {
        assert_eq!(
            found(&format!("token = \"{}\"", key("ghp_", 36))).as_deref(),
            Some("a GitHub token: ghp_…")
        );
        for (start, len) in
            [("sk_live_", 24), ("xoxb-", 50), ("sk-ant-", 95), ("npm_", 36), ("AIza", 35), ("pypi-AgE", 90)]
        {
            let text = format!("a {} b", key(start, len));
            assert_eq!(found(&text).map(|told| told.ends_with(&format!(": {start}…"))), Some(true), "{text}");
        }
        let aws = key("AKIA", 16).to_uppercase();
        assert_eq!(found(&aws).as_deref(), Some("an AWS access key: AKIA…"));
    }

    #[test]
    fn each_form_is_found() {
        for form in FORMS {
            let text = key(form.start, form.least);
            let text = match form.body {
                Body::Upper => text.to_uppercase(),
                Body::Hex => format!("{}{}", form.start, &"3f9a17c5e08b2d46".repeat(4)[..form.least]),
                _ => text,
            };
            let text = if form.body == Body::Upper {
                text.replacen(&form.start.to_uppercase(), form.start, 1)
            } else {
                text
            };
            let secret = find(text.as_bytes(), 0).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((secret.start, secret.len), (0, text.len()), "{text}");
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "AKIAIOSFODNN7EXAMPLE".to_owned(),
            format!("ghp_{}", "x".repeat(36)),
            format!("a{}", key("ghp_", 36)),
            format!("{}a", key("ghp_", 36)),
            key("ghp_", 30),
            "sk_live_".to_owned(),
            "sk-ant-your-key-here-and-so-on-and-so-on-and-so-on-and-so-on-and-so-on-and-so-on-and-so"
                .to_owned(),
            "-----BEGIN PUBLIC KEY-----".to_owned(),
            "-----BEGIN CERTIFICATE-----".to_owned(),
            "text.contains(\"-----BEGIN RSA PRIVATE KEY-----\")".to_owned(),
            "sha512-AKIA".to_owned(),
        ] {
            assert_eq!(found(&text), None, "{text}");
        }
    }

    #[test]
    fn private_keys() {
        for kind in KEYS {
            let block = if kind == "PGP " { " BLOCK" } else { "" };
            let text = format!("-----BEGIN {kind}PRIVATE KEY{block}-----");
            assert!(found(&text).is_some(), "{text}");
            assert!(found(&format!("{text}\r\nMII")).is_some(), "{text}");
        }
        let inline = format!("key = \"-----BEGIN PRIVATE KEY-----\\n{}\"", key("", 40));
        assert!(found(&inline).is_some());
    }
}
