//! Small records: found by kind and key, listed in order, changed by whoever saw the latest version.

use engine::{Record, RecordKind};

use super::Fixture;

const KIND: RecordKind = RecordKind::Credential;

fn record(key: &str, version: u64, text: &str) -> Record {
    Record::new(key, version, &text)
}

async fn put(it: &Fixture, record: &Record) -> bool {
    it.records.put_record(KIND, record).await.unwrap()
}

async fn find(it: &Fixture, key: &str) -> Option<Record> {
    it.records.record(KIND, key).await.unwrap()
}

async fn keys(it: &Fixture, after: &str, limit: u32) -> Vec<String> {
    let found = it.records.records(KIND, after, limit).await.unwrap();
    found.into_iter().map(|record| record.key).collect()
}

/// What was put is read back, to the letter.
pub async fn a_record_is_found_as_it_was_put(it: &Fixture) {
    let odd = record("a \"b\" 'c' \u{e4}🦀", 1, "it's {\"so\"}\\ \u{e4}🦀\n");
    assert!(put(it, &odd).await);
    assert_eq!(find(it, &odd.key).await, Some(odd));
    for other in ["a", "", "A \"B\" 'C' \u{e4}🦀", "a\0"] {
        assert_eq!(find(it, other).await, None, "{other:?}");
    }
}

/// The first one stays.
pub async fn a_record_is_new_once(it: &Fixture) {
    assert!(put(it, &record("k", 1, "first")).await);
    assert!(!put(it, &record("k", 1, "second")).await);
    assert_eq!(find(it, "k").await, Some(record("k", 1, "first")));
}

/// Only who has seen the latest version may write the next one.
pub async fn a_record_is_replaced_by_its_next_version(it: &Fixture) {
    assert!(!put(it, &record("k", 2, "of nothing")).await);
    assert!(put(it, &record("k", 1, "one")).await);
    assert!(!put(it, &record("k", 3, "three")).await);
    assert!(put(it, &record("k", 2, "two")).await);
    assert!(!put(it, &record("k", 2, "two again")).await);
    assert_eq!(find(it, "k").await, Some(record("k", 2, "two")));
}

/// So is its removal.
pub async fn a_record_is_removed_by_its_version(it: &Fixture) {
    let delete = async |key, expected| it.records.delete_record(KIND, key, expected).await.unwrap();
    put(it, &record("k", 1, "one")).await;
    assert!(!delete("k", 2).await);
    assert!(!delete("other", 1).await);
    assert!(delete("k", 1).await);
    assert!(!delete("k", 1).await);
    assert_eq!(find(it, "k").await, None);
    assert!(put(it, &record("k", 1, "again")).await, "its key is free");
}

/// Pages join, in the order of bytes.
pub async fn records_are_listed_by_the_bytes_of_their_keys(it: &Fixture) {
    let sorted = ["A", "B", "a", "b", "b0", "\u{e4}"];
    for key in ["b0", "a", "\u{e4}", "B", "A", "b"] {
        put(it, &record(key, 1, key)).await;
    }
    assert_eq!(keys(it, "", 100).await, sorted);
    assert_eq!(keys(it, "", 2).await, sorted[..2]);
    assert_eq!(keys(it, "B", 3).await, sorted[2..5]);
    assert_eq!(keys(it, "b0", 3).await, sorted[5..]);
    assert_eq!(keys(it, "\u{e4}", 3).await, [""; 0]);
}

/// What is put under a key of one kind is nothing to another.
pub async fn kinds_keep_to_themselves(it: &Fixture) {
    put(it, &record("k", 1, "a key")).await;
    let other = RecordKind::Project;
    assert_eq!(it.records.record(other, "k").await.unwrap(), None);
    assert_eq!(it.records.records(other, "", 10).await.unwrap(), []);
    assert!(!it.records.delete_record(other, "k", 1).await.unwrap());
    assert!(it.records.put_record(other, &record("k", 1, "a project")).await.unwrap());
    assert_eq!(find(it, "k").await, Some(record("k", 1, "a key")));
}
