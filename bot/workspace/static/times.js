/** Times of messages in the reader's own zone. A `ts` is a string of Unix seconds. */

const asDate = (ts) => new Date(Number(ts) * 1000);

/** `14:02` */
export function clock(ts) {
  return asDate(ts).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/** Day and time with seconds, for a tooltip. */
export function fullTime(ts) {
  return asDate(ts).toLocaleString("en-GB", { dateStyle: "full", timeStyle: "medium" });
}

/** The day a message belongs to, as a key that sorts. */
export function dayKey(ts) {
  const date = asDate(ts);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, "0"))
    .join("-");
}

/** `Today`, `Yesterday` or the date. */
export function dayName(ts, now = Date.now() / 1000) {
  if (dayKey(ts) === dayKey(now)) return "Today";
  if (dayKey(ts) === dayKey(now - 86400)) return "Yesterday";
  return asDate(ts).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" });
}
