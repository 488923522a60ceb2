//! Every so many days, weeks, months or years, at a local time.

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Fold, Gap};
use crate::duration::shorten;
use crate::invalid::Invalid;
use crate::time::Zone;
use crate::time_of_day::TimeOfDay;

/// At `time` on `start_date`, and again every `every`, by the wall clock of `timezone`.
///
/// Months and years are always counted from `start_date`. In a month that is too short for its day the job is due
/// on the last day, and the next one that is long enough has the day again: 31 January, 28 February, 31 March.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarInterval {
    /// How far apart the days are on which it is due.
    #[schema(value_type = Units, example = json!({"months": 1}))]
    pub every: Period,
    /// The time of day, `09:00` or `09:00:30`.
    #[serde(default)]
    #[schema(value_type = String, default = "00:00", example = "09:00")]
    pub time: TimeOfDay,
    /// The first day; where not given, the day of the job's creation in `timezone`.
    #[serde(default, deserialize_with = "date")]
    #[schema(value_type = Option<String>, format = Date, example = "2026-12-31")]
    pub start_date: Option<NaiveDate>,
    /// IANA name; the service's default zone where not given.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "Europe/Paris")]
    pub timezone: Option<Zone>,
    /// What becomes of `time` on a day on which the clocks, going forward, skip it.
    #[serde(default)]
    pub gap: Gap,
    /// What becomes of `time` on a day on which the clocks, going back, show it twice.
    #[serde(default)]
    pub fold: Fold,
}

/// A number of calendar days, weeks, months or years: at least one, at most a hundred years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "Units")]
#[expect(missing_docs, reason = "they are the units they are called after")]
pub enum Period {
    Days(i64),
    Weeks(i64),
    Months(i64),
    Years(i64),
}

/// Exactly one of these.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Period, min_properties = 1, max_properties = 1)]
struct Units {
    #[schema(value_type = i64, required = false, minimum = 1, maximum = 36_525)]
    days: Option<i64>,
    #[schema(value_type = i64, required = false, minimum = 1, maximum = 5_217)]
    weeks: Option<i64>,
    #[schema(value_type = i64, required = false, minimum = 1, maximum = 1_200)]
    months: Option<i64>,
    #[schema(value_type = i64, required = false, minimum = 1, maximum = 100)]
    years: Option<i64>,
}

impl TryFrom<Units> for Period {
    type Error = &'static str;

    fn try_from(units: Units) -> Result<Self, &'static str> {
        match units {
            Units { days: Some(days), weeks: None, months: None, years: None } => Ok(Self::Days(days)),
            Units { days: None, weeks: Some(weeks), months: None, years: None } => Ok(Self::Weeks(weeks)),
            Units { days: None, weeks: None, months: Some(months), years: None } => Ok(Self::Months(months)),
            Units { days: None, weeks: None, months: None, years: Some(years) } => Ok(Self::Years(years)),
            _ => Err("must hold exactly one of days, weeks, months and years, such as {\"months\": 1}"),
        }
    }
}

impl Period {
    /// Whether it is within its bounds. Pointers are relative to it.
    pub(crate) fn check(self) -> Result<(), Invalid> {
        let (unit, count, most) = match self {
            Self::Days(days) => ("days", days, 36_525),
            Self::Weeks(weeks) => ("weeks", weeks, 5_217),
            Self::Months(months) => ("months", months, 1_200),
            Self::Years(years) => ("years", years, 100),
        };
        if (1..=most).contains(&count) {
            return Ok(());
        }
        Err(Invalid::one(format!("/{unit}"), "out_of_range", format!("{count} is outside 1–{most}")))
    }
}

/// chrono by itself also reads `2026-1-5` and the like.
fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().filter(|date| date.to_string() == text);
    let refused = || format!("“{}” is not a date; write 2026-12-31", shorten(&text));
    date.map(Some).ok_or_else(|| serde::de::Error::custom(refused()))
}
