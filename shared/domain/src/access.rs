//! Who may do what: roles, and how far they reach.

use serde::{Deserialize, Serialize};

/// What somebody may do. Each role may do what those before it may.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Runs, pauses, resumes, cancels and retries what there is.
    Operator,
    /// Creates, changes and deletes jobs and calendars.
    Editor,
    /// Decides who may do what.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Editor, Self::Admin];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }
}

/// Where somebody may do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In every project, and with the service as a whole.
    All,
    /// In one project.
    Project(String),
}

/// Somebody who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// What people know it by.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Where.
    pub reach: Reach,
}

impl Principal {
    /// Whether it may do what takes the role `least` in a project that it reaches.
    pub fn may(&self, least: Role) -> bool {
        least <= self.role
    }

    /// Whether it may do what takes the role `least` with the service as a whole.
    pub fn may_everywhere(&self, least: Role) -> bool {
        self.may(least) && self.reach == Reach::All
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_lesser_ones_may() {
        for (index, role) in Role::ALL.into_iter().enumerate() {
            let principal = Principal { name: "somebody".into(), role, reach: Reach::Project("a".into()) };
            let may = Role::ALL.map(|least| principal.may(least));
            assert_eq!(may.iter().filter(|it| **it).count(), index + 1, "{role:?}");
            assert!(!Role::ALL.into_iter().any(|least| principal.may_everywhere(least)));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
    }
}
