//! The benchmark behind scripts/bench: measures every contender side by side, writes the results as JSON, and makes the
//! page and its pictures from them.

mod calls;
mod contender;
mod death;
mod growth;
mod kernel;
mod living;
mod loops;
mod machine;
mod page;
mod picture;
mod programs;
mod results;
mod run;
mod spawn;
mod start;
mod stats;
mod verdicts;
mod yard;

use results::Results;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: anchor-bench run|quick|share --root FOLDER --built FOLDER --into FOLDER
       anchor-bench page RESULTS --into FOLDER";

fn main() -> ExitCode {
    match act() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::from(2)
        }
    }
}

pub fn fail<T>(why: String) -> Result<T, String> {
    Err(why)
}

/// Whether every verdict holds.
fn act() -> Result<bool, String> {
    let mut words = Vec::new();
    let (mut root, mut built, mut into) = (None, None, None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next().map_err(|why| format!("{why}; {USAGE}"))? {
        let place = match &argument {
            lexopt::Arg::Value(word) => {
                words.push(PathBuf::from(word));
                continue;
            }
            lexopt::Arg::Long("root") => &mut root,
            lexopt::Arg::Long("built") => &mut built,
            lexopt::Arg::Long("into") => &mut into,
            other => return fail(format!("{:?}: unknown option; {USAGE}", other)),
        };
        *place = Some(PathBuf::from(
            parser.value().map_err(|why| format!("{why}; {USAGE}"))?,
        ));
    }
    let want =
        |path: Option<PathBuf>, name: &str| path.ok_or_else(|| format!("--{name}: want a folder; {USAGE}"));
    let into = want(into, "into")?;
    let file = into.join("benchmarks/results.json");
    let results = match words.iter().map(|word| word.to_str()).collect::<Vec<_>>()[..] {
        [Some("page"), Some(file)] => Results::read(Path::new(file))?,
        [Some(which @ ("run" | "quick" | "share"))] => {
            let plan = match which {
                "run" => &run::FULL,
                "quick" => &run::QUICK,
                _ => &run::SHARE,
            };
            let results = run::measure(plan, &want(root, "root")?, &want(built, "built")?)?;
            let text = serde_json::to_string(&results).map_err(|why| why.to_string())?;
            // A line a series, so that one sees what has changed. In a string the quote would have a backslash before it.
            write(&file, &text.replace("},{\"", "},\n{\""))?;
            results
        }
        _ => return fail(USAGE.into()),
    };
    for (name, picture) in picture::all(&results)? {
        write(&into.join("benchmarks").join(name), &picture)?;
    }
    write(&into.join("benchmarks.md"), &page::page(&results))?;
    let verdicts = verdicts::verdicts(&results);
    verdicts.iter().for_each(|verdict| println!("{}", verdict.line()));
    Ok(verdicts.iter().all(verdicts::Verdict::holds))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let done = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(path, text));
    done.map_err(|why| format!("{}: {why}", path.display()))
}
