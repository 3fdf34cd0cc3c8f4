//! `anchored --list`: who was told of an anchor, what has become of it, and who guards the process.

#![cfg(target_os = "linux")]

mod lists;

use lists::*;
use nix::sys::signal::Signal;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

#[test]
fn every_host_is_listed_by_how_it_is_armed() {
    // test -> sleep (anchor), waits (each a host, or not)
    let anchor = Anchor::new();
    let armed = Host::start(&mut anchor.injected(&DYNAMIC)).armed();
    let without = Host::start(&mut anchor.injected(&STATIC));
    let bare_dynamic = Host::start(&mut anchor.cookie(&DYNAMIC));
    let released = Host::start(anchor.injected(&DYNAMIC).env("ANCHOR_DISABLE", "1"));
    let skipped = Host::start(anchor.injected(&DYNAMIC).env("ANCHOR_SKIP", "x:wai*"));
    let zygote = Host::start(anchor.injected(&DYNAMIC).arg("--type=zygote"));
    let stranger = Host::start(&mut bare(&*STATIC));
    let rows = listed(anchor.pid());
    let seen = |host: &Host| seen(&rows, host.pid());
    assert_eq!(seen(&armed), "alive, thread");
    assert_eq!(seen(&without), "alive, not armed: static");
    assert_eq!(seen(&bare_dynamic), "alive, not armed: not preloaded");
    assert_eq!(seen(&released), "alive, released");
    assert_eq!(seen(&skipped), "alive, not armed: ANCHOR_SKIP names it");
    assert_eq!(seen(&zygote), "alive, not armed: a Chromium zygote");
    assert_eq!(seen(&stranger), "-");
    assert_eq!(rows.len(), 6);
}

#[test]
fn a_set_id_program_is_listed_as_one() {
    // test -> sleep (anchor), waits, of another user and set-id (not armed), and the same file without that (host)
    if !is_root() {
        return left_out("a set-id program: needs root");
    }
    let anchor = Anchor::new();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let program = folder.path().join("waits");
    copied(&*DYNAMIC, &program);
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    nix::unistd::chown(&program, Some(nobody.uid), None).unwrap();
    let control = Host::start(&mut anchor.injected(&program)).armed();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o4755)).unwrap();
    let host = Host::start(&mut anchor.injected(&program));
    let rows = listed(anchor.pid());
    assert_eq!(seen(&rows, host.pid()), "alive, not armed: set-id");
    assert_eq!(seen(&rows, control.pid()), "alive, thread");
}

#[test]
fn an_anchor_is_judged_by_its_identity() {
    // test -> sleep (anchor), waits (each with another cookie)
    let older = Older::new();
    let mut anchor = older.anchor();
    let with = |id: Option<&str>| {
        let mut command = anchor.cookie(&STATIC);
        match id {
            Some(id) => command.env("ANCHOR_ID", id),
            None => command.env_remove("ANCHOR_ID"),
        };
        Host::start(&mut command)
    };
    let known = with(Some(&anchor.id));
    let recycled = older.start(anchor.cookie(&STATIC).env("ANCHOR_ID", anchor.other_start()));
    // The number is an older process's: it was changed, and the identity kept.
    let changed = with(Some(&anchor.other_start()));
    let elsewhere = with(Some(&anchor.other_namespace()));
    let nobodys = with(Some("0:0"));
    let unsaid = with(None);
    let unclear = with(Some("soon"));
    let states = |pid: i32| {
        let rows = listed(pid);
        [
            &known, &recycled, &changed, &elsewhere, &nobodys, &unsaid, &unclear,
        ]
        .map(|host| {
            let seen = seen(&rows, host.pid());
            seen.split(',').next().unwrap().to_owned()
        })
    };
    let unknown = ["unknown"; 5];
    let alive = [&["alive", "recycled"][..], &unknown].concat();
    assert_eq!(states(anchor.pid()), *alive);
    // A zombie is dead.
    let pid = anchor.owned.pid();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    wait_for_exit(pid);
    assert_eq!(states(pid)[0], "gone");
    assert_eq!(states(pid)[3..], unknown[1..]);
    anchor.owned.0.wait().unwrap();
    // Reaped, and the number nobody's, or a stranger's by now.
    assert!(["gone", "recycled"].contains(&states(pid)[0].as_str()));
    assert_eq!(states(pid)[3..], unknown[1..]);
}

