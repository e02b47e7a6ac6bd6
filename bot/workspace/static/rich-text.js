/** `rich_text` blocks as DOM nodes: sections, lists, quotes, preformatted text and their inline elements. */
import { h, link } from "./dom.js";
import { emojiCharacter, emojiNode, plainNodes } from "./emoji.js";
import { channelMention, userMention } from "./mrkdwn.js";

const STYLES = [
  ["code", "code"],
  ["bold", "strong"],
  ["italic", "em"],
  ["strike", "s"],
  ["underline", "u"],
];

/** All parts of a `rich_text` block; neighbouring lists stay apart, nested ones are indented. */
export function richText(block, ctx) {
  return (block.elements ?? []).map((part) => richPart(part, ctx));
}

function richPart(part, ctx) {
  const inside = () => inlineAll(part.elements, ctx);
  switch (part.type) {
    case "rich_text_section":
      return h("div.line", {}, inside());
    case "rich_text_quote":
      return h("blockquote", {}, inside());
    case "rich_text_preformatted":
      return h("pre", {}, h("code", {}, inlineAll(part.elements, ctx, true)));
    case "rich_text_list":
      return richList(part, ctx);
    default:
      return h("p.unknown", {}, `Unknown part: ${part.type}`);
  }
}

function richList(part, ctx) {
  const start = part.style === "ordered" && part.offset ? part.offset + 1 : null;
  const indent = Math.min(Number(part.indent) || 0, 8);
  return h(
    `${part.style === "ordered" ? "ol" : "ul"}.indent-${indent}`,
    { start },
    (part.elements ?? []).map((item) => h("li", {}, inlineAll(item.elements, ctx))),
  );
}

function inlineAll(elements, ctx, raw = false) {
  return (elements ?? []).map((element) => styled(inlineElement(element, ctx, raw), element.style));
}

function styled(content, style) {
  return STYLES.reduce((node, [key, tag]) => (style?.[key] ? h(tag, {}, node) : node), content);
}

function inlineElement(element, ctx, raw) {
  switch (element.type) {
    case "text":
      return raw ? [String(element.text ?? "")] : plainNodes(String(element.text ?? ""));
    case "link":
      return link(element.url, element.text || element.url);
    case "user":
      return userMention(element.user_id, ctx);
    case "channel":
      return channelMention(element.channel_id, ctx);
    case "usergroup":
      return h("span.mention", {}, `@${element.usergroup_id}`);
    case "broadcast":
      return h("span.mention.mention-me", {}, `@${element.range}`);
    case "emoji":
      return emojiElement(element);
    case "date":
      return h("time", {}, dateText(element));
    case "color":
      return h("code", {}, String(element.value));
    default:
      return h("span.unknown", {}, `Unknown element: ${element.type}`);
  }
}

function emojiElement({ name, unicode }) {
  if (/^[0-9a-f]{2,6}(-[0-9a-f]{2,6})*$/i.test(unicode ?? "")) {
    const points = unicode.split("-").map((hex) => parseInt(hex, 16));
    if (points.every((point) => point <= 0x10ffff)) return emojiNode(String.fromCodePoint(...points));
  }
  const character = emojiCharacter(name);
  return character ? emojiNode(character) : `:${name}:`;
}

function dateText({ timestamp, fallback }) {
  const when = new Date(Number(timestamp) * 1000);
  return Number.isNaN(when.getTime()) ? String(fallback ?? "") : when.toLocaleString();
}
