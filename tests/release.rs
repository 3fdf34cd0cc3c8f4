//! Everything that is published: made by `scripts/release`, in one go.

#![cfg(target_os = "linux")]

mod support;

use once_cell::sync::Lazy;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{copy, create_dir_all, read, read_dir, read_to_string, write};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::packages::{others_libraries, pack, refused, succeeds, tools};
use support::*;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A release with libraries of other platforms in it, which only look like ones.
static MADE: Lazy<tempfile::TempDir> = Lazy::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let others = tempfile::tempdir().unwrap();
    for (number, file) in others_libraries(others.path()).iter().enumerate() {
        let place = others.path().join(number.to_string());
        create_dir_all(&place).unwrap();
        let name = if file.extension().unwrap() == "so" {
            "libanchor.so"
        } else {
            "libanchor.dylib"
        };
        copy(file, place.join(name)).unwrap();
    }
    // This machine's own may be among them.
    create_dir_all(others.path().join("own")).unwrap();
    copy(&*LIBRARY, others.path().join("own/libanchor.so")).unwrap();
    let given = [Path::new("--libraries"), others.path()];
    let output = pack("release", folder.path(), &given);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let said: BTreeSet<_> = said.lines().map(|line| name(Path::new(line))).collect();
    assert_eq!(said, names(folder.path()));
    folder
});

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let files = read_dir(folder).unwrap();
    files.map(|file| name(&file.unwrap().path())).collect()
}

fn can_be_made() -> bool {
    ["npm", "node", "python3", "hatchling", "cyclonedx", "cargo-deb"]
        .iter()
        .all(|program| have(program))
}

