//! The npm package: packed by `scripts/npm`, installed into an empty folder without a network, and used there.

#![cfg(target_os = "linux")]

mod support;

use once_cell::sync::Lazy;
use std::fs::{read, write};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::packages::{others_libraries, pack, refused, succeeds, tools, values};
use support::*;

/// What is in the package beside the libraries.
const FILES: [&str; 19] = [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "bin/anchored",
    "index.d.mts",
    "index.d.ts",
    "index.js",
    "index.mjs",
    "lib/command.js",
    "lib/copy.js",
    "lib/environment.js",
    "lib/errors.js",
    "lib/identity.js",
    "lib/library.js",
    "lib/settings.js",
    "lib/spawn.js",
    "package.json",
    "prebuilds/linux-arm64/libanchor.so",
    "prebuilds/linux-x64/libanchor.so",
];

/// A folder in which nothing but the package is installed, with its tests.
static INSTALLED: Lazy<tempfile::TempDir> = Lazy::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let tarball = packed(folder.path(), &[]);
    let mut install = Command::new("npm");
    install
        .args(["install", "--offline", "--no-audit", "--no-fund", "--silent"])
        .arg(tarball)
        .env("npm_config_cache", folder.path().join("cache"));
    succeeds(without_library(&mut install).current_dir(folder.path()));
    let tests = root().join("packages/npm/test");
    succeeds(Command::new("cp").arg("-R").arg(tests).arg(folder.path()));
    folder
});

fn packed(out: &Path, libraries: &[&Path]) -> PathBuf {
    let output = pack("npm", out, libraries);
    assert!(output.status.success(), "{output:?}");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
}

fn have_npm() -> bool {
    have("node") && have("npm") && have("python3")
}

#[test]
fn the_package_works_where_nothing_else_is() {
    if !have_npm() {
        return;
    }
    let mut node = Command::new("node");
    node.args([
        "--test",
        "test/channel.test.mjs",
        "test/death.test.mjs",
        "test/env.test.mjs",
    ]);
    let said = succeeds(without_library(&mut node).current_dir(INSTALLED.path()));
    assert!(said.contains("fail 0") && said.contains("skipped 0"), "{said}");
}

#[test]
fn the_types_are_those_of_a_strict_compiler() {
    if !have_npm() || !have("tsc") {
        return;
    }
    let modules = tools("npm/node_modules");
    let mut tsc = Command::new("node");
    tsc.arg(modules.join("typescript/bin/tsc"))
        .args(["--strict", "--noEmit", "--module", "node16", "--types", "node"])
        .arg("--typeRoots")
        .arg(modules.join("@types"))
        .args(["test/types/esm.mts", "test/types/cjs.cts"]);
    succeeds(without_library(&mut tsc).current_dir(INSTALLED.path()));
}

#[test]
fn the_same_files_give_the_same_tarball() {
    if !have_npm() {
        return;
    }
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let others = others_libraries(folders[0].path());
    let mut libraries = vec![LIBRARY.as_path()];
    libraries.extend(others.iter().map(PathBuf::as_path));
    let first = packed(folders[0].path(), &libraries);
    libraries.reverse();
    let second = packed(folders[1].path(), &libraries);
    assert!(read(&first).unwrap() == read(second).unwrap());

    let listed = succeeds(Command::new("tar").arg("-tzf").arg(first));
    let mut found: Vec<_> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("package/"))
        .filter(|file| !file.contains("darwin"))
        .collect();
    found.sort_unstable();
    assert_eq!(found, FILES);
    assert_eq!(listed.matches("/libanchor.dylib").count(), 2, "{listed}");
}

// Without a library in the arguments, it is this machine's, as cargo builds it.
#[test]
fn the_library_is_the_one_that_ships() {
    if !have_npm() {
        return;
    }
    let machine = if cfg!(target_arch = "x86_64") {
        "x64"
    } else {
        "arm64"
    };
    let inside = format!("node_modules/libanchor/prebuilds/linux-{machine}/libanchor.so");
    assert!(read(INSTALLED.path().join(inside)).unwrap() == read(&*LIBRARY).unwrap());
}

#[test]
fn what_cannot_be_packed_is_one_line() {
    if !have_npm() {
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
        (vec![Path::new("/nowhere")], "/nowhere: no such file"),
        (vec![Path::new("--nope")], "--nope: unknown option"),
    ] {
        let said = refused(&pack("npm", folder.path(), &libraries));
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn values_are_taken_as_the_contract_takes_them() {
    if !have_npm() {
        return;
    }
    let program = "const { anchorEnv } = require('libanchor');
        for (const [option, value] of JSON.parse(process.argv[1])) {
            try { anchorEnv({ [option]: value }); console.log(true) } catch (error) { console.log(error.code !== 'ERR_ANCHOR_VALUE') }
        }";
    let given: Vec<_> = values()
        .iter()
        .map(|(option, value, _)| format!("[{option:?},{value:?}]"))
        .collect();
    let mut node = Command::new("node");
    node.args(["-e", program, &format!("[{}]", given.join(","))]);
    let said = succeeds(without_library(&mut node).current_dir(INSTALLED.path()));
    assert_eq!(said.lines().count(), given.len());
    for ((option, value, taken), said) in values().into_iter().zip(said.lines()) {
        assert_eq!(said, taken.to_string(), "{option}: {value}");
    }
}
