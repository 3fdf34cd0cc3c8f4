//! Apps that start a program of their own.

use crate::nothing_is_left;
use crate::running::Example;
use crate::support::python;
use std::path::Path;

// test -> node (main process, anchor) -> node
//                                     -> sh -> python3 -> sleep, in a session of its own
#[test]
fn an_electron_apps_sidecars_end_with_its_main_process() {
    let example = Example::new("electron", &["node", "npm", "python3"]);
    example.built(&[]);
    nothing_is_left(&example);
}

// test -> app (anchor) -> sh -> python3
#[test]
fn a_tauri_apps_sidecar_ends_with_it() {
    let example = Example::new("tauri", &["python3"]);
    example.built(&[]);
    nothing_is_left(&example);
}

// test -> python3 (anchor) -> server (bootloader) -> server (the Python program)
#[test]
fn a_one_file_server_ends_with_its_app_and_leaves_no_folder() {
    let example = Example::new("pyinstaller", &["venv", "libpython", "readelf", "hatchling"]);
    let environment = python::environment("pyinstaller", &["pyinstaller"]);
    example.built(&[&environment.join("bin/pyinstaller")]);
    crate::then_nothing_is_left(&example, |tree| {
        let unpacked = tree.folder.path().join("tmp");
        let left: Vec<_> = std::fs::read_dir(unpacked).unwrap().flatten().collect();
        assert!(left.is_empty(), "{left:?}");
    });
    assert!(Path::new(&Example::build()).join("pyinstaller/server").exists());
}

// test -> app (anchor) -> sh -> python3
#[test]
fn what_a_go_program_started_ends_with_it() {
    let example = Example::new("go", &["go", "python3"]);
    example.built(&[]);
    nothing_is_left(&example);
}
