//! Lists of jobs: filters, orders, pages.

use domain::{Job, JobState};
use engine::JobQuery;
use engine::query::{JobCursor, JobSort, JobSortKey};

use super::Fixture;
use super::support::{all_jobs, expected, names};
use crate::fixtures::{at, job};

const KEYS: [JobSortKey; 3] = [JobSortKey::CreatedAt, JobSortKey::Name, JobSortKey::NextFireAt];

fn sorted(by: JobSortKey, descending: bool) -> JobQuery {
    JobQuery { sort: JobSort { by, descending }, ..all_jobs("default") }
}

fn with_text(text: &str) -> JobQuery {
    JobQuery { text: Some(text.to_owned()), ..all_jobs("default") }
}

fn with_labels(labels: &[(&str, &str)]) -> JobQuery {
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    JobQuery { labels, ..all_jobs("default") }
}

async fn listed(it: &Fixture, query: &JobQuery) -> Vec<String> {
    names(&it.jobs(query).await).into_iter().map(str::to_owned).collect()
}

/// Inserts `job` and pauses it.
async fn paused(it: &Fixture, job: Job) {
    it.insert(&job).await;
    assert!(it.replace(&job.paused(None, at("2026-11-24T00:00:30Z")), expected(&job), &[]).await);
}

/// The order of creation, whatever the names.
pub async fn jobs_are_listed_by_creation(it: &Fixture) {
    it.insert(&job("b").created("2026-11-24T00:00:02Z").build()).await;
    it.insert(&job("a").created("2026-11-24T00:00:03Z").build()).await;
    it.insert(&job("c").created("2026-11-24T00:00:01Z").build()).await;
    assert_eq!(listed(it, &sorted(JobSortKey::CreatedAt, false)).await, ["c", "b", "a"]);
    assert_eq!(listed(it, &sorted(JobSortKey::CreatedAt, true)).await, ["a", "b", "c"]);
}

/// By bytes on every machine: no collation of the database's has a say.
pub async fn names_are_ordered_by_bytes(it: &Fixture) {
    let expected = ["B", "Z", "_x", "a", "a b", "a-b", "ab", "z", "é", "日本"];
    for name in ["z", "a-b", "日本", "B", "é", "ab", "_x", "Z", "a", "a b"] {
        it.insert(&job(name).build()).await;
    }
    assert_eq!(listed(it, &sorted(JobSortKey::Name, false)).await, expected);
    let reversed: Vec<_> = expected.into_iter().rev().collect();
    assert_eq!(listed(it, &sorted(JobSortKey::Name, true)).await, reversed);
}

/// Jobs without a next occurrence come last, whichever way the others run.
pub async fn jobs_without_next_occurrence_come_last(it: &Fixture) {
    paused(it, job("p1").created("2026-11-24T00:00:01Z").build()).await;
    it.insert(&job("late").every("3h").build()).await;
    paused(it, job("p2").created("2026-11-24T00:00:02Z").build()).await;
    it.insert(&job("soon").every("1h").build()).await;
    assert_eq!(listed(it, &sorted(JobSortKey::NextFireAt, false)).await, ["soon", "late", "p1", "p2"]);
    assert_eq!(listed(it, &sorted(JobSortKey::NextFireAt, true)).await, ["late", "soon", "p2", "p1"]);
}

/// Pages in every order join into the whole list, each row once: also across ties and nulls.
pub async fn jobs_are_paged_in_every_order(it: &Fixture) {
    for (index, name) in ["n", "B", "é", "a", "Z", "m", "c"].into_iter().enumerate() {
        let created = format!("2026-11-24T00:00:0{}Z", 9 - index);
        // Three ties, two of a kind, two without a next occurrence.
        let due = if index < 3 { "2026-12-01T00:00:00Z" } else { "2026-12-02T00:00:00Z" };
        let job = job(name).once(due).created(&created).build();
        if index < 5 { it.insert(&job).await } else { paused(it, job).await }
    }
    for (by, descending) in KEYS.into_iter().flat_map(|by| [(by, false), (by, true)]) {
        let whole = sorted(by, descending);
        let expected = listed(it, &whole).await;
        assert_eq!(expected.len(), 7);
        for limit in [1, 2, 3, 6, 7] {
            assert_eq!(
                joined(it, &JobQuery { limit, ..whole.clone() }).await,
                expected,
                "{:?} by {limit}",
                whole.sort
            );
        }
    }
}

/// All pages of a list, one after the other.
async fn joined(it: &Fixture, first: &JobQuery) -> Vec<String> {
    let (mut seen, mut query) = (Vec::new(), first.clone());
    for _ in 0..100 {
        let page = it.jobs(&query).await;
        assert!(page.items.len() <= query.limit as usize);
        seen.extend(names(&page).into_iter().map(str::to_owned));
        if !page.has_more {
            return seen;
        }
        assert_eq!(page.items.len(), query.limit as usize, "a page that is not the last is full");
        let last = page.items.last().and_then(|row| row.job.as_ref().ok()).unwrap();
        query.after = Some(JobCursor {
            sort: query.sort,
            id: last.id,
            name: last.draft.name.clone(),
            next_fire_at: last.next_fire_at,
        });
    }
    panic!("the pages go in circles");
}

