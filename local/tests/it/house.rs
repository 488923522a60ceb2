//! The rules of the house that no compiler checks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, MetadataCommand};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// domain ← engine ← adapters ← binaries; adapters do not know each other.
#[test]
fn dependencies_point_inwards() {
    let adapters = ["sql", "aws", "targets", "api"];
    let allowed: BTreeMap<&str, Vec<&str>> = BTreeMap::from([
        ("domain", vec![]),
        ("engine", vec!["domain"]),
        ("sql", vec!["domain", "engine"]),
        ("aws", vec!["domain", "engine"]),
        ("targets", vec!["domain", "engine"]),
        ("api", vec!["domain", "engine"]),
        ("testkit", vec!["domain", "engine"]),
        ("functions", [&["domain", "engine"], &adapters[..]].concat()),
        ("local", [&["domain", "engine"], &adapters[..]].concat()),
    ]);
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let members: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(
        members,
        allowed.keys().copied().collect(),
        "a new crate needs a line here and in ARCHITECTURE.md"
    );
    for package in &metadata.packages {
        for dependency in &package.dependencies {
            let (from, to) = (package.name.as_str(), dependency.name.as_str());
            let inside = members.contains(to);
            let for_tests = dependency.kind == DependencyKind::Development && to == "testkit";
            assert!(!inside || for_tests || allowed[from].contains(&to), "{from} must not depend on {to}");
        }
    }
}

/// An AWS SDK in the default graph of `local` would double its build.
#[test]
fn the_default_binary_compiles_no_aws_sdk() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "-p", "local", "-e", "normal", "--prefix", "none"])
        .current_dir(root())
        .output()
        .unwrap();
    let tree = String::from_utf8_lossy(&tree.stdout);
    assert!(tree.contains("sqlx"), "the tree was read");
    for unwanted in ["aws-sdk", "aws-config", "openssl-sys", "aws-lc", "chrono-tz"] {
        assert!(!tree.lines().any(|line| line.starts_with(unwanted)), "{unwanted} in the graph of local");
    }
}

#[test]
fn only_local_sets_default_run() {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    for package in &metadata.packages {
        assert_eq!(package.default_run.is_some(), package.name == "local", "{}", package.name);
    }
}

fn rust_files() -> Vec<PathBuf> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("target") {
                    walk(&path, found);
                }
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for part in ["shared", "functions", "local"] {
        walk(&root().join(part), &mut found);
    }
    found
}

#[test]
fn files_have_one_purpose_and_a_bounded_length() {
    for path in rust_files() {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 450, "{} has {lines} lines: is it still one room with one purpose?", path.display());
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for path in rust_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} does not open with what it is for", path.display());
    }
}

/// `docs/guarantees.md` names tests for every way in which schedulers fail, and all that carry a number.
#[test]
fn every_class_of_failure_has_tests_that_exist() {
    const CLASSES: usize = 20;
    let page = std::fs::read_to_string(root().join("docs/guarantees.md")).unwrap();
    let named: BTreeSet<&str> = page.split('`').filter(|it| it.starts_with("class_")).collect();
    let code: String = rust_files().into_iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let tests: BTreeSet<&str> = code
        .split("fn ")
        .filter_map(|rest| rest.split_once('(').map(|(name, _)| name))
        .filter(|name| name.starts_with("class_"))
        .collect();
    assert_eq!(named, tests, "docs/guarantees.md and the code");
    for class in 1..=CLASSES {
        let is_of = |test: &str| {
            let numbers = test.split('_').skip(1).step_by(2).map_while(|word| word.parse::<usize>().ok());
            numbers.into_iter().any(|number| number == class)
        };
        assert!(tests.iter().any(|test| is_of(test)), "no test of class {class}");
    }
}

/// The settings of the code, of `.env.example` and of the README's table are the same.
#[test]
fn settings_are_documented_where_people_look() {
    let code = std::fs::read_to_string(root().join("local/src/config/settings.rs")).unwrap();
    let table = code.split("pub(crate) const SETTINGS").nth(1).unwrap().split("];").next().unwrap();
    let in_code: BTreeSet<&str> = table.split('"').filter(|word| is_setting(word)).collect();
    assert!(in_code.len() > 5, "the table was found");
    for (file, mark) in [(".env.example", "="), ("README.md", "` |")] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let documented: BTreeSet<&str> = text
            .lines()
            .filter_map(|line| {
                line.trim_start_matches(['#', ' ', '|', '`'])
                    .split(mark)
                    .next()
                    .filter(|_| line.contains(mark))
            })
            .filter(|word| is_setting(word))
            .collect();
        assert_eq!(documented, in_code, "{file}");
    }
}

fn is_setting(word: &str) -> bool {
    let upper = word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    upper && (word == "DATABASE_URL" || word == "SECRET_KEY" || word.starts_with("SCHEDULER_"))
}
