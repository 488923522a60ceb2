//! API keys as they are kept: everything but the key itself.

use serde::{Deserialize, Serialize};

use crate::Instant;
use crate::access::{Principal, Reach, Role};
use crate::ids::CredentialId;
use crate::invalid::{Findings, Invalid};
use crate::name::check_name;
use crate::{is_in_range, whole_millis};

/// What whoever makes a key chooses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialDraft {
    /// What it is for.
    #[schema(min_length = 1, max_length = 128, example = "deploy pipeline")]
    pub name: String,
    /// What it may do; no more than the one that makes it.
    pub role: Role,
    /// The project it is for; all of them where not given, or, made with the key of a project, that one.
    #[serde(default)]
    #[schema(example = "default")]
    pub project: Option<String>,
    /// Until when it is good; for ever where not given.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Instant>,
}

/// A key that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Names it.
    pub id: CredentialId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The project it is for; all of them where `None`.
    pub project: Option<String>,
    /// How the key begins.
    pub hint: String,
    /// When it was made.
    pub created_at: Instant,
    /// Who made it.
    pub created_by: String,
    /// Until when it is good.
    pub expires_at: Option<Instant>,
    /// Since when it is no longer good.
    pub revoked_at: Option<Instant>,
    /// When it was last used, give or take [`LAST_USED_STEP`].
    pub last_used_at: Option<Instant>,
}

/// Written no more often, so that reading with a key is no writing.
pub const LAST_USED_STEP: chrono::TimeDelta = chrono::TimeDelta::minutes(10);

impl CredentialDraft {
    /// What is kept of the key that `by` makes at `now`.
    ///
    /// # Errors
    /// Where fields are wrong, or `by` would give away more than it has.
    pub fn credential(
        self,
        id: CredentialId,
        hint: String,
        by: &Principal,
        now: Instant,
    ) -> Result<Credential, Invalid> {
        let project = match (&by.reach, self.project) {
            (Reach::Project(own), None) => Some(own.clone()),
            (_, asked) => asked,
        };
        let mut findings = Findings::default();
        findings.nest("/name", check_name(&self.name));
        findings.require(by.may(self.role), "/role", "out_of_range", || {
            format!("is more than your own, which is {}", by.role.as_str())
        });
        let reached = match (&by.reach, &project) {
            (Reach::All, _) => true,
            (Reach::Project(own), asked) => Some(own) == asked.as_ref(),
        };
        findings
            .require(reached, "/project", "out_of_range", || "is not the project of your own key".to_owned());
        let expires_at = self.expires_at.map(whole_millis);
        let is_ahead = expires_at.is_none_or(|at| now < at && is_in_range(at));
        findings
            .require(is_ahead, "/expires_at", "out_of_range", || "is in the past, or after 2100".to_owned());
        findings.finish()?;
        Ok(Credential {
            id,
            name: self.name,
            role: self.role,
            project,
            hint,
            created_at: now,
            created_by: by.name.clone(),
            expires_at,
            revoked_at: None,
            last_used_at: None,
        })
    }
}

impl Credential {
    /// Whether it opens anything at `now`.
    pub fn is_good_at(&self, now: Instant) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }

    /// Whom it stands for.
    pub fn principal(&self) -> Principal {
        let reach = self.project.clone().map_or(Reach::All, Reach::Project);
        Principal { name: self.name.clone(), role: self.role, reach }
    }

    /// Whether `who` may see and revoke it.
    pub fn is_ruled_by(&self, who: &Principal) -> bool {
        match &who.reach {
            Reach::All => true,
            Reach::Project(own) => self.project.as_ref() == Some(own),
        }
    }

    /// Whether its use at `now` is to be written down.
    pub fn was_long_unused(&self, now: Instant) -> bool {
        self.last_used_at.is_none_or(|at| at + LAST_USED_STEP <= now)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone, Utc};

    use super::*;

    fn now() -> Instant {
        Utc.timestamp_millis_opt(1_790_000_000_000).unwrap()
    }

    fn draft(role: Role, project: Option<&str>) -> CredentialDraft {
        CredentialDraft { name: "ci".into(), role, project: project.map(Into::into), expires_at: None }
    }

    fn make(draft: CredentialDraft, by: &Principal) -> Result<Credential, Vec<String>> {
        let made = draft.credential(CredentialId::new(now(), 7), "sk_abcd…".into(), by, now());
        made.map_err(|invalid| invalid.0.into_iter().map(|error| error.pointer).collect())
    }

    fn admin(reach: Reach) -> Principal {
        Principal { name: "root".into(), role: Role::Admin, reach }
    }

    #[test]
    fn nobody_gives_away_more_than_they_have() {
        let of_a = admin(Reach::Project("a".into()));
        assert_eq!(make(draft(Role::Admin, None), &of_a).unwrap().project.as_deref(), Some("a"));
        assert_eq!(make(draft(Role::Admin, Some("b")), &of_a), Err(vec!["/project".into()]));
        assert_eq!(make(draft(Role::Admin, None), &admin(Reach::All)).unwrap().project, None);
        let editor = Principal { role: Role::Editor, ..of_a };
        assert_eq!(make(draft(Role::Admin, None), &editor), Err(vec!["/role".into()]));
        assert!(make(draft(Role::Editor, None), &editor).is_ok());
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let bad = CredentialDraft { name: " ".into(), expires_at: Some(now()), ..draft(Role::Viewer, None) };
        assert_eq!(make(bad, &admin(Reach::All)), Err(vec!["/name".into(), "/expires_at".into()]));
    }

    #[test]
    fn it_is_good_until_it_expires_or_is_revoked() {
        let until = now() + TimeDelta::hours(1);
        let credential = make(
            CredentialDraft { expires_at: Some(until), ..draft(Role::Viewer, Some("a")) },
            &admin(Reach::All),
        );
        let credential = credential.unwrap();
        assert!(credential.is_good_at(until - TimeDelta::milliseconds(1)) && !credential.is_good_at(until));
        assert!(!Credential { revoked_at: Some(now()), ..credential.clone() }.is_good_at(now()));
        assert!(!credential.principal().may_everywhere(Role::Viewer));
        assert!(credential.is_ruled_by(&admin(Reach::Project("a".into()))));
        assert!(!credential.is_ruled_by(&admin(Reach::Project("b".into()))));
        assert!(credential.was_long_unused(now()));
        let used = Credential { last_used_at: Some(now()), ..credential };
        assert!(!used.was_long_unused(now() + LAST_USED_STEP - TimeDelta::milliseconds(1)));
    }
}
