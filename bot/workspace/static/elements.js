/**
 * The interactive elements of blocks: buttons, selects and overflow menus, with their pending state. What a click
 * reaches is `ctx.click`; whether it may happen is the server's business.
 */
import { askConfirm } from "./confirm.js";
import { h, link, webAddress } from "./dom.js";
import { plainText } from "./mrkdwn.js";

const PENDING_MS = 3000;

/** Any element of an `actions` block or an accessory; `place` says which message and block it stands in. */
export function interactive(element, place, ctx) {
  switch (element.type) {
    case "button":
      return button(element, place, ctx);
    case "static_select":
      return select(element, place, ctx);
    case "overflow":
      return overflow(element, place, ctx);
    default:
      return h("span.unknown", {}, `Unknown element: ${element.type}`);
  }
}

/** Forget that anything below `root` waits for an answer. */
export function settle(root) {
  for (const node of root.querySelectorAll('[aria-busy="true"]')) node.removeAttribute("aria-busy");
}

function hooks(element, place) {
  return {
    "data-action-id": element.action_id,
    "data-block-id": place.blockId,
    "data-focus": `${place.blockId}/${element.action_id}`,
  };
}

/** Ask when the element wants it, send once, and show that an answer is awaited. */
async function act(node, element, place, ctx, answer, confirm = element.confirm) {
  if (node.getAttribute("aria-busy") === "true") return false;
  if (confirm && !(await askConfirm(confirm, ctx))) return false;
  if (!ctx.click({ ...place, actionId: element.action_id, ...answer })) return false;
  node.setAttribute("aria-busy", "true");
  setTimeout(() => node.removeAttribute("aria-busy"), PENDING_MS);
  return true;
}

function button(element, place, ctx) {
  const style = ["primary", "danger"].includes(element.style) ? `.${element.style}` : "";
  const onclick = (event) => act(event.currentTarget, element, place, ctx, { value: element.value });
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

function select(element, place, ctx) {
  const groups = element.option_groups ?? [{ options: element.options ?? [] }];
  const options = groups.flatMap((group) => group.options ?? []);
  const initial = options.findIndex((option) => option.value === element.initial_option?.value);
  let number = 0;
  const item = (option) => h("option", { value: number, selected: number++ === initial }, optionText(option));
  const list = groups.map((group) =>
    group.label ? h("optgroup", { label: group.label.text }, group.options.map(item)) : (group.options ?? []).map(item),
  );
  const label = element.placeholder?.text ?? "Choose";
  const empty = initial < 0 && h("option", { value: "", disabled: true, selected: true, hidden: true }, label);
  const onchange = async ({ currentTarget: node }) => {
    const before = initial < 0 ? "" : String(initial);
    if (!(await act(node, element, place, ctx, { selectedOption: options[Number(node.value)] }))) node.value = before;
  };
  return h(
    "select.select",
    { ...hooks(element, place), "data-testid": "select", "aria-label": label, onchange },
    empty,
    list,
  );
}

const optionText = (option) => String(option.text?.text ?? option.value);

function overflow(element, place, ctx) {
  const summary = h("summary.button", { ...hooks(element, place), "aria-label": "More actions" }, "⋯");
  const menu = h("details.overflow", {}, summary);
  const choose = (option) => async () => {
    menu.open = false;
    summary.focus();
    await act(summary, element, place, ctx, { selectedOption: option });
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
    event.stopPropagation();
    menu.open = false;
    summary.focus();
  });
  return menu;
}
