use super::database::with_search_path;
use super::*;
use crate::policy::{Source, load};

fn variables() -> Variables {
    let text = "version: 1\nagents:\n  a1:\n    name: \"It's $HOME\"\n    services: [x, y]\n    ports: 8080-8099\n    \
                database: { schema: agent_a1 }\n    memory: 4GB\n    limits: { openai-tpm: 7 }\n    env:\n      \
                KEY: \"${SECRET}\"\n      URL: \"http://h:${PORT_OFFSET}/`a\\\"\"\nservices: { paths: \"s/{service}/**\" }\n";
    let plan = load(Source { name: "policy.yaml".into(), text: text.into() }, false).expect("a policy");
    of(plan.policy.agent("a1").expect("an agent"))
}

fn outside(name: &str) -> Option<String> {
    match name {
        "SECRET" => Some("it's a\n\"secret\" \\ $x".to_owned()),
        "DATABASE_URL" => Some("postgresql://u:p@h/db".to_owned()),
        _ => None,
    }
}

#[test]
fn all_that_the_policy_says() {
    let resolved = variables().resolve(&outside);
    let get = |name: &str| resolved.get(name).unwrap_or_default();
    assert_eq!((get("AGENT_ID"), get("AGENT_SERVICES")), ("a1".into(), "x,y".into()));
    assert_eq!((get("PORT_OFFSET"), get("PORT_RANGE")), ("8080".into(), "8080-8099".into()));
    assert_eq!((get("AGENT_MEMORY_BYTES"), get("LIMIT_OPENAI_TPM")), ("4000000000".into(), "7".into()));
    assert_eq!(get("AGENT_NAME"), "It's $HOME", "a name refers to nothing");
    assert_eq!(get("URL"), "http://h:8080/`a\"");
    assert_eq!(get("DATABASE_URL"), "postgresql://u:p@h/db?options=-csearch_path%3Dagent_a1%2Cpublic");
    assert!(resolved.missing.is_empty());
}

#[test]
fn what_is_not_set_is_named_and_unset() {
    let resolved = variables().resolve(&|_| None);
    assert_eq!(resolved.complaints(), ["KEY is left out: SECRET is not set here"]);
    assert!(as_sh(&resolved).starts_with("unset KEY\n"));
    assert_eq!(resolved.get("DATABASE_URL"), None);
}

#[test]
fn the_file_holds_no_secret() {
    let text = as_file(&variables());
    assert!(text.contains("export KEY=\"${SECRET}\"\n"), "{text}");
    assert!(text.contains("export AGENT_NAME='It'\\''s $HOME'\n"), "{text}");
    assert!(text.contains(r#"export URL="http://h:${PORT_OFFSET}/\`a\"""#), "{text}");
}

#[test]
fn dotenv_words() {
    let resolved = variables().resolve(&outside);
    let text = as_dotenv(&resolved);
    assert!(text.contains(r#"KEY="it's a\n\"secret\" \\ $x""#), "{text}");
    assert!(text.contains("AGENT_SERVICES=x,y\n"), "{text}");
}

#[test]
fn search_paths() {
    let ours = "options=-csearch_path%3Da2%2Cpublic";
    for (url, expected) in [
        ("postgresql://h/d", format!("postgresql://h/d?{ours}")),
        ("postgresql://h/d?sslmode=require", format!("postgresql://h/d?sslmode=require&{ours}")),
        ("postgresql://h/d?options=-csearch_path%3Da1%2Cpublic", format!("postgresql://h/d?{ours}")),
        (
            "postgresql://h/d?options=-cstatement_timeout%3D5&x=1",
            "postgresql://h/d?x=1&options=-cstatement_timeout%3D5%20-csearch_path%3Da2%2Cpublic".to_owned(),
        ),
        ("dbname=x", "dbname=x".to_owned()),
    ] {
        assert_eq!(with_search_path(url, "a2"), expected);
        assert_eq!(with_search_path(&expected, "a2"), expected, "once");
    }
}
