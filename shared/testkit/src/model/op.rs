//! The operations, as small numbers: what they mean is worked out against what exists when they are carried out.

use domain::{MisfirePolicy, Overlap, Verdict};
use engine::query::JobSortKey;
use proptest::prelude::*;

use super::calendars::{self, CalendarOp};

/// One step. A number picks one of whatever there is, modulo how many there are; now and then an old snapshot of
/// it, so that compare-and-set and tokens have something to refuse.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Time passes.
    Wait {
        seconds: u32,
    },
    /// Time passes until the next thing is due, or until a millisecond before.
    WaitForIt {
        early: bool,
    },
    InsertJob {
        shape: Shape,
    },
    Edit {
        job: u8,
        shape: Shape,
    },
    Pause {
        job: u8,
    },
    Resume {
        job: u8,
    },
    /// Writes a job and a run, by what was read a while ago.
    ReplaceBlindly {
        job: u8,
        version: i8,
    },
    Delete {
        job: u8,
    },
    Corrupt {
        job: u8,
    },
    FindById {
        job: u8,
        project: u8,
    },
    FindByName {
        name: u8,
        project: u8,
    },
    ListJobs {
        list: List,
        text: u8,
        label: u8,
        states: u8,
        sort: JobSortKey,
    },
    /// By the real rules; `lease` leases what it fires, as the dispatcher does.
    Fire {
        limit: u32,
        lease: bool,
    },
    /// By a decider that lets everything be.
    FireNothing,
    NextDue,
    Unfinished {
        job: u8,
        limit: u32,
    },
    /// Jobs due between a while ago and soon.
    CountDue {
        back: u32,
        ahead: u32,
        limit: u32,
    },
    InsertRun {
        job: u8,
        delay: u32,
    },
    /// A run of an occurrence that is yet to fire: an accident firing has to live with.
    InsertOccurrence {
        job: u8,
    },
    Lease {
        limit: u32,
        seconds: u32,
    },
    Renew {
        runs: Vec<u8>,
        seconds: u32,
    },
    Settle {
        runs: Vec<u8>,
        verdict: Verdict,
    },
    Close {
        run: u8,
    },
    Cancel {
        run: u8,
        project: u8,
    },
    Reopen {
        run: u8,
        delay: u32,
    },
    FindRun {
        run: u8,
        project: u8,
    },
    ListRuns {
        list: List,
        job: Option<u8>,
        statuses: u8,
        kinds: u8,
    },
    Counts,
    Begin {
        key: u8,
        project: u8,
        fingerprint: u8,
    },
    Finish {
        key: u8,
        project: u8,
    },
    Release {
        key: u8,
        project: u8,
    },
    Forget {
        age: u32,
    },
    Calendar(CalendarOp),
}

/// What a job is like.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) name: u8,
    pub(super) project: u8,
    pub(super) label: u8,
    /// Seconds between occurrences; 0 is a date.
    pub(super) every: u32,
    /// Whether it ends soon.
    pub(super) ends: bool,
    pub(super) overlap: Overlap,
    pub(super) misfire: MisfirePolicy,
    pub(super) attempts: u32,
    /// 0 is no limit.
    pub(super) max_runs: u32,
}

/// How a list is read.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) project: u8,
    pub(super) descending: bool,
    pub(super) limit: u32,
}

/// A sequence of operations: 40 on average, and few enough when it is shrunk.
pub(super) fn sequence() -> impl Strategy<Value = Vec<Op>> {
    proptest::collection::vec(op(), 1..80)
}

