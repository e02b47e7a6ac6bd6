/**
 * The modal of the person who looks: one native dialog that shows the view on top of its stack, and follows the server.
 * Blocks that did not change stay as they are, so that focus and what is being typed survive an update.
 */
import { settle } from "./acting.js";
import { renderBlock } from "./blocks.js";
import { h, svg } from "./dom.js";
import { showError } from "./input-block.js";
import { BOAT, placeInOrder } from "./message-view.js";
import { plainText } from "./mrkdwn.js";

const LOST = "Not connected just now: that went nowhere. Try it again when the connection is back.";

export class Modal {
  /** `send(message)` returns false without a connection. `onClosed()` runs when nothing that had the focus is left. */
  constructor(ctx, { send, onClosed }) {
    Object.assign(this, { send, onClosed, modal: null, blocks: new Map(), dialog: null });
    this.fields = new Map();
    this.ctx = Object.create(ctx, {
      fields: { value: this.fields },
      click: { value: (used) => this.#use(used) },
    });
  }

  get isOpen() {
    return this.modal !== null;
  }

  /** Show `modal` as it is now; null: none. */
  sync(modal) {
    const before = this.modal;
    this.modal = modal;
    if (!modal) return this.#shut();
    if (!this.dialog) this.#open();
    const fresh = before?.view.id !== modal.view.id;
    if (fresh) {
      this.blocks.clear();
      this.fields.clear();
    }
    this.#paint(fresh);
    if (fresh) this.#focusFirst();
    else if (Object.keys(modal.errors).some((id) => !before.errors[id])) this.#focusError();
  }

  /** Say something over the whole view; the server's next word replaces it. */
  say(trouble, why = "") {
    this.parts.trouble.replaceChildren(trouble, why && h("span.why", {}, why));
    this.parts.trouble.hidden = !trouble;
  }

  /** What was pressed has been answered. */
  settle() {
    if (this.dialog) settle(this.parts.body);
  }

  #open() {
    this.parts = {
      title: h("h2", { id: "modal-title" }),
      trouble: h("div.modal-trouble", { role: "alert", "data-testid": "modal-trouble", hidden: true }),
      body: h("div.modal-body.content", { "data-testid": "modal-body" }),
      foot: h("footer.modal-foot"),
    };
    const { title, trouble, body, foot } = this.parts;
    const cross = () => this.#close(true);
    const x = h(
      "button.icon-button",
      { type: "button", "aria-label": "Close", "data-testid": "modal-cross", onclick: cross },
      "✕",
    );
    const head = h("header.modal-head", {}, h("span.avatar.avatar-app", {}, svg("boat", BOAT)), title, x);
    const onsubmit = (event) => {
      event.preventDefault();
      this.#submit();
    };
    const form = h("form", { novalidate: true, onsubmit }, head, trouble, body, foot);
    this.dialog = h("dialog.modal", { "aria-labelledby": "modal-title", "data-testid": "modal" }, form);
    this.dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      this.#close(true);
    });
    this.dialog.addEventListener("cancel", (event) => event.preventDefault());
    document.body.append(this.dialog);
    this.dialog.showModal();
  }

  #shut() {
    if (!this.dialog) return;
    const { dialog } = this;
    Object.assign(this, { dialog: null, parts: null });
    this.blocks.clear();
    this.fields.clear();
    dialog.close(); // the browser gives the focus back
    dialog.remove();
    if (document.activeElement === document.body) this.onClosed();
  }

  #paint(fresh) {
    const { view, errors, trouble, why, waiting } = this.modal;
    this.parts.title.replaceChildren(...[plainText(view.title)].flat());
    this.say(trouble, why);
    this.#paintBlocks(view);
    for (const [id, { node }] of this.blocks) {
      const input = node.querySelector(".input-block");
      if (input) showError(input, errors[id]);
    }
    this.#paintFoot(view, waiting, fresh);
  }

  #paintBlocks(view) {
    const focused = this.parts.body.contains(document.activeElement) ? document.activeElement : null;
    const place = { view: view.id, values: this.modal.values };
    const old = this.blocks;
    this.blocks = new Map(
      view.blocks.map((block) => {
        const key = JSON.stringify(block);
        const kept = old.get(block.block_id);
        if (kept?.key === key) this.#refill(block.block_id, focused);
        return [block.block_id, kept?.key === key ? kept : { key, node: renderBlock(block, place, this.ctx) }];
      }),
    );
    placeInOrder(
      this.parts.body,
      [...this.blocks.values()].map(({ node }) => node),
    );
    settle(this.parts.body);
    if (focused && !focused.isConnected) this.#control(focused.dataset.focus)?.focus();
  }

  /** Show what was filled in elsewhere; the field that has the focus is in this person's hands. */
  #refill(blockId, focused) {
    for (const [actionId, state] of Object.entries(this.modal.values[blockId] ?? {})) {
      const key = `${blockId}/${actionId}`;
      if (!focused || !this.#control(key)?.contains(focused)) this.fields.get(key)?.(state);
    }
  }

  #control(key) {
    return [...this.parts.body.querySelectorAll("[data-focus]")].find((node) => node.dataset.focus === key);
  }

  #paintFoot(view, waiting, fresh) {
    if (fresh) {
      const shut = () => this.#close(false);
      this.parts.close = h("button.button", { type: "button", "data-testid": "modal-close", onclick: shut });
      this.parts.submit = h("button.button.primary", { type: "submit", "data-testid": "modal-submit" });
      this.parts.foot.replaceChildren(this.parts.close, this.parts.submit);
    }
    const { close, submit } = this.parts;
    close.replaceChildren(...[plainText(view.close ?? (view.submit ? "Cancel" : "Close"))].flat());
    submit.replaceChildren(...[plainText(view.submit ?? "")].flat());
    submit.hidden = !view.submit;
    if (waiting) submit.setAttribute("aria-busy", "true");
    else submit.removeAttribute("aria-busy");
  }

  /** Where the view wants it, else the first thing to fill in, else the last button. */
  #focusFirst() {
    const { body, submit, close } = this.parts;
    const wanted = this.modal.view.blocks.find((block) => block.element?.focus_on_load);
    const inside = wanted ? this.blocks.get(wanted.block_id).node : body;
    const first = inside.querySelector("input, select, textarea, button, a.button, summary");
    (first ?? (submit.hidden ? close : submit)).focus();
    body.scrollTop = 0;
  }

  #focusError() {
    const control = this.parts.body.querySelector('[aria-invalid="true"]');
    (control?.querySelector("input") ?? control)?.focus();
  }

  // ── to the server ────────────────────────────────────────────────────────────────────────────────────────────

  /** A button waits for the app; what is filled in is kept by the server at once. */
  #use({ view, blockId, actionId, given, enter }) {
    const sent = this.#send({ op: "use", view, block_id: blockId, action_id: actionId, given, enter: Boolean(enter) });
    if (!sent) return false;
    const input = this.blocks.get(blockId)?.node.querySelector(".input-block");
    if (input) showError(input, null);
    return this.fields.has(`${blockId}/${actionId}`) ? "kept" : true;
  }

  #submit() {
    if (this.modal.waiting || this.parts.submit.hidden) return;
    this.#send({ op: "submit", view: this.modal.view.id });
  }

  #close(whole) {
    this.#send({ op: "close", view: this.modal.view.id, whole });
  }

  #send(message) {
    const sent = this.send(message);
    if (!sent) this.say(LOST);
    return sent;
  }
}
