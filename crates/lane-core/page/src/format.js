// Numbers, durations and times as they are shown. Times are UTC, as the days of the report are.

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

export const number = (value) => (value === null || value === undefined ? "–" : whole.format(value));
export const decimal = (value) => (value === null || value === undefined ? "–" : short.format(value));
const two = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
export const rate = (value) => (value === null || value === undefined ? "–" : two.format(value));
export const percent = (share) => (share === null || share === undefined ? "–" : `${(share * 100).toFixed(share > 0.995 && share < 1 ? 1 : 0)} %`);
export const plural = (count, one, many = `${one}s`) => `${whole.format(count)} ${count === 1 ? one : many}`;

/** The two greatest units: `2d 4h`, `35m`, `12s`. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const units = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
  const first = units.findIndex(([, length]) => seconds >= length);
  if (first < 0) return "0s";
  const [word, length] = units[first];
  const most = Math.floor(seconds / length);
  const next = units[first + 1];
  const rest = next && most < 20 ? Math.floor((seconds - most * length) / next[1]) : 0;
  return rest ? `${most}${word} ${rest}${next[0]}` : `${most}${word}`;
}

const utc = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
const ofDay = utc({ day: "numeric", month: "short", year: "numeric" });
const ofTime = utc({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
const ofClock = utc({ hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const date = (seconds) => new Date(seconds * 1000);
export const day = (seconds) => (seconds === null || seconds === undefined ? "–" : ofDay.format(date(seconds)));
export const time = (seconds) => (seconds === null || seconds === undefined ? "–" : ofTime.format(date(seconds)));
export const clock = (seconds) => ofClock.format(date(seconds));

/** Who is none of the policy's agents. */
export const NOBODY = "no agent";
/** How people call whoever it was. */
export const agent = (id) => (id === null || id === undefined || id === "" ? NOBODY : id);

/** A share of 100 as a number of the goal: `80%` 0.8, `5m` 300, `2/week` 2, `1..2` [1, 2]; null for anything else. */
export function goalValue(goal) {
  const text = String(goal ?? "").trim();
  const range = text.match(/^(\d+(?:\.\d+)?)\s*\.\.\s*(\d+(?:\.\d+)?)$/);
  if (range) return [Number(range[1]), Number(range[2])];
  const share = text.match(/(\d+(?:\.\d+)?)\s*%/);
  if (share) return Number(share[1]) / 100;
  const rate = text.match(/(\d+(?:\.\d+)?)\s*(?:\/|a|per)\s*week/);
  if (rate) return Number(rate[1]);
  const parts = [...text.matchAll(/(\d+)\s*([dhms])/g)];
  if (!parts.length) return null;
  const length = { d: 86400, h: 3600, m: 60, s: 1 };
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * length[unit], 0);
}
