//! The logs of runs: in order, within bounds, and nothing missing without a trace.

use domain::log::left_out;
use domain::{LogLevel, LogLine, LogStream, RunId, RunKind};
use engine::{LogChunk, LogEnd, StoredChunk};
use futures::future::join_all;

use super::Fixture;
use crate::fixtures::{at, job};

fn run(number: u64) -> RunId {
    RunId::derive(job("report").build().id, at("2026-11-24T00:00:00Z"), RunKind::Manual, number)
}

fn line(text: &str) -> LogLine {
    LogLine::new(at("2026-11-24T00:00:01.234Z"), 1, LogStream::Stdout, None, text)
}

fn chunk<'a>(texts: impl IntoIterator<Item = &'a str>) -> LogChunk {
    LogChunk { lines: texts.into_iter().map(line).collect(), ..LogChunk::default() }
}

pub(super) async fn append(it: &Fixture, run: RunId, texts: &[&str]) -> LogEnd {
    it.logs.append(run, &chunk(texts.iter().copied())).await.unwrap()
}

/// Number and text of every line read.
fn numbered(chunks: &[StoredChunk]) -> Vec<(u64, &str)> {
    let numbers = |chunk: &StoredChunk| chunk.last_seq + 1 - chunk.lines.len() as u64..;
    chunks
        .iter()
        .flat_map(|chunk| numbers(chunk).zip(chunk.lines.iter().map(|line| line.text.as_str())))
        .collect()
}

pub(super) async fn read(it: &Fixture, run: RunId, after: u64) -> Vec<StoredChunk> {
    it.logs.read_after(run, after, 1_000).await.unwrap()
}

/// Every field of a line survives, whatever is in its text.
pub async fn lines_come_back_in_order_and_whole(it: &Fixture) {
    assert_eq!(read(it, run(1), 0).await, []);
    let odd =
        ["", "plain", "ünï \"x\" \\ \u{1b}[31m\u{fffd}\u{2028}", "{\"json\": [1]}", "'; DROP TABLE runs; --"];
    let mut first = chunk(odd);
    first.lines[1].level = Some(LogLevel::Warn);
    first.lines[1].stream = LogStream::Target;
    first.lines[1].truncated = true;
    let end = it.logs.append(run(1), &first).await.unwrap();
    assert_eq!(end, LogEnd { seq: 5, size: first.size() });
    let end = append(it, run(1), &["later"]).await;
    assert_eq!(end.seq, 6);
    let chunks = read(it, run(1), 0).await;
    assert_eq!(chunks[0], StoredChunk { last_seq: 5, lines: first.lines });
    assert_eq!(numbered(&chunks)[5], (6, "later"));
}

/// Also from the midst of a chunk, and behind the end.
pub async fn a_page_begins_behind_the_line_asked_for(it: &Fixture) {
    append(it, run(1), &["1", "2"]).await;
    append(it, run(1), &["3", "4", "5"]).await;
    append(it, run(1), &["6"]).await;
    for after in 0..8 {
        let chunks = read(it, run(1), after).await;
        let lines: Vec<_> = numbered(&chunks).into_iter().filter(|(seq, _)| after < *seq).collect();
        let expected: Vec<_> = (after + 1..=6).map(|seq| (seq, seq.to_string())).collect();
        assert_eq!(lines, expected.iter().map(|(seq, text)| (*seq, text.as_str())).collect::<Vec<_>>());
        assert!(chunks.iter().skip(1).all(|chunk| after < chunk.last_seq), "after {after}: {chunks:?}");
    }
}

/// From where one answer ends, the next goes on.
pub async fn reading_stops_at_the_limit_and_goes_on(it: &Fixture) {
    for text in ["1", "2", "3", "4", "5"] {
        append(it, run(1), &[text]).await;
    }
    let (mut after, mut all) = (0, Vec::new());
    loop {
        let chunks = it.logs.read_after(run(1), after, 2).await.unwrap();
        assert!(chunks.len() <= 2);
        let Some(last) = chunks.last() else { break };
        after = last.last_seq;
        all.extend(chunks.into_iter().flat_map(|chunk| chunk.lines).map(|line| line.text));
    }
    assert_eq!(all, ["1", "2", "3", "4", "5"]);
}

