/** A file as a card: name, size, first lines, a link to the whole. Only this server and web addresses are linked. */
import { h, svg } from "./dom.js";

const PAPER = [
  ["path", { d: "M4 1.5h8l4 4v13H4z", fill: "currentColor", opacity: 0.18 }],
  [
    "path",
    {
      d: "M4 1.5h8l4 4v13H4zM12 1.5v4h4M7 10h6M7 13h6M7 16h3",
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.2,
    },
  ],
];

/** A card for `{id, name, size, url, preview}`; size in bytes. */
export function fileCard(file) {
  const href = downloadAddress(file.url);
  const name = String(file.name ?? "file");
  return h(
    "section.file",
    { "data-testid": "file", "aria-label": `File ${name}` },
    h(
      "div.file-head",
      {},
      svg("file-icon", PAPER),
      h("span.file-name", {}, name),
      h("span.quiet", {}, sizeText(file.size)),
      href && h("a.button.file-link", { href, download: name, "data-testid": "file-link" }, "Download"),
    ),
    file.preview &&
      h(
        "pre.file-preview",
        { tabindex: 0, "aria-label": `First lines of ${name}` },
        h("code", {}, String(file.preview)),
      ),
  );
}

function downloadAddress(text) {
  if (!text) return null;
  try {
    const url = new URL(text, location.href);
    return ["http:", "https:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function sizeText(bytes) {
  if (!Number.isFinite(bytes)) return "";
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} kB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
