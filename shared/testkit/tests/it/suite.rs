//! The suite itself: its list is complete, and it notices stores that are wrong.

use std::collections::BTreeSet;
use std::panic::{UnwindSafe, catch_unwind};
use std::path::Path;

use testkit::conformance::case;

use crate::wrong::Bug;

#[test]
fn every_case_is_in_the_list() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance");
    let mut written = BTreeSet::new();
    for entry in std::fs::read_dir(sources).unwrap() {
        let path = entry.unwrap().path();
        let group = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let source = std::fs::read_to_string(&path).unwrap();
        let names = source.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        written.extend(names.map(|name| format!("{group}::{name}")));
    }
    let listed: BTreeSet<String> = testkit::conformance::CASES.iter().map(|&case| case.to_owned()).collect();
    assert_eq!(listed, written);
    assert_eq!(listed.len(), testkit::conformance::CASES.len(), "no case is listed twice");
}

fn fails(test: impl FnOnce() + UnwindSafe) -> bool {
    catch_unwind(test).is_err()
}

/// At least one case fails for each way of being wrong. The racing cases are left out: they speak on other threads,
/// where nobody catches what they say.
#[test]
fn some_case_notices_every_bug() {
    for bug in Bug::ALL {
        let mut failed = Vec::new();
        macro_rules! try_case {
            (racing, $case:ident) => {};
            ($group:ident, $case:ident) => {
                if fails(|| case("wrong", async || Some(bug.fixture()), testkit::conformance::$group::$case))
                {
                    failed.push(concat!(stringify!($group), "::", stringify!($case)));
                }
            };
        }
        testkit::__conformance_cases!(calls try_case);
        assert!(!failed.is_empty(), "no case notices {bug:?}");
        println!("{bug:?}: {failed:?}");
    }
}

/// So does the model-based test, with its ordinary number of sequences.
#[test]
fn the_model_notices_every_bug() {
    let unnoticed: Vec<_> = Bug::ALL
        .into_iter()
        .filter(|bug| !fails(|| testkit::model::run("wrong", async || Some(bug.fixture()))))
        .collect();
    assert_eq!(unnoticed, []);
}
