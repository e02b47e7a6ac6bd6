/** The list of channels with unread marks, and the selector of who is looking. */
import { h } from "./dom.js";

/** Draw the list; `open(id)` is called with a channel's id. */
export function paintSidebar(nav, store, current, open) {
  const all = [...store.channels.values()];
  const focused = nav.contains(document.activeElement) ? document.activeElement.dataset.testid : null;
  nav.replaceChildren(
    ...group(
      "Channels",
      all.filter((channel) => !channel.is_im),
      store,
      current,
      open,
    ),
    ...group(
      "Direct messages",
      all.filter((channel) => channel.is_im),
      store,
      current,
      open,
    ),
    h("p.sidebar-note", {}, "Everything here runs on this machine. Nothing is sent to Slack."),
  );
  if (focused) nav.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus();
}

function group(title, channels, store, current, open) {
  if (!channels.length) return [];
  return [
    h("h2", {}, title),
    h(
      "ul",
      {},
      channels.map((channel) => h("li", {}, entry(channel, store, current, open))),
    ),
  ];
}

function entry(channel, store, current, open) {
  const { count, mentions } = channel.id === current ? { count: 0, mentions: 0 } : store.unread(channel.id);
  return h(
    count ? "button.channel.unread" : "button.channel",
    {
      type: "button",
      "data-testid": `channel-${channel.name}`,
      "aria-current": channel.id === current ? "page" : null,
      onclick: () => open(channel.id),
    },
    h("span.channel-sign", { "aria-hidden": "true" }, channelSign(channel)),
    h("span.channel-name", {}, channel.name),
    count > 0 &&
      h(
        mentions ? "span.count.count-mention" : "span.count",
        { "data-testid": "unread" },
        String(mentions || count),
        h("span.sr-only", {}, " unread"),
      ),
  );
}

/** `#`, a lock's stand-in for private channels, or `@`. */
export function channelSign(channel) {
  if (channel.is_im) return "@";
  return channel.is_private ? "◆" : "#";
}

/** Fill the selector with the people one can be; apps are left out. */
export function paintUserSelect(select, store) {
  const people = [...store.users.values()].filter((user) => !["bot", "app"].includes(user.kind));
  select.replaceChildren(
    ...people.map((user) => h("option", { value: user.id, selected: user.id === store.me }, userLabel(user))),
  );
  select.value = store.me;
}

function userLabel(user) {
  const ordinary = ["member", "user", "human", "person", "full", ""].includes(user.kind ?? "");
  return ordinary ? user.name : `${user.name} (${user.kind})`;
}
