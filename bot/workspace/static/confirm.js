/** Confirm dialogs, as an app asks for them before a click is sent. Resolves to a boolean; never sends anything. */
import { h } from "./dom.js";
import { plainText, textObject } from "./mrkdwn.js";

/** Ask; true for the confirm button, false for deny and for Esc. The deny button has the focus at first. */
export function askConfirm(confirm, ctx) {
  return new Promise((resolve) => {
    const dialog = confirmDialog(confirm, ctx);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function confirmDialog(confirm, ctx) {
  const style = confirm.style === "danger" ? "danger" : "primary";
  return h(
    "dialog.confirm",
    { "data-testid": "confirm-dialog", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id: "confirm-title" }, plainText(confirm.title ?? "Are you sure?")),
      h("div.confirm-text", { id: "confirm-text" }, textObject(confirm.text ?? "", ctx)),
      h(
        "div.confirm-buttons",
        {},
        h(
          "button.button",
          { value: "no", "data-testid": "confirm-deny", autofocus: true },
          plainText(confirm.deny ?? "Cancel"),
        ),
        h(`button.button.${style}`, { value: "yes", "data-testid": "confirm-ok" }, plainText(confirm.confirm ?? "Yes")),
      ),
    ),
  );
}
