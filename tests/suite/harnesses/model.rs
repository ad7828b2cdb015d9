//! A stand-in for the model on 127.0.0.1: speaks the APIs that the clients use (Anthropic's Messages, OpenAI's Responses,
//! Gemini's), answers from a script, and keeps what it was asked.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::server::http::ask;

/// What the model does when it is its turn.
#[derive(Clone, Debug)]
pub enum Turn {
    /// Calls a tool; where the input is a string, one whose input is free text.
    Call(String, Value),
    Say(String),
}

impl Turn {
    pub fn call(tool: &str, input: Value) -> Self {
        Self::Call(tool.to_owned(), input)
    }

    pub fn say(text: &str) -> Self {
        Self::Say(text.to_owned())
    }
}

/// What the model does in a conversation whose first message holds `prompt`.
#[derive(Clone, Debug)]
pub struct Script {
    pub prompt: String,
    pub turns: Vec<Turn>,
}

/// A request that was part of a conversation.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which script it belongs to.
    pub script: usize,
    /// How many turns the model has had.
    pub turn: usize,
    pub body: Value,
}

pub struct Model {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Model {
    /// Answers for as long as the test program runs.
    pub fn serve(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (scripts, kept) = (Arc::new(scripts), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (scripts, kept) = (Arc::clone(&scripts), Arc::clone(&kept));
                std::thread::spawn(move || {
                    let _ = answer(&stream, &scripts, &kept);
                });
            }
        });
        Self { url, requests }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(mut stream: &TcpStream, scripts: &[Script], kept: &Mutex<Vec<Request>>) -> std::io::Result<()> {
    let asked = ask(stream)?;
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let (kind, reply) = if asked.path.ends_with("/messages") {
        let turn = next(&body, scripts, kept);
        if body["stream"] == true {
            ("text/event-stream", anthropic_events(&turn))
        } else {
            ("application/json", anthropic_message(&turn).to_string())
        }
    } else if asked.path.ends_with("/responses") {
        ("text/event-stream", openai_events(&next(&body, scripts, kept)))
    } else if asked.path.ends_with(":streamGenerateContent") {
        ("text/event-stream", format!("data: {}\n\n", gemini_answer(&next(&body, scripts, kept))))
    } else if asked.path.ends_with(":generateContent") {
        ("application/json", gemini_answer(&next(&body, scripts, kept)).to_string())
    } else {
        // What else clients ask for (lists of models, packages, settings) they do without.
        return stream
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
    };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{reply}",
        reply.len()
    )
}

/// What was said so far, by whichever name the API has for it.
pub fn conversation(body: &Value) -> &[Value] {
    ["messages", "input", "contents"]
        .iter()
        .find_map(|key| body[key].as_array())
        .map_or(&[], |items| items.as_slice())
}

/// Whether this part of a conversation is the model's own: each is one turn.
pub fn is_models(item: &Value) -> bool {
    matches!(item["role"].as_str(), Some("assistant" | "model"))
        || matches!(item["type"].as_str(), Some("function_call" | "custom_tool_call"))
}

/// The turn that comes next. It depends on what the request itself says was said, so that a repeated request gets
/// the same answer.
fn next(body: &Value, scripts: &[Script], kept: &Mutex<Vec<Request>>) -> (usize, Turn) {
    let done = (0, Turn::say("done"));
    // A title for the session, a summary: not the agent at work.
    if body["tools"].as_array().is_none_or(Vec::is_empty) {
        return done;
    }
    let said = conversation(body);
    let first: String = said.iter().take_while(|item| !is_models(item)).map(strings).collect();
    let Some(script) = scripts.iter().rposition(|script| first.contains(&script.prompt)) else { return done };
    let turn = said.iter().filter(|item| is_models(item)).count();
    kept.lock().unwrap().push(Request { script, turn, body: body.clone() });
    (turn, scripts[script].turns.get(turn).cloned().unwrap_or(done.1))
}

/// All text inside a value.
pub fn strings(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(items) => items.iter().map(strings).collect(),
        Value::Object(entries) => entries.values().map(strings).collect(),
        _ => String::new(),
    }
}

fn anthropic_message((at, turn): &(usize, Turn)) -> Value {
    let (content, stop) = match turn {
        Turn::Call(tool, input) => (
            json!({"type": "tool_use", "id": format!("toolu_{at}"), "name": tool, "input": input}),
            "tool_use",
        ),
        Turn::Say(text) => (json!({"type": "text", "text": text}), "end_turn"),
    };
    json!({
        "id": format!("msg_{at}"), "type": "message", "role": "assistant", "model": "script",
        "content": [content], "stop_reason": stop, "stop_sequence": null,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    })
}

fn anthropic_events(turn: &(usize, Turn)) -> String {
    let mut message = anthropic_message(turn);
    let stop = message["stop_reason"].take();
    let mut start = message["content"][0].take();
    message["content"] = json!([]);
    let delta = match &turn.1 {
        Turn::Call(_, input) => {
            start["input"] = json!({});
            json!({"type": "input_json_delta", "partial_json": input.to_string()})
        }
        Turn::Say(text) => {
            start["text"] = json!("");
            json!({"type": "text_delta", "text": text})
        }
    };
    events(&[
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": start}),
        json!({"type": "content_block_delta", "index": 0, "delta": delta}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 1}}),
        json!({"type": "message_stop"}),
    ])
}

fn openai_events((at, turn): &(usize, Turn)) -> String {
    let call = format!("call_{at}");
    let item = match turn {
        Turn::Call(tool, Value::String(input)) => json!({
            "type": "custom_tool_call", "id": format!("ctc_{at}"), "call_id": call, "name": tool,
            "input": input, "status": "completed",
        }),
        Turn::Call(tool, input) => json!({
            "type": "function_call", "id": format!("fc_{at}"), "call_id": call, "name": tool,
            "arguments": input.to_string(), "status": "completed",
        }),
        Turn::Say(text) => json!({
            "type": "message", "id": format!("msg_{at}"), "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        }),
    };
    let id = format!("resp_{at}");
    let usage = json!({
        "input_tokens": 1, "input_tokens_details": null, "output_tokens": 1, "output_tokens_details": null,
        "total_tokens": 2,
    });
    events(&[
        json!({"type": "response.created", "response": {"id": id}}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        json!({"type": "response.completed", "response": {"id": id, "usage": usage}}),
    ])
}

fn gemini_answer((_, turn): &(usize, Turn)) -> Value {
    let part = match turn {
        Turn::Call(tool, input) => json!({"functionCall": {"name": tool, "args": input}}),
        Turn::Say(text) => json!({"text": text}),
    };
    json!({
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
    })
}

/// Server-sent events.
fn events(events: &[Value]) -> String {
    events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect()
}
