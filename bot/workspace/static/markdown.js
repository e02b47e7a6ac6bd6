/**
 * The part of standard Markdown that a `markdown` block needs, as DOM nodes: headings, lists, quotes, fences, rules,
 * bold, italic, strike, code and links. No raw HTML, no images, no nested lists.
 */
import { h, link } from "./dom.js";
import { plainNodes } from "./emoji.js";

const INLINE = new RegExp(
  [
    /(?<code>`[^`\n]+`)/,
    /(?<two>\*\*|__)(?=\S)(?<bold>[^\n]+?)(?<=\S)\k<two>/,
    /(?<![\w*])(?<one>[*_])(?=\S)(?<italic>[^\n]+?)(?<=\S)\k<one>(?![\w*])/,
    /~~(?=\S)(?<strike>[^\n]+?)(?<=\S)~~/,
    /\[(?<label>[^[\]\n]+)\]\((?<address>[^()\s]+)\)/,
    /(?<url>https?:\/\/[^\s<>]+[^\s<>.,;:!?)\]])/,
  ]
    .map((part) => part.source)
    .join("|"),
  "g",
);
const DEEPEST_QUOTE = 5;
const LIST = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/;

/** A whole Markdown text as nodes. */
export function markdown(text, depth = 0) {
  const lines = String(text).split("\n");
  const nodes = [];
  while (lines.length) nodes.push(takeBlock(lines, depth));
  return nodes.filter(Boolean);
}

function takeBlock(lines, depth) {
  const line = lines[0];
  if (!line.trim()) return void lines.shift();
  if (line.startsWith("```")) return takeFence(lines);
  if (/^#{1,6}\s+\S/.test(line)) return takeHeading(lines);
  if (/^ {0,3}([-*_])( *\1){2,} *$/.test(line)) return lines.shift() && h("hr");
  if (line.startsWith(">") && depth < DEEPEST_QUOTE) return takeQuote(lines, depth);
  if (LIST.test(line)) return takeList(lines);
  return h("p", {}, inline(takeParagraph(lines).join("\n")));
}

function takeHeading(lines) {
  const [, signs, text] = /^(#{1,6})\s+(.*)$/.exec(lines.shift());
  return h("p.md-heading", { role: "heading", "aria-level": Math.min(signs.length + 2, 6) }, inline(text));
}

function takeQuote(lines, depth) {
  const quoted = takeWhile(lines, (line) => line.startsWith(">"));
  return h("blockquote", {}, markdown(quoted.map((line) => line.replace(/^> ?/, "")).join("\n"), depth + 1));
}

function takeWhile(lines, test) {
  const taken = [];
  while (lines.length && test(lines[0])) taken.push(lines.shift());
  return taken;
}

function takeFence(lines) {
  const info = lines.shift().slice(3);
  const body = takeWhile(lines, (line) => !line.startsWith("```"));
  lines.shift();
  return h("pre", {}, h("code", {}, (/^[\w+-]*$/.test(info) ? body : [info, ...body]).join("\n")));
}

function takeList(lines) {
  const ordered = LIST.exec(lines[0])[1] !== undefined;
  const items = takeWhile(lines, (line) => LIST.test(line) && (LIST.exec(line)[1] !== undefined) === ordered);
  return h(
    ordered ? "ol" : "ul",
    {},
    items.map((line) => h("li", {}, inline(LIST.exec(line)[2]))),
  );
}

function takeParagraph(lines) {
  const first = lines.shift();
  return [first, ...takeWhile(lines, (l) => l.trim() && !/^(#{1,6}\s|>|```)/.test(l) && !LIST.test(l))];
}

function inline(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(...plainNodes(text.slice(at, match.index)), inlineNode(match));
    at = match.index + match[0].length;
  }
  return [...nodes, ...plainNodes(text.slice(at))];
}

function inlineNode({ groups: { code, bold, italic, strike, label, address, url } }) {
  if (code) return h("code", {}, code.slice(1, -1));
  if (bold) return h("strong", {}, inline(bold));
  if (italic) return h("em", {}, inline(italic));
  if (strike) return h("s", {}, inline(strike));
  return label ? link(address, inline(label)) : link(url, url);
}
