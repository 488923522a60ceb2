//! A calendar as the API shows it.

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::{Calendar, CalendarDraft};
use serde::Serialize;

use crate::extract::if_match::etag;
use crate::views::Timestamp;

/// A calendar: a named set of local times.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Calendar)]
pub struct CalendarView {
    /// The project it belongs to.
    #[schema(example = "default")]
    pub project: String,
    /// Its name.
    #[schema(example = "holidays")]
    pub name: String,
    /// What its author chose.
    #[serde(flatten)]
    pub draft: CalendarDraft,
    /// Grows with every change; the `ETag` is this number.
    #[schema(minimum = 1)]
    pub version: u64,
    /// When it was stored first.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl From<Calendar> for CalendarView {
    fn from(calendar: Calendar) -> Self {
        let Calendar { project, name, draft, version, created_at, updated_at } = calendar;
        Self { project, name, draft, version, created_at: created_at.into(), updated_at: updated_at.into() }
    }
}

impl IntoResponse for CalendarView {
    fn into_response(self) -> Response {
        ([(header::ETAG, etag(self.version))], Json(self)).into_response()
    }
}
