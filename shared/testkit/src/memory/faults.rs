//! Faults at the ports, for simulations.

use engine::StoreError;

/// What goes wrong with one call of a port. All of them look the same to the caller: the store is not available.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The call never reaches the store.
    Before,
    /// The effect is worked out (a decider is called) and undone: the transaction fails at its commit.
    Undone,
    /// The effect stands, and the answer is lost.
    After,
}

type Ask = Box<dyn FnMut(&'static str, u64) -> Fault + Send>;

/// What is asked before each call.
#[derive(Default)]
pub(super) struct Plan {
    ask: Option<Ask>,
    calls: u64,
}

impl Plan {
    pub(super) fn new(ask: impl FnMut(&'static str, u64) -> Fault + Send + 'static) -> Self {
        Self { ask: Some(Box::new(ask)), calls: 0 }
    }

    pub(super) fn next(&mut self, call: &'static str) -> Fault {
        let number = self.calls;
        self.calls += 1;
        self.ask.as_mut().map_or(Fault::None, |ask| ask(call, number))
    }
}

/// The cause of an injected error.
#[derive(Debug, thiserror::Error)]
#[error("injected {when} {call}")]
pub(super) struct Torn {
    call: &'static str,
    when: &'static str,
}

impl Torn {
    pub(super) fn before(call: &'static str) -> StoreError {
        StoreError::Unavailable(Box::new(Self { call, when: "before" }))
    }

    pub(super) fn undone(call: &'static str) -> StoreError {
        StoreError::Unavailable(Box::new(Self { call, when: "at the commit of" }))
    }

    pub(super) fn after(call: &'static str) -> StoreError {
        StoreError::Unavailable(Box::new(Self { call, when: "after" }))
    }
}
