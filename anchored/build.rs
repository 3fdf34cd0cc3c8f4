//! Builds the library that the program carries (feature `embed`, src/embedded), as `cargo build --release` builds it.
//!
//! REJECTED: an artifact dependency, which is what this is: cargo's `-Zbindeps` is not stable. An ordinary dependency:
//! cargo would build the library as a part of this program, with its features and with unwinding, and hand it nowhere.
//! The file that an earlier build has left in the target folder: nobody knows what that was built from.

use std::env;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(carries_library)");
    println!("cargo::rerun-if-changed=build.rs");
    // A debug build, which lints and tests make over and over, has none. The tests then find none where they mean to
    // have none, and write nothing into the home of whoever runs them.
    if env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
        return;
    }
    if let Err(why) = embed::embed() {
        println!(
            "cargo::error=the library cannot be built into anchored: {why}; without it: --no-default-features"
        );
        // Shows what the second cargo has said, too.
        std::process::exit(1);
    }
}

#[cfg(not(feature = "embed"))]
mod embed {
    /// Nothing.
    pub fn embed() -> Result<(), String> {
        Ok(())
    }
}

#[cfg(feature = "embed")]
mod embed {
    use std::ffi::{OsStr, OsString};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::{env, fs};

    /// What the library is made of, in the workspace's folder.
    const SOURCES: [&str; 7] = [
        "src",
        "contract/src",
        "contract/Cargo.toml",
        "build.rs",
        "Cargo.toml",
        "Cargo.lock",
        ".cargo/config.toml",
    ];

    /// Builds it, and tells the compiler where it is.
    pub fn embed() -> Result<(), String> {
        let (package, out) = (told("CARGO_MANIFEST_DIR")?, told("OUT_DIR")?);
        let top = Path::new(&package).parent().unwrap_or(Path::new("/"));
        let folder = Path::new(&out).join("library");
        if let Some(missing) = SOURCES.iter().find(|source| !top.join(source).exists()) {
            let missing = top.join(missing);
            return Err(format!(
                "{}: not found, and it is made of that",
                missing.display()
            ));
        }
        for source in SOURCES {
            println!("cargo::rerun-if-changed={}", top.join(source).display());
        }
        let target = told("TARGET")?;
        let built = cargo(top, &folder, &target)?.status();
        let built = built.map_err(|error| format!("cargo: {error}"))?;
        if !built.success() {
            return Err(format!("cargo build failed for {target}"));
        }
        let name = if told("CARGO_CFG_TARGET_OS")? == "macos" {
            "libanchor.dylib"
        } else {
            "libanchor.so"
        };
        let file = folder.join(&target).join("release").join(name);
        let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        println!("cargo::rustc-cfg=carries_library");
        println!("cargo::rustc-env=ANCHORED_LIBRARY={}", file.display());
        println!("cargo::rustc-env=ANCHORED_LIBRARY_HASH={}", hash(&bytes));
        Ok(())
    }

    /// The first half of the SHA-256: `sha256sum` of an unpacked copy shows whether it is what its name says.
    fn hash(bytes: &[u8]) -> String {
        let whole = hmac_sha256::Hash::hash(bytes);
        whole[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The second cargo: of the same tool chain, for the same target, with the settings of the user and not those of
    /// the build that this is a part of.
    fn cargo(top: &Path, folder: &Path, target: &str) -> Result<Command, String> {
        let mut cargo = Command::new(told("CARGO")?);
        cargo
            .current_dir(top)
            .args(["build", "--release", "--locked", "--quiet"])
            .args(["--lib", "--package", "libanchor"])
            .args(["--target", target, "--jobs", &told("NUM_JOBS")?])
            .arg("--target-dir")
            .arg(folder)
            // What this process says there is for the first cargo.
            .stdout(Stdio::null());
        for (name, _) in env::vars_os().filter(|(name, _)| is_of_this_build(name)) {
            cargo.env_remove(name);
        }
        // RACE: 1. the first cargo holds the lock of its folder, and waits for this process  2. the second one waits
        // for that lock, for ever. So it has a folder of its own. Said twice: target-dir and build-dir can both be set
        // in cargo's configuration.
        cargo.env("CARGO_BUILD_BUILD_DIR", folder);
        // Said in whatever way to the first cargo, on its command line too.
        if let Some(linker) = env::var_os("RUSTC_LINKER") {
            let target = target.to_uppercase().replace(['-', '.'], "_");
            cargo.env(format!("CARGO_TARGET_{target}_LINKER"), linker);
        }
        // Programs for musl are static unless somebody says otherwise, and then there are no shared libraries.
        if told("CARGO_CFG_TARGET_ENV").is_ok_and(|libc| libc == "musl") {
            let flag = format!("target.{target}.rustflags=[\"-Ctarget-feature=-crt-static\"]");
            cargo.args(["--config", &flag]);
        }
        Ok(cargo)
    }

    /// What a user says to every cargo: where things are kept, how they are fetched, and what a target needs.
    const OF_THE_USER: [&str; 7] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
        "CARGO_TARGET_",
        "CARGO_UNSTABLE_",
    ];
    /// Flags, wrappers and job servers. They are meant for this program: the library goes into other people's, and must
    /// not count there what of it is executed, nor check addresses.
    const OF_THIS_BUILD: [&str; 7] = [
        "CARGO_TARGET_DIR",
        "MAKEFLAGS",
        "MFLAGS",
        "RUSTC_LINKER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "RUSTFLAGS",
    ];

    fn is_of_this_build(name: &OsStr) -> bool {
        let name = name.to_string_lossy();
        let of_the_user = OF_THE_USER.iter().any(|start| name.starts_with(start));
        OF_THIS_BUILD.contains(&&*name) || (name.starts_with("CARGO_") && !of_the_user)
    }

    fn told(name: &str) -> Result<String, String> {
        let value: Option<OsString> = env::var_os(name);
        let text = value.and_then(|value| value.into_string().ok());
        text.ok_or_else(|| format!("{name}: want text"))
    }
}
