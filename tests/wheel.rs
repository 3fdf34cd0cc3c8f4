//! The Python wheel: packed by `scripts/wheel`, installed into an empty virtual environment without a network, and used
//! there.

#![cfg(target_os = "linux")]

mod support;

use once_cell::sync::Lazy;
use std::fs::{read, read_to_string, write};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::packages::{others_libraries, pack, refused, succeeds, tools, values};
use support::*;

/// What is in a wheel that has a library, without the name of the folder that has its version.
const FILES: [&str; 19] = [
    "anchor/__init__.py",
    "anchor/__main__.py",
    "anchor/_channel.py",
    "anchor/_copy.py",
    "anchor/_environment.py",
    "anchor/_errors.py",
    "anchor/_identity.py",
    "anchor/_library.py",
    "anchor/_platform.py",
    "anchor/_popen.py",
    "anchor/_settings.py",
    "anchor/lib/libanchor.so",
    "anchor/py.typed",
    "METADATA",
    "RECORD",
    "WHEEL",
    "entry_points.txt",
    "licenses/LICENSE-APACHE",
    "licenses/LICENSE-MIT",
];

/// A virtual environment in which nothing but the package is installed, and its tests beside that.
static INSTALLED: Lazy<tempfile::TempDir> = Lazy::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let wheels = folder.path().join("wheels");
    packed(&wheels, &[]);
    succeeds(
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(folder.path().join("venv")),
    );
    let mut install = python(folder.path());
    install
        .args([
            "-m",
            "pip",
            "--isolated",
            "--disable-pip-version-check",
            "install",
            "--quiet",
        ])
        .args(["--no-index", "--find-links"])
        .arg(wheels)
        .arg("libanchor");
    succeeds(&mut install);
    let package = root().join("packages/python");
    succeeds(
        Command::new("cp")
            .arg("-R")
            .arg(package.join("tests"))
            .arg(folder.path()),
    );
    std::fs::copy(package.join("README.md"), folder.path().join("tests/README.md")).unwrap();
    folder
});

fn python(folder: &Path) -> Command {
    let mut command = Command::new(folder.join("venv/bin/python"));
    without_library(&mut command).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn packed(out: &Path, libraries: &[&Path]) -> Vec<PathBuf> {
    let output = pack("wheel", out, libraries);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().map(PathBuf::from).collect()
}

fn have_python() -> bool {
    have("python3") && have("venv") && have("hatchling")
}

#[test]
fn the_package_works_where_nothing_else_is() {
    if !have_python() || !have("node") {
        return;
    }
    let mut tests = python(INSTALLED.path());
    tests
        .args(["-m", "unittest", "-v"])
        .current_dir(INSTALLED.path().join("tests"));
    let output = tests.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("skipped"), "{said}");
}

#[test]
fn the_types_are_those_of_a_strict_checker() {
    if !have_python() {
        return;
    }
    let package = root().join("packages/python");
    let cache = tempfile::tempdir().unwrap();
    let check = |folder: &Path, what: &[&str]| {
        let mut mypy = Command::new(tools("python/bin/mypy"));
        mypy.arg("--strict")
            .arg("--cache-dir")
            .arg(cache.path())
            .args(what);
        mypy.arg("--python-executable")
            .arg(INSTALLED.path().join("venv/bin/python"));
        succeeds(mypy.current_dir(folder));
    };
    check(&package.join("src"), &["anchor"]);
    check(&INSTALLED.path().join("tests"), &["typed.py"]);
}

// For every glibc and musl of its time; auditwheel knows what in a library would need a later one.
#[test]
fn the_wheel_is_what_its_name_promises() {
    if !have_python() {
        return;
    }
    let wheels = folder_of_wheels();
    let name = wheels.iter().find(|name| name.contains("manylinux")).unwrap();
    let machine = std::env::consts::ARCH;
    let tags =
        format!("py3-none-manylinux2014_{machine}.manylinux_2_17_{machine}.musllinux_1_2_{machine}.whl");
    assert!(name.ends_with(&tags), "{name}");
    let mut audit = Command::new(tools("python/bin/auditwheel"));
    audit.arg("show").arg(INSTALLED.path().join("wheels").join(name));
    let said = succeeds(&mut audit);
    let needs = said
        .split("\"manylinux_2_")
        .nth(1)
        .and_then(|rest| rest.split('_').next());
    assert!(
        needs.is_some_and(|needs| needs.parse::<u32>().unwrap() <= 17),
        "{said}"
    );
    assert!(said.contains("requires no external shared libraries"), "{said}");
}

