//! A report, a cancellation and a timeout at the same moment: one of them decides, and nobody is told otherwise.

use domain::RunStatus;
use domain::settle::Ending;
use engine::callbacks::{Refusal, Report};
use testkit::{Fault, SeededEntropy};

use super::bench::Bench;
use super::reporting::{done, failed, reporting, taken};

/// Lets others go first, as chance has it.
async fn some_time(entropy: &SeededEntropy) {
    for _ in 0..entropy.next() % 40 {
        tokio::task::yield_now().await;
    }
}

fn one_in(count: u64, entropy: &SeededEntropy) -> bool {
    entropy.next().is_multiple_of(count)
}

#[tokio::test(start_paused = true)]
async fn of_a_report_a_cancellation_and_silence_one_decides() {
    let mut endings = [0; 4];
    for seed in 0..400 {
        let entropy = SeededEntropy::new(seed);
        let bench = Bench::new();
        let mut draft = reporting("import");
        draft.retry.max_attempts = 1;
        let (run, token) = taken(&bench, draft).await;
        let other = bench.another("b", 10);
        // Silence is over in this very moment, or a moment later.
        let wait = if one_in(2, &entropy) { "5m" } else { "4m59s999ms" };
        bench.manual.advance(wait.parse::<domain::HumanDuration>().unwrap().to_delta());
        if one_in(2, &entropy) {
            let lossy = SeededEntropy::new(seed + 1_000);
            let mut left = 3;
            bench.store.fail_by(move |_, _| match lossy.next() % 12 {
                0 if left > 0 => {
                    left -= 1;
                    Fault::After
                }
                1 if left > 0 => {
                    left -= 1;
                    Fault::Before
                }
                _ => Fault::None,
            });
        }
        let report = if one_in(2, &entropy) { done() } else { failed(true) };
        let tell = async |report: Report| {
            some_time(&entropy).await;
            loop {
                match bench.callbacks.complete("default", run.id, &token, report.clone()).await {
                    // A target asks again until it has an answer.
                    Err(Refusal::Store(_)) => tokio::task::yield_now().await,
                    answer => return answer.is_ok(),
                }
            }
        };
        let (first, second, (), (), (), ()) = tokio::join!(
            tell(report.clone()),
            async {
                let twice = one_in(3, &entropy);
                if twice { tell(report.clone()).await } else { false }
            },
            async {
                some_time(&entropy).await;
                let _ = bench.scheduler.cancel("default", run.id).await;
            },
            async {
                some_time(&entropy).await;
                let _ = bench.callbacks.heartbeat("default", run.id, &token, None, None).await;
            },
            async {
                some_time(&entropy).await;
                let _ = bench.dispatcher.look().await;
            },
            async {
                some_time(&entropy).await;
                let _ = other.look().await;
            },
        );
        bench.store.heal();
        let mut run = bench.runs().await.remove(0);
        for _ in 0..20 {
            if run.status.is_finished() {
                break;
            }
            bench.look_after("1m").await;
            // Outcomes that could not be written are tried again after a while.
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
            run = bench.runs().await.remove(0);
        }
        assert!(run.status.is_finished() && run.accepted.is_none(), "seed {seed}: {run:#?}");
        assert_eq!(run.attempts.len(), 1, "seed {seed}");
        let acknowledged = first || second;
        let reported = matches!(report.ending, Ending::Succeeded);
        match run.status {
            RunStatus::Succeeded => assert!(acknowledged && reported, "seed {seed}: {run:#?}"),
            // A report of failure, too, may be what confirms a cancellation.
            RunStatus::Cancelled => assert!(!acknowledged || !reported, "seed {seed}: {run:#?}"),
            RunStatus::Failed => {
                let code = run.attempts[0].error.as_ref().map(|error| error.code.as_str());
                let expected = if acknowledged { "reported" } else { "heartbeat" };
                assert_eq!(code, Some(expected), "seed {seed}: {run:#?}");
                assert!(!(acknowledged && reported), "seed {seed}");
            }
            other => panic!("seed {seed}: {other:?}"),
        }
        let index = match (run.status, acknowledged) {
            (RunStatus::Succeeded, _) => 0,
            (RunStatus::Cancelled, _) => 1,
            (_, true) => 2,
            (_, false) => 3,
        };
        endings[index] += 1;
    }
    assert!(endings.iter().all(|count| 5 < *count), "every way occurs: {endings:?}");
}