#[test]
fn an_anchor_whose_main_thread_has_ended_is_alive() {
    // test -> waits (anchor, its main thread a zombie), waits (told of it)
    let mut anchor = Host::start(bare(&*DYNAMIC).arg("leaves"));
    let folder = format!("/proc/{}", anchor.pid());
    wait_until("a main thread that has ended", || {
        state(folder.as_ref()) == Some('Z')
    });
    let host = Host::start(
        bare(&*STATIC)
            .env("ANCHOR_PID", anchor.pid().to_string())
            .env("ANCHOR_ID", identity(anchor.pid())),
    );
    assert_eq!(
        seen(&listed(anchor.pid()), host.pid()),
        "alive, not armed: static"
    );
    anchor.assert_lives();
    anchor.owned.0.kill().unwrap();
    wait_for_exit(anchor.pid());
    assert_eq!(seen(&listed(anchor.pid()), host.pid()), "gone, not armed: static");
}

#[test]
fn a_host_whose_main_thread_has_ended_is_listed() {
    // test -> sleep (anchor), waits (host, its main thread a zombie)
    let anchor = Anchor::new();
    let host = Host::start(anchor.injected(&DYNAMIC).arg("leaves")).armed();
    let folder = format!("/proc/{}", host.pid());
    wait_until("a main thread that has ended", || {
        state(folder.as_ref()) == Some('Z')
    });
    let rows = listed(anchor.pid());
    assert_eq!(seen(&rows, host.pid()), "alive, thread");
    assert_eq!(rows[&host.pid()]["command"][1], "leaves");
}

#[test]
fn a_watcher_says_whom_it_watches_where_the_cookie_does_not() {
    // test -> sleep (anchor), waits (no ANCHOR_ID; its title over its environment; the same without the library)
    let mut anchor = Anchor::new();
    let pinned = Host::start(anchor.injected(&DYNAMIC).env_remove("ANCHOR_ID")).armed();
    let title = Host::start(anchor.injected(&DYNAMIC).arg("title")).armed();
    let control = Host::start(anchor.cookie(&DYNAMIC).env_remove("ANCHOR_ID"));
    let hidden = Host::start(anchor.cookie(&DYNAMIC).arg("title"));
    let rows = listed(anchor.pid());
    assert_eq!(seen(&rows, pinned.pid()), "alive, thread");
    assert_eq!(seen(&rows, title.pid()), "alive, thread");
    assert_eq!(seen(&rows, control.pid()), "unknown, not armed: not preloaded");
    assert_eq!(seen(&rows, hidden.pid()), "-");
    // Stopped, so that the watcher cannot fire.
    pinned.stop();
    anchor.owned.kill_and_reap();
    let rows = listed(anchor.pid());
    assert_eq!(seen(&rows, pinned.pid()), "gone, thread");
    assert_eq!(seen(&rows, control.pid()), "unknown, not armed: not preloaded");
}

#[test]
fn who_has_inherited_the_scope_of_another_is_not_meant() {
    // test -> sleep (anchor), waits (named by ANCHOR_SCOPE), waits (has it from another)
    let anchor = Anchor::new();
    let own = Host::start(anchor.injected(&DYNAMIC).env("ANCHOR_SCOPE", "self")).armed();
    let other = Host::start(anchor.injected(&DYNAMIC).env("ANCHOR_SCOPE", "self:1:1"));
    let rows = listed(anchor.pid());
    assert_eq!(seen(&rows, own.pid()), "alive, thread");
    assert_eq!(seen(&rows, other.pid()), "alive, not armed: ANCHOR_SCOPE=self");
}

#[test]
fn what_stands_below_an_anchored_is_supervised() {
    // test -> sleep (anchor), anchored (a shell of that name) -> waits; then a shell of another name -> waits
    let anchor = Anchor::new();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let below = |name: &str| {
        let shell = folder.path().join(name);
        copied(std::fs::canonicalize("/bin/sh").unwrap(), &shell);
        let program = STATIC.to_str().unwrap();
        let script = format!("{program}; exit");
        let (host, _group) = Host::start_group(anchor.cookie(&shell).args(["-c", &script]));
        let mut rows = listed(anchor.pid());
        // The shell is one of them too.
        rows.retain(|pid, row| *pid != host.pid() && row["command"][0] == program);
        assert_eq!(rows.len(), 1);
        seen(&rows, *rows.keys().next().unwrap())
    };
    assert_eq!(below("anchored"), "alive, supervised");
    assert_eq!(below("another"), "alive, not armed: static");
}