fn folder_of_wheels() -> Vec<String> {
    let names = std::fs::read_dir(INSTALLED.path().join("wheels")).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn listed(wheel: &Path) -> Vec<String> {
    let said = succeeds(
        Command::new("python3")
            .args(["-m", "zipfile", "--list"])
            .arg(wheel),
    );
    let info = format!("libanchor-{}.dist-info/", env!("CARGO_PKG_VERSION"));
    let names = said.lines().skip(1).map(|line| line.split(' ').next().unwrap());
    names.map(|name| name.replace(&info, "")).collect()
}

#[test]
fn the_same_files_give_the_same_wheels() {
    if !have_python() {
        return;
    }
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let others = others_libraries(folders[0].path());
    let mut libraries = vec![LIBRARY.as_path()];
    libraries.extend(others.iter().map(PathBuf::as_path));
    let first = packed(folders[0].path(), &libraries);
    libraries.reverse();
    let second = packed(folders[1].path(), &libraries);
    assert_eq!(first.len(), 5, "{first:?}");
    for (one, other) in first.iter().zip(second) {
        assert_eq!(one.file_name(), other.file_name());
        assert!(read(one).unwrap() == read(other).unwrap(), "{one:?}");
        let mut found = listed(one);
        let (mut expected, name) = (FILES.map(str::to_owned).to_vec(), one.to_str().unwrap());
        if name.contains("macosx_11_0_") {
            expected[11] = "anchor/lib/libanchor.dylib".to_owned();
        } else if name.ends_with("-any.whl") {
            expected.remove(11);
        }
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{name}");
    }
}

// Without a library in the arguments, it is this machine's, as cargo builds it.
#[test]
fn the_library_is_the_one_that_ships() {
    if !have_python() {
        return;
    }
    let said =
        succeeds(python(INSTALLED.path()).args(["-c", "from anchor._library import find; print(find())"]));
    let found = Path::new(said.trim_end()).to_owned();
    assert!(
        found.starts_with(INSTALLED.path().canonicalize().unwrap()),
        "{found:?}"
    );
    assert!(read(found).unwrap() == read(&*LIBRARY).unwrap());
}

#[test]
fn what_cannot_be_packed_is_one_line() {
    if !have_python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let others = others_libraries(folder.path());
    let text = folder.path().join("text");
    write(&text, "no library").unwrap();
    for (libraries, words) in [
        (vec![others[0].as_path()], "no LIBRARY for this machine"),
        (
            vec![&*LIBRARY, &others[0], &others[0]],
            "there is another one for darwin-x64",
        ),
        (
            vec![&*LIBRARY, &text],
            "text: want a library for 64-bit Linux or macOS",
        ),
        (vec![Path::new("--nope")], "--nope: unknown option"),
    ] {
        let said = refused(&pack("wheel", folder.path(), &libraries));
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn values_are_taken_as_the_contract_takes_them() {
    if !have_python() {
        return;
    }
    let program = "
import anchor, json, sys
for option, value in json.loads(sys.argv[1]):
    try: anchor.env(**{option: value}); print('true')
    except anchor.InvalidValueError: print('false')";
    let given: Vec<_> = values()
        .iter()
        .map(|(option, value, _)| format!("[{option:?},{value:?}]"))
        .collect();
    let said = succeeds(python(INSTALLED.path()).args(["-c", program, &format!("[{}]", given.join(","))]));
    assert_eq!(said.lines().count(), given.len());
    for ((option, value, taken), said) in values().into_iter().zip(said.lines()) {
        assert_eq!(said, taken.to_string(), "{option}: {value}");
    }
}

#[test]
fn what_makes_the_wheel_is_said_alike_in_both_places() {
    let text = read_to_string(root().join("packages/python/pyproject.toml")).unwrap();
    let project: toml::Table = text.parse().unwrap();
    let backend = project["build-system"]["requires"][0].as_str().unwrap();
    let pinned = read_to_string(root().join("packages/python/build.txt")).unwrap();
    assert!(pinned.contains(&format!("\n{backend} ")), "{backend}");
}
