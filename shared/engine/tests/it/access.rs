//! Who is let in, and until when: on every replica, also while the store is away.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::credential::LAST_USED_STEP;
use domain::{CredentialDraft, CredentialId, Role};
use engine::access::{MOST, TRUSTED_FOR, operator};
use engine::{Access, Denied, Proof, SchedulerError, SessionKey, TokenKey};
use testkit::{Fault, ManualClock, MemoryStore, SeededEntropy, at};

struct Bench {
    store: MemoryStore,
    clock: ManualClock,
}

impl Bench {
    fn new() -> Self {
        Self { store: MemoryStore::new(), clock: ManualClock::new(at("2026-11-24T00:00:00Z")) }
    }

    fn replica(&self, seed: u64) -> Access {
        let entropy = Arc::new(SeededEntropy::new(seed));
        let sessions = SessionKey::from(&TokenKey::derived(b"secret"));
        Access::new(Arc::new(self.store.clone()), Arc::new(self.clock.clone()), entropy, sessions)
    }
}

async fn make(access: &Access, role: Role) -> (CredentialId, String) {
    let draft = CredentialDraft { name: "ci".into(), role, project: None, expires_at: None };
    let (credential, key) = access.create_key(&operator(), draft).await.unwrap();
    (credential.id, key.reveal().to_owned())
}

async fn opens(access: &Access, key: &str) -> bool {
    access.principal(Proof::Key(key)).await.is_ok()
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_at_once_here_and_a_second_later_elsewhere() {
    let bench = Bench::new();
    let (here, elsewhere) = (bench.replica(1), bench.replica(2));
    let (id, key) = make(&here, Role::Viewer).await;
    let (session, _) = here.session(&key).await.unwrap();
    assert!(opens(&here, &key).await && opens(&elsewhere, &key).await);
    here.revoke_key(&operator(), id).await.unwrap();
    assert!(!opens(&here, &key).await);
    bench.clock.advance(TRUSTED_FOR);
    assert!(!opens(&elsewhere, &key).await);
    for replica in [&here, &elsewhere] {
        assert!(matches!(replica.principal(Proof::Session(&session)).await, Err(Denied::Invalid)));
        assert!(matches!(replica.session(&key).await, Err(Denied::Invalid)));
    }
}

#[tokio::test]
async fn a_session_is_good_on_every_replica() {
    let bench = Bench::new();
    let (here, elsewhere) = (bench.replica(1), bench.replica(2));
    let (_, key) = make(&here, Role::Operator).await;
    let (session, who) = here.session(&key).await.unwrap();
    assert!(!session.contains(&key));
    assert_eq!(elsewhere.principal(Proof::Session(&session)).await.unwrap(), who);
    assert!(matches!(elsewhere.principal(Proof::Key(&session)).await, Err(Denied::Invalid)));
    assert!(matches!(elsewhere.principal(Proof::Session(&key)).await, Err(Denied::Invalid)));
}

#[tokio::test]
async fn an_open_service_closes_with_its_first_key_and_never_opens_again() {
    let bench = Bench::new();
    let access = bench.replica(1).open_at_first();
    assert_eq!(access.principal(Proof::None).await.unwrap().name, "anonymous");
    let draft = CredentialDraft { name: "ci".into(), role: Role::Editor, project: None, expires_at: None };
    let refused = access.create_key(&operator(), draft).await;
    assert!(matches!(refused, Err(SchedulerError::Conflict(_))));
    let (id, key) = make(&access, Role::Admin).await;
    assert!(matches!(access.principal(Proof::None).await, Err(Denied::Missing)));
    assert!(opens(&access, &key).await);
    access.revoke_key(&operator(), id).await.unwrap();
    assert!(matches!(access.principal(Proof::None).await, Err(Denied::Missing)));
}

#[tokio::test]
async fn while_the_store_is_away_those_it_knew_last_are_known_and_nobody_else() {
    let bench = Bench::new();
    let access = bench.replica(1).with_admin_key("the-key-of-the-operator-0123456789");
    let (_, known) = make(&access, Role::Viewer).await;
    let (_, other) = make(&access, Role::Viewer).await;
    assert!(opens(&access, &known).await);
    bench.store.fail_by(|_, _| Fault::Before);
    bench.clock.advance(TimeDelta::minutes(5));
    assert!(opens(&access, &known).await && opens(&access, "the-key-of-the-operator-0123456789").await);
    assert!(matches!(access.principal(Proof::Key(&other)).await, Err(Denied::Store(_))));
    assert!(
        matches!(access.principal(Proof::Key("sk_mistyped")).await, Err(Denied::Invalid)),
        "without asking"
    );
}

#[tokio::test]
async fn the_use_of_a_key_is_written_now_and_then() {
    let bench = Bench::new();
    let access = bench.replica(1);
    let (_, key) = make(&access, Role::Viewer).await;
    let used = async || access.keys(&operator()).await.unwrap()[0].last_used_at;
    assert_eq!(used().await, None);
    opens(&access, &key).await;
    let first = used().await;
    assert_eq!(first, Some(at("2026-11-24T00:00:00Z")));
    bench.clock.advance(LAST_USED_STEP - TRUSTED_FOR);
    opens(&access, &key).await;
    assert_eq!(used().await, first);
    bench.clock.advance(TRUSTED_FOR);
    opens(&access, &key).await;
    assert_eq!(used().await, Some(at("2026-11-24T00:10:00Z")));
}

#[tokio::test]
async fn keys_are_bounded_and_the_dead_make_room() {
    let bench = Bench::new();
    let access = bench.replica(1);
    let (first, _) = make(&access, Role::Admin).await;
    for _ in 1..MOST {
        make(&access, Role::Viewer).await;
    }
    let draft = CredentialDraft { name: "more".into(), role: Role::Viewer, project: None, expires_at: None };
    let full = access.create_key(&operator(), draft).await;
    assert!(matches!(full, Err(SchedulerError::Conflict(_))));
    access.revoke_key(&operator(), first).await.unwrap();
    make(&access, Role::Viewer).await;
    let keys = access.keys(&operator()).await.unwrap();
    assert_eq!((keys.len(), keys.iter().any(|key| key.id == first)), (MOST, false));
}
