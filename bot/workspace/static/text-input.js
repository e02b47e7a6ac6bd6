/** A text to be typed in a modal, in one line or in several. Every change is told, so that nothing typed is lost. */
import { follow, held, hooks } from "./acting.js";
import { h } from "./dom.js";

const ROWS = 4;

export function textInput(element, place, ctx, labels) {
  const node = h(element.multiline ? "textarea.input" : "input.input", {
    ...hooks(element, place),
    type: element.multiline ? null : "text",
    rows: element.multiline ? ROWS : null,
    placeholder: element.placeholder?.text,
    autocomplete: "off",
    "data-testid": "text-input",
    "aria-label": labels.id ? null : (element.placeholder?.text ?? "Text"),
    ...labels,
  });
  node.value = held(element, place, "value", "initial_value") ?? "";
  const tell = (enter) => ctx.click({ ...place, actionId: element.action_id, given: node.value, enter });
  node.addEventListener("input", () => tell(false));
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || !entersOnItsOwn(element, place)) return;
    event.preventDefault();
    tell(true);
  });
  follow(element, place, ctx, (state) => (node.value = state.value ?? ""));
  return node;
}

/** Whether Enter tells the app at once, instead of submitting the whole (or breaking the line). */
function entersOnItsOwn(element, place) {
  const when = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  return Boolean(place.told) && !element.multiline && when.includes("on_enter_pressed");
}