#[test]
fn json_has_its_keys() {
    // test -> sleep (anchor), waits (host)
    let anchor = Anchor::new();
    let host = Host::start(anchor.injected(&DYNAMIC).arg("a b")).armed();
    let rows = listed(anchor.pid());
    let row = rows[&host.pid()].as_object().unwrap();
    let keys: Vec<&str> = row.keys().map(String::as_str).collect();
    let mut expected = [
        "pid",
        "anchor",
        "anchor_fd",
        "anchor_id",
        "anchor_state",
        "armed",
        "why",
        "age",
        "command",
    ];
    expected.sort_unstable();
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(row["anchor"], anchor.pid());
    assert_eq!(row["anchor_id"], anchor.id);
    assert_eq!(row["why"], serde_json::Value::Null);
    assert!(row["age"].as_u64().unwrap() < 3600);
    let program = DYNAMIC.to_str().unwrap();
    assert_eq!(row["command"], serde_json::json!([program, "a b"]));
}

#[test]
fn nothing_found_is_a_line_on_stderr_and_no_failure() {
    // test -> sleep (nobody's anchor)
    let anchor = Anchor::new();
    let said = run(&mut anchored("--list", anchor.pid()));
    assert_eq!((said.status, said.out.as_str()), (0, ""));
    assert_eq!(said.err, "anchored: no anchored process\n");
    let said = run(anchored("--list", anchor.pid()).arg("--json"));
    assert_eq!(
        (said.status, said.out.as_str(), said.err.as_str()),
        (0, "[]\n", "")
    );
}

#[test]
fn the_table_is_aligned_and_sorted() {
    // test -> sleep (anchor), waits (hosts)
    let older = Older::new();
    let anchor = older.anchor();
    let hosts = [
        Host::start(&mut anchor.injected(&DYNAMIC)).armed(),
        Host::start(anchor.cookie(&STATIC).arg("a\x1b[31m\nb")),
        older.start(anchor.cookie(&STATIC).env("ANCHOR_ID", anchor.other_start())),
    ];
    let said = run(&mut anchored("--list", anchor.pid()));
    assert!(!said.out.contains('\x1b'), "{:?}", said.out);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", said.out);
    for (name, cell) in [("ANCHOR", anchor.pid().to_string().as_str()), ("COMMAND", "/")] {
        let column = lines[0].find(name).unwrap();
        assert!(
            lines[1..].iter().all(|line| line[column..].starts_with(cell)),
            "{}",
            said.out
        );
    }
    let numbers: Vec<i32> = lines[1..]
        .iter()
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect();
    let mut sorted: Vec<i32> = hosts.iter().map(Host::pid).collect();
    sorted.sort_unstable();
    assert_eq!(numbers, sorted);
    assert!(said.out.contains("a?[31m?b"), "{}", said.out);
    assert!(said.out.contains("recycled") && said.out.contains("not armed: static"));
}

#[test]
fn a_terminal_has_colours_unless_they_are_not_wanted() {
    // test -> sleep (anchor), waits (host)
    let anchor = Anchor::new();
    let _host = Host::start(anchor.injected(&DYNAMIC).arg("x".repeat(200))).armed();
    let on_terminal = |variables: &[(&str, &str)]| {
        let (mut screen, side) = terminal::terminal();
        terminal::resize(&side, 24, 60);
        let mut command = anchored("--list", anchor.pid());
        command
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .envs(variables.iter().copied())
            .stdout(side);
        assert!(command.status().unwrap().success());
        // The last writer is gone, and a terminal says EIO where a pipe says that it has ended.
        drop(command);
        let mut text = Vec::new();
        let _ = screen.read_to_end(&mut text);
        String::from_utf8(text).unwrap()
    };
    let coloured = on_terminal(&[]);
    assert!(coloured.contains("\x1b[32mthread"), "{coloured:?}");
    for plain in [
        on_terminal(&[("NO_COLOR", "1")]),
        on_terminal(&[("TERM", "dumb")]),
    ] {
        assert!(!plain.contains('\x1b'), "{plain:?}");
        let longest = plain.lines().map(|line| line.trim_end().chars().count()).max();
        assert_eq!(longest, Some(60), "{plain:?}");
    }
}
