//! What `infra/monitoring` builds on is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::json;

use super::service::{Options, Service, sqlite_in};

/// Every metric that a rule, an alert or a panel names is one that a replica shows.
#[tokio::test]
async fn every_metric_that_monitoring_names_exists() {
    let directory = tempfile::tempdir().unwrap();
    let database = sqlite_in(directory.path());
    let service =
        Service::start(Options { database: &database, directory: directory.path(), environment: &[] }).await;
    let job = json!({
        "name": "once",
        "schedule": {"type": "interval", "every": "1s"},
        "target": {"type": "noop"},
    });
    service.post("/api/v1/jobs", &job).await;
    service.runs_of("once", 1, |run| run["status"] == "succeeded").await;
    let shown = service.ok(Method::GET, "/metrics", None).await;
    let shown: BTreeSet<&str> = shown
        .as_str()
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();

    let named: BTreeSet<String> = files(&root().join("infra/monitoring"))
        .into_iter()
        .flat_map(|file| names(&std::fs::read_to_string(file).unwrap()))
        .collect();
    assert!(named.len() > 10, "they were found: {named:?}");
    for name in &named {
        assert!(shown.contains(name.as_str()), "{name} is not in /metrics: {shown:?}");
    }
}

/// What is described is what is recorded: the list of the binary has no name that nobody records, and lacks none.
#[test]
fn every_metric_that_is_recorded_is_described() {
    let list = std::fs::read_to_string(root().join("local/src/metrics.rs")).unwrap();
    let described = names(&list);
    let code = ["shared/engine/src", "shared/api/src", "shared/targets/src", "shared/sql/src", "local/src"];
    let recorded: BTreeSet<String> = code
        .into_iter()
        .flat_map(|part| files(&root().join(part)))
        .filter_map(|file| std::fs::read_to_string(file).ok())
        .flat_map(|text| recorded_in(&text))
        .collect();
    assert_eq!(described, recorded, "local/src/metrics.rs and what the code records");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// The metrics named in a text, without what histograms append.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '_' && it != ':');
    let base = |word: &str| {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end));
        base.unwrap_or(word).to_owned()
    };
    words.filter(|word| is_metric(word)).map(base).collect()
}

fn is_metric(word: &str) -> bool {
    (word.starts_with("scheduler_") || word.starts_with("http_server_")) && !word.contains(':')
}

/// The names that stand first in the macros which record.
fn recorded_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("!(") {
        let kind = ["counter", "gauge", "histogram"]
            .iter()
            .any(|kind| text[..at].ends_with(kind) && !text[..at].ends_with(&format!("describe_{kind}")));
        let first = text[at + 2..].trim_start();
        if let Some(name) = first.strip_prefix('"').and_then(|rest| rest.split('"').next())
            && kind
        {
            found.push(name.to_owned());
        }
    }
    found
}
