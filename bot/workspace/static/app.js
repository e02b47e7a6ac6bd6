/** The page of the local workspace: puts the parts together and follows the server. Each part has its own file. */
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { h, keep, recall } from "./dom.js";
import { ListView } from "./list-view.js";
import { Modal } from "./modal.js";
import { readRoute, writeRoute } from "./route.js";
import { Searches } from "./searches.js";
import { channelSign, paintSidebar, paintUserSelect } from "./sidebar.js";
import { isReply, Store } from "./store.js";

const TOAST_MS = 8000;
const NARROW = matchMedia("(max-width: 760px)");
const at = (id) => document.getElementById(id);

const store = new Store();
const view = { channel: null, thread: null, known: false, opener: null };
const ctx = {
  get users() {
    return store.users;
  },
  get channels() {
    return store.channels;
  },
  get me() {
    return store.me;
  },
  click,
  search: (what) => searches.ask(what),
  openThread,
  openChannel,
};
const main = new ListView(at("messages"), ctx, (pinned) => {
  if (pinned) at("jump").hidden = true;
});
const thread = new ListView(at("thread-messages"), ctx);
const composer = new Composer(at("composer"), {
  testId: "composer",
  commands: () => store.commands,
  onSend: (text) => say(text, null),
});
const threadComposer = new Composer(at("thread-composer"), {
  testId: "thread-composer",
  onSend: (text) => say(text, view.thread),
});
const connection = new Connection({ onOpen: hello, onMessage: receive, onLost: lost });
const searches = new Searches((message) => connection.send(message));
const modal = new Modal(ctx, { send: (message) => connection.send(message), onClosed: () => composer.focus() });

// ── to the server ──────────────────────────────────────────────────────────────────────────────────────────────

function hello() {
  connection.send({ op: "hello", user: view.known ? store.me : (readRoute().user ?? recall("user", null)) });
}

function say(text, threadTs) {
  const sent = connection.send({ op: "send", channel: view.channel, thread_ts: threadTs, text });
  if (!sent)
    toast("Not connected just now: your text is still in the box. It can be sent when the connection is back.");
  else (threadTs ? thread : main).toEnd();
  return sent;
}

function click({ channel, ts, blockId, actionId, ephemeral, given }) {
  const sent = connection.send({ op: "click", channel, ts, block_id: blockId, action_id: actionId, ephemeral, given });
  if (!sent) toast("Not connected just now: the click went nowhere. Try it again when the connection is back.");
  return sent;
}

function lost() {
  searches.lost();
  paintConnection();
}

// ── from the server ────────────────────────────────────────────────────────────────────────────────────────────

function receive(event) {
  switch (event.op) {
    case "state":
      return takeState(event);
    case "message":
      return takeMessage(event);
    case "deleted":
      return (store.remove(event.channel, event.ts), paintPanes());
    case "notice":
      return takeNotice(event);
    case "modal":
      return modal.sync(event.modal);
    case "used":
      return modal.settle();
    case "options":
      return searches.take(event);
    case "app":
      return (Object.assign(store.app, event), paintConnection());
    case "error":
      return modal.isOpen ? modal.say(event.text) : toast(event.text);
    default:
      return console.warn("unknown event", event.op);
  }
}

function takeState(state) {
  const samePerson = view.known && store.me === state.me;
  store.reset(state);
  keep("user", state.me);
  const wish = view.known ? { channel: view.channel, thread: view.thread } : readRoute();
  Object.assign(view, { known: true, channel: channelFor(wish.channel), thread: wish.thread ?? null });
  if (!samePerson) {
    forget();
    at("live").replaceChildren();
  }
  at("team").textContent = state.team.name;
  paintUserSelect(at("user-select"), store);
  paintAll();
  modal.sync(state.modal);
}

function channelFor(wish) {
  const all = [...store.channels.values()];
  return (
    (store.findChannel(wish) ?? all.find((channel) => channel.is_member_bot && !channel.is_im) ?? all[0])?.id ?? null
  );
}

function takeMessage({ channel, message }) {
  const isNew = store.put(channel, message);
  if (isNew) noteArrival(channel, message);
  const mine = isNew && message.user === store.me && !isReply(message) && channel === view.channel;
  paintPanes({ toEnd: mine });
}

function noteArrival(channel, message) {
  const forMe = message.ephemeral || message.mentions_me;
  const seen = channel === view.channel && message.thread_ts === view.thread;
  if (isReply(message) && forMe && !seen) store.news.add(`${channel}/${message.thread_ts}`);
  if (channel !== view.channel || (isReply(message) && !seen && !forMe)) return;
  announce(`${message.username || store.users.get(message.user)?.name || "app"}: ${message.text || "a message"}`);
  if (!main.pinned && !isReply(message)) at("jump").hidden = false;
}

function takeNotice(notice) {
  store.addNotice(notice);
  if (notice.thread_ts && notice.thread_ts !== view.thread) store.news.add(`${notice.channel}/${notice.thread_ts}`);
  announce(`Only visible to you: ${notice.text}`);
  paintPanes();
}

function announce(text) {
  at("live").replaceChildren(h("p", {}, text.slice(0, 300)));
}

