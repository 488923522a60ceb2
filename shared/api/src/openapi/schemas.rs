//! Schemas that say exactly what the service accepts and shows.

use axum::http::Method;
use domain::details::{CallbackRecord, CommandRecord, EmailRecord};
use domain::schedule::{CalendarInterval, Cron, Date, Interval};
use domain::target::{CommandTarget, EmailTarget, HttpTarget, LogTarget, NoopTarget};
use utoipa::PartialSchema;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayItems, Discriminator, Object, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Components, ObjectBuilder, OpenApi, PathItem, Ref, RefOr};

const BODY: &str = "Any JSON: a string is sent as it is, any other value as JSON. `{{run.id}}`, `{{scheduled_for}}`, \
                    `{{attempt}}` and `{{job.name}}` in strings are filled in.";

/// Completes the schemas.
pub(super) fn complete(document: &mut OpenApi) {
    let Some(components) = &mut document.components else { return };
    let schedules = [
        ("interval", "IntervalSchedule", object(Interval::schema())),
        ("calendar_interval", "CalendarIntervalSchedule", object(CalendarInterval::schema())),
        ("cron", "CronSchedule", object(Cron::schema())),
        // The derived schema takes a variant's type `Date` for a calendar day.
        ("date", "DateSchedule", object(Date::schema())),
    ];
    tagged(components, "Schedule", schedules);
    components.schemas.retain(|name, _| !["Interval", "CalendarInterval", "Cron"].contains(&name.as_str()));
    let mut http = object(HttpTarget::schema());
    http.properties.insert("body".to_owned(), anything(BODY));
    let targets = [
        ("http", "HttpTarget", http),
        ("email", "EmailTarget", object(EmailTarget::schema())),
        ("command", "CommandTarget", object(CommandTarget::schema())),
        ("log", "LogTarget", object(LogTarget::schema())),
        ("noop", "NoopTarget", object(NoopTarget::schema())),
    ];
    tagged(components, "Target", targets);
    let details = [
        ("email", "EmailRecord", object(EmailRecord::schema())),
        ("command", "CommandRecord", object(CommandRecord::schema())),
        ("callback", "CallbackRecord", object(CallbackRecord::schema())),
    ];
    tagged(components, "Details", details);
    flatten(components, "ReadableJob", "JobDraft");
    flatten(components, "Calendar", "CalendarDraft");
    flatten(components, "PutCalendarAnswer", "Calendar");
    patch_of_job(components);
    rows_by_name(components);
    for (_, operation) in document.paths.paths.values_mut().flat_map(operations) {
        body_may_be_left_out(operation);
    }
}

/// All operations of a path.
pub(super) fn operations(path: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let methods = [
        (Method::GET, &mut path.get),
        (Method::PUT, &mut path.put),
        (Method::POST, &mut path.post),
        (Method::PATCH, &mut path.patch),
        (Method::DELETE, &mut path.delete),
    ];
    methods.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// An enum told apart by `type`: one named, closed schema per variant and a discriminator, which generators of
/// clients turn into a proper union.
fn tagged<const N: usize>(components: &mut Components, name: &str, variants: [(&str, &str, Object); N]) {
    let mapping = variants.iter().map(|(tag, schema, _)| (*tag, format!("#/components/schemas/{schema}")));
    let discriminator = Discriminator::with_mapping("type", mapping);
    let description = match components.schemas.get(name) {
        Some(RefOr::T(Schema::OneOf(derived))) => derived.description.clone(),
        _ => None,
    };
    let mut union = OneOfBuilder::new().description(description).discriminator(Some(discriminator));
    for (tag, schema, mut variant) in variants {
        let constant = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([tag]));
        variant.properties.insert("type".to_owned(), constant.into());
        variant.required.insert(0, "type".to_owned());
        components.schemas.insert(schema.to_owned(), variant.into());
        union = union.item(Ref::from_schema_name(schema));
    }
    components.schemas.insert(name.to_owned(), union.into());
}

/// What is shown of a thing holds its draft's fields beside its own, and always all of the former. Derived, it would be all
/// of a closed draft and of something else, which nothing is.
fn flatten(components: &mut Components, shown: &str, draft: &str) {
    let draft = named(components, draft);
    let Some(RefOr::T(Schema::AllOf(derived))) = components.schemas.get(shown) else { return };
    let own = derived.items.iter().find_map(|item| match item {
        RefOr::T(Schema::Object(own)) => Some(own.clone()),
        _ => None,
    });
    let Some(mut whole) = own else { return };
    whole.description.clone_from(&derived.description);
    whole.required.extend(draft.properties.keys().cloned());
    whole.properties.extend(draft.properties);
    whole.required.sort();
    components.schemas.insert(shown.to_owned(), whole.into());
}

/// A patch holds any of a draft's fields; parts of parts too, so those are open.
fn patch_of_job(components: &mut Components) {
    let mut patch = named(components, "JobDraft");
    patch.description =
        Some("A JSON merge patch (RFC 7396) of a job: any of these fields, or parts of them.".to_owned());
    patch.required.clear();
    for (name, property) in &mut patch.properties {
        if let ("calendars", RefOr::T(Schema::Array(calendars))) = (name.as_str(), &mut *property) {
            calendars.schema_type = SchemaType::from_iter([Type::Array, Type::Null]);
            continue;
        }
        let part = match name.as_str() {
            "schedule" | "target" | "retry" | "misfire" | "labels" => Type::Object,
            "name" | "description" | "timeout" | "deadline" | "overlap" | "jitter" => Type::String,
            _ => continue,
        };
        let description = match property {
            RefOr::Ref(reference) => Some(reference.description.clone()),
            RefOr::T(Schema::Object(object)) => object.description.clone(),
            RefOr::T(_) => None,
        };
        let mandatory = matches!(name.as_str(), "name" | "schedule" | "target");
        let types = if mandatory { part.into() } else { SchemaType::from_iter([part, Type::Null]) };
        *property = ObjectBuilder::new().schema_type(types).description(description).into();
    }
    components.schemas.insert("JobPatch".to_owned(), patch.into());
}

/// Pages refer to their rows' schema instead of repeating it.
fn rows_by_name(components: &mut Components) {
    for (page, row) in [("Page_Job", "Job"), ("Page_Run", "Run")] {
        if let Some(RefOr::T(Schema::Object(page))) = components.schemas.get_mut(page)
            && let Some(RefOr::T(Schema::Array(data))) = page.properties.get_mut("data")
        {
            data.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(row).into()));
        }
    }
}

/// A body that may be left out is not one that may be `null`.
fn body_may_be_left_out(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        let Some(RefOr::T(Schema::OneOf(choice))) = &content.schema else { continue };
        if let Some(reference) = choice.items.iter().find(|item| matches!(item, RefOr::Ref(_))) {
            content.schema = Some(reference.clone());
        }
    }
}

fn named(components: &Components, name: &str) -> Object {
    components.schemas.get(name).cloned().map(object).unwrap_or_default()
}

/// Our structs are all objects.
fn object(schema: RefOr<Schema>) -> Object {
    match schema {
        RefOr::T(Schema::Object(object)) => object,
        _ => ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(true))).build(),
    }
}

fn anything(description: &str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(description)).into()
}
