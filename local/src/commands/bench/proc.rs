//! What processes and the machine have used, from Linux's `/proc`; nothing elsewhere.

use std::time::Duration;

use super::scratch::Scratch;
use super::workers::Workers;

/// The unit of times in `/proc`, whatever the kernel's own timer does.
const TICK: Duration = Duration::from_millis(10);

/// What has been used up to a moment.
#[derive(Debug)]
pub(super) struct Usage {
    pub(super) client: Option<Duration>,
    pub(super) postgres: Option<Duration>,
    /// Of all processors together.
    pub(super) machine: Option<Duration>,
    pub(super) wal: Option<u64>,
    /// The most memory a worker process has had, in bytes.
    pub(super) memory: Option<u64>,
    /// Runnable processes, averaged over a minute.
    pub(super) load: Option<f64>,
}

impl Usage {
    pub(super) async fn now(workers: &Workers, scratch: &Scratch) -> anyhow::Result<Self> {
        let wal = scratch.wal_position().await?;
        let ids: Vec<u32> = workers.ids().collect();
        let memory = ids.iter().filter_map(|id| peak_memory(*id)).max();
        let load = std::fs::read_to_string("/proc/loadavg").ok();
        Ok(Self {
            client: ids.iter().map(|id| process(*id).map(|it| it.own)).sum(),
            postgres: scratch.postmaster().and_then(family),
            machine: machine(),
            wal,
            memory,
            load: load.and_then(|text| text.split(' ').next()?.parse().ok()),
        })
    }
}

struct Process {
    parent: u32,
    own: Duration,
    /// Of children that have ended.
    children: Duration,
}

fn process(id: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name, in parentheses, may hold anything; what follows its last one is numbers.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| Some(TICK * fields.get(index)?.parse::<u32>().ok()?);
    Some(Process {
        parent: fields.get(1)?.parse().ok()?,
        own: ticks(11)? + ticks(12)?,
        children: ticks(13)? + ticks(14)?,
    })
}

/// The parent of a process that is one of PostgreSQL's on this machine.
pub(super) fn postmaster_of(backend: u32) -> Option<u32> {
    let name = std::fs::read_to_string(format!("/proc/{backend}/comm")).ok()?;
    name.starts_with("postgres").then(|| process(backend).map(|it| it.parent)).flatten()
}

/// A process and all its children, those that have ended included.
fn family(id: u32) -> Option<Duration> {
    let head = process(id)?;
    let all = std::fs::read_dir("/proc").ok()?;
    let ids = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let living: Duration = ids.filter_map(process).filter(|it| it.parent == id).map(|it| it.own).sum();
    Some(head.own + head.children + living)
}

fn machine() -> Option<Duration> {
    const IDLE: [usize; 2] = [3, 4];
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let times = stat.lines().next()?.strip_prefix("cpu ")?;
    let busy = times.split_whitespace().take(8).enumerate().filter(|(index, _)| !IDLE.contains(index));
    busy.map(|(_, ticks)| Some(TICK * ticks.parse::<u32>().ok()?)).sum()
}

fn peak_memory(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
