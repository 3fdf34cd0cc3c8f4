//! Tools that start what others have written.

use crate::running::{Example, Running};
use crate::support::python::succeeds;
use crate::{nothing_is_left, then_nothing_is_left};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

// test -> python3 (anchor) -> npm exec -> sh -> node
//                          -> uv run -> python
#[test]
fn servers_below_npx_and_uv_end_with_the_harness() {
    let example = Example::new("mcp", &["node", "npm", "venv"]);
    nothing_is_left(&Example {
        packages: &["uv"],
        ..example
    });
}

// test -> sh -> python3 (Runner.Listener) -> python3 (Runner.Worker, anchor) -> bash -> sleep
//            -> python3 (a server that an earlier step has left)
#[test]
fn what_a_jobs_steps_started_ends_when_the_runner_is_killed() {
    nothing_is_left(&Example::new("github-actions", &["bash", "python3"]));
}

// test -> pytest (anchor) -> postgres -> its processes
//                         -> redis-server
#[test]
fn servers_of_a_test_run_end_in_order_when_pytest_is_killed() {
    let example = Example::new("pytest", &["postgres", "redis-server", "venv"]);
    let example = Example {
        packages: &["pytest"],
        // What PostgreSQL starts comes and goes; it is looked at below.
        steady: |line| line.contains("postgres -D") || line.starts_with("redis-server"),
        ..example
    };
    then_nothing_is_left(&example, |tree| {
        let folder = PathBuf::from(folder_of(tree));
        let newest = "$(ls -d /usr/lib/postgresql/*/bin | tail -1)";
        let state = format!("{newest}/pg_controldata \"$1\" | grep '^Database cluster state: *shut down$'");
        succeeds(
            Command::new("sh")
                .args(["-c", &state, "sh"])
                .arg(folder.join("db")),
        );
        succeeds(Command::new("redis-check-rdb").arg(folder.join("dump.rdb")));
        assert!(!fs::exists(folder.join("db/postmaster.pid")).unwrap());
    });
}

fn folder_of(tree: &Running) -> String {
    let said = tree.said("out");
    let line = said.lines().find_map(|line| line.strip_prefix("folder "));
    line.expect("it says where its data is").to_owned()
}
