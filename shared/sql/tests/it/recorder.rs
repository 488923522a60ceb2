//! What the stores say to their databases, overheard from the driver's log.

use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};

/// Overhears this thread, while it lives.
pub(crate) struct Recorder {
    heard: Arc<Mutex<Heard>>,
    _default: DefaultGuard,
}

#[derive(Default)]
struct Heard {
    statements: Vec<String>,
    notices: Vec<String>,
}

impl Recorder {
    pub(crate) fn start() -> Self {
        let heard = Arc::<Mutex<Heard>>::default();
        Self { _default: tracing::subscriber::set_default(Ear(heard.clone())), heard }
    }

    /// The names of the statements since the last call, in order.
    pub(crate) fn statements(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap().statements)
    }

    /// What the server said besides its answers since the last call.
    pub(crate) fn notices(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap().notices)
    }
}

struct Ear(Arc<Mutex<Heard>>);

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("sqlx::")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut heard = self.0.lock().unwrap();
        match event.metadata().target() {
            "sqlx::query" => heard.statements.extend(name(&fields.summary)),
            "sqlx::postgres::notice" => heard.notices.push(fields.message),
            _ => (),
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Every statement begins with a comment that says its name.
fn name(summary: &str) -> Option<String> {
    let mut words = summary.split_whitespace();
    (words.next() == Some("--")).then(|| words.next().map(str::to_owned))?
}

#[derive(Default)]
struct Fields {
    summary: String,
    message: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "message" => value.clone_into(&mut self.message),
            _ => (),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
