//! The committed OpenAPI document is the one the handlers describe.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

/// Rewrites the file where `UPDATE_OPENAPI` is set.
#[test]
fn the_committed_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    let current = api::openapi_json();
    if update_requested() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "openapi.json is out of date; run `UPDATE_OPENAPI=1 cargo test -p api openapi`"
    );
}

#[expect(clippy::disallowed_methods, reason = "a switch of this test, not configuration of the service")]
fn update_requested() -> bool {
    std::env::var_os("UPDATE_OPENAPI").is_some()
}

fn document() -> Value {
    serde_json::from_str(&api::openapi_json()).unwrap()
}

#[test]
fn it_is_openapi_3_1_and_every_operation_is_described() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let at = format!("{method} {path}");
            let id = operation["operationId"].as_str().unwrap();
            assert!(
                id.starts_with(|first: char| first.is_ascii_lowercase()) && !id.contains('_'),
                "{at}: {id}"
            );
            assert!(ids.insert(id.to_owned()), "{at}: {id} is given twice");
            assert!((1..=50).contains(&operation["summary"].as_str().unwrap().len()), "{at}");
            assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{at}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(!parameter["description"].as_str().unwrap().is_empty(), "{at}: {parameter}");
            }
        }
    }
    insta::assert_snapshot!(Vec::from_iter(ids).join(" "), @"appendRunLog backfillJob cancelBackfill cancelRun changeJobs changeRuns completeRun createJob createKey createProject createSession deleteCalendar deleteJob deleteSession echo getBackfill getCalendar getHealth getJob getMetrics getReadiness getRun getRunLog getSession getStats getTimeline getVersion heartbeatRun listCalendars listJobBackfills listJobRuns listJobs listKeys listProjects listRuns pauseJob previewSchedule putCalendar replaceJob resumeJob retryRun revokeKey runJob streamEvents updateJob");
}

#[test]
fn every_error_is_a_problem() {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                if status.starts_with(['4', '5']) && path != "/readyz" {
                    let name =
                        response["$ref"].as_str().unwrap_or_else(|| panic!("{method} {path}: {response}"));
                    let name = name.strip_prefix("#/components/responses/").unwrap();
                    let content = &document["components"]["responses"][name]["content"];
                    let schema = &content["application/problem+json"]["schema"];
                    assert_eq!(schema["$ref"], "#/components/schemas/Problem", "{method} {path}");
                }
            }
            if path.starts_with("/api/") {
                assert!(operation["responses"].get("503").is_some(), "{method} {path}");
            }
        }
    }
}

#[test]
fn schedules_and_targets_are_told_apart_by_type() {
    let document = document();
    let unions = [
        ("Schedule", vec!["interval", "calendar_interval", "cron", "date"]),
        ("Target", vec!["http", "email", "command", "log", "noop"]),
    ];
    for (union, variants) in unions {
        let schema = &document["components"]["schemas"][union];
        assert_eq!(schema["discriminator"]["propertyName"], "type");
        for variant in variants {
            let reference = schema["discriminator"]["mapping"][variant].as_str().unwrap();
            let one_of = schema["oneOf"].as_array().unwrap();
            assert!(one_of.iter().any(|item| item["$ref"] == *reference), "{variant}");
            let name = reference.rsplit('/').next().unwrap();
            let schema = &document["components"]["schemas"][name];
            assert_eq!(schema["properties"]["type"]["enum"][0], variant);
            assert_eq!(schema["required"][0], "type");
            assert_eq!(schema["additionalProperties"], false);
        }
    }
}

/// `null` returns a field to its default, so a patch may hold it for every field that has one.
#[test]
fn a_patch_may_reset_whatever_has_a_default() {
    let document = document();
    let draft = &document["components"]["schemas"]["JobDraft"];
    let mandatory: Vec<&str> =
        draft["required"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    for (name, property) in document["components"]["schemas"]["JobPatch"]["properties"].as_object().unwrap() {
        let nullable = property["type"].as_array().is_some_and(|types| types.contains(&"null".into()));
        assert_eq!(nullable, !mandatory.contains(&name.as_str()), "{name}: {property}");
    }
}

/// Every `$ref` leads somewhere.
#[test]
fn nothing_refers_to_what_is_not_there() {
    let document = document();
    let mut waiting = vec![&document];
    while let Some(value) = waiting.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        match value {
            Value::Array(items) => waiting.extend(items),
            Value::Object(fields) => waiting.extend(fields.values()),
            _ => (),
        }
    }
}