fn op() -> impl Strategy<Value = Op> {
    let pick = any::<u8>;
    let soon = || 0..45_u32;
    let some = || proptest::collection::vec(any::<u8>(), 0..4);
    prop_oneof![
        8 => soon().prop_map(|seconds| Op::Wait { seconds }),
        1 => Just(Op::Wait { seconds: 3_600 }),
        6 => any::<bool>().prop_map(|early| Op::WaitForIt { early }),
        8 => shape().prop_map(|shape| Op::InsertJob { shape }),
        3 => (pick(), shape()).prop_map(|(job, shape)| Op::Edit { job, shape }),
        2 => pick().prop_map(|job| Op::Pause { job }),
        3 => pick().prop_map(|job| Op::Resume { job }),
        2 => (pick(), -1..=1_i8).prop_map(|(job, version)| Op::ReplaceBlindly { job, version }),
        2 => pick().prop_map(|job| Op::Delete { job }),
        1 => pick().prop_map(|job| Op::Corrupt { job }),
        2 => (pick(), pick()).prop_map(|(job, project)| Op::FindById { job, project }),
        2 => (pick(), pick()).prop_map(|(name, project)| Op::FindByName { name, project }),
        4 => (list(), pick(), pick(), pick(), sort()).prop_map(|(list, text, label, states, sort)| Op::ListJobs {
            list, text, label, states, sort
        }),
        10 => (1..6_u32, any::<bool>()).prop_map(|(limit, lease)| Op::Fire { limit, lease }),
        1 => Just(Op::FireNothing),
        3 => Just(Op::NextDue),
        3 => (pick(), 1u32..4).prop_map(|(job, limit)| Op::Unfinished { job, limit }),
        3 => (soon(), prop_oneof![Just(0), soon()], 1..4_u32)
            .prop_map(|(back, ahead, limit)| Op::CountDue { back, ahead, limit }),
        4 => (pick(), soon()).prop_map(|(job, delay)| Op::InsertRun { job, delay }),
        2 => pick().prop_map(|job| Op::InsertOccurrence { job }),
        8 => (1..6_u32, soon()).prop_map(|(limit, seconds)| Op::Lease { limit, seconds }),
        4 => (some(), soon()).prop_map(|(runs, seconds)| Op::Renew { runs, seconds }),
        8 => (some(), verdict()).prop_map(|(runs, verdict)| Op::Settle { runs, verdict }),
        1 => pick().prop_map(|run| Op::Close { run }),
        3 => (pick(), pick()).prop_map(|(run, project)| Op::Cancel { run, project }),
        4 => (pick(), soon()).prop_map(|(run, delay)| Op::Reopen { run, delay }),
        2 => (pick(), pick()).prop_map(|(run, project)| Op::FindRun { run, project }),
        4 => (list(), any::<Option<u8>>(), pick(), pick()).prop_map(|(list, job, statuses, kinds)| Op::ListRuns {
            list, job, statuses, kinds
        }),
        2 => Just(Op::Counts),
        3 => (pick(), pick(), pick()).prop_map(|(key, project, fingerprint)| Op::Begin { key, project, fingerprint }),
        2 => (pick(), pick()).prop_map(|(key, project)| Op::Finish { key, project }),
        1 => (pick(), pick()).prop_map(|(key, project)| Op::Release { key, project }),
        1 => (0..100_u32).prop_map(|age| Op::Forget { age }),
        6 => calendars::op().prop_map(Op::Calendar),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    let every = prop_oneof![Just(0), Just(1), Just(5), Just(20), Just(60)];
    let overlap = prop_oneof![
        Just(Overlap::Skip),
        Just(Overlap::BufferOne),
        Just(Overlap::BufferAll),
        Just(Overlap::CancelOther),
        Just(Overlap::AllowAll)
    ];
    let misfire =
        prop_oneof![Just(MisfirePolicy::Latest), Just(MisfirePolicy::All), Just(MisfirePolicy::Skip)];
    let small = any::<(u8, u8, u8)>();
    let max_runs = prop_oneof![3 => Just(0), 2 => 1..5_u32];
    (small, every, prop::bool::weighted(0.2), overlap, misfire, 1..4_u32, max_runs).prop_map(
        |((name, project, label), every, ends, overlap, misfire, attempts, max_runs)| Shape {
            name,
            project,
            label,
            every,
            ends,
            overlap,
            misfire,
            attempts,
            max_runs,
        },
    )
}

pub(super) fn list() -> impl Strategy<Value = List> {
    (any::<u8>(), any::<bool>(), 1..5_u32).prop_map(|(project, descending, limit)| List {
        project,
        descending,
        limit,
    })
}

fn sort() -> impl Strategy<Value = JobSortKey> {
    prop_oneof![Just(JobSortKey::CreatedAt), Just(JobSortKey::Name), Just(JobSortKey::NextFireAt)]
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        3 => Just(Verdict::Succeeded),
        3 => Just(Verdict::retryable("connect", "refused")),
        1 => Just(Verdict::fatal("http_status", "404 “nö”")),
        1 => Just(Verdict::TimedOut),
        1 => Just(Verdict::Cancelled),
        1 => Just(Verdict::Abandoned),
        1 => Just(Verdict::Interrupted),
    ]
}
