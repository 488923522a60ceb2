//! From due to settled.

use domain::run::AttemptOutcome;
use domain::{HumanDuration, Reason, RunKind, RunStatus, Verdict};
use engine::Store;
use testkit::{Fault, Step, at, job};

use super::bench::{Bench, key};

#[tokio::test]
async fn a_due_job_is_fired_called_and_recorded() {
    let bench = Bench::new();
    bench.create(job("report").every("1m").draft()).await;
    assert_eq!(bench.look_after("59s").await.fired, 0, "not early");
    assert_eq!(bench.look_after("1s").await.fired, 1);
    let runs = bench.settled().await;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].status, RunStatus::Succeeded);
    assert_eq!(runs[0].scheduled_for, at("2026-11-24T00:01:00Z"));
    assert_eq!(runs[0].worker.as_deref(), Some("a"));
    let calls = bench.executor.calls();
    assert_eq!((calls.len(), calls[0].call.run_id, calls[0].call.attempt), (1, runs[0].id, 1));
    let stored = bench.scheduler.job("default", &key("report")).await.unwrap();
    assert_eq!(stored.job.unwrap().next_fire_at, Some(at("2026-11-24T00:02:00Z")));
    assert_eq!(stored.last_run.unwrap().status, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_failed_attempt_is_retried_after_its_delay_and_no_sooner() {
    let bench = Bench::new();
    bench.create(job("flaky").every("1d").attempts(3, "10s").draft()).await;
    bench.executor.script("flaky", [Verdict::retryable("connect", "refused")]);
    bench.look_after("1d").await;
    let waiting = bench.settled().await;
    assert_eq!(waiting[0].status, RunStatus::Pending);
    assert_eq!(waiting[0].due_at, Some(at("2026-11-25T00:00:10Z")));
    assert_eq!(bench.look_after("9s").await.leased, 0);
    assert_eq!(bench.look_after("1s").await.leased, 1);
    let runs = bench.settled().await;
    assert_eq!(runs[0].status, RunStatus::Succeeded);
    let outcomes: Vec<_> = runs[0].attempts.iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, [AttemptOutcome::Failed, AttemptOutcome::Succeeded]);
    assert_eq!(bench.executor.calls()[1].call.attempt, 2);
    assert_eq!(bench.executor.calls()[0].call.run_id, bench.executor.calls()[1].call.run_id);
}

#[tokio::test]
async fn one_attempt_means_exactly_one_call() {
    let bench = Bench::new();
    bench.create(job("once").every("1d").attempts(1, "1s").draft()).await;
    bench.executor.script("once", vec![Verdict::retryable("http_status", "500"); 5]);
    bench.look_after("1d").await;
    assert_eq!(bench.settled().await[0].status, RunStatus::Failed);
    bench.look_after("1h").await;
    bench.settled().await;
    assert_eq!(bench.executor.calls().len(), 1);
}

#[tokio::test]
async fn what_is_due_while_a_run_goes_on_is_skipped_and_recorded() {
    let bench = Bench::new();
    bench.create(job("slow").every("1m").draft()).await;
    let gate = bench.executor.hold();
    bench.look_after("1m").await;
    bench.executor.started(1).await;
    bench.look_after("1m").await;
    bench.look_after("1m").await;
    gate.open();
    let runs = bench.settled().await;
    let statuses: Vec<_> = runs.iter().map(|run| (run.status, run.reason)).collect();
    let skipped = (RunStatus::Skipped, Some(Reason::Overlap));
    assert_eq!(statuses, [(RunStatus::Succeeded, None), skipped, skipped]);
    bench.look_after("1m").await;
    assert_eq!(bench.settled().await.last().unwrap().status, RunStatus::Succeeded);
}

#[tokio::test]
async fn no_more_attempts_at_a_time_than_the_limit_and_none_forgotten() {
    let bench = Bench::with_concurrency(3);
    for index in 0..10 {
        bench.create(job(&format!("job-{index}")).every("1d").draft()).await;
    }
    let gate = bench.executor.hold();
    bench.look_after("1d").await;
    bench.executor.started(3).await;
    bench.dispatcher.look().await.unwrap();
    assert_eq!(bench.executor.calls().len(), 3, "the others wait");
    assert_eq!(bench.runs().await.len(), 10, "but all are recorded, on time");
    gate.open();
    for _ in 0..10 {
        bench.settled().await;
        bench.dispatcher.look().await.unwrap();
    }
    assert!(bench.settled().await.iter().all(|run| run.status == RunStatus::Succeeded));
    assert_eq!(bench.executor.calls().len(), 10);
}

