// Instants and durations for people. No date library: Intl knows every zone.

const formats = new Map<string, Intl.DateTimeFormat>();

function format(key: string, options: Intl.DateTimeFormatOptions, zone: string) {
  const id = `${key}|${zone}`;
  let found = formats.get(id);
  if (!found) {
    try {
      found = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone });
    } catch {
      found = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" }); // a zone this browser has not heard of
    }
    formats.set(id, found);
  }
  return found;
}

/** The zone of this browser. */
export const LOCAL_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** `Europe/Paris` for all ways to say it. */
export function resolveZone(zone: string, jobZone?: string | null) {
  if (zone === "utc") return "UTC";
  if (zone === "local") return LOCAL_ZONE;
  if (zone === "job") return jobZone || "UTC";
  return zone;
}

type Parts = {
  year: string;
  month: string;
  day: string;
  hour: string;
  minute: string;
  second: string;
  weekday: string;
};

function partsOf(at: number, zone: string): Parts {
  const shown = format(
    "parts",
    {
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      weekday: "short",
      hourCycle: "h23",
    },
    zone,
  ).formatToParts(at);
  return Object.fromEntries(shown.map(({ type, value }) => [type, value])) as Parts;
}

/** `2026-11-24`, on the wall of a zone. */
export function dateOf(at: number, zone: string) {
  const { year, month, day } = partsOf(at, zone);
  return `${year.padStart(4, "0")}-${month}-${day}`;
}

/** `14:05` or `14:05:09`; `2:05 pm` where people want that. */
export function timeOf(at: number, zone: string, options: { seconds?: boolean; hour12?: boolean } = {}) {
  const { hour, minute, second } = partsOf(at, zone);
  const tail = options.seconds ? `:${second}` : "";
  if (!options.hour12) return `${hour}:${minute}${tail}`;
  const hours = Number(hour);
  return `${hours % 12 || 12}:${minute}${tail} ${hours < 12 ? "am" : "pm"}`;
}

/** Tue 24 Nov, with the year where it is not this one. */
export function dayOf(at: number, zone: string, now: number) {
  const { weekday, day, year } = partsOf(at, zone);
  const month = format("month", { month: "short" }, zone).format(at);
  const date = `${weekday} ${Number(day)} ${month}`;
  return year === partsOf(now, zone).year ? date : `${date} ${year}`;
}

/** `14:05` today, `Wed 25 Nov, 14:05` on other days. */
export function momentOf(
  at: number,
  zone: string,
  now: number,
  options: { seconds?: boolean; hour12?: boolean } = {},
) {
  const time = timeOf(at, zone, options);
  return dateOf(at, zone) === dateOf(now, zone) ? time : `${dayOf(at, zone, now)}, ${time}`;
}

/** `+05:45` */
export function offsetOf(at: number, zone: string) {
  const name = format("offset", { timeZoneName: "longOffset" }, zone)
    .formatToParts(at)
    .find(({ type }) => type === "timeZoneName")?.value;
  const offset = name?.replace(/^(GMT|UTC)/, "") ?? "";
  return offset === "" ? "+00:00" : offset;
}

/** Everything: `2026-11-24 14:05:09 +01:00 Europe/Paris`. */
export function exactOf(at: number, zone: string) {
  return `${dateOf(at, zone)} ${timeOf(at, zone, { seconds: true })} ${zone === "UTC" ? "UTC" : `${offsetOf(at, zone)} ${zone}`}`;
}

const UNITS: [string, number][] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
];

/** How long, in one or two units: `1 h 20 min`, `2.4 s`, `85 ms`. Never negative: that would be a clock's fault. */
export function durationOf(ms: number) {
  const span = Math.max(0, ms);
  if (span < 1000) return `${Math.round(span)} ms`;
  if (span < 10_000) return `${Math.round(span / 100) / 10} s`;
  let rest = Math.round(span / 1000) * 1000;
  const shown: string[] = [];
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) shown.push(`${count} ${unit}`);
    else if (shown.length > 0) break;
    if (shown.length === 2) break;
  }
  return shown.join(" ");
}

/** How long, in one unit: `3 min`. */
export function roughly(ms: number) {
  const span = Math.max(0, ms);
  const [unit, length] = UNITS.find(([, size]) => span >= size) ?? ["s", 1000];
  return `${Math.floor(span / length)} ${unit}`;
}

/** `in 3 min`, `2 h ago`, `now`. */
export function relativeOf(at: number, now: number) {
  const away = at - now;
  if (Math.abs(away) < 1000) return "now";
  return away > 0 ? `in ${roughly(away + 999)}` : `${roughly(-away)} ago`;
}

/** `1 234 567`, with narrow spaces. */
export function countOf(value: number) {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, "\u202f");
}