/// Lines that were never written leave a gap.
pub async fn skipped_lines_keep_their_numbers(it: &Fixture) {
    append(it, run(1), &["1"]).await;
    let behind = LogChunk { skipped: 7, skipped_size: 700, ..chunk(["9", "10"]) };
    let before = line("1").size();
    let end = it.logs.append(run(1), &behind).await.unwrap();
    assert_eq!(end, LogEnd { seq: 10, size: before + 700 + behind.size() });
    assert_eq!(numbered(&read(it, run(1), 0).await), [(1, "1"), (9, "9"), (10, "10")]);
    for after in [1, 5, 8] {
        let chunks = read(it, run(1), after).await;
        assert_eq!(numbered(&chunks).iter().filter(|(seq, _)| after < *seq).count(), 2, "after {after}");
    }
    assert_eq!(append(it, run(1), &["11"]).await.seq, 11);
}

/// What is cut out is whole chunks within the stretch; the last one, from which numbers go on, never is.
pub async fn the_middle_is_left_out_and_no_number_changes(it: &Fixture) {
    let size = line("1").size();
    for text in ["1", "2", "3", "4", "5"] {
        append(it, run(1), &[text]).await;
    }
    append(it, run(2), &["other"]).await;
    it.logs.leave_out(run(1), size, 3 * size).await.unwrap();
    assert_eq!(numbered(&read(it, run(1), 0).await), [(1, "1"), (4, "4"), (5, "5")]);
    it.logs.leave_out(run(1), size + 1, 4 * size + 1).await.unwrap();
    assert_eq!(numbered(&read(it, run(1), 0).await), [(1, "1"), (5, "5")], "4 lies wholly within");
    it.logs.leave_out(run(1), 1, 5 * size - 1).await.unwrap();
    assert_eq!(numbered(&read(it, run(1), 0).await), [(1, "1"), (5, "5")], "neither does");
    assert_eq!(numbered(&read(it, run(1), 2).await), [(5, "5")]);
    assert_eq!(append(it, run(1), &["6"]).await, LogEnd { seq: 6, size: 6 * size });
    assert_eq!(numbered(&read(it, run(2), 0).await), [(1, "other")]);
    assert_eq!(left_out(6 * size), None, "so short a log is kept whole");
}

/// Each run has a log of its own.
pub async fn logs_keep_to_their_run(it: &Fixture) {
    append(it, run(1), &["mine"]).await;
    append(it, run(2), &["yours", "too"]).await;
    assert_eq!(numbered(&read(it, run(1), 0).await), [(1, "mine")]);
    assert_eq!(numbered(&read(it, run(2), 0).await), [(1, "yours"), (2, "too")]);
}

/// Replicas write into one log at a time: each line has a number of its own, and each writer's lines are in order.
pub async fn many_writers_of_one_log_lose_no_line(it: &Fixture) {
    const WRITERS: usize = 8;
    const CHUNKS: usize = 12;
    let writers = (0..WRITERS).map(|writer| {
        let logs = it.logs.clone();
        tokio::spawn(async move {
            for number in 0..CHUNKS {
                let text = format!("{writer} {number:02}");
                logs.append(run(1), &chunk([text.as_str(), "more"])).await.unwrap();
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let chunks = read(it, run(1), 0).await;
    let lines = numbered(&chunks);
    let numbers: Vec<u64> = lines.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(numbers, (1..=(2 * WRITERS * CHUNKS) as u64).collect::<Vec<_>>());
    for writer in 0..WRITERS {
        let mine = lines.iter().filter(|(_, text)| text.starts_with(&format!("{writer} ")));
        let mine: Vec<&str> = mine.map(|(_, text)| &text[2..]).collect();
        assert!(mine.len() == CHUNKS && mine.is_sorted(), "{mine:?}");
    }
}
