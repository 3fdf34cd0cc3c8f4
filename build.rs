//! Link arguments of the injected library. They stand here and not in RUSTFLAGS, which would reach build scripts.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

/// What the static linker is told on Linux.
const ELF: [&str; 7] = [
    // No start files, no default libraries: the file needs nobody, so every loader takes it.
    "-nostartfiles",
    "-nostdlib",
    // A watcher runs in this code: dlclose() must not unmap it.
    "-Wl,-z,nodelete",
    // Everything is bound before the constructor runs, then made read-only.
    "-Wl,-z,now",
    "-Wl,-z,relro",
    "-Wl,-z,noexecstack",
    // The same sources give the same file.
    "-Wl,--build-id=none",
];

/// What is relocated begins with a page, so that it is one page in every process and not, by chance, two. On arm64 a page
/// may have 64 KiB, and each such beginning would be as much of the file.
const PAGES_OF_4_KIB: &str = "-Wl,-z,separate-code";

/// The same for what is zero at first, the watcher's stack: then none of the file is mapped for it. LLVM's linker knows it,
/// GNU's passes over it.
const ZEROES_ON_THEIR_OWN: &str = "-Wl,-z,separate-loadable-segments";

/// Constants in the segment of the code: one mapping less for every program that is started, a tenth of what loading the
/// file takes. LLVM's linker knows it, and GNU's since 2.44.
const CONSTANTS_BESIDE_CODE: &str = "-Wl,--no-rosegment";

/// What it is told on macOS.
const MACH_O: [&[&str]; 2] = [
    // The name by which a program that links with the file would look for it: no path of the machine that built it.
    &["-install_name", "@rpath/libanchor.dylib"],
    // The `libc` crate asks for libiconv there; nothing of it is used.
    &["-dead_strip_dylibs"],
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if target == "macos" {
        for words in MACH_O {
            tell_linker(words);
        }
    } else {
        for argument in ELF {
            println!("cargo::rustc-cdylib-link-arg={argument}");
        }
        let architecture = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
        if architecture.starts_with("x86") {
            println!("cargo::rustc-cdylib-link-arg={PAGES_OF_4_KIB}");
            for argument in [ZEROES_ON_THEIR_OWN, CONSTANTS_BESIDE_CODE] {
                if linker_takes(argument) {
                    println!("cargo::rustc-cdylib-link-arg={argument}");
                }
            }
        }
        if architecture == "x86" {
            stand_in_for_libraries();
        }
    }
}

fn concat(one: &str, other: &OsStr) -> OsString {
    let mut both = OsString::from(one);
    both.push(other);
    both
}

/// Whether a library of nothing can be linked with this argument.
fn linker_takes(argument: &str) -> bool {
    let variable = |name| env::var_os(name).unwrap_or_default();
    let folder = Path::new(&variable("OUT_DIR")).to_owned();
    let source = folder.join("nothing.rs");
    let nothing =
        "#![no_std]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! {\n    loop {}\n}\n";
    std::fs::write(&source, nothing).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let mut compiler = Command::new(variable("RUSTC"));
    compiler.args([
        "--edition=2024",
        "--crate-type=cdylib",
        "-Cpanic=abort",
        "--target",
    ]);
    compiler.arg(variable("TARGET")).arg("--out-dir").arg(&folder);
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        compiler.arg("-C").arg(concat("linker=", &linker));
    }
    compiler.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    for argument in ["-nostdlib", "-nostartfiles", argument] {
        compiler.arg(format!("-Clink-arg={argument}"));
    }
    // Where it cannot even be tried, it is not used.
    let tried = compiler.arg(source).output();
    tried.is_ok_and(|output| output.status.success())
}

/// The `libc` crate asks for libraries, of which nothing is used. Few 64-bit machines have the 32-bit ones; to the
/// linker, empty files of their names are scripts that say nothing.
fn stand_in_for_libraries() {
    let folder = env::var_os("OUT_DIR").unwrap_or_default();
    for name in ["c", "m", "pthread", "rt"] {
        let file = Path::new(&folder).join(format!("lib{name}.so"));
        std::fs::write(&file, "").unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    println!("cargo::rustc-link-search=native={}", Path::new(&folder).display());
}

/// Through the C compiler, or at once where cargo was given the linker itself.
fn tell_linker(words: &[&str]) {
    let linker = env::var_os("RUSTC_LINKER").unwrap_or_default();
    let name = Path::new(&linker).file_name().unwrap_or_default();
    if name.to_string_lossy().contains("lld") {
        for word in words {
            println!("cargo::rustc-cdylib-link-arg={word}");
        }
    } else {
        println!("cargo::rustc-cdylib-link-arg=-Wl,{}", words.join(","));
    }
}
