//! Every test that runs real git, real servers or the program itself: a module for each subject.
// It starts sh and servers of Unix; other systems have the tests beside the code.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod action;
mod action_release;
mod advice;
mod advice_commands;
mod advice_errors;
mod advice_land;
mod advice_locks;
mod advice_reading;
mod advice_rules;
mod advice_setup;
mod advice_sync;
mod affected;
mod append_only;
mod approvals;
mod area_limits;
mod backends;
mod bad_input;
mod branch_regex;
mod browser;
mod change_base;
mod check;
mod ci;
mod codeowners;
mod command_line;
mod commit_graph;
mod compare;
mod compare_trials;
mod conflicts;
mod content;
mod custom;
mod database;
mod doctor;
mod env;
mod extends;
mod formats;
mod fuzz;
mod git_formats;
mod github;
mod guide;
mod harness_hooks;
mod harnesses;
mod health;
mod hook_table;
mod hooks;
mod hooks_in_force;
mod hooks_start;
mod hostile;
mod hostile_payloads;
mod inbox;
mod init;
mod init_whole;
mod install;
mod join;
mod land;
mod land_edges;
mod land_server;
mod layers;
mod lines;
mod locks;
mod locks_content;
mod locks_faults;
mod locks_model;
mod locks_push;
mod locks_release;
mod locks_remote;
mod mcp;
mod metadata;
mod observe;
mod parsed_policy;
mod patterns;
mod policy_changes;
mod policy_diff;
mod policy_try;
mod ranges;
mod release;
mod release_packages;
mod report_command;
mod report_edges;
mod report_history;
mod report_journal;
mod requests;
mod server;
mod server_http;
mod server_install;
mod server_locks;
mod server_policy;
mod server_requests;
mod setup;
mod signatures;
mod site;
mod stack_sync;
mod stacks;
mod staged_tree;
mod status;
mod status_serve;
mod support;
mod sync;
mod teardown;
mod traps;
mod tree_cache;
mod unverified;
mod voice;
mod watch;

use std::collections::BTreeSet;

/// A file of tests that no `mod` names would never run, and nothing would say so.
#[test]
fn every_file_is_a_module_of_this_program() {
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite"));
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "main.rs" && name != "snapshots")
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .collect();
    let named: BTreeSet<String> = include_str!("main.rs")
        .lines()
        .filter_map(|line| Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned()))
        .collect();
    assert_eq!(files, named);
    let outside: Vec<_> = std::fs::read_dir(folder.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect();
    assert_eq!(outside, Vec::<std::path::PathBuf>::new(), "a program of its own is linked and run alone");
}
