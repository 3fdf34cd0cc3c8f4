//! A compiled host notices nothing, and is armed as its kernel allows.

use super::*;

/// Whether the kernel has no pidfd.
fn polls() -> bool {
    UNKNOWN.is_some_and(|first| i64::from(first) <= libc::SYS_pidfd_open)
}

// What the log says of a host is what the world's kernel offers.
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn armed_by_the_rung_that_the_kernel_has() {
    let anchor = sibling();
    let mut command = inside(&[&compiled_program("echo")]);
    let log = Log::of(anchored_inside(&mut command, anchor.pid()));
    let host = Echo::spawn(&mut command).armed();
    let rung = if polls() {
        "thread that polls /proc every 10ms"
    } else {
        "thread with pidfd"
    };
    let expected = format!(
        "libanchor[{}]: armed: anchor {}: {rung}",
        host.owned.pid(),
        anchor.pid()
    );
    assert!(log.text().starts_with(&expected), "{}", log.text());
    assert_eq!(log.text().lines().count(), 1, "{}", log.text());
}

#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn neither_table_holds_anything_of_the_others() {
    let anchor = sibling();
    let host = Echo::spawn(anchored_inside(
        &mut inside(&[&compiled_program("echo")]),
        anchor.pid(),
    ))
    .armed();
    let mut control = Echo::spawn(&mut inside(&[&compiled_program("echo")]));
    control.assert_lives();
    let count = |echo: &Echo| held_by(Path::new(&format!("/proc/{}", echo.owned.pid()))).len();
    assert_eq!(count(&host), count(&control));
    let task = watcher(host.owned.pid()).unwrap();
    // Where there is no pidfd, this holds the anchor's place.
    let stat = format!("/proc/{}/stat", anchor.pid());
    let is_own = |of: &String| WATCHERS_OWN.contains(&of.as_str()) || (polls() && of.ends_with(&stat));
    wait_until("nothing of the host's is left", || {
        held_by(&task).iter().all(is_own)
    });
    assert_eq!(held_by(&task).len(), 2);
}

#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn nothing_at_all_without_an_anchor() {
    let program = compiled_program("calls");
    let without = inside(&[&program]).output().unwrap();
    let with = with_library(&mut inside(&[&program])).output().unwrap();
    assert_eq!(with, without);
    assert_eq!(text(&with.stderr), "");
    let mut host = inside(&[&compiled_program("echo")]);
    let mut host = Echo::spawn(with_library(&mut host));
    host.assert_lives();
    assert_eq!(watcher(host.owned.pid()), None);
}

// Results, errno and ids of every wrapped call, with good and bad arguments.
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn wrapped_calls_answer_as_they_would() {
    let output = answers_as_it_would(&[&compiled_program("calls")]);
    assert!(text(&output.stdout).lines().count() > 40);
}

#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn every_task_has_the_ids_of_its_host() {
    let anchor = sibling();
    // A watcher under a filter keeps its capabilities, and the program looks long before it says so.
    let (changes, powerless) = if UNKNOWN.is_some() {
        ("3", "")
    } else {
        ("100", " 0 with capabilities, 2")
    };
    let mut command = inside(&[&compiled_program("credentials"), changes]);
    let output = anchored_inside(&mut command, anchor.pid()).output().unwrap();
    let said = text(&output.stdout);
    assert!(
        said.starts_with(&format!(
            "{changes} changes, 0 failed, 0 tasks with old ids,{powerless}"
        )),
        "{output:?}"
    );
    assert!(said.ends_with(", 2 to 2 tasks\n"), "{said}");
    assert_eq!(text(&output.stderr), "");
}

// The same number in another PID namespace is nobody's death.
#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn lives_where_the_anchor_is_of_another_pid_namespace() {
    let mut anchor = sibling();
    let id = identity(anchor.pid());
    let (_, start) = id.split_once(':').unwrap();
    let mut command = inside(&[&compiled_program("echo")]);
    let log = Log::of(anchored_inside(&mut command, anchor.pid()).env("ANCHOR_ID", format!("1:{start}")));
    let mut host = Echo::spawn(&mut command);
    host.assert_lives();
    assert!(log.text().contains("]: inert: "), "{}", log.text());
    assert_eq!(watcher(host.owned.pid()), None);
    anchor.kill_and_reap();
    host.assert_lives();
}

#[test]
#[ignore = "run by scripts/worlds: needs a world"]
fn a_bad_value_is_one_line_and_the_host_runs_unless_it_is_strict() {
    let mut command = inside(&[
        "/bin/sh",
        "-c",
        "exec \"$@\" </dev/null",
        "sh",
        &compiled_program("echo"),
    ]);
    with_library(&mut command).env("ANCHOR_PID", "abc");
    let output = command.output().unwrap();
    let said = text(&output.stderr);
    // The shell's own line, and that of what it becomes.
    assert!(
        said.lines().all(|line| line.contains("ANCHOR_PID: abc: want ")),
        "{said}"
    );
    assert_eq!(
        (said.lines().count(), output.status.code()),
        (2, Some(0)),
        "{said}"
    );
    let output = command.env("ANCHOR_STRICT", "1").output().unwrap();
    assert_eq!(
        (text(&output.stdout), output.status.code()),
        (String::new(), Some(125))
    );
}
