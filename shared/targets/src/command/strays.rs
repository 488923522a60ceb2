//! Processes that left the group of the command that started them.
//!
//! A daemon gets away from its process group, its session and its parent, but seldom drops its environment, and that
//! names the attempt. One that does, or that runs as another user, is not found.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// Kills every process whose environment holds all of `marks`, each of the form `NAME=value`.
pub(super) fn kill(marks: &[String]) {
    // One that is just being started by another is found the next time.
    const ROUNDS: u32 = 3;
    for _ in 0..ROUNDS {
        let strays = find(marks);
        if strays.is_empty() {
            return;
        }
        for stray in strays {
            // It may have ended in between.
            let _ = kill_process(stray, Signal::KILL);
        }
    }
}

fn find(marks: &[String]) -> Vec<Pid> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let stray = |process: fs::DirEntry| {
        let pid = Pid::from_raw(process.file_name().to_str()?.parse().ok()?)?;
        let environment = fs::read(process.path().join("environ")).ok()?;
        let holds = |mark: &String| environment.split(|byte| *byte == 0).any(|it| it == mark.as_bytes());
        marks.iter().all(holds).then_some(pid)
    };
    processes.flatten().filter_map(stray).collect()
}
