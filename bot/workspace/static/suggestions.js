/** The list of slash commands over the composer: which fit, which one is marked, and taking it. */
import { h } from "./dom.js";

export class Suggestions {
  /** `commands()` gives `{command, usage_hint, description}`; `onTaken()` runs after the text changed. */
  constructor(box, hint, commands, onTaken) {
    Object.assign(this, { box, hint, commands, onTaken, fitting: [], marked: 0, keys: "" });
    this.list = h("ul.suggestions", {
      role: "listbox",
      id: `${box.id}-suggestions`,
      "aria-label": "Commands",
      hidden: true,
      "data-testid": "suggestions",
    });
    for (const [name, value] of [
      ["role", "combobox"],
      ["aria-autocomplete", "list"],
      ["aria-expanded", "false"],
      ["aria-controls", this.list.id],
    ]) {
      box.setAttribute(name, value);
    }
    box.addEventListener("blur", () => this.close());
    box.addEventListener("focus", () => this.refresh());
  }

  /** Look at the text again: the list while the first word is typed, the usage line after it. */
  refresh() {
    const text = this.box.value;
    this.fitting = /^\/\S*$/.test(text) ? this.commands().filter((item) => item.command.startsWith(text)) : [];
    this.marked = 0;
    this.refreshHint();
    this.#paint();
  }

  /** The line under the box: how the typed command is used, else what the keys do. */
  refreshHint() {
    const typed = this.commands().find((item) => this.box.value.startsWith(`${item.command} `));
    this.hint.replaceChildren(typed?.usage_hint ? h("code", {}, `${typed.command} ${typed.usage_hint}`) : this.keys);
  }

  close() {
    this.fitting = [];
    this.refreshHint();
    this.#paint();
  }

  /** Handle a key while the list is open; true when it was used up. */
  onKey(event) {
    if (!this.fitting.length) return false;
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) return this.#move(move);
    if (event.key === "Escape") return this.#dismiss(event);
    const complete = this.fitting.some((item) => item.command === this.box.value) && this.marked === 0;
    const takes = (event.key === "Tab" && !event.shiftKey) || (event.key === "Enter" && !event.shiftKey && !complete);
    return takes ? this.#take(this.fitting[this.marked]) : false;
  }

  #dismiss(event) {
    event.stopPropagation();
    this.close();
    return true;
  }

  #move(step) {
    this.marked = (this.marked + step + this.fitting.length) % this.fitting.length;
    this.#paint();
    return true;
  }

  #take(item) {
    this.box.value = `${item.command} `;
    this.box.focus();
    this.refresh();
    this.onTaken();
    return true;
  }

  #paint() {
    const open = this.fitting.length > 0;
    this.list.hidden = !open;
    this.box.setAttribute("aria-expanded", String(open));
    this.list.replaceChildren(...this.fitting.map((item, index) => this.#option(item, index)));
    if (open) this.box.setAttribute("aria-activedescendant", `${this.list.id}-${this.marked}`);
    else this.box.removeAttribute("aria-activedescendant");
    this.list.children[this.marked]?.scrollIntoView({ block: "nearest" });
  }

  #option(item, index) {
    const take = (event) => {
      event.preventDefault();
      this.#take(item);
    };
    return h(
      "li",
      {
        id: `${this.list.id}-${index}`,
        role: "option",
        "aria-selected": String(index === this.marked),
        onmousedown: take,
      },
      h("code", {}, item.command),
      item.usage_hint && h("span.usage", {}, ` ${item.usage_hint}`),
      item.description && h("span.description", {}, item.description),
    );
  }
}
