//! `git lane request list` and `show`

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cli::Outcome;
use crate::cli::output::Output;
use crate::cli::session;
use crate::commands::request::args::List;
use crate::commands::request::text::{RequestView, event_json};
use crate::machine::ThisMachine;
use crate::ops::Session;
use crate::ops::request::{person, second_heads};
use crate::requests::log::{RequestHead, RequestLog};
use lane_core::error::Error;
use lane_core::locks::world::World;
use lane_core::requests::order;
use lane_core::requests::record::Person;
use lane_git::Repository;

/// Lists requests. Exit code 2 where a ref holds none, or the remote cannot be reached: what is known is shown
/// all the same.
///
/// # Errors
/// No repository or policy, or refs that cannot be listed.
pub fn list(args: &List, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let plan = &session.loaded.plan;
    let me = viewer(&session, args.agent.as_deref())?;
    if args.mine && me.is_none() {
        return Err(Error::usage(
            "no agent works here, so whose requests to list is unknown",
            "name the agent: --agent ID",
        ));
    }
    let log = RequestLog::new(&session.repo, plan);
    let doubt = log.refresh().err();
    let all = log.all()?;
    let heads = second_heads(&session, &log, None)?;
    let (mut tips, mut broken) = (BTreeMap::new(), Vec::new());
    for (id, tip) in &all {
        match tip {
            Ok(tip) => drop(tips.insert(id.as_str(), tip)),
            Err(error) => broken.push((id, error)),
        }
    }
    let seen = |tip| RequestView { log: &log, plan, tip, me: me.as_ref(), heads: &heads };
    let is_wanted = |tip: &&&RequestHead| {
        let record = &tip.record;
        (args.all || record.state.is_open()) && (!args.mine || Some(&record.by) == me.as_ref())
    };
    let mut wanted: Vec<order::Summary> =
        tips.values().filter(is_wanted).map(|tip| seen(tip).summary()).collect();
    order::sort(&mut wanted);
    let shown = || wanted.iter().filter_map(|summary| Some(seen(tips.get(summary.id.as_str())?)));
    if let Some(error) = &doubt {
        output.error(error);
    }
    if output.is_json() {
        let broken: Vec<Value> = broken
            .iter()
            .map(|(id, error)| json!({ "ref": log.full_name(id), "reason": error.to_string(), "help": error.help() }))
            .collect();
        output.print_json(&json!({
            "remote": log.remote_name(), "unreachable": doubt.as_ref().map(ToString::to_string),
            "requests": shown().map(|seen| seen.json()).collect::<Vec<Value>>(), "broken": broken,
        }))?;
    } else {
        let waiting = wanted.iter().filter(|summary| summary.waits_for_you).count();
        let mut text = list_text(shown(), waiting);
        if wanted.is_empty() {
            text.push_str(nothing_text(doubt.is_some(), args.all));
        }
        for (id, error) in &broken {
            text.push_str(&format!("{id}: could not decide\n    {error}\n"));
            error.help().unwrap_or_default().lines().for_each(|line| text.push_str(&format!("    {line}\n")));
        }
        output.page(&text)?;
    }
    Ok(if broken.is_empty() && doubt.is_none() { 0 } else { 2 })
}

fn nothing_text(is_in_doubt: bool, all: bool) -> &'static str {
    match (is_in_doubt, all) {
        (true, _) => "no requests known here; the remote could not be asked\n",
        (false, true) => "no requests\n",
        (false, false) => "no open requests\n",
    }
}

/// All requests, first those that wait for whoever looks: `waiting` of them.
fn list_text<'v>(requests: impl Iterator<Item = RequestView<'v>>, waiting: usize) -> String {
    let now = ThisMachine::new().now().wall;
    let mut text = String::new();
    for (at, request) in requests.enumerate() {
        match at {
            0 if waiting > 0 => text.push_str("waiting for you:\n"),
            at if at == waiting && at > 0 => text.push_str("\nother requests:\n"),
            _ => {}
        }
        text.push_str(&request.entry(now));
    }
    text
}

/// Shows one request, with the file that came with it.
///
/// # Errors
/// There is no such request, or its ref holds none.
pub fn show(id: &str, output: &Output) -> Outcome {
    let session = session::open_to_work(output, None)?;
    let plan = &session.loaded.plan;
    let me = viewer(&session, None)?;
    let log = RequestLog::new(&session.repo, plan);
    let doubt = log.refresh().err();
    if let Some(error) = &doubt {
        output.error(error);
    }
    let tip = log.find(id)?;
    let heads = second_heads(&session, &log, Some(id))?;
    let seen = RequestView { log: &log, plan, tip: &tip, me: me.as_ref(), heads: &heads };
    let chain = log.chain(&tip)?;
    let bytes = tip.content().map(|blob| session.repo.blob(blob)).transpose()?;
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    if output.is_json() {
        let mut item = seen.json();
        item["events"] = chain.iter().rev().map(|tip| event_json(&tip.record.event)).collect();
        item["text"] = json!(text);
        output.print_json(&json!({ "request": item }))?;
    } else {
        let mut page = seen.page(&chain, ThisMachine::new().now().wall);
        match &text {
            Some(text) => {
                page.push('\n');
                page.push_str(text);
                if !text.ends_with('\n') {
                    page.push('\n');
                }
            }
            None if tip.content().is_some() => page.push_str("its content is not text\n"),
            None => {}
        }
        output.page(&page)?;
    }
    Ok(if doubt.is_some() { 2 } else { 0 })
}

/// Who looks: nobody in particular where nothing says so.
fn viewer(session: &Session, option: Option<&str>) -> Result<Option<Person>, Error> {
    match person(session, option) {
        Ok(person) => Ok(Some(person)),
        Err(error) if option.is_some() => Err(error),
        Err(_) => Ok(None),
    }
}
