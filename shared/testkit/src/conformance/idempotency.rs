//! Idempotency keys: one request for each, the same answer for ever after, which is a day.

use chrono::TimeDelta;
use engine::idempotency::{ABANDONED_AFTER, REMEMBERED_FOR};
use engine::{Begun, SavedResponse};

use super::Fixture;
use crate::fixtures::at;

const NOW: &str = "2026-11-24T00:00:00Z";

/// A moment after `NOW`.
async fn begin(it: &Fixture, key: &str, fingerprint: &str, after: TimeDelta) -> Begun {
    it.idempotency.begin("default", key, fingerprint, at(NOW) + after).await.unwrap()
}

async fn finish(it: &Fixture, key: &str, answer: &SavedResponse) {
    it.idempotency.finish("default", key, answer).await.unwrap();
}

fn answer() -> SavedResponse {
    SavedResponse {
        status: 201,
        headers: vec![
            ("location".to_owned(), "/api/v1/jobs/job_1".to_owned()),
            ("set-cookie".to_owned(), "a=\"1\"".to_owned()),
            ("set-cookie".to_owned(), "b=2".to_owned()),
        ],
        body: "{\"name\": \"n\u{e4}chtlich 🦀\", \"text\": \"it's \\\"so\\\"\\n\"}".to_owned(),
    }
}

/// The first request goes on; another of the same key waits for it.
pub async fn a_key_is_reserved_once(it: &Fixture) {
    assert_eq!(begin(it, "k", "f", TimeDelta::zero()).await, Begun::New);
    assert_eq!(begin(it, "k", "f", TimeDelta::seconds(1)).await, Begun::InProgress);
    assert_eq!(begin(it, "K", "f", TimeDelta::seconds(1)).await, Begun::New, "letter case counts");
}

/// The answer is given again, to the letter.
pub async fn an_answer_is_repeated(it: &Fixture) {
    begin(it, "k", "f", TimeDelta::zero()).await;
    finish(it, "k", &answer()).await;
    for hours in [0, 1, 23] {
        assert_eq!(begin(it, "k", "f", TimeDelta::hours(hours)).await, Begun::Answered(answer()));
    }
}

/// A key is not used for two different requests, before or after the answer.
pub async fn another_request_with_the_key_is_refused(it: &Fixture) {
    begin(it, "k", "f", TimeDelta::zero()).await;
    assert_eq!(begin(it, "k", "g", TimeDelta::seconds(1)).await, Begun::OtherRequest);
    finish(it, "k", &answer()).await;
    assert_eq!(begin(it, "k", "g", TimeDelta::seconds(2)).await, Begun::OtherRequest);
    assert_eq!(begin(it, "k", "f", TimeDelta::seconds(3)).await, Begun::Answered(answer()));
}

/// A request that failed may be sent again.
pub async fn a_released_key_is_free(it: &Fixture) {
    begin(it, "k", "f", TimeDelta::zero()).await;
    it.idempotency.release("default", "k").await.unwrap();
    assert_eq!(begin(it, "k", "g", TimeDelta::seconds(1)).await, Begun::New);
}

/// A process that died keeps its key for a minute, not for a day.
pub async fn an_abandoned_key_is_free_after_a_while(it: &Fixture) {
    let millisecond = TimeDelta::milliseconds(1);
    begin(it, "k", "f", TimeDelta::zero()).await;
    assert_eq!(begin(it, "k", "f", ABANDONED_AFTER).await, Begun::InProgress);
    assert_eq!(begin(it, "k", "g", ABANDONED_AFTER + millisecond).await, Begun::New);
    assert_eq!(
        begin(it, "k", "g", ABANDONED_AFTER * 2).await,
        Begun::InProgress,
        "it is reserved from then on"
    );
    assert_eq!(begin(it, "k", "f", ABANDONED_AFTER * 2).await, Begun::OtherRequest);
}

/// An answer is remembered for a day.
pub async fn an_answer_is_forgotten_after_a_day(it: &Fixture) {
    begin(it, "k", "f", TimeDelta::zero()).await;
    finish(it, "k", &answer()).await;
    assert_eq!(begin(it, "k", "f", REMEMBERED_FOR).await, Begun::Answered(answer()));
    let later = REMEMBERED_FOR + TimeDelta::milliseconds(1);
    assert_eq!(begin(it, "k", "g", later).await, Begun::New);
    assert_eq!(begin(it, "k", "g", later).await, Begun::InProgress, "the old answer is gone");
}

/// Two projects may use the same key.
pub async fn keys_keep_to_their_project(it: &Fixture) {
    begin(it, "k", "f", TimeDelta::zero()).await;
    assert_eq!(it.idempotency.begin("other", "k", "g", at(NOW)).await.unwrap(), Begun::New);
    it.idempotency.release("other", "k").await.unwrap();
    finish(it, "k", &answer()).await;
    assert_eq!(it.idempotency.begin("other", "k", "g", at(NOW)).await.unwrap(), Begun::New);
    assert_eq!(begin(it, "k", "f", TimeDelta::zero()).await, Begun::Answered(answer()));
}

/// An answer to a key nobody holds any more is dropped, and does no harm.
pub async fn a_late_answer_is_dropped(it: &Fixture) {
    finish(it, "k", &answer()).await;
    it.idempotency.release("default", "k").await.unwrap();
    assert_eq!(begin(it, "k", "f", TimeDelta::zero()).await, Begun::New);
}

/// Old keys are removed in batches, answered or not.
pub async fn old_keys_are_forgotten_in_batches(it: &Fixture) {
    for index in 0..5 {
        begin(it, &format!("k{index}"), "f", TimeDelta::seconds(index)).await;
    }
    finish(it, "k0", &answer()).await;
    let forget = async |limit| it.idempotency.forget(at("2026-11-24T00:00:03Z"), limit).await.unwrap();
    assert_eq!(forget(2).await, 2);
    assert_eq!(forget(2).await, 1);
    assert_eq!(forget(2).await, 0);
    assert_eq!(begin(it, "k0", "g", TimeDelta::seconds(5)).await, Begun::New);
    assert_eq!(begin(it, "k3", "f", TimeDelta::seconds(5)).await, Begun::InProgress);
}
