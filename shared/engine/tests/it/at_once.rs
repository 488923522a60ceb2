//! Attempts that end at once: bounded by no concurrency, and never leased a second time.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{HumanDuration, Outcome, RunStatus, Target, Verdict};
use engine::{Call, Dispatcher, Executor, LocalAlarm, Logs, Settings};
use testkit::job;
use tokio_util::sync::CancellationToken;

use super::bench::Bench;

struct AtOnce;

#[async_trait]
impl Executor for AtOnce {
    async fn execute(&self, _: &Call, _: CancellationToken) -> Outcome {
        Verdict::Succeeded.into()
    }

    fn ends_at_once(&self, _: &Target) -> bool {
        true
    }
}

#[tokio::test]
async fn one_look_runs_them_all_whatever_the_concurrency() {
    const JOBS: usize = 300;
    let bench = Bench::new();
    for index in 0..JOBS {
        bench.create(job(&format!("job-{index}")).every("1d").draft()).await;
    }
    let alarm = Arc::new(LocalAlarm::new(bench.bell.clone(), bench.clock.clone()));
    let settings =
        Settings { worker: "quick".to_owned(), lease: HumanDuration::from_secs(30), concurrency: 1 };
    let logs = Logs::new(bench.store.clone(), bench.clock.clone());
    let dispatcher = Dispatcher::new(
        bench.store.clone(),
        bench.clock.clone(),
        alarm,
        Arc::new(AtOnce),
        logs,
        bench.callbacks.clone(),
        settings,
    );
    bench.manual.advance(HumanDuration::from_secs(86_400).to_delta());
    let look = dispatcher.look().await.unwrap();
    assert_eq!((look.fired, look.leased), (JOBS, 0));
    let runs = bench.settled().await;
    assert_eq!(runs.len(), JOBS);
    assert!(runs.iter().all(|run| run.status == RunStatus::Succeeded && run.token == 1));
}