fn bill(folder: &Path) -> Value {
    let text = read_to_string(folder.join(format!("libanchor-{VERSION}.cdx.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn texts<'a>(values: &'a Value, field: &str) -> Vec<&'a str> {
    let each = values.as_array().unwrap().iter();
    each.filter_map(|value| value[field].as_str()).collect()
}

#[test]
fn one_command_makes_all_of_it_and_the_sums_are_right() {
    if !can_be_made() {
        return;
    }
    let found = names(MADE.path());
    let count = |end: &str| found.iter().filter(|name| name.ends_with(end)).count();
    let kinds = [".tar.gz", ".deb", ".tgz", ".whl", ".cdx.json", "SHA256SUMS"];
    assert_eq!(kinds.map(count), [1, 2, 1, 5, 1, 1], "{found:?}");
    let mut check = Command::new("sha256sum");
    let said = succeeds(
        check
            .args(["--check", "--strict", "SHA256SUMS"])
            .current_dir(MADE.path()),
    );
    assert_eq!(said.lines().count(), found.len() - 1, "{said}");
}

// The official schema, as the bill's own library has it.
#[test]
fn the_bill_is_valid() {
    if !can_be_made() {
        return;
    }
    let program = "import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
print(JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read()))";
    let file = MADE.path().join(format!("libanchor-{VERSION}.cdx.json"));
    let check = |text: &[u8]| {
        let given = tempfile::NamedTempFile::new().unwrap();
        write(given.path(), text).unwrap();
        let mut python = Command::new(tools("python/bin/python"));
        succeeds(
            python
                .args(["-c", program])
                .stdin(std::fs::File::open(given.path()).unwrap()),
        )
    };
    let text = read_to_string(file).unwrap();
    assert_eq!(check(text.as_bytes()), "None\n");
    let broken = text.replacen("\"type\": \"library\"", "\"type\": \"nothing\"", 1);
    assert_ne!(check(broken.as_bytes()), "None\n");
}

#[test]
fn the_bill_lists_what_is_linked() {
    if !can_be_made() {
        return;
    }
    let bill = bill(MADE.path());
    let needs: BTreeMap<_, _> = bill["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["ref"].as_str().unwrap(), entry["dependsOn"].clone()))
        .collect();
    // What is loaded into other people's programs: a short list, and it is not to become longer unseen.
    let mut reached = BTreeSet::new();
    let mut left = vec![format!("libanchor@{VERSION}")];
    while let Some(component) = left.pop() {
        let direct = needs[component.as_str()].as_array().cloned().unwrap_or_default();
        left.extend(direct.iter().map(|need| need.as_str().unwrap().to_owned()));
        reached.insert(component.split('@').next().unwrap().to_owned());
    }
    let expected = ["anchor-contract", "ctor", "libanchor", "libc"];
    assert_eq!(reached, expected.map(str::to_owned).into());

    let components = bill["components"].as_array().unwrap();
    let listed: BTreeSet<_> = texts(&bill["components"], "bom-ref").into_iter().collect();
    for component in components {
        let Some(purl) = component["purl"].as_str() else {
            continue;
        };
        let word = |field: &str| component[field].as_str().unwrap();
        assert_eq!(purl, format!("pkg:cargo/{}@{}", word("name"), word("version")));
        let sum = component["hashes"][0]["content"].as_str().unwrap();
        assert!(
            sum.len() == 64 && component["licenses"][0].is_object(),
            "{component}"
        );
        // Tests and macros are in no file.
        assert!(!["tempfile", "syn", "quickcheck"].contains(&word("name")));
    }
    // The launcher's own messages name the crates that they come from.
    let tree = format!("libanchor-{VERSION}-linux-{}", std::env::consts::ARCH);
    let mut tar = Command::new("tar");
    tar.arg("-xzOf").arg(MADE.path().join(format!("{tree}.tar.gz")));
    let launcher = succeeds(tar.arg(format!("{tree}/bin/anchored")));
    let mut named = 0;
    for (before, _) in launcher
        .match_indices("/src/")
        .map(|(at, _)| launcher.split_at(at))
    {
        let start = before
            .rfind(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c))
            .map_or(0, |at| at + 1);
        let crated = before[start..].rsplit_once('-');
        if let Some((name, version)) = crated
            && !before[..start].ends_with("/rust/deps/")
            && version.split('.').all(|part| part.parse::<u32>().is_ok())
        {
            named += 1;
            assert!(
                listed.iter().any(|listed| {
                    let listed = listed.split_once('@');
                    listed.is_some_and(|(listed, of)| name.ends_with(listed) && version == of)
                }),
                "{name} {version}: in the launcher, and not in the bill"
            );
        }
    }
    assert!(named > 5);
}

// One library for a platform, in whichever file it is handed out; and the bill has its sum.
#[test]
fn every_file_has_the_same_library() {
    if !can_be_made() {
        return;
    }
    let bill = bill(MADE.path());
    let arch = std::env::consts::ARCH;
    let node = if arch == "x86_64" { "x64" } else { "arm64" };
    let sum = succeeds(Command::new("sha256sum").arg(&*LIBRARY));
    let mut copies = 0;
    for file in bill["components"].as_array().unwrap() {
        for inside in file["components"].as_array().into_iter().flatten() {
            let path = format!(
                "{}/{}",
                file["name"].as_str().unwrap(),
                inside["name"].as_str().unwrap()
            );
            let own = [
                format!("-linux-{arch}/lib/"),
                format!("/{arch}-linux-gnu/"),
                format!("/linux-{node}/"),
                format!("_{arch}.whl/"),
            ];
            let own = own.iter().any(|part| path.contains(part)) && path.ends_with("/libanchor.so");
            if own {
                assert_eq!(inside["hashes"][0]["content"], sum[..64], "{path}");
                copies += 1;
            }
        }
    }
    assert_eq!(copies, 4, "archive, Debian package, npm package, wheel");
}

// Each machine makes its archive and its Debian packages; the rest comes of those.
#[test]
fn what_several_machines_have_made_is_gathered() {
    if !can_be_made() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for file in names(MADE.path()) {
        if file.ends_with(".tar.gz") || file.ends_with(".deb") {
            copy(MADE.path().join(&file), folder.path().join(&file)).unwrap();
        }
    }
    let others = others_libraries(folder.path());
    let (mac, tree) = (&others[1], format!("libanchor-{VERSION}-macos-arm64"));
    create_dir_all(folder.path().join(&tree).join("lib")).unwrap();
    copy(mac, folder.path().join(&tree).join("lib/libanchor.dylib")).unwrap();
    let archive = format!("{tree}.tar.gz");
    succeeds(
        Command::new("tar")
            .args(["-czf", &archive, &tree])
            .current_dir(folder.path()),
    );
    write(
        folder.path().join("libanchor-0.0.0-linux-x86_64.tar.gz"),
        "of another version",
    )
    .unwrap();
    let output = pack("release", folder.path(), &[Path::new("--gather")]);
    assert!(output.status.success(), "{output:?}");
    let sums = read_to_string(folder.path().join("SHA256SUMS")).unwrap();
    let summed: Vec<_> = sums.lines().map(|line| line.split_at(66).1).collect();
    assert_eq!(summed.len(), 9, "{summed:?}");
    for wanted in [
        "macosx_11_0_arm64.whl",
        "linux-x86_64.tar.gz",
        &archive,
        "_amd64.deb",
    ] {
        assert!(summed.iter().any(|name| name.ends_with(wanted)), "{summed:?}");
    }
    assert!(!sums.contains("0.0.0"), "{sums}");
    let listed = succeeds(
        Command::new("tar")
            .arg("-tzf")
            .arg(folder.path().join(format!("libanchor-{VERSION}.tgz"))),
    );
    assert_eq!(listed.matches("/libanchor.").count(), 2, "{listed}");
    // On macOS the launcher takes one crate more.
    assert!(texts(&bill(folder.path())["components"], "name").contains(&"errno"));
    assert!(!texts(&bill(MADE.path())["components"], "name").contains(&"errno"));
}

#[test]
fn the_same_files_give_the_same_bill() {
    if !can_be_made() {
        return;
    }
    let made = names(MADE.path()).into_iter();
    let mut files: Vec<_> = made
        .filter(|name| !name.ends_with(".json") && name != "SHA256SUMS")
        .map(|name| MADE.path().join(name))
        .collect();
    files.reverse();
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<_> = files.iter().map(PathBuf::as_path).collect();
    let output = pack("sbom", folder.path(), &files);
    assert!(output.status.success(), "{output:?}");
    assert!(bill(folder.path()) == bill(MADE.path()));
    let file = format!("libanchor-{VERSION}.cdx.json");
    assert!(read(folder.path().join(&file)).unwrap() == read(MADE.path().join(&file)).unwrap());
}

// A share of scripts/reproduce that is short: the library, from a copy in another folder, by another folder of cargo's.
#[test]
fn the_library_is_the_same_wherever_it_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let copied = folder.path().join("some/where/else");
    create_dir_all(&copied).unwrap();
    for part in [
        ".cargo",
        "Cargo.lock",
        "Cargo.toml",
        "anchored",
        "build.rs",
        "contract",
        "spawn",
        "src",
    ] {
        succeeds(Command::new("cp").arg("-R").arg(root().join(part)).arg(&copied));
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap());
    cargo
        .args(["build", "--release", "--quiet", "--locked", "--lib"])
        .args(["--package", "libanchor", "--target-dir", "../made"]);
    succeeds(without_library(&mut cargo).current_dir(&copied));
    let built = copied.join("../made/release/libanchor.so");
    assert!(read(built).unwrap() == read(&*LIBRARY).unwrap());
}

#[test]
fn what_cannot_be_released_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("libanchor.so");
    write(&text, "no library").unwrap();
    let empty = tempfile::tempdir().unwrap();
    for (words, message) in [
        (&["--nope"][..], "release: --nope: unknown option"),
        (&["--tag"], "release: --tag: want a value"),
        (
            &["--tag", "v0.0.0"],
            "release: --tag: v0.0.0: the sources are version",
        ),
        (&["--gather"], "no archive of version"),
        (
            &["--gather", "--lint"],
            "release: --gather: makes no Debian package",
        ),
        (
            &["--library", "/nowhere"],
            "release: --library: /nowhere: no such file",
        ),
        (
            &["--libraries", empty.path().to_str().unwrap()],
            "no libanchor.so or libanchor.dylib below it",
        ),
        (
            &["--library", text.to_str().unwrap()],
            "libanchor.so: want a library for 64-bit",
        ),
    ] {
        let words: Vec<_> = words.iter().map(Path::new).collect();
        let said = refused(&pack("release", empty.path(), &words));
        assert!(said.contains(message), "{said}");
    }
    let mut reproduce = Command::new(root().join("scripts/reproduce"));
    let said = refused(&reproduce.arg(empty.path()).output().unwrap());
    assert!(
        said.contains("no SHA256SUMS: want the folder of a release"),
        "{said}"
    );
    // What is published has a name in the list of changes.
    let changes = read_to_string(root().join("CHANGELOG.md")).unwrap();
    let said = refused(&pack(
        "release",
        empty.path(),
        &[&format!("--tag=v{VERSION}"), "--gather"].map(Path::new),
    ));
    let named = changes.contains(&format!("\n## {VERSION}"));
    let words = if named {
        "no archive of version"
    } else {
        "CHANGELOG.md begins with 'Unreleased'"
    };
    assert!(said.contains(words), "{said}");
    // One release has one library for a platform.
    let other = folder.path().join("other");
    let mut bytes = read(&*LIBRARY).unwrap();
    bytes.push(0);
    write(&other, bytes).unwrap();
    let said = refused(&pack(
        "release",
        empty.path(),
        &[Path::new("--library"), other.as_path()],
    ));
    assert!(
        said.contains("other: differs from the library that is built here"),
        "{said}"
    );
}
