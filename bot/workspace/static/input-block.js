/** An input block of a modal: label, element, hint, and the error at it. What it holds is the element's business. */
import { h } from "./dom.js";
import { interactive } from "./elements.js";
import { plainText } from "./mrkdwn.js";

const GROUPS = ["checkboxes", "radio_buttons"];

let made = 0;

export function inputBlock(block, place, ctx) {
  const id = `input-${++made}`;
  const { element } = block;
  const optional = Boolean(block.optional);
  const labels = {
    id,
    "aria-describedby": [block.hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" "),
    "aria-required": optional ? null : "true",
  };
  const inside = { ...place, optional, told: Boolean(block.dispatch_action) };
  const name = [plainText(block.label), optional && h("span.optional", {}, " (optional)")];
  const grouped = GROUPS.includes(element.type);
  return h(
    "div.input-block",
    { "data-block-id": place.blockId, "data-testid": "input-block" },
    grouped
      ? h("p.input-label", { id: `${id}-label` }, name)
      : h("label.input-label", { id: `${id}-label`, for: id }, name),
    interactive(element, inside, ctx, labels),
    block.hint && h("p.input-hint", { id: `${id}-hint` }, plainText(block.hint)),
    h("p.input-error", { id: `${id}-error`, "data-testid": "input-error", hidden: true }),
  );
}

/** Show what is wrong with an input, or nothing. */
export function showError(node, text) {
  const error = node.querySelector(".input-error");
  const control = node.querySelector("[data-action-id]");
  error.textContent = text ?? "";
  error.hidden = !text;
  if (text) control?.setAttribute("aria-invalid", "true");
  else control?.removeAttribute("aria-invalid");
}