/// A cursor goes on where the page ended even when its row is gone or has moved.
pub async fn a_cursor_outlives_its_row(it: &Fixture) {
    let jobs = ["a", "b", "c", "d"].map(|name| job(name).build());
    for job in &jobs {
        it.insert(job).await;
    }
    let sort = JobSort { by: JobSortKey::Name, descending: false };
    let after = JobCursor { sort, id: jobs[1].id, name: "b".to_owned(), next_fire_at: jobs[1].next_fire_at };
    assert!(it.delete(&jobs[1], "2026-11-24T00:00:10Z").await);
    assert!(it.delete(&jobs[2], "2026-11-24T00:00:10Z").await);
    let rest = JobQuery { after: Some(after), ..sorted(JobSortKey::Name, false) };
    assert_eq!(listed(it, &rest).await, ["d"]);
}

/// Jobs in any of some states.
pub async fn jobs_are_filtered_by_state(it: &Fixture) {
    it.insert(&job("active").build()).await;
    paused(it, job("paused").created("2026-11-24T00:00:01Z").build()).await;
    it.insert(&job("done").once("2026-11-24T00:00:40Z").created("2026-11-24T00:00:02Z").build()).await;
    it.fire("2026-11-24T00:00:40Z").await;
    let of = |states: &[JobState]| JobQuery { states: states.to_vec(), ..all_jobs("default") };
    assert_eq!(listed(it, &of(&[JobState::Active])).await, ["active"]);
    assert_eq!(listed(it, &of(&[JobState::Completed])).await, ["done"]);
    assert_eq!(listed(it, &of(&[JobState::Paused, JobState::Completed])).await, ["paused", "done"]);
    assert_eq!(listed(it, &of(&JobState::ALL)).await, ["active", "paused", "done"]);
    assert_eq!(listed(it, &of(&[JobState::Invalid])).await, [""; 0]);
}

/// Jobs that carry all of some labels, compared whole.
pub async fn jobs_are_filtered_by_labels(it: &Fixture) {
    it.insert(
        &job("1").label("team", "billing").label("env", "prod").created("2026-11-24T00:00:01Z").build(),
    )
    .await;
    it.insert(
        &job("2")
            .label("team", "billing")
            .label("a.b/c", "it's \"x\"")
            .created("2026-11-24T00:00:02Z")
            .build(),
    )
    .await;
    it.insert(&job("3").created("2026-11-24T00:00:03Z").build()).await;
    assert_eq!(listed(it, &with_labels(&[("team", "billing")])).await, ["1", "2"]);
    assert_eq!(listed(it, &with_labels(&[("team", "billing"), ("env", "prod")])).await, ["1"]);
    assert_eq!(listed(it, &with_labels(&[("a.b/c", "it's \"x\"")])).await, ["2"]);
    for (key, value) in
        [("team", "bill"), ("team", "Billing"), ("team", ""), ("tea", "billing"), ("billing", "team")]
    {
        assert_eq!(listed(it, &with_labels(&[(key, value)])).await, [""; 0], "{key}:{value}");
    }
}

/// A piece of the name, letter case aside; what is special in patterns is an ordinary character.
pub async fn jobs_are_searched_by_a_piece_of_the_name(it: &Fixture) {
    let names = ["Nightly-Report", "report_100%", "reportX100", "back\\slash", "it's", "a*b?[c]"];
    for (index, name) in names.into_iter().enumerate() {
        it.insert(&job(name).created(&format!("2026-11-24T00:00:0{index}Z")).build()).await;
    }
    assert_eq!(listed(it, &with_text("REPORT")).await, ["Nightly-Report", "report_100%", "reportX100"]);
    assert_eq!(listed(it, &with_text("t_1")).await, ["report_100%"]);
    assert_eq!(listed(it, &with_text("100%")).await, ["report_100%"]);
    assert_eq!(listed(it, &with_text("%")).await, ["report_100%"]);
    assert_eq!(listed(it, &with_text("k\\S")).await, ["back\\slash"]);
    assert_eq!(listed(it, &with_text("'")).await, ["it's"]);
    assert_eq!(listed(it, &with_text("*B?[")).await, ["a*b?[c]"]);
    assert_eq!(listed(it, &with_text("nightly-report-")).await, [""; 0]);
    assert_eq!(listed(it, &with_text("")).await, names);
}

/// A project's list holds its own jobs, filters and pages together.
pub async fn lists_keep_to_their_project(it: &Fixture) {
    for project in ["default", "other"] {
        for index in 1..=3 {
            let name = format!("{project}-{index}");
            it.insert(&job(&name).project(project).label("k", "v").build()).await;
        }
    }
    let query = JobQuery {
        states: vec![JobState::Active],
        labels: vec![("k".to_owned(), "v".to_owned())],
        text: Some("-".to_owned()),
        limit: 2,
        ..sorted(JobSortKey::Name, false)
    };
    assert_eq!(joined(it, &query).await, ["default-1", "default-2", "default-3"]);
    let other = JobQuery { project: "other".to_owned(), ..query };
    assert_eq!(joined(it, &other).await, ["other-1", "other-2", "other-3"]);
    assert_eq!(listed(it, &all_jobs("nobody")).await, [""; 0]);
}
