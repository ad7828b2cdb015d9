//! Mistakes in what services depend on, and in how they are tested.

use super::diagnostic::Diagnostic;
use super::lint::at;
use super::model::TestCommand;
use super::pathset::PathSet;
use super::pattern::{Pattern, escape};
use super::plan::Plan;
use super::source::Spanned;
use super::unknown::did_you_mean;
use super::unmatched::Inventory;

/// What is wrong with them in any repository.
pub(super) fn check(plan: &Plan, diagnostics: &mut Vec<Diagnostic>) {
    let runs = plan.policy.tests.runs.as_ref();
    if let Some(folder) = runs.and_then(|runs| runs.cwd.as_ref())
        && (folder.value.starts_with('/') || folder.value.split('/').any(|name| name == ".."))
    {
        diagnostics.push(
            Diagnostic::error(at(folder), "`tests.cwd` is outside the worktree", "this folder")
                .help("write a folder from the worktree's root, such as `{path}`"),
        );
    }
}

/// Names that are no service and no area here. Without `services.paths` the services are the packages of a workspace, whose
/// names are not known to a policy.
pub(super) fn warnings(plan: &Plan, inventory: &Inventory, warnings: &mut Vec<Diagnostic>) {
    let policy = &plan.policy;
    let Some(template) = &policy.services.paths else { return };
    let services: Vec<&str> =
        policy.agents.0.iter().flat_map(|agent| &agent.services).map(|name| name.value.as_str()).collect();
    let areas: Vec<&str> = policy.areas.iter().map(|area| area.name.value.as_str()).collect();
    let is_there = |name: &str| {
        let Ok(pattern) = Pattern::new(&template.value.replace("{service}", &escape(name))) else {
            return false;
        };
        let mut set = PathSet::new(plan.folds_case());
        set.insert(&pattern, 0);
        inventory.files.iter().any(|(path, is_folder)| set.last_match(path, *is_folder).is_some())
    };
    for one in &policy.services.depends.0 {
        for name in std::iter::once(&one.of).chain(&one.on) {
            let known = || services.iter().chain(&areas).copied();
            if !known().any(|known| known == name.value) && !is_there(&name.value) {
                warnings.push(unknown(name, "service or area", did_you_mean(&name.value, known())));
            }
        }
    }
    if let Some(TestCommand::Each(commands)) = policy.tests.runs.as_ref().map(|runs| &runs.run) {
        for (name, command) in commands {
            if !services.contains(&name.as_str()) && !is_there(name) {
                let hint = did_you_mean(name, services.iter().copied());
                warnings.push(unknown(&Spanned { value: name.clone(), span: command.span }, "service", hint));
            }
        }
    }
}

fn unknown(name: &Spanned<String>, what: &str, hint: Option<String>) -> Diagnostic {
    let help = hint.unwrap_or_else(|| match what {
        "service" => {
            "name a service: one of a lane, or a folder where `services.paths` has `{service}`".to_owned()
        }
        _ => "name an area, or a service: one of a lane, or a folder where `services.paths` has `{service}`"
            .to_owned(),
    });
    Diagnostic::warning(at(name), format!("unknown {what} `{}`", name.value), "unknown name").help(help)
}

#[cfg(test)]
mod tests {
    use super::super::{Inventory, Source, load, warnings};

    const POLICY: &str = "version: 1\nagents: { a1: { services: [web, api] } }\nareas:\n  - { name: common, paths: [/common/], access: lock }\n";

    fn told(rest: &str) -> Vec<String> {
        let text = format!("{POLICY}{rest}");
        match load(Source::new("policy.yaml", text), false) {
            Ok(plan) => {
                let files = ["services/web/x", "services/api/x", "services/free/x", "common/x"];
                let files = files.into_iter().map(|path| (path.as_bytes().to_vec(), false)).collect();
                let found = warnings(&plan, &Inventory { files, ..Inventory::default() });
                found.into_iter().map(|one| one.message).collect()
            }
            Err(error) => error.diagnostics.into_iter().map(|one| one.message).collect(),
        }
    }

    #[test]
    fn names() {
        let none: [&str; 0] = [];
        let services = "services: { paths: \"services/{service}/**\", depends: ";
        assert_eq!(told(&format!("{services}{{ web: [common, api], api: web, free: common }} }}\n")), none);
        assert_eq!(
            told(&format!("{services}{{ wbe: [commn] }} }}\n")),
            ["unknown service or area `wbe`", "unknown service or area `commn`"]
        );
        let tests = |text: &str| told(&format!("{services}{{}} }}\ntests: {text}\n"));
        assert_eq!(tests("{ run: \"pytest {path}\", timeout: 5m, cwd: \"{path}\" }"), none);
        assert_eq!(tests("{ run: { web: \"npm test\" }, sentences: [a1 may change services/web/x] }"), none);
        assert_eq!(tests("{ run: { wbe: x } }"), ["unknown service `wbe`"]);
        assert_eq!(tests("{ run: x, cwd: ../y }"), ["`tests.cwd` is outside the worktree"]);
        assert_eq!(tests("{ timeout: 5m }"), ["`tests` has no `run`"]);
        assert_eq!(tests("{ run: x, sentences: [nobody may change x] }").len(), 1);
        assert_eq!(tests("[a1 may change services/web/x]"), none);
    }

    #[test]
    fn both_forms_as_they_are_written() {
        let plan = |text: &str| {
            let text = format!("{POLICY}services: {{ paths: \"services/{{service}}/**\" }}\n{text}");
            load(Source::new("policy.yaml", text), false).expect("a policy").policy
        };
        let list = serde_json::to_value(plan("tests: [a1 may change services/web/x]\n")).expect("JSON");
        assert_eq!(list["tests"], serde_json::json!(["a1 may change services/web/x"]));
        let map = serde_json::to_value(plan("tests: { run: x }\n")).expect("JSON");
        assert_eq!(
            map["tests"],
            serde_json::json!({ "run": "x", "cwd": null, "timeout": "10m", "sentences": [] })
        );
    }
}
