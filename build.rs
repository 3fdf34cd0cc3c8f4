//! Link arguments of the injected library. They stand here and not in RUSTFLAGS, which would reach build scripts.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for argument in [
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
    ] {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
}
