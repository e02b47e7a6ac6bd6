/**
 * Small helpers that build DOM nodes. Text always becomes a text node; nothing here, or anywhere in this folder,
 * parses a string as HTML. What a message means is decided elsewhere.
 */

/**
 * Make an element: `h("p.note", {title: "x", onclick: f}, "text", node, [more])`.
 * `on*` props become listeners, `true` an empty attribute, null, undefined and false nothing.
 */
export function h(spec, props, ...children) {
  const [tag, ...classes] = spec.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(props ?? {})) setProp(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function setProp(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else node.setAttribute(name, value === true ? "" : String(value));
}

/** Make an SVG drawing from trusted shapes: `[[tag, attributes], …]`, in a 20 × 20 box. */
export function svg(className, shapes) {
  const ns = "http://www.w3.org/2000/svg";
  const root = document.createElementNS(ns, "svg");
  for (const [name, value] of [
    ["viewBox", "0 0 20 20"],
    ["class", className],
    ["aria-hidden", "true"],
  ]) {
    root.setAttribute(name, value);
  }
  for (const [tag, attributes] of shapes) {
    const shape = document.createElementNS(ns, tag);
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, String(value));
    root.append(shape);
  }
  return root;
}

/** The address when it is absolute http or https, else null: only such addresses become links. */
export function webAddress(text) {
  try {
    const url = new URL(String(text));
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

/** A link that opens elsewhere, or the bare label when the address is not a web address. */
export function link(address, label, className = "a") {
  const href = webAddress(address);
  if (href === null) return h("span", {}, label);
  return h(className, { href, target: "_blank", rel: "noopener noreferrer" }, label);
}

/** Only a plain hexadecimal colour may reach a style; anything else falls back. */
export function safeColor(color, fallback = "#5b7480") {
  const text = String(color ?? "");
  const full = text.startsWith("#") ? text : `#${text}`;
  return /^#[0-9a-f]{6}$/i.test(full) ? full : fallback;
}

/** Read a JSON value this browser kept; `fallback` when there is none or storage is refused. */
export function recall(key, fallback) {
  try {
    return JSON.parse(localStorage.getItem(`local-workspace:${key}`)) ?? fallback;
  } catch {
    return fallback;
  }
}

/** Keep a JSON value in this browser; a refusal loses only comfort, so it is not reported. */
export function keep(key, value) {
  try {
    localStorage.setItem(`local-workspace:${key}`, JSON.stringify(value));
  } catch {
    /* private windows refuse storage */
  }
}
