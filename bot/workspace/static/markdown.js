/**
 * The part of standard Markdown that a `markdown` block needs, as DOM nodes: headings, lists, quotes, fences, rules,
 * bold, italic, strike, code and links. No raw HTML, no images, no nested lists.
 */
import { h, link } from "./dom.js";
import { plainNodes } from "./emoji.js";

const INLINE = /(`[^`\n]+`)|(\*\*|__)(?=\S)(.+?)(?<=\S)\2|(?<![\w*])([*_])(?=\S)([^\n]+?)(?<=\S)\4(?![\w*])|~~(?=\S)(.+?)(?<=\S)~~|\[([^\]\n]+)\]\(([^)\s]+)\)|(https?:\/\/[^\s<>]+[^\s<>.,;:!?)\]])/g;
const LIST = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/;

/** A whole Markdown text as nodes. */
export function markdown(text) {
  const lines = String(text).split("\n");
  const nodes = [];
  while (lines.length) nodes.push(takeBlock(lines));
  return nodes.filter(Boolean);
}

function takeBlock(lines) {
  const line = lines[0];
  if (!line.trim()) return void lines.shift();
  if (line.startsWith("```")) return takeFence(lines);
  const heading = /^(#{1,6})\s+(.*)$/.exec(line);
  if (heading) return lines.shift() && h("p.md-heading", { role: "heading", "aria-level": heading[1].length + 2 }, inline(heading[2]));
  if (/^ {0,3}([-*_])( *\1){2,} *$/.test(line)) return lines.shift() && h("hr");
  if (line.startsWith(">")) return h("blockquote", {}, markdown(takeWhile(lines, (l) => l.startsWith(">")).map((l) => l.replace(/^> ?/, "")).join("\n")));
  if (LIST.test(line)) return takeList(lines);
  return h("p", {}, inline(takeParagraph(lines).join("\n")));
}

function takeWhile(lines, test) {
  const taken = [];
  while (lines.length && test(lines[0])) taken.push(lines.shift());
  return taken;
}

function takeFence(lines) {
  lines.shift();
  const body = takeWhile(lines, (line) => !line.startsWith("```"));
  lines.shift();
  return h("pre", {}, h("code", {}, body.join("\n")));
}

function takeList(lines) {
  const ordered = LIST.exec(lines[0])[1] !== undefined;
  const items = takeWhile(lines, (line) => LIST.test(line) && (LIST.exec(line)[1] !== undefined) === ordered);
  return h(ordered ? "ol" : "ul", {}, items.map((line) => h("li", {}, inline(LIST.exec(line)[2]))));
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

function inlineNode([, code, , bold, , italic, strike, label, address, url]) {
  if (code) return h("code", {}, code.slice(1, -1));
  if (bold) return h("strong", {}, inline(bold));
  if (italic) return h("em", {}, inline(italic));
  if (strike) return h("s", {}, inline(strike));
  return label ? link(address, inline(label)) : link(url, url);
}
