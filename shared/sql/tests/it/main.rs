//! The contract of stores, kept by both databases, and what is special about each.

mod alarm;
mod plans;
mod schema;
mod support;

testkit::conformance!(sqlite, support::sqlite);
testkit::conformance!(postgres, support::postgres);
