/**
 * One message as an article that is updated in place: only blocks whose content changed are built anew, so that
 * focus, selections and open menus survive an edit elsewhere in the message. Order and scrolling are in list-view.js.
 */
import { settle } from "./acting.js";
import { renderBlock } from "./blocks.js";
import { h, safeColor, svg } from "./dom.js";
import { fileCard } from "./files.js";
import { mrkdwn } from "./mrkdwn.js";
import { clock, fullTime } from "./times.js";

/** The app's picture. */
export const BOAT = [["path", { d: "M9.3 2.5v9.5H3.5zM11 5.5l5.3 6.5H11zM2.5 13.5h15l-2.8 3.5H5.3z", fill: "#fff" }]];

/** A view of one message. `extras`: `{compact, inThread, replies, lastReply, news}`. */
export class MessageView {
  constructor(message, ctx) {
    this.ctx = ctx;
    this.parts = {
      avatar: h("div.gutter"),
      label: h("div.label"),
      head: h("div.head"),
      content: h("div.content"),
      files: h("div.files"),
      foot: h("div.foot"),
    };
    const { avatar, label, head, content, files, foot } = this.parts;
    this.body = h(
      "div.body",
      { "data-testid": message.ephemeral ? "ephemeral" : null },
      label,
      head,
      content,
      files,
      foot,
    );
    this.tools = h("div.tools");
    this.node = h(
      "article.message",
      { "data-testid": "message", "data-ts": message.ts, tabindex: -1 },
      avatar,
      this.body,
      this.tools,
    );
    this.blocks = [];
  }

  /** Show `message` as it is now. */
  update(message, extras) {
    const focused = this.node.contains(document.activeElement) ? document.activeElement : null;
    settle(this.node);
    this.#paintFrame(message, extras);
    this.#paintContent(message);
    this.parts.files.replaceChildren(...(message.files ?? []).map(fileCard));
    this.parts.foot.replaceChildren(...this.#footer(message, extras));
    this.tools.replaceChildren(...this.#toolbar(message, extras));
    if (focused && !focused.isConnected) this.#refocus(focused.dataset.focus);
  }

  #refocus(key) {
    const again = key && [...this.node.querySelectorAll("[data-focus]")].find((node) => node.dataset.focus === key);
    (again || this.node).focus({ preventScroll: true });
  }

  #paintFrame(message, extras) {
    const author = authorOf(message, this.ctx);
    const classes = {
      compact: extras.compact,
      ephemeral: message.ephemeral,
      mentions: message.mentions_me,
      "from-app": message.bot,
    };
    for (const [name, on] of Object.entries(classes)) this.node.classList.toggle(name, Boolean(on));
    this.node.setAttribute("aria-label", `${author.name}, ${clock(message.ts)}`);
    this.parts.avatar.replaceChildren(extras.compact ? timeNode(message.ts) : avatar(author, message.bot));
    this.parts.label.replaceChildren(...labels(message, extras));
    this.parts.head.replaceChildren(
      h("span.author", {}, author.name),
      message.bot ? h("span.badge", {}, "App") : "",
      timeNode(message.ts),
    );
  }

  #paintContent(message) {
    const wanted = contentPieces(message);
    this.blocks = wanted.map((piece, index) => {
      const old = this.blocks[index];
      if (old?.key === piece.key) return old;
      return { key: piece.key, node: piece.build(message, this.ctx) };
    });
    placeInOrder(
      this.parts.content,
      this.blocks.map((block) => block.node),
    );
  }

  #footer(message, extras) {
    if (extras.inThread || !extras.replies) return [];
    const count = `${extras.replies} ${extras.replies === 1 ? "reply" : "replies"}`;
    return [
      h(
        "button.replies",
        {
          type: "button",
          "data-testid": "replies",
          "data-focus": "replies",
          onclick: () => this.ctx.openThread(message),
        },
        h("span.replies-count", {}, count),
        extras.news && h("span.news", {}, "new for you"),
        extras.lastReply && h("span.quiet", {}, `last at ${clock(extras.lastReply)}`),
      ),
    ];
  }

  #toolbar(message, extras) {
    if (extras.inThread || message.ephemeral) return [];
    return [
      h(
        "button.tool",
        {
          type: "button",
          "data-testid": "reply-in-thread",
          "data-focus": "reply",
          onclick: () => this.ctx.openThread(message),
        },
        "Reply in thread",
      ),
    ];
  }
}

/** Put `nodes` into `parent` in this order, touching only what is out of place. */
export function placeInOrder(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
  let cursor = parent.firstChild;
  for (const node of nodes) {
    if (node === cursor) cursor = cursor.nextSibling;
    else parent.insertBefore(node, cursor);
  }
}

function contentPieces(message) {
  const blocks = message.blocks ?? [];
  const pieces = blocks.map((block) => ({
    key: JSON.stringify(block),
    build: (now, ctx) => renderBlock(block, now, ctx),
  }));
  if (!blocks.length && message.text)
    pieces.push({ key: `text:${message.text}`, build: (now, ctx) => h("div.block.text", {}, mrkdwn(now.text, ctx)) });
  if (message.edited) pieces.push({ key: "edited", build: () => h("span.edited", {}, "(edited)") });
  if (!message.text && !message.files?.length)
    pieces.push({
      key: "no-text",
      build: () =>
        h(
          "span.no-text",
          { "data-testid": "no-text", title: "Notifications and screen readers have nothing to say" },
          "no text",
        ),
    });
  return pieces;
}

function labels(message, extras) {
  if (message.ephemeral) return [h("span.only-you", {}, "Only visible to you")];
  if (message.broadcast && !extras.inThread) return [h("span.quiet", {}, "also sent from a thread")];
  return [];
}

function authorOf(message, ctx) {
  const user = ctx.users.get(message.user);
  return { name: message.username || user?.name || message.user || "unknown", color: user?.color };
}

function avatar(author, isApp) {
  const node = h(
    `div.avatar${isApp ? ".avatar-app" : ""}`,
    { "aria-hidden": "true" },
    isApp ? svg("boat", BOAT) : author.name.slice(0, 1).toUpperCase(),
  );
  node.style.setProperty("--avatar", safeColor(author.color, isApp ? "#17606f" : "#5b7480"));
  return node;
}

function timeNode(ts) {
  return h("time", { datetime: new Date(Number(ts) * 1000).toISOString(), title: fullTime(ts) }, clock(ts));
}
