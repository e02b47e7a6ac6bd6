/**
 * What the page knows: the server's state, the messages, what was read. No DOM here; every change is followed by a
 * repaint that app.js starts.
 */
import { keep, recall } from "./dom.js";
import { dayKey, dayName } from "./times.js";

const GROUP_SECONDS = 300;
const NOTICES_KEPT = 50;

export class Store {
  constructor() {
    Object.assign(this, { team: { id: "", name: "" }, me: null, users: new Map(), channels: new Map(), commands: [] });
    Object.assign(this, {
      messages: new Map(),
      notices: [],
      app: { connected: false, connections: 0 },
      news: new Set(),
      read: {},
    });
  }

  /** Take the whole state; notices survive a reconnect of the same person. */
  reset(state) {
    if (this.me !== state.me) Object.assign(this, { notices: [], news: new Set() });
    this.team = state.team;
    this.me = state.me;
    this.users = new Map(state.users.map((user) => [user.id, user]));
    this.channels = new Map(state.channels.map((channel) => [channel.id, channel]));
    this.commands = state.commands ?? [];
    this.app = state.app ?? this.app;
    this.messages = new Map(
      Object.entries(state.messages).map(([id, list]) => [
        id,
        new Map(list.map((message) => [message.ts, withChannel(message, id)])),
      ]),
    );
    this.read = recall(`read:${this.me}`, {});
    for (const id of this.channels.keys()) this.read[id] ??= this.#newest(id);
  }

  /** Add or replace a message; returns whether it is new. */
  put(channel, message) {
    if (!this.messages.has(channel)) this.messages.set(channel, new Map());
    const known = this.messages.get(channel).has(message.ts);
    this.messages.get(channel).set(message.ts, withChannel(message, channel));
    return !known;
  }

  remove(channel, ts) {
    this.messages.get(channel)?.delete(ts);
  }

  addNotice(notice) {
    const at = Math.max(Date.now() / 1000, Number(this.#newest(notice.channel)) || 0);
    this.notices.push({ ...notice, key: `notice-${crypto.randomUUID?.() ?? Math.random()}`, ts: at.toFixed(6) });
    this.notices.splice(0, this.notices.length - NOTICES_KEPT);
  }

  /** All of a channel, oldest first. */
  sorted(channel) {
    return [...(this.messages.get(channel)?.values() ?? [])].sort(byTs);
  }

  findChannel(nameOrId) {
    return this.channels.get(nameOrId) ?? [...this.channels.values()].find((channel) => channel.name === nameOrId);
  }

  /** What the main pane shows of a channel, with day lines. */
  channelItems(channel) {
    const all = this.sorted(channel);
    const threads = repliesByRoot(all);
    const shown = all.filter((message) => !isReply(message) || message.broadcast);
    const rows = shown.map((message) => ({ ts: message.ts, message, extras: this.#rootExtras(message, threads) }));
    return dressed([...rows, ...this.#noticeRows(channel, null)].sort(byTs), true);
  }

  /** What the thread pane shows: the root, a line with the count, the replies. */
  threadItems(channel, root) {
    const all = this.sorted(channel);
    const replies = all.filter((message) => isReply(message) && message.thread_ts === root);
    const rows = replies.map((message) => ({ ts: message.ts, message, extras: { inThread: true } }));
    const first = all.find((message) => message.ts === root);
    const count = replies.filter((message) => !message.ephemeral).length;
    const head = first ? [messageItem({ message: first, extras: { inThread: true } })] : [];
    const line = { kind: "line", key: "count", text: count === 1 ? "1 reply" : `${count || "No"} replies` };
    return [
      ...head,
      ...(count || rows.length ? [line] : []),
      ...dressed([...rows, ...this.#noticeRows(channel, root)].sort(byTs), false),
    ];
  }

  #noticeRows(channel, root) {
    return this.notices.filter((notice) => notice.channel === channel && (notice.thread_ts ?? null) === root);
  }

  #rootExtras(message, threads) {
    const replies = (threads.get(message.ts) ?? []).filter((reply) => !reply.ephemeral);
    const root = isReply(message) ? [] : replies;
    return {
      replies: isReply(message) ? 0 : Math.max(root.length, message.reply_count ?? 0),
      lastReply: root.at(-1)?.ts ?? null,
      news: this.news.has(`${message.channel}/${message.ts}`),
    };
  }

  /** `{count, mentions}` of unread messages by others; of replies only mentions and private ones count. */
  unread(channel) {
    const fresh = this.sorted(channel).filter(
      (message) => message.ts > (this.read[channel] ?? "") && message.user !== this.me,
    );
    const counted = fresh.filter(
      (message) => !isReply(message) || message.broadcast || message.mentions_me || message.ephemeral,
    );
    return {
      count: counted.length,
      mentions: counted.filter((message) => message.mentions_me || message.ephemeral).length,
    };
  }

  markRead(channel) {
    const newest = this.#newest(channel);
    if (this.read[channel] === newest) return;
    this.read[channel] = newest;
    keep(`read:${this.me}`, this.read);
  }

  #newest(channel) {
    return this.sorted(channel).at(-1)?.ts ?? "";
  }
}

/** Whether a message stands in a thread and is not its root. */
export function isReply(message) {
  return Boolean(message.thread_ts) && message.thread_ts !== message.ts;
}

const byTs = (a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0);
const withChannel = (message, channel) => ({ ...message, channel });
const messageItem = ({ message, extras }) => ({ kind: "message", key: message.ts, message, extras });

function repliesByRoot(messages) {
  const threads = new Map();
  for (const reply of messages.filter(isReply)) {
    if (!threads.has(reply.thread_ts)) threads.set(reply.thread_ts, []);
    threads.get(reply.thread_ts).push(reply);
  }
  return threads;
}

/** Rows with day lines between them, neighbours by one author drawn together, a message with a thread alone. */
function dressed(rows, withDays) {
  const items = [];
  let before = null;
  for (const row of rows) {
    const newDay = before === null || dayKey(before.ts) !== dayKey(row.ts);
    if (withDays && newDay) items.push({ kind: "line", key: `day-${dayKey(row.ts)}`, text: dayName(row.ts) });
    const threaded = row.extras?.replies || before?.extras?.replies;
    const compact = !newDay && !threaded && together(before.message, row.message);
    items.push(
      row.message
        ? messageItem({ message: row.message, extras: { ...row.extras, compact } })
        : { kind: "notice", key: row.key, text: row.text },
    );
    before = row;
  }
  return items;
}

function together(before, now) {
  if (!before || !now || [before, now].some((message) => message.ephemeral || message.broadcast || message.mentions_me))
    return false;
  return before.user === now.user && before.username === now.username && now.ts - before.ts < GROUP_SECONDS;
}
