//! `git lane mcp` in a real client: the model calls a tool, and reads the answer.

use serde_json::json;

use super::client::Client;
use super::model::Turn;
use crate::support::Scratch;

#[test]
fn the_model_of_claude_asks_a_tool() {
    let Some(client) = Client::claude() else { return };
    let (_scratch, a2) = Scratch::installed();
    let server = json!({ "mcpServers": { "git-lane": { "command": "git", "args": ["lane", "mcp"] } } });
    a2.write(".mcp.json", server.to_string());
    let client = client.arg("--mcp-config=.mcp.json").arg("--allowedTools=mcp__git-lane");
    let paths = json!({ "paths": ["services/revenue/main.py"], "mine": true });
    let turns = vec![
        Turn::call("ToolSearch", json!({ "query": "select:mcp__git-lane__who", "max_results": 1 })),
        Turn::call("mcp__git-lane__who", paths),
        Turn::say("done"),
    ];
    let session = client.run(&a2, turns);
    let told = session.after(1);
    assert!(told.contains("in the lane of a4"), "{told}\n{}", session.ran.all());
}
