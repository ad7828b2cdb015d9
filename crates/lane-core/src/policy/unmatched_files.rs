//! Files of a policy that are not there, and those that agents may change.

use super::FILE;
use super::compose::includes;
use super::diagnostic::Diagnostic;
use super::model::Access;
use super::plan::Plan;
use super::unmatched::{Inventory, Names};

/// The warnings about the files of a policy beside its own.
pub(super) fn warnings(plan: &Plan, inventory: &Inventory, warnings: &mut Vec<Diagnostic>) {
    let files = plan.source.files();
    for pattern in &plan.policy.include {
        if !files.iter().any(|part| includes(&pattern.value, part.path.as_bytes())) {
            let message = format!("`{}` matches no file", pattern.value);
            let text = format!("/{}", pattern.value.trim_start_matches('/'));
            let help = Names::new(inventory, plan.folds_case()).help(&text);
            let span = pattern.span.unwrap_or_default();
            warnings.push(Diagnostic::warning(span, message, "matches nothing").help(help));
        }
    }
    let is_open = |path: &str| {
        let decision = plan.decide(path.as_bytes(), false);
        let access = decision.area().map(|area| area.access.value);
        !matches!(access, Some(Access::Maintainer | Access::Never))
    };
    let mut told = Vec::new();
    for part in files.iter().filter(|part| is_open(&part.path)) {
        if !told.contains(&part.by) {
            told.push(part.by);
            let message = format!("agents may change {}, which is a part of the policy", part.path);
            let help = match is_open(FILE) {
                true => {
                    "add an area, which holds for its other files as well: { name: policy, paths: [/policy.yaml], access: maintainer }"
                }
                false => "an area of policy.yaml has it: leave it out there, or give it `access: maintainer`",
            };
            warnings.push(Diagnostic::warning(part.by, message, "not protected").help(help));
        }
    }
}
