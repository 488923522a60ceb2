//! Running one case against one store.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Runtime};

use super::Fixture;

/// Runs one case on a fresh store. Called by [`crate::conformance!`].
///
/// # Panics
/// Where the case fails, or where the store is not available under CI.
pub fn case(store: &str, fixture: impl AsyncFnOnce() -> Option<Fixture>, case: impl AsyncFnOnce(&Fixture)) {
    let runtime = runtime();
    runtime.block_on(async {
        match fixture().await {
            Some(fixture) => {
                case(&fixture).await;
                drop_in_order(fixture);
            }
            None => skipped(store),
        }
    });
}

/// The runtime cases run on: several threads, so that races are races.
pub(crate) fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime")
}

/// Closes the store before what it lies in is removed.
pub(crate) fn drop_in_order(fixture: Fixture) {
    let Fixture { store, calendars, insights, idempotency, logs, records, reports, events, backdoor, guard } =
        fixture;
    drop((store, calendars, insights, idempotency, logs, records, reports, events, backdoor));
    drop(guard);
}

/// Says once for each store that it was not tested. Under CI that is a failure: an untested store is not a tested one.
pub(crate) fn skipped(store: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    assert!(!under_ci(), "{store} is not available, and under CI nothing is skipped");
    if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(store.to_owned()) {
        // Not by eprintln!, which the test harness swallows.
        let _ = writeln!(
            std::io::stderr(),
            "\nSKIPPED: no {store} on this machine; its conformance is NOT tested\n"
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the test harness, not configuration of the service"
)]
fn under_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}
