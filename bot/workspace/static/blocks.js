/** Block Kit blocks as DOM nodes, one function a type. A type that is not known stays visible under its name. */
import { h } from "./dom.js";
import { interactive } from "./elements.js";
import { inputBlock } from "./input-block.js";
import { markdown } from "./markdown.js";
import { plainText, textObject } from "./mrkdwn.js";
import { richText } from "./rich-text.js";

const RENDERERS = {
  section,
  context,
  actions,
  table,
  plan,
  image,
  input: inputBlock,
  header: (block) => h("p.block-header", { role: "heading", "aria-level": 3 }, plainText(block.text)),
  divider: () => h("hr"),
  rich_text: (block, _, ctx) => h("div.rich", {}, richText(block, ctx)),
  markdown: (block) => h("div.markdown", {}, markdown(block.text ?? "")),
  task_card: (block, _, ctx) => h("ul.plan-tasks", {}, task(block, ctx)),
};

/** One block; `source` is the message its clicks come from, or the view, with what is filled in there. */
export function renderBlock(block, source, ctx) {
  const blockId = block.block_id ?? "";
  const place = source.view
    ? { view: source.view, blockId, values: source.values[blockId] ?? {} }
    : { channel: source.channel, ts: source.ts, ephemeral: Boolean(source.ephemeral), blockId };
  const type = String(block?.type);
  const render = Object.hasOwn(RENDERERS, type) ? RENDERERS[type] : unknown;
  return h(
    "div.block",
    { "data-block": type },
    orBroken(() => render(block, place, ctx), type),
  );
}

/** One malformed block must not take the page with it. */
function orBroken(build, type) {
  try {
    return build();
  } catch (error) {
    console.warn("block cannot be shown", type, error);
    return h("p.unknown", {}, `Block cannot be shown: ${type}`);
  }
}

function unknown(block) {
  return h("p.unknown", { "data-testid": "unknown-block" }, `Unknown block: ${block.type}`);
}

function section(block, place, ctx) {
  const body = h(
    "div.section-body",
    {},
    block.text && textObject(block.text, ctx),
    block.fields &&
      h(
        "div.fields",
        {},
        block.fields.map((field) => h("div.field", {}, textObject(field, ctx))),
      ),
  );
  if (!block.accessory) return body;
  return h("div.section", {}, body, accessory(block.accessory, place, ctx));
}

function accessory(element, place, ctx) {
  return element.type === "image" ? picture(element) : interactive(element, place, ctx);
}

function context(block, _, ctx) {
  return h(
    "div.context",
    {},
    (block.elements ?? []).map((element) =>
      element.type === "image" ? picture(element) : h("div.context-item", {}, textObject(element, ctx)),
    ),
  );
}

function actions(block, place, ctx) {
  return h(
    "div.actions",
    {},
    (block.elements ?? []).map((element) => interactive(element, place, ctx)),
  );
}

/** Pictures come from elsewhere and nothing is loaded from elsewhere, so their words stand in. */
function image(block) {
  return h("figure.picture", {}, block.title && h("figcaption", {}, plainText(block.title)), picture(block));
}

function picture(element) {
  return h(
    "span.alt",
    { role: "img", "aria-label": element.alt_text ?? "picture" },
    `▧ ${element.alt_text ?? "picture"}`,
  );
}

function table(block, _, ctx) {
  const [head = [], ...rows] = block.rows ?? [];
  const align = (index) => block.column_settings?.[index]?.align;
  const cell = (tag) => (data, index) =>
    h(
      `${tag}.${["right", "center"].includes(align(index)) ? align(index) : "left"}`,
      { scope: tag === "th" ? "col" : null },
      cellContent(data, ctx),
    );
  return h(
    "div.table-wrap",
    { tabindex: 0, role: "region", "aria-label": "Table" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, head.map(cell("th")))),
      h(
        "tbody",
        {},
        rows.map((row) => h("tr", {}, row.map(cell("td")))),
      ),
    ),
  );
}

function cellContent(data, ctx) {
  if (data?.type === "rich_text") return richText(data, ctx);
  return plainText(String(data?.text ?? data?.value ?? data?.number ?? ""));
}

const TASK_MARKS = { complete: ["✓", "done"], in_progress: ["▸", "now"], error: ["✕", "bad"], pending: ["○", "todo"] };

function plan(block, _, ctx) {
  const tasks = block.tasks ?? [];
  const done = tasks.filter((item) => item.status === "complete").length;
  return h(
    "details.plan",
    { open: true },
    h("summary", {}, plainText(block.title ?? "Plan"), h("span.plan-count", {}, `${done} of ${tasks.length}`)),
    h(
      "ul.plan-tasks",
      {},
      tasks.map((item) => task(item, ctx)),
    ),
  );
}

function task(item, ctx) {
  const [mark, kind] = TASK_MARKS[item.status] ?? TASK_MARKS.pending;
  const more = [item.details, item.output].filter(Boolean).map((part) => h("div.plan-more", {}, richText(part, ctx)));
  return h(
    "li",
    { "data-status": item.status ?? "pending" },
    h(`span.mark.mark-${kind}`, { "aria-hidden": "true" }, mark),
    h("span.sr-only", {}, `${String(item.status ?? "pending").replace("_", " ")}: `),
    plainText(item.title ?? ""),
    more,
  );
}
