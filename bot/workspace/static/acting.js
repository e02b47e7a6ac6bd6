/**
 * What all interactive elements share: the ids they are found by, what they hold, and being used. What a use reaches is
 * `ctx.click`; whether it may happen is the server's business.
 */
import { askConfirm } from "./confirm.js";

const PENDING_MS = 3000;

/** Forget that anything below `root` waits for an answer. */
export function settle(root) {
  for (const node of root.querySelectorAll('[aria-busy="true"]')) node.removeAttribute("aria-busy");
}

/** What tests, and a focus that must come back, find an element by. */
export function hooks(element, place) {
  return {
    "data-action-id": element.action_id,
    "data-block-id": place.blockId,
    "data-focus": `${place.blockId}/${element.action_id}`,
  };
}

/** What an element holds: as it was filled in, in a modal; as it begins, in a message. */
export function held(element, place, name, initial) {
  return place.values ? place.values[element.action_id]?.[name] : element[initial];
}

/** Tell the modal how to show what another tab filled in; a message has nothing of the kind. */
export function follow(element, place, ctx, take) {
  ctx.fields?.set(`${place.blockId}/${element.action_id}`, take);
}

/** Ask when the element wants it, send once, and show that an answer is awaited. */
export async function act(node, element, place, ctx, given = null, confirm = element.confirm) {
  if (node.getAttribute("aria-busy") === "true") return false;
  if (confirm && !(await askConfirm(confirm, ctx))) return false;
  const sent = ctx.click({ ...place, actionId: element.action_id, given });
  if (!sent) return false;
  if (sent === "kept") return true;
  node.setAttribute("aria-busy", "true");
  setTimeout(() => node.removeAttribute("aria-busy"), PENDING_MS);
  return true;
}

export const optionText = (option) => String(option.text?.text ?? option.value);
