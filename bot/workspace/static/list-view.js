/**
 * A scrolling list of messages, day lines and notices, kept in step with the data without a jump: at the end it stays
 * at the end, elsewhere the first visible message keeps its place.
 */
import { h } from "./dom.js";
import { MessageView, placeInOrder } from "./message-view.js";

const NEAR_END_PX = 48;

/** `items`: `{key, kind: "message"|"line"|"notice", …}` in the order shown. */
export class ListView {
  constructor(scroller, ctx, onPinned = () => {}) {
    this.scroller = scroller;
    this.ctx = ctx;
    this.onPinned = onPinned;
    this.rows = new Map();
    this.pinned = true;
    scroller.addEventListener("scroll", () => this.#notePinned());
    new ResizeObserver(() => this.pinned && this.toEnd()).observe(scroller);
  }

  /** Forget everything shown: another channel, thread or person. */
  clear() {
    this.rows.clear();
    this.scroller.replaceChildren();
    this.pinned = true;
  }

  /** Show exactly `items`. */
  sync(items, { toEnd = false } = {}) {
    const restore = toEnd || this.#atEnd() ? () => this.toEnd() : this.#holdPlace();
    const old = this.rows;
    this.rows = new Map(items.map((item) => [item.key, this.#row(old.get(item.key), item)]));
    placeInOrder(
      this.scroller,
      [...this.rows.values()].map((row) => row.node),
    );
    restore();
  }

  /** Go to the newest message. */
  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#notePinned();
  }

  #row(row, item) {
    if (item.kind !== "message") return row?.text === item.text ? row : { text: item.text, node: fixedRow(item) };
    const view = row?.view ?? new MessageView(item.message, this.ctx);
    const extras = JSON.stringify(item.extras);
    if (row?.message !== item.message || row?.extras !== extras) view.update(item.message, item.extras);
    return { view, node: view.node, message: item.message, extras };
  }

  #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  #notePinned() {
    this.pinned = this.#atEnd();
    this.onPinned(this.pinned);
  }

  #holdPlace() {
    const top = this.scroller.getBoundingClientRect().top;
    const anchor = [...this.scroller.children].find((node) => node.getBoundingClientRect().bottom > top + 1);
    const before = anchor?.getBoundingClientRect().top;
    return () => {
      if (anchor?.isConnected) this.scroller.scrollTop += anchor.getBoundingClientRect().top - before;
    };
  }
}

function fixedRow(item) {
  if (item.kind === "line")
    return h("div.line-row", { role: "separator", "aria-label": item.text }, h("span", {}, item.text));
  return h(
    "article.message.ephemeral.notice",
    { "data-testid": "notice" },
    h("div.gutter", {}, h("div.avatar.avatar-notice", { "aria-hidden": "true" }, "!")),
    h(
      "div.body",
      { "data-testid": "ephemeral" },
      h("div.label", {}, h("span.only-you", {}, "Only visible to you")),
      h("div.content", {}, item.text),
    ),
  );
}
