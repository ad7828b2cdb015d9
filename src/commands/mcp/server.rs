//! What the protocol asks, and who answers.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Command;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
    ListResourcesResult, ListToolsResult, MetaObject, PaginatedRequestParams, ReadResourceRequestParams,
    ReadResourceResponse, ReadResourceResult, Resource, ResourceContents, ServerCapabilities, ServerConfig,
    Tool as Listed, ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio::sync::Semaphore;

use super::call::{self, Said};
use super::schema;
use super::tools::{self, Effect, TOOLS, Tool};
use crate::commands::args;
use crate::gather::policy_source;
use crate::ops::Session;
use lane_core::error::Error;
use lane_core::rules::docs;

/// What agents are told about the whole.
const INSTRUCTIONS: &str = "git-lane keeps agents that work in parallel on one repository inside their lanes. Which agent \
    you are comes from the worktree (`cwd`). Before you edit a path that may be another's, call `who` with `mine: true`; \
    take a `lock` before you change what is shared by a lock; ask an owner by `request`; call `check` before you commit. \
    `exit_code`: 0 yes or done, 1 findings or refused, 2 could not be decided. Refusals name the next step as a command.";

/// So many commands run at once; further calls wait.
const AT_ONCE: usize = 8;

const POLICY: &str = "git-lane://policy";
const RULES: &str = "git-lane://rules";

/// The server.
pub struct Server {
    program: PathBuf,
    commands: Command,
    running: Semaphore,
}

impl Server {
    /// One whose tools are commands of this program.
    pub fn new(program: PathBuf) -> Self {
        Self { program, commands: args::command(), running: Semaphore::new(AT_ONCE) }
    }

    fn listed(&self, tool: &'static Tool) -> Option<Listed> {
        let schema = schema::of(tool, self.commands.find_subcommand(tool.name)?);
        let annotations = ToolAnnotations::with_title(tool.title).open_world(false);
        let annotations = match tool.effect {
            Effect::Nothing => annotations.read_only(true),
            Effect::Adds => annotations.read_only(false).destructive(false),
            Effect::AddsOnce => annotations.read_only(false).destructive(false).idempotent(true),
            Effect::Takes => annotations.read_only(false).destructive(true),
        };
        Some(
            Listed::new(tool.name, tool.about, Arc::new(schema)).with_title(tool.title).annotate(annotations),
        )
    }

    async fn said(&self, request: CallToolRequestParams) -> Result<Said, ErrorData> {
        let unknown = || ErrorData::invalid_params(format!("unknown tool `{}`", request.name), None);
        let tool = tools::find(&request.name).ok_or_else(unknown)?;
        let command = self.commands.find_subcommand(tool.name).ok_or_else(unknown)?;
        match schema::typed(tool, command, request.arguments.unwrap_or_default()) {
            Err(why) => Ok(Said::refused(format!("error: {why}"))),
            Ok(typed) => {
                let _turn = self.running.acquire().await;
                Ok(call::run(&self.program, &typed).await)
            }
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("git-lane", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = TOOLS.iter().filter_map(|tool| self.listed(tool)).collect();
        Ok(ListToolsResult::with_all_items(tools))
    }

    fn get_tool(&self, name: &str) -> Option<Listed> {
        self.listed(tools::find(name)?)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let said = context.ct.run_until_cancelled(self.said(request)).await;
        // Nobody reads the answer to a call that was cancelled.
        let said = said.unwrap_or_else(|| Ok(Said::refused("error: cancelled")))?;
        let mut content = vec![ContentBlock::text(said.rest())];
        if !said.output.is_empty() {
            content.insert(0, ContentBlock::text(said.output.clone()));
        }
        let mut result = match said.exit_code {
            0 | 1 => CallToolResult::success(content),
            _ => CallToolResult::error(content),
        };
        result.structured_content = Some(said.json());
        Ok(result.into())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let policy = Resource::new(POLICY, "policy")
            .with_title("The policy in force")
            .with_description("policy.yaml as it counts here: that of the base, not of this branch")
            .with_mime_type("application/yaml");
        let rules = Resource::new(RULES, "rules")
            .with_title("The rules")
            .with_description("What each rule finds, why, and what to do then")
            .with_mime_type("text/markdown");
        Ok(ListResourcesResult::with_all_items(vec![policy, rules]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let contents = match request.uri.as_str() {
            RULES => ResourceContents::text(docs::page(), RULES).with_mime_type("text/markdown"),
            POLICY => {
                let read = tokio::task::spawn_blocking(policy).await;
                let internal = |error: String| ErrorData::internal_error(error, None);
                let (source, text) = read.map_err(|error| internal(error.to_string()))?.map_err(|error| {
                    internal(format!("{error}\n{}", error.help().unwrap_or_default()).trim_end().to_owned())
                })?;
                let mut meta = MetaObject::new();
                meta.insert("git-lane/source".to_owned(), source.into());
                ResourceContents::text(text, POLICY).with_mime_type("application/yaml").with_meta(meta)
            }
            other => {
                let unknown = format!("unknown resource `{other}`: use {POLICY} or {RULES}");
                return Err(ErrorData::resource_not_found(unknown, None));
            }
        };
        Ok(ReadResourceResult::new(vec![contents]).into())
    }
}

/// Where the policy in force was read, and its text.
fn policy() -> Result<(String, String), Error> {
    let source = policy_source::find(&Session::repository()?)?.plan.source;
    let mut text = source.own_text().to_owned();
    for (name, other) in source.each_file().skip(1) {
        text.push_str(&format!("\n# {name}\n{other}"));
    }
    Ok((source.name, text))
}