/// A lease lasts 30 seconds, and the store takes 25 of them to grant it.
#[tokio::test]
async fn a_run_is_not_begun_under_a_lease_that_ran_out_while_the_store_answered() {
    for slow in ["fire_due", "lease_runs"] {
        let bench = Bench::new();
        bench.create(job("report").every("1m").draft()).await;
        let clock = bench.manual.clone();
        bench.store.fail_by(move |call, _| {
            if call == slow {
                clock.advance(chrono::TimeDelta::seconds(25));
            }
            Fault::None
        });
        if slow == "lease_runs" {
            bench.scheduler.run_now("default", &key("report")).await.unwrap();
            bench.dispatcher.work().await.unwrap();
        } else {
            bench.manual.advance(chrono::TimeDelta::minutes(1));
            bench.dispatcher.fire_due().await.unwrap();
        }
        bench.quiet().await;
        assert_eq!(bench.executor.calls().len(), 0, "{slow}");
        bench.store.heal();
        bench.look_after("0s").await;
        let runs = bench.settled().await;
        assert_eq!((runs[0].status, runs[0].attempts.len()), (RunStatus::Succeeded, 1), "{slow}");
    }
}

/// Bug class 4: nothing is stuck for ever after a crash; bug class 3: nor is it taken over while it is alive.
#[tokio::test]
async fn class_3_and_4_a_dead_workers_run_is_taken_over_when_its_lease_runs_out_and_no_sooner() {
    let bench = Bench::new();
    bench.create(job("orphan").every("1d").attempts(2, "0s").draft()).await;
    bench.executor.script("orphan", [Step::Deaf]);
    bench.look_after("1d").await;
    bench.executor.started(1).await;
    let other = bench.another("b", 10);
    bench.manual.advance(HumanDuration::from_secs(20).to_delta());
    bench.dispatcher.renew().await.unwrap();
    bench.manual.advance(HumanDuration::from_secs(20).to_delta());
    assert_eq!(other.look().await.unwrap().leased, 0, "a prolonged lease is respected");
    // The worker is not heard of any more.
    bench.manual.advance(HumanDuration::from_secs(30).to_delta());
    assert_eq!(other.look().await.unwrap().leased, 1);
    bench.runs_when(|run| run.status == RunStatus::Pending).await;
    other.look().await.unwrap();
    let runs = bench.settled().await;
    assert_eq!(runs[0].status, RunStatus::Succeeded);
    let outcomes: Vec<_> = runs[0].attempts.iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, [AttemptOutcome::Abandoned, AttemptOutcome::Succeeded]);
}

#[tokio::test]
async fn class_2_a_late_worker_writes_nothing() {
    let bench = Bench::new();
    bench.create(job("late").every("1d").attempts(2, "0s").draft()).await;
    let gate = bench.executor.hold();
    bench.look_after("1d").await;
    bench.executor.started(1).await;
    bench.manual.advance(HumanDuration::from_secs(31).to_delta());
    let other = bench.another("b", 10);
    other.look().await.unwrap();
    bench.runs_when(|run| run.status == RunStatus::Pending).await;
    gate.release(1);
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    let run = &bench.runs().await[0];
    assert_eq!(run.status, RunStatus::Pending, "the first worker's success came too late");
    assert_eq!(run.attempts.len(), 1);
}

#[tokio::test]
async fn a_panicking_executor_fails_its_attempt_only() {
    let bench = Bench::new();
    bench.create(job("bad").every("1d").attempts(1, "1s").draft()).await;
    bench.create(job("good").every("1d").draft()).await;
    bench.executor.script("bad", [Step::Panic]);
    bench.look_after("1d").await;
    let mut runs = bench.settled().await;
    runs.sort_by(|left, right| left.job_name.cmp(&right.job_name));
    assert_eq!((runs[0].status, runs[1].status), (RunStatus::Failed, RunStatus::Succeeded));
    assert_eq!(runs[0].attempts[0].error.as_ref().unwrap().code, "panic");
}

#[tokio::test]
async fn a_corrupt_job_is_set_aside_and_the_others_go_on() {
    let bench = Bench::new();
    let corrupt = bench.create(job("corrupt").every("1m").draft()).await;
    bench.create(job("sound").every("1m").draft()).await;
    testkit::Backdoor::corrupt(&*bench.store, corrupt.id).await;
    bench.look_after("1m").await;
    bench.settled().await;
    bench.look_after("1m").await;
    let runs = bench.settled().await;
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().all(|run| run.job_name == "sound" && run.status == RunStatus::Succeeded));
    assert_eq!(bench.store.next_due().await.unwrap(), Some(at("2026-11-24T00:03:00Z")));
}

