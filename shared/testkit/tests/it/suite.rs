//! The suite itself: its list is complete, and it notices stores that are wrong.

use std::collections::BTreeSet;
use std::panic::{UnwindSafe, catch_unwind};
use std::path::Path;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;
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
        let mut noticed = false;
        macro_rules! try_case {
            (racing, $case:ident) => {};
            ($group:ident, $case:ident) => {
                noticed = noticed
                    || fails(|| {
                        case("wrong", async || Some(bug.fixture()), testkit::conformance::$group::$case)
                    });
            };
        }
        testkit::__conformance_cases!(calls try_case);
        assert!(noticed, "no case notices {bug:?}");
    }
}

/// So does the model-based test. The seed is fixed: whether a given run meets a rare bug is left to the tests of the
/// real stores, which draw new sequences every time.
#[test]
fn the_model_notices_every_bug() {
    let config = || ProptestConfig {
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        max_shrink_iters: 0,
        ..ProptestConfig::with_cases(500)
    };
    let unnoticed: Vec<_> = Bug::ALL
        .into_iter()
        .filter(|bug| !fails(|| testkit::model::run_with("wrong", config(), async || Some(bug.fixture()))))
        .collect();
    assert_eq!(unnoticed, []);
}
