//! A share of the measuring, in which each contender takes part: what is in it, and who ends. No time is judged.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

#[test]
fn everything_is_measured_and_has_its_place() {
    let program = Path::new(env!("CARGO_BIN_EXE_anchor-bench"));
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = Command::new(program);
    command.arg("share").arg("--root").arg(root);
    // `scripts/bench --test` has built the library and the launcher there.
    command
        .arg("--built")
        .arg(program.parent().unwrap())
        .arg("--into")
        .arg(folder.path());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{said}");
    let read = |file: &str| std::fs::read_to_string(folder.path().join(file)).unwrap();
    let results: Value = serde_json::from_str(&read("benchmarks/results.json")).unwrap();
    let page = read("benchmarks.md");

    // ---- Who ends. What the others do is theirs; these are what the harness stands on.
    let situations = [
        "child",
        "1 between",
        "3 between",
        "no relation",
        "anchor not reaped",
    ];
    let (yes, no) = ("ended", "stayed");
    for (contender, outcomes) in [
        ("libanchor", [yes; 5]),
        ("anchored --supervise", [yes; 5]),
        ("PDEATHSIG alone", [yes, no, no, no, yes]),
        ("a polling thread, 0.5 s", [yes, yes, yes, yes, no]),
        ("nothing", [no; 5]),
        ("nothing, in Python", [no; 5]),
    ] {
        let reach = results["reach"].as_array().unwrap();
        let reach = reach.iter().find(|one| one["contender"] == contender).unwrap();
        for (situation, outcome) in situations.iter().zip(outcomes) {
            assert_eq!(reach["tries"][situation][0], outcome, "{contender}, {situation}");
        }
    }
    // ---- Whoever ends has its times, and nobody is lost.
    for which in ["reaped", "refused"] {
        let all = results[which].as_array().unwrap();
        for name in [
            "libanchor",
            "libanchor, no relation",
            "libanchor, 3 between",
            "PDEATHSIG alone",
            "a polling thread, 0.5 s",
        ] {
            let series = all.iter().find(|one| one["name"] == name).expect(name);
            let values = series["values"].as_array().unwrap();
            assert!(
                !values.is_empty() && values.iter().all(Value::is_number),
                "{which}, {name}: {values:?}"
            );
        }
    }
    for (program, all) in results["start"].as_object().unwrap() {
        for series in all.as_array().unwrap() {
            assert!(
                series["values"].as_array().unwrap().iter().all(Value::is_number),
                "{program}: {series}"
            );
        }
    }
    for row in results["loops"].as_array().unwrap() {
        for series in row["series"].as_array().unwrap() {
            assert!(series["values"][0].as_f64().unwrap() > 0.0, "{row}");
        }
    }
    // ---- Nobody of ours wakes while nothing happens; the control of the counting does.
    for living in results["living"].as_array().unwrap() {
        let (name, wakes) = (
            living["contender"].as_str().unwrap(),
            living["wakeups_per_minute"].as_f64().unwrap(),
        );
        if name.starts_with("libanchor") {
            assert_eq!(wakes, 0.0, "{name}");
        }
        if name.starts_with("a polling thread") {
            assert!(wakes > 0.0, "{name}: {wakes}");
        }
    }
    assert_eq!(results["growth"].as_array().unwrap().len(), 2 * 4);
    // ---- Each system call is justified.
    let calls = results["calls"].as_array().unwrap();
    assert!(
        calls
            .iter()
            .any(|call| call["name"] == "ppoll" && call["by_watcher"] == 1),
        "{calls:?}"
    );
    assert!(
        !page.contains("| not known |"),
        "a call that bench/calls.txt does not justify:\n{page}"
    );
    // ---- All of it is on the page, and the pictures are there for light and dark.
    for part in [
        "## What must hold",
        "## Death to death",
        "## Cost to start",
        "## Cost to live",
        "## Growth",
        "## System calls at load",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for picture in ["death.svg", "start.svg", "growth.svg"] {
        assert!(page.contains(&format!("(benchmarks/{picture})")), "{picture}");
        let text = read(&format!("benchmarks/{picture}"));
        assert!(
            text.starts_with("<svg") && text.contains("prefers-color-scheme:dark"),
            "{picture}"
        );
        assert!(!text.contains("NaN"), "{picture}");
    }
}
