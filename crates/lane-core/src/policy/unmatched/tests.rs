use super::super::{Source, load};
use super::*;

const POLICY: &str = "\
version: 1
base: main
services: { paths: \"src/{service}/**\" }
agents:
  a1: { services: [checkoutservice, cart], owns: [/docs/], worktree: ../wt-a1 }
  a2: { services: [web], worktree: ../wt-a2 }
areas:
  - { name: protos, paths: [/protos/, \"*.sql\"], access: lock }
  - { name: policy, paths: [/policy.yaml, /policy.tests.yaml], access: maintainer }
  - { name: local, paths: [.agent.env, \"*.local\"], access: never }
change: { exclude: [\"*.lock\", /gen/] }
";

fn inventory() -> Inventory {
    let files = [
        "src/checkoutservice/a.go",
        "src/cart/b.go",
        "src/web/c.go",
        "docs/x.md",
        "protos/demo.proto",
        "db/x.sql",
        "gen/a",
    ];
    Inventory {
        files: files.iter().map(|path| (path.as_bytes().to_vec(), false)).collect(),
        main: Some("/x/repo".into()),
        ..Inventory::default()
    }
}

fn found(policy: &str, inventory: &Inventory) -> Vec<String> {
    let source = Source::new("policy.yaml", policy);
    let plan = load(source, false).unwrap_or_else(|error| panic!("{:#?}", error.diagnostics));
    let told = |warning: Diagnostic| {
        let marked = &plan.source.text[warning.span.range()];
        format!("{marked} | {} | {}", warning.message, warning.help.unwrap_or_default())
    };
    warnings(&plan, inventory).into_iter().map(told).collect()
}

#[track_caller]
fn one(old: &str, new: &str) -> String {
    assert!(POLICY.contains(old), "{old}");
    let mut found = found(&POLICY.replace(old, new), &inventory());
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[test]
fn a_policy_that_fits_has_no_warnings() {
    assert_eq!(found(POLICY, &inventory()), [] as [&str; 0]);
    assert_eq!(found(POLICY, &Inventory::default()), [] as [&str; 0], "nothing is known of it");
}

#[test]
fn a_service_that_does_not_exist() {
    assert_eq!(
        one("checkoutservice", "checkoutservise"),
        "checkoutservise | the service `checkoutservise` does not exist: `src/checkoutservise/**` matches no file | did \
         you mean `checkoutservice`?"
    );
    assert!(one("web]", "nosuch, web]").ends_with("name one that is there: cart, checkoutservice, web"));
    assert!(one("cart", "Cart").ends_with("did you mean `cart`?"));
}

#[test]
fn a_place_of_services_that_does_not_exist() {
    let told = one("src/{service}", "srcs/{service}");
    assert!(
        told.starts_with("\"srcs/{service}/**\" | ") && told.ends_with("did you mean `src/{service}/**`?"),
        "{told}"
    );
}

#[test]
fn a_pattern_that_matches_nothing() {
    assert_eq!(
        one("[/protos/,", "[/proto/,"),
        "/proto/ | `/proto/` matches no file | did you mean `/protos/`?"
    );
    assert!(one("/docs/", "docs/y.md").ends_with("did you mean `docs/x.md`?"));
    assert!(one("*.sql", "**/migrations/**").contains("remove it until such files exist"));
    assert!(one("/gen/", "/gem/").ends_with("did you mean `/gen/`?"));
    assert!(one("/docs/", "doc/").ends_with("did you mean `docs/`?"));
}

#[test]
fn a_service_twice_in_one_lane() {
    let told = one("[web]", "[web, web]");
    assert!(told.contains("`a2` has the service `web` twice"), "{told}");
}

#[test]
fn worktrees_that_do_not_exist() {
    let mut inventory = inventory();
    inventory.worktrees = vec!["/x/wt-a1".into(), "/x/wt-a2-web".into()];
    let told = found(&POLICY.replace("../wt-a2", "../wt-a2-wbe"), &inventory);
    assert!(told.len() == 1 && told[0].ends_with("did you mean `../wt-a2-web`?"), "{told:?}");
    let told = found(&POLICY.replace("../wt-a2", "../elsewhere"), &inventory);
    assert!(told.len() == 1 && told[0].ends_with("git lane setup a2"), "{told:?}");
}

#[test]
fn a_submodule_is_what_is_below_it() {
    let mut inventory = inventory();
    inventory.files.retain(|(path, _)| !path.starts_with(b"src/cart"));
    inventory.files.push((b"src/cart".to_vec(), true));
    assert_eq!(found(POLICY, &inventory), [] as [&str; 0]);
}
