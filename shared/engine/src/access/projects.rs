//! Projects: what keeps the jobs of some apart from those of others.

use domain::{Instant, Invalid, Principal, Reach};
use serde::{Deserialize, Serialize};

use super::{Access, MOST};
use crate::error::{SchedulerError, StoreError};
use crate::records::{Record, RecordKind};

/// The project that is always there.
pub const DEFAULT_PROJECT: &str = "default";

const KIND: RecordKind = RecordKind::Project;

/// What whoever makes a project chooses.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProjectDraft {
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// When it was made; `None` for the one that is always there.
    pub created_at: Option<Instant>,
}

impl Access {
    /// Makes a project.
    pub async fn create_project(&self, draft: ProjectDraft) -> Result<Project, SchedulerError> {
        let ProjectDraft { name, description } = draft;
        if !is_project_name(&name) {
            let rule = "is 1 to 63 of a–z, 0–9 and -, beginning with a letter or digit";
            return Err(Invalid::one("/name", "invalid_value", rule).into());
        }
        if 4096 < description.len() {
            return Err(Invalid::one("/description", "too_long", "longer than 4096 bytes").into());
        }
        if MOST <= self.all_projects().await?.len() {
            return Err(SchedulerError::Conflict(format!("there are {MOST} projects already")));
        }
        let project = Project { name, description, created_at: Some(self.clock.now()) };
        let is_new = project.name != DEFAULT_PROJECT
            && self.records.put_record(KIND, &Record::new(project.name.clone(), 1, &project)).await?;
        if !is_new {
            return Err(SchedulerError::Conflict(format!("there is a project “{}” already", project.name)));
        }
        Ok(project)
    }

    /// The projects that `who` reaches, by name.
    pub async fn projects(&self, who: &Principal) -> Result<Vec<Project>, StoreError> {
        let all = self.all_projects().await?;
        let is_reached = |project: &Project| match &who.reach {
            Reach::All => true,
            Reach::Project(own) => *own == project.name,
        };
        Ok(all.into_iter().filter(is_reached).collect())
    }

    /// Whether there is a project of that name.
    pub async fn project_exists(&self, name: &str) -> Result<bool, StoreError> {
        if name == DEFAULT_PROJECT || self.recent.has_project(name) {
            return Ok(true);
        }
        let exists = is_project_name(name) && self.records.record(KIND, name).await?.is_some();
        if exists {
            self.recent.remember_project(name);
        }
        Ok(exists)
    }

    async fn all_projects(&self) -> Result<Vec<Project>, StoreError> {
        let limit = u32::try_from(MOST).unwrap_or(u32::MAX);
        let records = self.records.records(KIND, "", limit).await?;
        let mut all = records.iter().map(Record::value).collect::<Result<Vec<Project>, _>>()?;
        let default =
            Project { name: DEFAULT_PROJECT.to_owned(), description: String::new(), created_at: None };
        all.insert(all.partition_point(|project| project.name < default.name), default);
        Ok(all)
    }
}

fn is_project_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('-')
}
