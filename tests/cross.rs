//! The files that `scripts/cross` builds for every platform: what each asks of its loader and offers to it, and
//! docs/platforms.md, which shows what was done with each.
//!
//! `LIBANCHOR_CROSS` is a folder with `TARGET/libanchor.so` or `TARGET/libanchor.dylib` in it for each target.

#![cfg(target_os = "linux")]

mod support;

use object::macho;
use object::read::macho::{LoadCommandVariant, MachHeader, MachOFile64, Section};
use object::{Endianness, Object, ObjectSection, ObjectSymbol};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::elf;

type MachO<'a> = MachOFile64<'a, Endianness>;
const NEEDS: &str = "run by scripts/cross: needs the library of every platform";

fn built(target: &str) -> PathBuf {
    let folder = std::env::var_os("LIBANCHOR_CROSS").expect(NEEDS);
    let name = if target.contains("apple") {
        "libanchor.dylib"
    } else {
        "libanchor.so"
    };
    Path::new(&folder).join(target).join(name)
}

/// What stands in the file's way at run time: a path of the machine that built it.
fn assert_names_no_path_of_this_machine(target: &str, bytes: &[u8]) {
    let home = std::env::var("HOME").unwrap_or_default();
    for path in [env!("CARGO_MANIFEST_DIR"), &home] {
        let found = path.len() > 1 && bytes.windows(path.len()).any(|part| part == path.as_bytes());
        assert!(!found, "{target}: the file has {path} in it");
    }
}

fn kib(bytes: &[u8]) -> usize {
    bytes.len().div_ceil(1024)
}

// ---- Linux ---------------------------------------------------------------------------------------------------------

fn inspect_elf(target: &str, machine: &str) -> String {
    let file = built(target);
    let bytes = std::fs::read(&file).unwrap();
    elf::assert_asks_nothing_of_a_loader(&file);
    elf::assert_imports_and_exports_what_is_on_the_lists(&file);
    assert!(elf::readelf("-h", &file).contains(machine), "{target}");
    assert_names_no_path_of_this_machine(target, &bytes);
    assert!(bytes.len() < 128 * 1024, "{target}: {} KiB", kib(&bytes));
    let (imports, exports) = (elf::IMPORTS.len(), elf::EXPORTS.len());
    format!(
        "no other file needed, no thread-local storage, the golden table of symbols ({imports} weak imports, \
         {exports} exports), never unmapped"
    )
}

// ---- macOS ---------------------------------------------------------------------------------------------------------

/// The names that the stub of libSystem has for this architecture.
fn listed(architecture: &str) -> BTreeSet<String> {
    let stub = include_str!("cross/libSystem.tbd");
    let mut names = BTreeSet::new();
    for block in stub.split("  - targets: [").skip(1) {
        let (targets, rest) = block.split_once("]\n").unwrap();
        if targets.contains(architecture) {
            let (_, list) = rest.split_once("symbols: [").unwrap();
            let list = list.split(']').next().unwrap();
            let words = list
                .split(',')
                .map(|word| word.trim().trim_matches('\'').to_owned());
            names.extend(words);
        }
    }
    names
}

/// What compilers and linkers ask for where they see fit, one version more, another less.
const THEIRS: [&str; 9] = [
    "dyld_stub_binder",
    "_bcmp",
    "_memmove",
    "_memset",
    "_memcpy",
    "_memcmp",
    "_strlen",
    "_bzero",
    "___bzero",
];

fn ours(names: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    let ours = |name: &String| !THEIRS.contains(&name.as_str());
    names.into_iter().filter(ours).collect()
}

fn inspect_mach_o(target: &str, cpu: macho::CpuType, architecture: &str) -> String {
    let bytes = std::fs::read(built(target)).unwrap();
    let file = MachO::parse(&*bytes).unwrap();
    let endian = file.endian();
    let header = file.macho_header();
    assert_eq!(header.cputype(endian), cpu, "{target}");
    assert_eq!(header.filetype(endian), macho::MH_DYLIB, "{target}");
    let flags = header.flags(endian);
    assert_ne!(flags.0 & macho::MH_TWOLEVEL.0, 0, "{target}: a flat namespace");
    assert_eq!(
        flags.0 & macho::MH_HAS_TLV_DESCRIPTORS.0,
        0,
        "{target}: thread-local storage"
    );

    let (mut name, mut needs, mut least) = (None, Vec::new(), None);
    let (mut exported, mut signed) = (None, false);
    let mut commands = file.macho_load_commands().unwrap();
    while let Some(command) = commands.next().unwrap() {
        let text = |at| String::from_utf8(command.string(endian, at).unwrap().to_vec()).unwrap();
        match command.variant().unwrap() {
            LoadCommandVariant::IdDylib(id) => name = Some(text(id.dylib.name)),
            LoadCommandVariant::Dylib(other) => needs.push(text(other.dylib.name)),
            LoadCommandVariant::BuildVersion(build, _) => {
                assert_eq!(build.platform.get(endian), macho::PLATFORM_MACOS, "{target}");
                least = Some(build.minos.get(endian));
            }
            LoadCommandVariant::DyldInfo(info) => exported = Some(info.export_size.get(endian)),
            LoadCommandVariant::LinkeditData(data) => {
                signed |= data.cmd.get(endian) == macho::LC_CODE_SIGNATURE;
            }
            LoadCommandVariant::Rpath(path) => panic!("{target}: a path of its own: {}", text(path.path)),
            _ => {}
        }
    }
    assert_eq!(name.as_deref(), Some("@rpath/libanchor.dylib"), "{target}");
    assert_eq!(needs, ["/usr/lib/libSystem.B.dylib"], "{target}");
    assert_eq!(
        least,
        Some(macho::Version(11 << 16)),
        "{target}: the least version is to be 11.0"
    );
    // Without a signature no arm64 machine maps it. On x86-64 whoever ships it signs it.
    assert!(signed || architecture == "x86_64", "{target}: not signed");

    // One constructor, and nothing of another language's.
    let mut constructors = 0;
    for section in file.sections() {
        let (segment, name) = (section.segment_name().unwrap().unwrap(), section.name().unwrap());
        let kind = section.macho_section().flags(endian).0 & macho::SECTION_TYPE;
        if kind == u32::from(macho::S_MOD_INIT_FUNC_POINTERS.0) {
            assert!(
                segment.starts_with("__DATA") && name == "__mod_init_func",
                "{segment},{name}"
            );
            constructors += section.size() / 8;
        }
        let foreign =
            name.starts_with("__objc") || name.starts_with("__swift") || name.starts_with("__thread");
        assert!(!foreign, "{target}: {segment},{name}");
    }
    assert_eq!(constructors, 1, "{target}: constructors");

    let imports = file
        .symbols()
        .filter(|symbol| symbol.is_undefined())
        .map(|symbol| symbol.name().unwrap().to_owned());
    let (imports, listed) = (ours(imports), ours(listed(architecture)));
    assert_eq!(imports, listed, "{target}: what is asked of libSystem");
    assert_eq!(exported, Some(0), "{target}: bytes of exports");
    assert_names_no_path_of_this_machine(target, &bytes);
    assert!(bytes.len() < 128 * 1024, "{target}: {} KiB", kib(&bytes));
    let signed = if signed { ", signed ad hoc" } else { "" };
    format!(
        "one constructor in `__mod_init_func`, libSystem alone and {} functions of it, no exports, macOS 11.0 and later{signed}",
        imports.len()
    )
}

