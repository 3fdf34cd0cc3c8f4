//! The tax on a host's stdio: glibc takes a lock in getc and putc once there is a thread that it knows of.
//! Printed (`scripts/measure` shows it), not judged: no test may fail on a noisy machine.

mod support;

use std::process::Command;
use support::*;

const LOOP: &str = r#"
#include <stdio.h>
#include <time.h>
int main(void) {
    FILE *in = fopen("/dev/zero", "r"), *out = fopen("/dev/null", "w");
    struct timespec a, b;
    for (int i = 0; i < 1000000; i++) putc(getc(in), out);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
    for (int i = 0; i < 20000000; i++) putc(getc(in), out);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
    printf("%ld\n", (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec);
    return 0;
}
"#;

#[test]
fn getc_and_putc_with_and_without() {
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("loop.c"), folder.path().join("loop"));
    std::fs::write(&source, LOOP).unwrap();
    assert!(
        Command::new("cc")
            .args(["-O2", "-o"])
            .args([&program, &source])
            .status()
            .unwrap()
            .success()
    );
    let anchor = sibling();
    let time = |command: &mut Command| -> f64 {
        String::from_utf8(command.output().unwrap().stdout)
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    };
    let mut ratios: Vec<f64> = (0..15)
        .map(|_| {
            let with = time(anchored(&mut Command::new(&program), anchor.pid()));
            with / time(without_library(&mut Command::new(&program)))
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!(
        "getc/putc, time with the library over time without, 15 pairs: median {:.3}",
        ratios[7]
    );
}
