/**
 * Emoji: short names, and own drawings for the few that carry meaning here, so that they look the same on a machine
 * without an emoji font. Every drawing keeps its character in the text, for copying and for tests.
 */
import { h, svg } from "./dom.js";
import { DRAWINGS } from "./drawings.js";

const NAMES = {
  rocket: "🚀",
  white_check_mark: "✅",
  x: "❌",
  warning: "⚠️",
  black_square_for_stop: "⏹️",
  stop_button: "⏹️",
  double_vertical_bar: "⏸️",
  hourglass_flowing_sand: "⏳",
  hourglass: "⌛",
  rewind: "⏪",
  leftwards_arrow_with_hook: "↩️",
  arrows_counterclockwise: "🔄",
  repeat: "🔁",
  lock: "🔒",
  unlock: "🔓",
  key: "🔑",
  snowflake: "❄️",
  ice_cube: "🧊",
  information_source: "ℹ️",
  question: "❓",
  exclamation: "❗",
  no_entry: "⛔",
  no_entry_sign: "🚫",
  large_green_circle: "🟢",
  red_circle: "🔴",
  large_yellow_circle: "🟡",
  white_circle: "⚪",
  large_blue_circle: "🔵",
  tada: "🎉",
  eyes: "👀",
  wave: "👋",
  "+1": "👍",
  thumbsup: "👍",
  "-1": "👎",
  thumbsdown: "👎",
  fire: "🔥",
  heart: "❤️",
  bell: "🔔",
  bulb: "💡",
  zap: "⚡",
  bug: "🐛",
  ship: "🚢",
  boat: "⛵",
  sailboat: "⛵",
  anchor: "⚓",
  package: "📦",
  memo: "📝",
  page_facing_up: "📄",
  link: "🔗",
  mag: "🔍",
  wrench: "🔧",
  hammer_and_wrench: "🛠️",
  gear: "⚙️",
  robot_face: "🤖",
  calendar: "📅",
  clock1: "🕐",
  stopwatch: "⏱️",
  alarm_clock: "⏰",
  chart_with_upwards_trend: "📈",
  point_right: "👉",
  heavy_check_mark: "✔️",
  arrow_right: "➡️",
  arrow_left: "⬅️",
  arrow_up: "⬆️",
  arrow_down: "⬇️",
  smile: "😄",
  slightly_smiling_face: "🙂",
  pray: "🙏",
  clap: "👏",
  bar_chart: "📊",
  rotating_light: "🚨",
  construction: "🚧",
};

const DRAWN = new RegExp(`(${Object.keys(DRAWINGS).join("|")})\\uFE0F?`, "u");
const MARKS = { "✓": "done", "✔": "done", "▸": "now", "▶": "now", "○": "todo", "✗": "bad", "✕": "bad", "✖": "bad" };
const PIECES = new RegExp(
  `((?:${Object.keys(DRAWINGS).join("|")})\\uFE0F?|(?<=^|\\n)[ \\t]*[${Object.keys(MARKS).join("")}](?=\\s))`,
  "u",
);

/** The character for a short name such as `rocket`, or null. */
export function emojiCharacter(name) {
  return Object.hasOwn(NAMES, name) ? NAMES[name] : null;
}

/** One emoji as a node: our drawing with the character kept as hidden text, else the character itself. */
export function emojiNode(character) {
  const match = DRAWN.exec(character);
  if (!match) return h("span.emoji", {}, character);
  return h("span.emoji.drawn", {}, svg("emoji-svg", DRAWINGS[match[1]]), h("span.emoji-text", {}, character));
}

/** Plain text as nodes: drawn emoji, and step marks (✓ ▸ ○) at the start of a line in one width and colour. */
export function plainNodes(text) {
  return text
    .split(PIECES)
    .filter(Boolean)
    .map((piece) => {
      if (DRAWN.test(piece)) return emojiNode(piece);
      const mark = MARKS[piece.trim()];
      return mark && piece.length < 20 ? [piece.slice(0, -1), h(`span.mark.mark-${mark}`, {}, piece.slice(-1))] : piece;
    })
    .flat();
}