// ---- The page ------------------------------------------------------------------------------------------------------

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/platforms.md");
const BEGIN: &str = "<!-- results: scripts/cross --write writes them -->\n";
const END: &str = "<!-- end of results -->\n";

/// A target, and how its library is run here. README says it shorter.
const TARGETS: [(&str, &str); 5] = [
    ("x86_64-unknown-linux-gnu", "every test (`scripts/test`)"),
    (
        "aarch64-unknown-linux-gnu",
        "in an emulator: the tests in `tests/arm64.rs` (qemu-user; glibc and musl programs of Debian's)",
    ),
    (
        "i586-unknown-linux-gnu",
        "as it is, on 64-bit kernels: the tests in `tests/i386.rs` (glibc and musl programs of Debian's)",
    ),
    (
        "x86_64-apple-darwin",
        "not run; its decisions are, against a fake kernel (`src/sys/waiting_tests.rs`)",
    ),
    (
        "aarch64-apple-darwin",
        "not run; its decisions are, against a fake kernel (`src/sys/waiting_tests.rs`)",
    ),
];

fn inspect(target: &str) -> String {
    match target {
        "x86_64-unknown-linux-gnu" => inspect_elf(target, "X86-64"),
        "aarch64-unknown-linux-gnu" => inspect_elf(target, "AArch64"),
        "i586-unknown-linux-gnu" => inspect_elf(target, "Intel 80386"),
        "x86_64-apple-darwin" => inspect_mach_o(target, macho::CPU_TYPE_X86_64, "x86_64"),
        "aarch64-apple-darwin" => inspect_mach_o(target, macho::CPU_TYPE_ARM64, "arm64"),
        other => panic!("{other}: nothing is known of it"),
    }
}

fn beginning(target: &str) -> String {
    format!("| `{target}` | compiled, linked, clippy without a warning | ")
}

#[test]
#[ignore = "run by scripts/cross: needs the library of every platform"]
fn every_file_is_what_it_is_to_be() {
    let head = "| target | built and linted | seen in the file | run |\n|---|---|---|---|\n";
    let rows: String = TARGETS
        .iter()
        .map(|(target, run)| format!("{}{} | {run} |\n", beginning(target), inspect(target)))
        .collect();
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    let results = format!("\n{head}{rows}\n");
    if std::env::var_os("LIBANCHOR_WRITE").is_some() {
        std::fs::write(PAGE, format!("{before}{BEGIN}{results}{END}{after}")).unwrap();
    } else {
        assert_eq!(
            found, results,
            "docs/platforms.md is not what was found: scripts/cross --write writes it"
        );
    }
}

// Without building anything: the page has a row for each target, and says how it is run.
#[test]
fn the_page_shows_every_target() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    for (target, run) in TARGETS {
        let row = page.lines().find(|line| line.starts_with(&beginning(target)));
        assert!(
            row.is_some_and(|row| row.ends_with(&format!(" | {run} |"))),
            "{target}"
        );
    }
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    for (target, run) in TARGETS {
        let state = match run {
            run if run.starts_with("every test") || run.starts_with("as it is") => "run in CI |",
            run if run.starts_with("in an emulator") => "run in CI, in an emulator |",
            _ => "compiled and linked in CI; expected to work |",
        };
        let row = format!("| `{target}` | {state}");
        assert!(readme.lines().any(|line| line.ends_with(&row)), "README: {row}");
    }
    let script = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/cross")).unwrap();
    let all = TARGETS.map(|(target, _)| target).join(" ");
    assert!(
        script.contains(&format!("all='{all}'")),
        "scripts/cross builds others"
    );
}

#[test]
fn an_unknown_target_is_an_error() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/cross");
    for word in ["riscv64-unknown-linux-gnu", "--all"] {
        let output = Command::new(script).arg(word).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(said.starts_with(&format!("cross: {word}: unknown ")), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
