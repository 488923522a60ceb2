//! Migrations: once, by many at once, and noticed when missing.

use engine::{Store, StoreError};
use futures::future::{join_all, try_join_all};
use sql::{Database, PostgresStore, SqliteStore};
use sqlx::Executor;

use crate::support::{PgDatabase, SqliteFile};

#[tokio::test]
async fn a_file_is_migrated_by_many_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("a/b.db").display());
    let open = async || {
        let store = SqliteStore::open(&url).await.unwrap();
        store.migrate().await.unwrap();
        store.ping().await.unwrap();
        store
    };
    let stores = join_all((0..12).map(|_| open())).await;
    assert!(stores[0].migrations().await.unwrap().iter().all(|migration| migration.applied));
    assert_eq!(stores[0].migrate().await.unwrap(), [], "nothing is left to do");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_migrated_by_many_processes_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("b.db").display());
    // Threads with runtimes of their own: nothing but the file is shared.
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let store = SqliteStore::open(&url).await.unwrap();
                    store.migrate().await.unwrap();
                    store.ping().await.unwrap();
                });
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn a_database_is_migrated_by_many_at_once() {
    let Some(database) = PgDatabase::empty().await else { return };
    let stores: Vec<_> =
        (0..8).map(|_| PostgresStore::connect_with(database.guard.options.clone())).collect();
    try_join_all(stores.iter().map(PostgresStore::migrate)).await.unwrap();
    database.store.ping().await.unwrap();
    assert_eq!(database.store.migrate().await.unwrap(), []);
}

#[tokio::test]
async fn an_old_schema_is_refused_and_a_newer_one_is_not() {
    let Some(database) = PgDatabase::empty().await else { return };
    assert_eq!(
        complaint(database.store.ping().await),
        "the schema is at version 0, this program needs 1: run `scheduler migrate`"
    );
    assert!(database.store.migrations().await.unwrap().iter().all(|migration| !migration.applied));
    database.store.migrate().await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations VALUES (9999, 'of the future', now(), true, '', 0)";
    database.raw.execute(newer).await.unwrap();
    database.store.ping().await.unwrap();
    assert_eq!(database.store.migrate().await.unwrap(), []);
}

#[tokio::test]
async fn an_old_file_is_refused_and_a_newer_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let store =
        SqliteStore::open(&format!("sqlite://{}", folder.path().join("b.db").display())).await.unwrap();
    assert_eq!(
        complaint(store.ping().await),
        "the schema is at version 0, this program needs 1: run `scheduler migrate`"
    );
    let file = SqliteFile::new().await;
    let newer = "INSERT INTO _sqlx_migrations VALUES (9999, 'of the future', 0, true, '', 0)";
    file.raw.execute(newer).await.unwrap();
    file.store.ping().await.unwrap();
}

fn complaint(answer: Result<(), StoreError>) -> String {
    match answer {
        Err(StoreError::Failed(cause)) => cause.to_string(),
        answer => panic!("{answer:?}"),
    }
}

#[tokio::test]
async fn the_url_says_which_database_it_is() {
    let file = SqliteFile::new().await;
    let database = Database::connect(&file.url()).await.unwrap();
    assert!(matches!(database, Database::Sqlite(_)));
    database.store().ping().await.unwrap();
    let database = Database::connect("sqlite::memory:").await.unwrap();
    database.migrate().await.unwrap();
    database.store().ping().await.unwrap();
    let database = Database::connect("postgresql://nobody@localhost:1/nothing").await.unwrap();
    assert!(matches!(database, Database::Postgres(_)), "a server need not be there yet");
    for wrong in ["mysql://localhost", "scheduler.db", ""] {
        assert_eq!(
            Database::connect(wrong).await.unwrap_err().to_string(),
            "a database URL begins with sqlite: or postgres://"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let store = PostgresStore::connect("postgres:///x?host=/nowhere&user=nobody").unwrap();
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
}
