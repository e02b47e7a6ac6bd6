/**
 * The box for writing: grows with its text, Enter sends, Shift+Enter breaks the line, ArrowUp brings back what was
 * sent. The list of commands is in suggestions.js. What sending means is `onSend`.
 */
import { h, keep, recall } from "./dom.js";
import { Suggestions } from "./suggestions.js";

const HISTORY_KEPT = 100;

export class Composer {
  /** `onSend(text)` returns false when the text could not go out, and then it stays. `commands()` may be empty. */
  constructor(slot, { testId, onSend, commands = () => [] }) {
    this.onSend = onSend;
    this.testId = testId;
    this.at = 0;
    this.draft = "";
    this.box = h("textarea", {
      "data-testid": testId,
      id: `${testId}-box`,
      rows: 1,
      spellcheck: "false",
      autocomplete: "off",
      autocapitalize: "off",
    });
    this.hint = h("p.hint", { id: `${testId}-hint` });
    this.box.setAttribute("aria-describedby", this.hint.id);
    this.suggestions = new Suggestions(this.box, this.hint, commands, () => this.#grow());
    const form = h(
      "form.composer",
      {
        onsubmit: (event) => {
          event.preventDefault();
          this.#send();
        },
      },
      this.box,
      h(
        "button.send",
        { type: "submit", "data-testid": `${testId}-send`, "aria-label": "Send" },
        h("span", { "aria-hidden": "true" }, "➤"),
      ),
    );
    slot.append(this.suggestions.list, form, this.hint);
    this.box.addEventListener("keydown", (event) => this.#onKey(event));
    this.box.addEventListener("input", () => this.#onInput());
  }

  /** Name what is written to, for the placeholder and for screen readers, and what the keys do. */
  describe(label, keys) {
    this.box.placeholder = label;
    this.box.setAttribute("aria-label", label);
    this.suggestions.keys = keys;
    this.suggestions.refreshHint();
  }

  /** Empty the box, as for another person or thread. */
  clear() {
    this.#set("");
    this.at = 0;
  }

  focus() {
    this.box.focus();
  }

  #onInput() {
    this.at = 0;
    this.suggestions.refresh();
    this.#grow();
  }

  #onKey(event) {
    if (event.isComposing) return;
    if (this.suggestions.onKey(event)) return event.preventDefault();
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#send();
    } else if (event.key === "ArrowUp" && !this.box.value.slice(0, this.box.selectionStart).includes("\n"))
      this.#recall(1, event);
    else if (event.key === "ArrowDown" && this.at > 0 && !this.box.value.slice(this.box.selectionEnd).includes("\n"))
      this.#recall(-1, event);
  }

  #recall(step, event) {
    const past = recall(`sent:${this.testId}`, []);
    const next = this.at + step;
    if (next > past.length) return;
    event.preventDefault();
    if (this.at === 0) this.draft = this.box.value;
    this.#set(next === 0 ? this.draft : past[past.length - next]);
    this.at = next;
  }

  #send() {
    const text = this.box.value.trim();
    if (!text || this.onSend(text) === false) return;
    const past = recall(`sent:${this.testId}`, []).filter((old) => old !== text);
    keep(`sent:${this.testId}`, [...past, text].slice(-HISTORY_KEPT));
    this.clear();
  }

  #set(text) {
    this.box.value = text;
    this.box.setSelectionRange(text.length, text.length);
    this.suggestions.close();
    this.#grow();
  }

  #grow() {
    this.box.style.height = "auto";
    if (this.box.scrollHeight) this.box.style.height = `${Math.min(this.box.scrollHeight, 180)}px`;
  }
}
