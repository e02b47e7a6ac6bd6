/**
 * Slack's mrkdwn and plain text as DOM nodes. Foreign text can only become text nodes and a closed set of elements;
 * only http and https addresses become links. Standard Markdown is in markdown.js.
 */
import { h, link } from "./dom.js";
import { emojiCharacter, emojiNode, plainNodes } from "./emoji.js";

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
const INLINE = new RegExp(
  [
    "(?<code>`[^`\\n]+`)",
    "(?<angle><[^<>\\n]+>)",
    "(?<=^|[^\\p{L}\\p{N}*])(?<bold>\\*(?=[^\\s*])[^*\\n]*(?<=[^\\s*])\\*)(?=$|[^\\p{L}\\p{N}*])",
    "(?<=^|[^\\p{L}\\p{N}_])(?<italic>_(?=[^\\s_])(?:[^_\\n]|(?<=[\\p{L}\\p{N}])_(?=[\\p{L}\\p{N}]))*" +
      "(?<=[^\\s_])_)(?=$|[^\\p{L}\\p{N}_])",
    "(?<=^|[^\\p{L}\\p{N}~])(?<strike>~(?=[^\\s~])[^~\\n]*(?<=[^\\s~])~)(?=$|[^\\p{L}\\p{N}~])",
    "(?<emoji>:[a-z0-9_+-]+:)",
    "(?<url>https?://[^\\s<>|]+[^\\s<>|.,;:!?)\\]}'\"])",
  ].join("|"),
  "gu",
);

/** Undo Slack's three escapes, once. */
export function unescapeText(text) {
  return text.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity]);
}

/** Blocks of mrkdwn: fences, quotes and lines. `ctx` names users and channels. */
export function mrkdwn(text, ctx) {
  return String(text)
    .split(/```/)
    .flatMap((part, index, parts) => {
      if (index % 2 === 0) return flow(trimAround(part, index, parts.length), ctx);
      if (index === parts.length - 1) return flow("```" + part, ctx);
      return h("pre", {}, h("code", {}, unescapeText(fenceText(part))));
    });
}

/** A fence may hold links that Slack made of addresses; inside code they are shown as their text. */
function fenceText(part) {
  return part
    .replace(/^\n/, "")
    .replace(/\n$/, "")
    .replace(/<(https?:[^<>|\n]+)(?:\|([^<>\n]*))?>/g, (_, url, label) => label ?? url);
}

function trimAround(part, index, count) {
  const start = index > 0 ? part.replace(/^\n/, "") : part;
  return index < count - 1 ? start.replace(/\n$/, "") : start;
}

function flow(text, ctx) {
  if (!text) return [];
  const groups = [];
  for (const line of text.split("\n")) {
    const quoted = /^(?:&gt;|>) ?/.exec(line);
    const last = groups.at(-1);
    const content = quoted ? line.slice(quoted[0].length) : line;
    if (last && last.quoted === Boolean(quoted)) last.lines.push(content);
    else groups.push({ quoted: Boolean(quoted), lines: [content] });
  }
  return groups.map(({ quoted, lines }) => h(quoted ? "blockquote" : "div.line", {}, inline(lines.join("\n"), ctx)));
}

/** Inline mrkdwn as an array of nodes and strings. */
export function inline(text, ctx) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    const node = inlineNode(match, ctx);
    if (node === null) continue;
    nodes.push(...leaf(text.slice(at, match.index)), node);
    at = match.index + match[0].length;
  }
  nodes.push(...leaf(text.slice(at)));
  return nodes;
}

const leaf = (text) => (text ? plainNodes(unescapeText(text)) : []);

function inlineNode({ groups, 0: whole }, ctx) {
  const inside = whole.slice(1, -1);
  if (groups.code) return h("code", {}, unescapeText(inside));
  if (groups.angle) return angle(inside, ctx);
  if (groups.bold) return h("strong", {}, inline(inside, ctx));
  if (groups.italic) return h("em", {}, inline(inside, ctx));
  if (groups.strike) return h("s", {}, inline(inside, ctx));
  if (groups.url) return link(unescapeText(whole), unescapeText(whole));
  const character = emojiCharacter(inside);
  return character ? emojiNode(character) : null;
}

/** What stands between `<` and `>`: a mention, a broadcast, a date or a link. */
function angle(inside, ctx) {
  const [target, ...rest] = inside.split("|");
  const label = rest.length ? unescapeText(rest.join("|")) : null;
  if (target.startsWith("@")) return userMention(target.slice(1), ctx, label);
  if (target.startsWith("#")) return channelMention(target.slice(1), ctx, label);
  if (target.startsWith("!date^")) return h("span", {}, label ?? "a date");
  if (target.startsWith("!"))
    return h(
      "span.mention.mention-me",
      {},
      `@${label ?? target.slice(1).replace(/^subteam\^/, "")}`.replace("@@", "@"),
    );
  const address = unescapeText(target);
  if (address.startsWith("mailto:")) return h("span", {}, label ?? address.slice(7));
  if (/^https?:/i.test(address)) return link(address, label ?? address);
  return /^[a-z][a-z0-9+.-]*:/i.test(address) ? h("span", {}, label ?? address) : null;
}

/** `@name`, marked when it is the person who looks at the page. */
export function userMention(id, ctx, label = null) {
  const user = ctx.users.get(id);
  const name = user ? user.name : (label ?? id);
  return h(id === ctx.me ? "span.mention.mention-me" : "span.mention", {}, `@${name.replace(/^@/, "")}`);
}

/** `#name`; a channel that the page knows becomes a link to it. */
export function channelMention(id, ctx, label = null) {
  const channel = ctx.channels.get(id);
  if (!channel) return h("span.mention", {}, `#${label ?? id}`);
  const open = (event) => {
    event.preventDefault();
    ctx.openChannel(id);
  };
  return h("a.mention", { href: `?channel=${encodeURIComponent(channel.name)}`, onclick: open }, `#${channel.name}`);
}

/** A text object of Block Kit (`plain_text` or `mrkdwn`), as nodes that stand in a line or in several. */
export function textObject(object, ctx) {
  if (object?.type === "mrkdwn") return mrkdwn(object.text ?? "", ctx);
  return plainText(object);
}

/** A `plain_text` object as inline nodes; short names of emoji count unless `emoji` is false. */
export function plainText(object) {
  const text = String(object?.text ?? object ?? "");
  if (object?.emoji === false) return plainNodes(text);
  return text.split(/(:[a-z0-9_+-]+:)/).flatMap((piece) => {
    const character = /^:.+:$/.test(piece) ? emojiCharacter(piece.slice(1, -1)) : null;
    return character ? emojiNode(character) : plainNodes(piece);
  });
}
