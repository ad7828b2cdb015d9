//! Which channels there are: options of the command come first, then git's configuration, then the policy in force.

use std::time::Duration;

use super::super::Session;
use super::place;
use crate::notify::{Channel, Desktop, Exec, Webhook};
use lane_core::agent_env::{Part, parts};
use lane_core::error::Error;
use lane_git::{Repository, config_bool};

/// How long a command may take for one notice.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Whether the desktop shows notices, in git's configuration.
const DESKTOP: &str = "lane.notifydesktop";

/// What was typed.
#[derive(Debug, Clone, Default)]
pub struct ChannelOptions {
    /// A command.
    pub exec: Option<String>,
    /// The address of a webhook.
    pub webhook: Option<String>,
    /// The desktop.
    pub desktop: bool,
}

/// Where a value was found: what a message calls it, and whether somebody typed it just now.
struct Found {
    value: String,
    origin: String,
    is_typed: bool,
}

/// The channels, and what is to be said of them.
#[derive(Default)]
pub struct Channels {
    /// Those that there are.
    pub all: Vec<Box<dyn Channel>>,
    /// Where notices go.
    pub notes: Vec<String>,
    /// What there is not, for want of something; and what to do about it.
    pub warnings: Vec<(String, String)>,
}

impl Channels {
    /// Refuses what was asked for just now, and warns of what is set up somewhere.
    fn fail(&mut self, is_typed: bool, text: String, help: String) -> Result<(), Error> {
        if is_typed {
            return Err(Error::usage(text, help));
        }
        self.warnings.push((text, help));
        Ok(())
    }
}

/// The channels that are asked for or set up.
///
/// # Errors
/// One that was asked for on the command line cannot be had, or the configuration cannot be read.
pub fn channels(session: &Session, options: &ChannelOptions) -> Result<Channels, Error> {
    let mut found = Channels::default();
    exec(session, options, &mut found)?;
    desktop(session, options, &mut found)?;
    webhook(session, options, &mut found)?;
    Ok(found)
}

fn exec(session: &Session, options: &ChannelOptions, channels: &mut Channels) -> Result<(), Error> {
    let policy = session.loaded.plan.policy.notify.exec.as_ref().map(|exec| exec.value.as_str());
    if let Some(found) = find(session, options.exec.as_deref(), "--exec", "lane.notifyExec", policy)? {
        channels.notes.push(format!("each notice is given to `{}` ({})", found.value, found.origin));
        let layout = session.repo.layout();
        let folder = layout.worktree.as_ref().unwrap_or(&layout.common_dir).clone();
        channels.all.push(Box::new(Exec { command: found.value, folder, timeout: TIMEOUT }));
    }
    Ok(())
}

fn desktop(session: &Session, options: &ChannelOptions, channels: &mut Channels) -> Result<(), Error> {
    let policy = session.loaded.plan.policy.notify.desktop.as_ref();
    let is_set_up = match session.repo.config(DESKTOP)?.is_empty() {
        true => policy.is_some_and(|desktop| desktop.value),
        false => config_bool(&session.repo, DESKTOP)?,
    };
    if options.desktop || is_set_up {
        match Desktop::find(&place(session.repo.layout())) {
            Ok(desktop) => channels.all.push(Box::new(desktop)),
            Err((text, help)) => channels.fail(options.desktop, text, help)?,
        }
    }
    Ok(())
}

fn webhook(session: &Session, options: &ChannelOptions, channels: &mut Channels) -> Result<(), Error> {
    let policy = session.loaded.plan.policy.notify.webhook.as_ref().map(|webhook| webhook.value.as_str());
    let typed = options.webhook.as_deref();
    let Some(found) = find(session, typed, "--webhook", "lane.notifyWebhook", policy)? else {
        return Ok(());
    };
    let opened = resolve(&found.value).and_then(|address| {
        let hook = Webhook::new(&address, &place(session.repo.layout()));
        hook.map_err(|why| format!("its address {why}"))
    });
    match opened {
        Ok(webhook) => {
            channels.notes.push(format!("each notice is sent to {} ({})", webhook.host(), found.origin));
            channels.all.push(Box::new(webhook));
            Ok(())
        }
        Err(why) => channels.fail(
            found.is_typed,
            format!("no webhook ({}): {why}", found.origin),
            "name a variable that has the address of an incoming webhook: '${SLACK_WEBHOOK_URL}'".to_owned(),
        ),
    }
}

/// The first place that says something; nothing where that is empty, by which a user switches off what the policy has.
fn find(
    session: &Session,
    typed: Option<&str>,
    option: &str,
    key: &str,
    policy: Option<&str>,
) -> Result<Option<Found>, Error> {
    let found = |value: &str, origin: &str, is_typed| Found {
        value: value.to_owned(),
        origin: origin.to_owned(),
        is_typed,
    };
    let own = session.repo.config(&key.to_lowercase())?.pop();
    let found = match (typed, own, policy) {
        (Some(value), ..) => Some(found(value, option, true)),
        (_, Some(value), _) => Some(found(&value, key, false)),
        (_, _, Some(value)) => Some(found(value, &session.loaded.plan.source.name, false)),
        _ => None,
    };
    Ok(found.filter(|found| !found.value.trim().is_empty()))
}

/// A value with the variables that it names.
fn resolve(value: &str) -> Result<String, String> {
    let mut whole = String::new();
    for part in parts(value) {
        match part {
            Part::Text(text) => whole.push_str(text),
            Part::Reference(name) => match std::env::var(name) {
                Ok(found) if !found.trim().is_empty() => whole.push_str(found.trim()),
                _ => return Err(format!("{name} is not set")),
            },
        }
    }
    Ok(whole)
}
