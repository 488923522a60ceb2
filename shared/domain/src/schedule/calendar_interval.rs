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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::schedule::Schedule;
    use crate::time::Timetable;
    use crate::{Instant, parse};

    fn read(every: &Value, more: &Value) -> Result<Schedule, Invalid> {
        let mut schedule = json!({"type": "calendar_interval", "every": every});
        for (name, value) in more.as_object().into_iter().flatten() {
            schedule[name] = value.clone();
        }
        parse::from_value(schedule)
    }

    fn gist(every: &Value, more: &Value) -> String {
        let refused = read(every, more).and_then(|schedule| Timetable::compile(&schedule).map(|_| ()));
        let Invalid(errors) = refused.expect_err("a mistake");
        let gist = |error: &crate::FieldError| format!("{} {}", error.pointer, error.code);
        errors.iter().map(gist).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn is_written_as_it_is_read() {
        let whole = json!({
            "type": "calendar_interval", "every": {"months": 3}, "time": "09:00", "start_date": "2026-12-31",
            "timezone": "Europe/Paris", "gap": "skip", "fold": "both"
        });
        let schedule: Schedule = parse::from_value(whole.clone()).unwrap();
        assert_eq!(serde_json::to_value(&schedule).unwrap(), whole);
        let least = read(&json!({"weeks": 2, "days": null}), &json!({})).unwrap();
        let now = "2026-11-24T23:30:00Z".parse().unwrap();
        let filled = least.resolved(&Zone::named("Europe/Paris").unwrap(), now, None);
        assert_eq!(
            serde_json::to_value(filled).unwrap(),
            json!({
                "type": "calendar_interval", "every": {"weeks": 2}, "time": "00:00", "start_date": "2026-11-25",
                "timezone": "Europe/Paris", "gap": "next_valid", "fold": "first"
            })
        );
    }

    #[test]
    fn an_edit_keeps_the_start_date_unless_the_period_changes() {
        let schedule = |every: Value, more: Value| read(&every, &more).unwrap();
        let start_date = |schedule: &Schedule| match schedule {
            Schedule::CalendarInterval(interval) => interval.start_date.unwrap().to_string(),
            _ => unreachable!("it stays what it is"),
        };
        let utc = Zone::default();
        let [first, later] =
            ["2026-01-31T00:00:00Z", "2026-11-24T00:00:00Z"].map(|at| at.parse::<Instant>().unwrap());
        let before = schedule(json!({"months": 1}), json!({})).resolved(&utc, first, None);
        let edited = |every, more| start_date(&schedule(every, more).resolved(&utc, later, Some(&before)));
        assert_eq!(edited(json!({"months": 1}), json!({"time": "09:00"})), "2026-01-31");
        assert_eq!(edited(json!({"months": 2}), json!({})), "2026-11-24");
        assert_eq!(edited(json!({"months": 1}), json!({"start_date": "2027-01-01"})), "2027-01-01");
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        for (every, more, expected) in [
            (json!({}), json!({}), "/every invalid_value"),
            (json!({"days": 1, "months": 1}), json!({}), "/every invalid_value"),
            (json!("1d"), json!({}), "/every invalid_type"),
            (json!(null), json!({}), "/every invalid_type"),
            (json!({"hours": 1}), json!({}), "/every/hours unknown_field"),
            (json!({"days": "1"}), json!({}), "/every/days invalid_type"),
            (json!({"days": 1.5}), json!({}), "/every/days invalid_type"),
            (json!({"days": 1e30}), json!({}), "/every/days invalid_type"),
            (json!({"days": u64::MAX}), json!({}), "/every/days invalid_value"),
            (json!({"days": i64::MIN}), json!({}), "/every/days out_of_range"),
            (json!({"days": 0}), json!({}), "/every/days out_of_range"),
            (json!({"days": 36_526}), json!({}), "/every/days out_of_range"),
            (json!({"weeks": -1}), json!({}), "/every/weeks out_of_range"),
            (json!({"weeks": 5_218}), json!({}), "/every/weeks out_of_range"),
            (json!({"months": 1_201}), json!({}), "/every/months out_of_range"),
            (json!({"years": 101}), json!({}), "/every/years out_of_range"),
            (json!({"days": 1}), json!({"time": "25:00"}), "/time invalid_value"),
            (json!({"days": 1}), json!({"time": 9}), "/time invalid_type"),
            (json!({"days": 1}), json!({"start_date": "2026-02-30"}), "/start_date invalid_value"),
            (json!({"days": 1}), json!({"start_date": "2026-2-3"}), "/start_date invalid_value"),
            (json!({"days": 1}), json!({"start_date": "2026-02-03T00:00:00Z"}), "/start_date invalid_value"),
            (json!({"days": 1}), json!({"start_date": "1969-12-31"}), "/start_date out_of_range"),
            (json!({"days": 1}), json!({"start_date": "2101-01-01"}), "/start_date out_of_range"),
            (json!({"days": 1}), json!({"anchor": "2026-01-01T00:00:00Z"}), "/anchor unknown_field"),
            (json!({"days": 1}), json!({"timezone": "Mars"}), "/timezone invalid_value"),
            (
                json!({"days": 0}),
                json!({"start_date": "2101-01-01"}),
                "/every/days out_of_range, /start_date out_of_range",
            ),
            // 2101 begins before this evening in Honolulu.
            (
                json!({"days": 1}),
                json!({"start_date": "2100-12-31", "time": "20:00", "timezone": "Pacific/Honolulu"}),
                "/start_date never_fires",
            ),
            // Samoa had no such day, and in 2111 it has passed.
            (
                json!({"years": 100}),
                json!({"start_date": "2011-12-30", "timezone": "Pacific/Apia", "gap": "skip"}),
                "/start_date never_fires",
            ),
        ] {
            assert_eq!(gist(&every, &more), expected, "{every} {more}");
        }
        let Invalid(errors) = read(&json!({}), &json!({})).unwrap_err();
        let remedy = "must hold exactly one of days, weeks, months and years, such as {\"months\": 1}";
        assert_eq!(errors[0].detail, remedy);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever the fields hold, it is compiled or refused, and what is compiled can be asked.
        #[test]
        fn any_fields_are_answered(
            unit in prop::sample::select(vec!["days", "weeks", "months", "years"]),
            count in prop_oneof![any::<i64>(), -2i64..2_000],
            start in "[0-9]{4}-[01][0-9]-[0-3][0-9]|\\PC{0,12}",
            at in 0i64..4_133_980_800,
        ) {
            let Ok(schedule) = read(&json!({unit: count}), &json!({"start_date": start})) else { return Ok(()) };
            let Ok(timetable) = Timetable::compile(&schedule) else { return Ok(()) };
            let at = Instant::from_timestamp_secs(at).unwrap();
            let next = timetable.next_after(at);
            prop_assert!(next.is_none_or(|next| next > at && timetable.last_until(next) == Some(next)));
            let (epoch, last) = (Instant::UNIX_EPOCH, timetable.last_until(at));
            prop_assert_eq!(timetable.count(epoch, at) > 0, last.is_some());
        }
    }
}