#[tokio::test]
async fn a_run_whose_job_cannot_be_read_waits_for_it_to_be_mended() {
    let bench = Bench::new();
    let broken = bench.create(job("broken").every("1d").draft()).await;
    bench.scheduler.run_now("default", &key("broken")).await.unwrap();
    testkit::Backdoor::corrupt(&*bench.store, broken.id).await;
    bench.look_after("1s").await;
    assert_eq!(bench.settled().await[0].status, RunStatus::Pending);
    assert!(bench.executor.calls().is_empty());
    bench
        .scheduler
        .replace("default", &key("broken"), job("broken").every("1d").draft(), None)
        .await
        .unwrap();
    bench.look_after("1m").await;
    let runs = bench.settled().await;
    assert_eq!((runs[0].status, runs[0].attempts.len()), (RunStatus::Succeeded, 1));
}

#[tokio::test]
async fn a_manual_run_goes_beside_the_schedule_and_leaves_it_alone() {
    let bench = Bench::new();
    bench.create(job("report").every("1h").draft()).await;
    let run = bench.scheduler.run_now("default", &key("report")).await.unwrap();
    assert_eq!((run.kind, run.status), (RunKind::Manual, RunStatus::Pending));
    bench.look_after("0s").await;
    let runs = bench.settled().await;
    assert_eq!((runs.len(), runs[0].id, runs[0].status), (1, run.id, RunStatus::Succeeded));
    let stored = bench.scheduler.job("default", &key("report")).await.unwrap().job.unwrap();
    assert_eq!(stored.next_fire_at, Some(at("2026-11-24T01:00:00Z")));
}

/// Bug class: a host that hangs must not starve the others.
#[tokio::test]
async fn a_hanging_host_gets_its_share_of_attempts_and_no_more() {
    let bench = Bench::with_concurrency(8);
    let hang = |index: usize| {
        job(&format!("hang-{index}")).every("1m").with(|draft| {
            let target = serde_json::json!({"type": "http", "url": "http://slow.example/"});
            draft.target = serde_json::from_value(target).unwrap();
        })
    };
    for index in 0..20 {
        bench.create(hang(index).draft()).await;
        bench.executor.script(&format!("hang-{index}"), [Step::Hang]);
    }
    bench.create(job("sound").every("1m").draft()).await;
    bench.look_after("1m").await;
    bench.executor.started(3).await;
    for _ in 0..3 {
        bench.look_after("2s").await;
        tokio::task::yield_now().await;
    }
    let runs = bench.runs_when(|run| run.job_name != "sound" || run.status == RunStatus::Succeeded).await;
    assert_eq!(runs.len(), 21);
    let slow = bench.executor.calls().iter().filter(|it| it.call.job_name != "sound").count();
    assert_eq!(slow, 2, "a quarter of eight");
}

/// The same with many: one host that hangs, and a thousand others that are called on time.
#[tokio::test]
async fn a_hanging_host_does_not_make_a_thousand_others_late() {
    let bench = Bench::with_concurrency(100);
    let on = |name: String, host: String| {
        job(&name).every("1m").with(|draft| {
            let target = serde_json::json!({"type": "http", "url": format!("http://{host}.example/")});
            draft.target = serde_json::from_value(target).unwrap();
        })
    };
    for index in 0..60 {
        bench.executor.script(&format!("hang-{index}"), [Step::Hang, Step::Hang]);
        bench.create(on(format!("hang-{index}"), "slow".to_owned()).draft()).await;
    }
    for index in 0..1_000 {
        bench.create(on(format!("sound-{index}"), format!("sound-{index}")).draft()).await;
    }
    for minute in ["2026-11-24T00:00:59.999Z", "2026-11-24T00:01:59.999Z"] {
        bench.manual.advance(at(minute) - bench.clock.now());
        bench.dispatcher.renew().await.unwrap();
        for _ in 0..60 {
            bench.look_after("1ms").await;
            bench.quiet().await;
        }
    }
    let runs = bench.runs().await;
    let sound: Vec<_> = runs.iter().filter(|run| run.job_name.starts_with("sound")).collect();
    assert_eq!(sound.len(), 2_000);
    let latest = sound.iter().map(|run| run.lag().unwrap().as_millis()).max();
    assert!(latest <= Some(50), "{latest:?} ms late");
    assert!(sound.iter().all(|run| run.status == RunStatus::Succeeded));
}
