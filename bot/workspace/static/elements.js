/**
 * The interactive elements of blocks, one function a type: buttons, selects and overflow menus here, the others in files
 * of their own. What using one means is in acting.js.
 */
import { act, follow, held, hooks, optionText } from "./acting.js";
import { checkboxes, radioButtons } from "./choices.js";
import { Combobox } from "./combobox.js";
import { h, link, webAddress } from "./dom.js";
import { plainText } from "./mrkdwn.js";
import { textInput } from "./text-input.js";

const KINDS = {
  button,
  overflow,
  static_select: select,
  external_select: (element, place, ctx, labels) => new Combobox(element, place, ctx, labels).node,
  checkboxes,
  radio_buttons: radioButtons,
  plain_text_input: textInput,
};

/**
 * Any element; `place` says which message or view and block it stands in, and what it holds. `labels`: attributes that
 * name it, when something beside it does.
 */
export function interactive(element, place, ctx, labels = {}) {
  const kind = String(element.type);
  if (!Object.hasOwn(KINDS, kind)) return h("span.unknown", {}, `Unknown element: ${kind}`);
  return KINDS[kind](element, place, ctx, labels);
}

function button(element, place, ctx) {
  const style = ["primary", "danger"].includes(element.style) ? `.${element.style}` : "";
  const onclick = (event) => act(event.currentTarget, element, place, ctx);
  const props = {
    ...hooks(element, place),
    "data-testid": "button",
    "aria-label": element.accessibility_label,
    onclick,
  };
  if (element.url && webAddress(element.url)) {
    const anchor = link(element.url, plainText(element.text), `a.button${style}`);
    for (const [name, value] of Object.entries(hooks(element, place))) anchor.setAttribute(name, value);
    anchor.addEventListener("click", onclick);
    return anchor;
  }
  return h(`button.button${style}`, { type: "button", ...props }, plainText(element.text));
}

function select(element, place, ctx, labels) {
  const groups = element.option_groups ?? [{ options: element.options ?? [] }];
  const options = groups.flatMap((group) => group.options ?? []);
  const indexOf = (option) => options.findIndex((one) => one.value === option?.value);
  const numbered = (index) => (index < 0 ? "" : String(index));
  let chosen = numbered(indexOf(held(element, place, "selected_option", "initial_option")));
  let number = 0;
  const item = (option) => h("option", { value: number++ }, optionText(option));
  const list = groups.map((group) =>
    group.label ? h("optgroup", { label: group.label.text }, group.options.map(item)) : (group.options ?? []).map(item),
  );
  const label = element.placeholder?.text ?? "Choose";
  const empty = h("option", place.optional ? { value: "" } : { value: "", disabled: true, hidden: true }, label);
  const node = h(
    "select.select",
    { ...hooks(element, place), "data-testid": "select", "aria-label": labels.id ? null : label, ...labels },
    empty,
    list,
  );
  node.value = chosen;
  node.addEventListener("change", async () => {
    if (await act(node, element, place, ctx, options[Number(node.value || NaN)] ?? null)) chosen = node.value;
    else node.value = chosen;
  });
  follow(element, place, ctx, (state) => (node.value = chosen = numbered(indexOf(state.selected_option))));
  return node;
}

function overflow(element, place, ctx) {
  const summary = h("summary.button", { ...hooks(element, place), "aria-label": "More actions" }, "⋯");
  const menu = h("details.overflow", {}, summary);
  const choose = (option) => async () => {
    menu.open = false;
    summary.focus();
    await act(summary, element, place, ctx, option);
  };
  menu.addEventListener("focusout", (event) => {
    if (!menu.contains(event.relatedTarget)) menu.open = false;
  });
  const items = (element.options ?? []).map((option) =>
    h("button", { type: "button", onclick: choose(option) }, optionText(option)),
  );
  menu.append(h("div.popover", {}, items));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.preventDefault();
    event.stopPropagation();
    menu.open = false;
    summary.focus();
  });
  return menu;
}
