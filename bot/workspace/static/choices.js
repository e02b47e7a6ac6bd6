/** Checkboxes and radio buttons of a block: a group of native ones, so that the keyboard works as everywhere. */
import { act, follow, held, hooks } from "./acting.js";
import { h } from "./dom.js";
import { textObject } from "./mrkdwn.js";

let groups = 0;

/** Any number of options. */
export function checkboxes(element, place, ctx, labels) {
  const chosen = held(element, place, "selected_options", "initial_options") ?? [];
  return choices(element, place, ctx, labels, {
    type: "checkbox",
    chosen,
    given: (picked) => picked,
    state: (state) => state.selected_options,
  });
}

/** One option, or none yet. */
export function radioButtons(element, place, ctx, labels) {
  const chosen = [held(element, place, "selected_option", "initial_option")];
  return choices(element, place, ctx, labels, {
    type: "radio",
    chosen,
    given: ([picked]) => picked ?? null,
    state: (state) => [state.selected_option],
  });
}

function choices(element, place, ctx, labels, { type, chosen, given, state }) {
  const name = `choice-${++groups}`;
  const options = element.options ?? [];
  const boxes = options.map((_, index) => h("input", { type, name, value: index }));
  const show = (wanted) =>
    boxes.forEach((box, index) => (box.checked = wanted.some((option) => option?.value === options[index].value)));
  const { id, ...described } = labels;
  const group = h(
    "div.choices",
    {
      ...hooks(element, place),
      role: type === "radio" ? "radiogroup" : "group",
      tabindex: -1,
      "data-testid": "choices",
      "aria-labelledby": id ? `${id}-label` : null,
      ...described,
    },
    options.map((option, index) =>
      h(
        "label.choice",
        {},
        boxes[index],
        h(
          "span",
          {},
          textObject(option.text, ctx),
          option.description && h("span.choice-more", {}, textObject(option.description, ctx)),
        ),
      ),
    ),
  );
  show(chosen);
  group.addEventListener("change", async () => {
    const picked = options.filter((_, index) => boxes[index].checked);
    if (await act(group, element, place, ctx, given(picked))) chosen = picked;
    else show(chosen);
  });
  follow(element, place, ctx, (now) => show((chosen = state(now))));
  return group;
}
