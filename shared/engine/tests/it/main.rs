//! The engine on the oracle store: firing, running, cancelling, draining; all in virtual time.

mod bench;
mod dispatching;
mod keeping;
mod stopping;
mod ticking;
