//! GitHub's GraphQL schema, as far as we ask for it: holds requests against it, and runs them on a stand-in.

use std::sync::LazyLock;

use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::{Value, json};

static SCHEMA: LazyLock<Valid<Schema>> = LazyLock::new(|| {
    let text = include_str!("../../schemas/github.graphql");
    Schema::parse_and_validate(text, "github.graphql").unwrap_or_else(|faults| panic!("{faults}"))
});

/// A request that the schema allows.
pub struct Request {
    document: Valid<ExecutableDocument>,
    operation: Option<String>,
    variables: JsonMap,
}

impl Request {
    /// # Errors
    /// What is wrong with it: fields and arguments that there are not, variables that do not fit.
    pub fn parse(body: &Value) -> Result<Self, String> {
        let query = body["query"].as_str().ok_or("there is no query")?;
        let document = ExecutableDocument::parse_and_validate(&SCHEMA, query, "query.graphql");
        let document = document.map_err(|faults| faults.to_string())?;
        let operation = body["operationName"].as_str().map(str::to_owned);
        let variables = body.get("variables").filter(|it| !it.is_null()).cloned().unwrap_or(json!({}));
        let variables: JsonMap = serde_json::from_value(variables).map_err(|fault| fault.to_string())?;
        let wanted = document.operations.get(operation.as_deref()).map_err(|fault| format!("{fault:?}"))?;
        coerce_variable_values(&SCHEMA, wanted, &variables).map_err(|fault| format!("{fault:?}"))?;
        let unknown = variables
            .keys()
            .find(|name| !wanted.variables.iter().any(|variable| variable.name.as_str() == name.as_str()));
        match unknown {
            Some(name) => Err(format!("the operation has no variable {}", name.as_str())),
            None => Ok(Self { document, operation, variables }),
        }
    }

    /// Whether it may change something.
    pub fn is_mutation(&self) -> bool {
        let operation = self.document.operations.get(self.operation.as_deref());
        operation.is_ok_and(|operation| operation.is_mutation())
    }

    /// Answers it from a root object, as GitHub does: an error is `TYPE: words`.
    pub fn answer(&self, root: &dyn ObjectValue) -> Value {
        let execution = Execution::new(&SCHEMA, &self.document).operation_name(self.operation.as_deref());
        let answered = execution.and_then(|run| run.raw_variable_values(&self.variables).execute_sync(root));
        let mut answer = match answered {
            Ok(answer) => serde_json::to_value(answer).unwrap(),
            Err(fault) => return json!({ "errors": [{ "message": format!("{fault:?}") }] }),
        };
        for error in answer.get_mut("errors").and_then(Value::as_array_mut).into_iter().flatten() {
            let text = error["message"].as_str().unwrap().trim_start_matches("resolver error: ").to_owned();
            if let Some((kind, message)) = text.split_once(": ").filter(|(kind, _)| is_kind(kind)) {
                (error["type"], error["message"]) = (json!(kind), json!(message));
            }
        }
        answer
    }
}

fn is_kind(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// An object of which everything is known: its fields, with the type of each object in `__typename`.
pub struct Known(pub Value);

impl ObjectValue for Known {
    fn type_name(&self) -> &str {
        self.0["__typename"].as_str().unwrap()
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let value = self.0.get(info.field_name()).ok_or_else(|| self.unknown_field_error(info))?;
        Ok(resolved(value.clone()))
    }
}

/// A value as the executor wants it.
pub fn resolved<'a>(value: Value) -> ResolvedValue<'a> {
    match value {
        Value::Object(_) => ResolvedValue::object(Known(value)),
        Value::Array(items) => {
            ResolvedValue::List(Box::new(items.into_iter().map(|item| Ok(resolved(item)))))
        }
        leaf => ResolvedValue::Leaf(serde_json::from_value::<JsonValue>(leaf).unwrap()),
    }
}

/// What is wrong with a request.
pub fn faults(body: &Value) -> Vec<String> {
    Request::parse(body).err().into_iter().collect()
}

#[test]
fn wrong_queries_are_found() {
    let faults =
        |query: &str, variables: Value| faults(&json!({ "query": query, "variables": variables })).join("\n");
    let pull =
        "query($n: Int!) { repository(owner: \"o\", name: \"n\") { pullRequest(number: $n) { FIELD } } }";
    let with = |field: &str, variables| faults(&pull.replace("FIELD", field), variables);
    assert_eq!(with("headRefOid", json!({ "n": 7 })), "");
    assert!(with("headOid", json!({ "n": 7 })).contains("headOid"));
    assert!(with("headRefOid", json!({})).contains("variable"));
    assert!(with("headRefOid", json!({ "n": "seven" })).contains('n'));
    assert!(with("headRefOid", json!({ "n": 7, "m": 8 })).contains("no variable m"));
    assert!(with("mergeCommit", json!({ "n": 7 })).contains("mergeCommit"), "an object without fields");
    let mutation = "mutation($id: ID!) { enqueuePullRequest(input: { pullRequestId: $id, ARGUMENT }) {
        mergeQueueEntry { position } } }";
    let with = |argument: &str| faults(&mutation.replace("ARGUMENT", argument), json!({ "id": "PR_1" }));
    assert_eq!(with("jump: true"), "");
    assert!(with("mergeMethod: SQUASH").contains("mergeMethod"));
    assert!(faults("{ viewer { login }", json!({})).contains("viewer"));
}
