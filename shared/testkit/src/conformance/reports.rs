//! What targets report: the newest progress, the first end, and nothing of others.

use domain::run::AttemptError;
use domain::settle::{Conclusion, Ending, Progress};
use domain::{RunId, RunKind};
use engine::Reported;
use futures::future::join_all;

use super::Fixture;
use crate::fixtures::{at, job};

const NOW: &str = "2026-11-24T00:00:01.234Z";

fn run(number: u64) -> RunId {
    RunId::derive(job("report").build().id, at("2026-11-24T00:00:00Z"), RunKind::Manual, number)
}

fn failed(message: &str) -> Conclusion {
    let error = AttemptError { code: "reported".to_owned(), message: message.to_owned() };
    let output = Some("ünï \"x\" {\"json\": [1]}".to_owned());
    Conclusion {
        at: at(NOW),
        ending: Ending::Failed { error, retryable: false },
        output,
        output_truncated: true,
    }
}

fn progress(percent: u8) -> Progress {
    let message = Some("'; DROP TABLE runs; --".to_owned());
    Progress { at: at(NOW), percent: Some(percent), message, told_to_stop_at: Some(at(NOW)) }
}

/// One that stands beside an end leaves it alone.
pub async fn the_newest_progress_is_kept(it: &Fixture) {
    assert_eq!(it.reports.reported(run(1), 1).await.unwrap(), Reported::default());
    it.reports.put_progress(run(1), 1, &progress(10)).await.unwrap();
    it.reports.conclude(run(1), 1, &failed("x")).await.unwrap();
    it.reports.put_progress(run(1), 1, &progress(20)).await.unwrap();
    let expected = Reported { progress: Some(progress(20)), conclusion: Some(failed("x")) };
    assert_eq!(it.reports.reported(run(1), 1).await.unwrap(), expected);
}

/// Whoever comes second learns what stands.
pub async fn the_first_end_stands(it: &Fixture) {
    it.reports.put_progress(run(1), 1, &progress(10)).await.unwrap();
    let first = failed("the disk is full");
    assert_eq!(it.reports.conclude(run(1), 1, &first).await.unwrap(), first);
    for ending in [Ending::Succeeded, Ending::TimedOut, Ending::Lapsed, Ending::Cancelled, Ending::Called] {
        let other = Conclusion::of(ending, at("2026-11-24T00:00:02Z"));
        assert_eq!(it.reports.conclude(run(1), 1, &other).await.unwrap(), first);
        let number = 2 + u64::from(other.ending == Ending::Succeeded);
        let _ = it.reports.conclude(run(number), 9, &other).await.unwrap();
    }
    assert_eq!(it.reports.reported(run(1), 1).await.unwrap().conclusion, Some(first));
    let succeeded = it.reports.reported(run(3), 9).await.unwrap().conclusion.unwrap();
    assert_eq!(succeeded.ending, Ending::Succeeded);
}

/// By run and token.
pub async fn reports_keep_to_their_attempt(it: &Fixture) {
    it.reports.conclude(run(1), 1, &failed("one")).await.unwrap();
    it.reports.conclude(run(1), 2, &failed("two")).await.unwrap();
    it.reports.conclude(run(2), 1, &failed("other")).await.unwrap();
    for (number, token, message) in [(1, 1, "one"), (1, 2, "two"), (2, 1, "other")] {
        let known = it.reports.reported(run(number), token).await.unwrap();
        assert_eq!(known.conclusion, Some(failed(message)));
    }
    assert_eq!(it.reports.reported(run(2), 2).await.unwrap(), Reported::default());
}

/// Of targets and those who find that they do not report, one decides.
pub async fn one_of_many_decides_how_an_attempt_ended(it: &Fixture) {
    let many = (0..16).map(|number| {
        let reports = it.reports.clone();
        tokio::spawn(async move { reports.conclude(run(1), 1, &failed(&number.to_string())).await.unwrap() })
    });
    let known: Vec<_> = join_all(many).await.into_iter().map(|known| known.unwrap()).collect();
    assert!(known.iter().all(|one| *one == known[0]), "{known:?}");
}

/// Whoever starts first, all have the same.
pub async fn all_replicas_share_one_secret(it: &Fixture) {
    let many = (0..8).map(|number| {
        let reports = it.reports.clone();
        tokio::spawn(async move { reports.secret([number; 32]).await.unwrap() })
    });
    let secrets: Vec<_> = join_all(many).await.into_iter().map(|secret| secret.unwrap()).collect();
    assert!(secrets.iter().all(|secret| *secret == secrets[0]));
    assert_eq!(it.reports.secret([99; 32]).await.unwrap(), secrets[0]);
}
