//! What a stopped process cannot pass, and a killed one never will.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// Stands before and behind everything by which a node's tasks reach the world: every call of a port.
///
/// That is all a process can be seen by. Its tasks may go on inside while it is stopped, on what they know already
/// and with a clock that stands still; whatever they then want of the world, they want it later, and in the state
/// of mind they had. A killed process differs from a stopped one only in that it never comes back.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    opened: Notify,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// SIGSTOP.
    Stopped,
    /// SIGKILL.
    Killed,
}

impl Gate {
    /// Returns at once while the process runs, later where it is stopped, never once it is killed.
    pub(crate) async fn pass(&self) {
        loop {
            let opened = self.opened.notified();
            match self.state() {
                State::Open => return,
                State::Stopped => opened.await,
                State::Killed => std::future::pending().await,
            }
        }
    }

    pub(crate) fn stop(&self) {
        self.change(State::Open, State::Stopped);
    }

    pub(crate) fn go_on(&self) {
        self.change(State::Stopped, State::Open);
    }

    pub(crate) fn kill(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::Killed;
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.state() == State::Stopped
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.state() == State::Killed
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, from: State, to: State) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == from {
            *state = to;
            self.opened.notify_waiters();
        }
    }
}
