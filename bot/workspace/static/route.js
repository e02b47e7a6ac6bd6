/** What the address says: `?user=NAME&channel=NAME&thread=TS`, so that a view can be opened and gone back to. */

/** The wishes in the address; each may be null. */
export function readRoute() {
  const query = new URLSearchParams(location.search);
  return { user: query.get("user"), channel: query.get("channel"), thread: query.get("thread") };
}

/** Write the view into the address; `push` makes a step that Back undoes. */
export function writeRoute(route, { push = false } = {}) {
  const query = new URLSearchParams(Object.entries(route).filter(([, value]) => value));
  const address = `${location.pathname}?${query}`;
  if (address === location.pathname + location.search) return;
  history[push ? "pushState" : "replaceState"](null, "", address);
}