function toast(text) {
  const node = h(
    "div.toast",
    { "data-testid": "error" },
    h("span", {}, text),
    h("button.icon-button", { type: "button", "aria-label": "Dismiss", onclick: () => node.remove() }, "✕"),
  );
  at("toasts").replaceChildren(node);
  setTimeout(() => node.remove(), TOAST_MS);
}

// ── where one is ───────────────────────────────────────────────────────────────────────────────────────────────

function openChannel(id) {
  showMenu(false);
  if (id === view.channel) return;
  Object.assign(view, { channel: id, thread: null });
  forget();
  paintAll({ push: true });
  if (!NARROW.matches) composer.focus();
}

function openThread(message) {
  view.opener = document.activeElement;
  view.thread = message.thread_ts || message.ts;
  thread.clear();
  threadComposer.clear();
  paintAll({ push: true });
  if (NARROW.matches) at("thread-close").focus();
  else threadComposer.focus();
}

function closeThread() {
  if (!view.thread) return;
  const root = at("messages").querySelector(`[data-ts="${CSS.escape(view.thread)}"]`);
  view.thread = null;
  paintAll({ push: true });
  (view.opener?.isConnected ? view.opener : (root?.querySelector(".replies") ?? composer)).focus();
}

function forget() {
  main.clear();
  thread.clear();
  composer.clear();
  threadComposer.clear();
  at("jump").hidden = true;
}

function showMenu(open) {
  at("layout").classList.toggle("menu-open", open);
  at("menu-button").setAttribute("aria-expanded", String(open));
}

// ── painting ───────────────────────────────────────────────────────────────────────────────────────────────────

function paintAll({ push = false } = {}) {
  const channel = store.channels.get(view.channel);
  if (channel)
    writeRoute({ user: store.users.get(store.me)?.name, channel: channel.name, thread: view.thread }, { push });
  paintHeads(channel);
  paintConnection();
  paintPanes();
}

function paintHeads(channel) {
  const name = channel ? `${channel.is_im ? "@" : "#"}${channel.name}` : "No channel";
  document.title = `${name} · Local workspace · not Slack`;
  at("channel-title").replaceChildren(
    ...(channel ? [h("span.channel-sign", { "aria-hidden": "true" }, channelSign(channel)), channel.name] : [name]),
  );
  at("channel-note").textContent =
    channel && !channel.is_im && channel.is_member_bot === false ? "The app is not in this channel." : "";
  at("messages").setAttribute("aria-label", `Messages in ${name}`);
  at("thread-note").textContent = name;
  composer.describe(`Message ${name}`, "Enter sends · / lists commands · ↑ brings back what you sent");
  threadComposer.describe("Reply in this thread", "Enter sends · Esc closes the thread");
}

function paintPanes({ toEnd = false } = {}) {
  if (!view.channel) return;
  if (view.thread) store.news.delete(`${view.channel}/${view.thread}`);
  if (document.visibilityState === "visible") store.markRead(view.channel);
  main.sync(store.channelItems(view.channel), { toEnd });
  at("messages").classList.toggle("empty", !at("messages").childElementCount);
  at("thread").hidden = !view.thread;
  at("layout").classList.toggle("thread-open", Boolean(view.thread));
  if (view.thread) thread.sync(store.threadItems(view.channel, view.thread));
  paintSidebar(at("sidebar"), store, view.channel, openChannel);
}

function paintConnection() {
  const state = !connection?.isOpen ? "reconnecting" : store.app.connected ? "connected" : "app-offline";
  const words = { reconnecting: "Reconnecting…", connected: "App connected", "app-offline": "App not connected" };
  at("connection").dataset.state = state;
  at("connection-state").dataset.state = state;
  at("connection-state").textContent = words[state];
  const { connections = 0, mode } = store.app;
  const count = `${connections} ${connections === 1 ? "connection" : "connections"}`;
  at("connection-detail").textContent =
    state === "connected"
      ? [mode, count].filter(Boolean).join(" · ")
      : "Commands and clicks get no answer until an app connects.";
}

// ── listeners ──────────────────────────────────────────────────────────────────────────────────────────────────

at("user-select").addEventListener("change", (event) =>
  connection.send({ op: "hello", user: event.currentTarget.value }),
);
at("thread-close").addEventListener("click", closeThread);
at("jump").addEventListener("click", () => main.toEnd());
at("menu-button").addEventListener("click", () => showMenu(!at("layout").classList.contains("menu-open")));
at("main").addEventListener("click", () => showMenu(false), { capture: true });
at("debug-disconnect").addEventListener("click", () => {
  connection.send({ op: "debug", do: "disconnect" });
  at("connection").open = false;
});
at("connection").addEventListener("focusout", (event) => {
  if (!at("connection").contains(event.relatedTarget)) at("connection").open = false;
});
at("skip-to-composer").addEventListener("click", (event) => {
  event.preventDefault(); // the address has the channel, and stays
  at("composer").querySelector("textarea").focus();
});
document.addEventListener("visibilitychange", () => paintPanes());
addEventListener("popstate", () => {
  const { channel, thread: root } = readRoute();
  Object.assign(view, { channel: channelFor(channel), thread: root });
  forget();
  paintAll();
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (at("connection").open) at("connection").open = false;
  else if (at("layout").classList.contains("menu-open")) showMenu(false);
  else closeThread();
});
