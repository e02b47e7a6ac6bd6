/**
 * A select whose options the app finds while one types: a combobox with a listbox. Arrows mark, Enter takes, Escape
 * shuts the list. The list hangs over everything at a fixed place, since a modal or a pane would cut it off.
 */
import { act, follow, held, hooks, optionText } from "./acting.js";
import { h } from "./dom.js";

const PAUSE_MS = 250;
const SHORTEST = 3; // characters, when the element does not say
const TALLEST_PX = 280;
const GAP_PX = 4;

let made = 0;

export class Combobox {
  constructor(element, place, ctx, labels) {
    Object.assign(this, { element, place, ctx, options: [], marked: -1, asked: 0, typing: false, timer: null });
    this.chosen = held(element, place, "selected_option", "initial_option") ?? null;
    const id = labels.id ?? `combobox-${++made}`;
    this.list = h("ul.combo-list", { role: "listbox", id: `${id}-list`, "aria-label": "Options" });
    this.status = h("p.combo-status", { role: "status", "data-testid": "options-status" });
    this.popup = h("div.combo-popup", { hidden: true, "data-testid": "options" }, this.list, this.status);
    this.clear = h("button.combo-clear", { type: "button", "aria-label": "Clear", hidden: true }, "✕");
    this.box = h("input.input", {
      ...hooks(element, place),
      type: "text",
      role: "combobox",
      autocomplete: "off",
      spellcheck: "false",
      placeholder: element.placeholder?.text ?? "Search",
      "data-testid": "external-select",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this.list.id,
      "aria-label": labels.id ? null : (element.placeholder?.text ?? "Search"),
      ...labels,
    });
    this.node = h("div.combobox", {}, this.box, this.clear, this.popup);
    this.#listen();
    this.#rest();
    follow(element, place, ctx, (state) => {
      this.chosen = state.selected_option;
      this.#rest();
    });
  }

  get least() {
    return this.element.min_query_length ?? SHORTEST;
  }

  #listen() {
    this.box.addEventListener("focus", () => this.box.select());
    this.box.addEventListener("click", () => this.popup.hidden && this.#open());
    this.box.addEventListener("input", () => this.#typed());
    this.box.addEventListener("keydown", (event) => this.#onKey(event));
    this.box.addEventListener("blur", () => this.#rest());
    this.clear.addEventListener("click", () => this.#take(null));
    this.popup.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
    this.onMove = () => (this.node.isConnected ? this.#hang() : this.#shut());
  }

  #onKey(event) {
    if (event.isComposing) return;
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) {
      event.preventDefault();
      if (this.popup.hidden) this.#open();
      else this.#mark(this.marked + move);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!this.popup.hidden && this.options[this.marked]) this.#take(this.options[this.marked]);
    } else if (event.key === "Escape" && !this.popup.hidden) {
      event.preventDefault();
      event.stopPropagation();
      this.#rest();
    }
  }

  /** Begin a search with what was typed just now; a name that was chosen before is no search. */
  #open() {
    this.#show();
    this.#search(this.typing ? this.box.value : "");
  }

  #typed() {
    this.typing = true;
    this.#show();
    clearTimeout(this.timer);
    this.asked += 1; // what is on its way is too late now
    const typed = this.box.value;
    if (typed.length < this.least) return this.#search(typed);
    this.#say("Searching…");
    this.timer = setTimeout(() => this.#search(typed), PAUSE_MS);
  }

  async #search(typed) {
    if (typed.length < this.least) {
      this.#offer([]);
      return this.#say(`Type ${this.least === 1 ? "a character" : `${this.least} characters`} to search`);
    }
    this.#say("Searching…");
    const number = ++this.asked;
    const { place, element } = this;
    const answer = await this.ctx.search({ ...place, actionId: element.action_id, typed });
    if (number !== this.asked || this.popup.hidden) return;
    this.#offer(answer.option_groups ?? [{ options: answer.options ?? [] }]);
    const nothing = answer.trouble ?? (this.options.length ? "" : "Nothing could be found");
    this.#say(nothing, answer.why);
  }

  #offer(groups) {
    this.options = groups.flatMap((group) => group.options ?? []);
    let number = 0;
    this.list.replaceChildren(
      ...groups.flatMap((group) => [
        ...(group.label ? [h("li.combo-group", { role: "presentation" }, group.label.text)] : []),
        ...(group.options ?? []).map((option) => this.#item(option, number++)),
      ]),
    );
    this.list.hidden = !this.options.length;
    const before = this.options.findIndex((option) => option.value === this.chosen?.value);
    this.#mark(Math.max(before, 0));
  }

  #item(option, index) {
    return h(
      "li.combo-option",
      {
        role: "option",
        id: `${this.list.id}-${index}`,
        "data-testid": "option",
        onclick: () => this.#take(option),
      },
      optionText(option),
      option.description && h("span.description", {}, String(option.description.text)),
    );
  }

  #mark(index) {
    const count = this.options.length;
    this.marked = count ? (index + count) % count : -1;
    const items = [...this.list.querySelectorAll('[role="option"]')];
    items.forEach((item, at) => item.setAttribute("aria-selected", String(at === this.marked)));
    if (this.marked < 0) return this.box.removeAttribute("aria-activedescendant");
    this.box.setAttribute("aria-activedescendant", items[this.marked].id);
    items[this.marked].scrollIntoView({ block: "nearest" });
  }

  async #take(option) {
    const before = this.chosen;
    this.chosen = option;
    this.#rest();
    if (await act(this.box, this.element, this.place, this.ctx, option)) return;
    this.chosen = before;
    this.#rest();
  }

  /** Nothing is searched: the list is shut, and the box shows what is chosen. */
  #rest() {
    this.typing = false;
    this.#shut();
    this.box.value = this.chosen ? optionText(this.chosen) : "";
    this.clear.hidden = !this.chosen || !this.place.optional;
  }

  #show() {
    if (!this.popup.hidden) return;
    this.popup.hidden = false;
    this.box.setAttribute("aria-expanded", "true");
    this.#hang();
    addEventListener("scroll", this.onMove, { capture: true });
    addEventListener("resize", this.onMove);
  }

  #shut() {
    clearTimeout(this.timer);
    this.asked += 1;
    this.popup.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
    this.#offer([]);
    removeEventListener("scroll", this.onMove, { capture: true });
    removeEventListener("resize", this.onMove);
  }

  /** Below the box, or above it when there is more room. */
  #hang() {
    const { left, top, bottom, width } = this.box.getBoundingClientRect();
    const below = innerHeight - bottom - 2 * GAP_PX;
    const above = top - 2 * GAP_PX;
    const up = below < TALLEST_PX && above > below;
    const style = this.popup.style;
    style.setProperty("left", `${left}px`);
    style.setProperty("width", `${width}px`);
    style.setProperty("max-height", `${Math.min(TALLEST_PX, up ? above : below)}px`);
    style.setProperty("top", up ? "auto" : `${bottom + GAP_PX}px`);
    style.setProperty("bottom", up ? `${innerHeight - top + GAP_PX}px` : "auto");
  }

  #say(text, why = "") {
    this.status.replaceChildren(text, why && h("span.why", {}, why));
    this.status.hidden = !text;
  }
}
