// Which channels hold something this person has not seen. Marks live in the window's own storage.

import { get } from "./doors.js";
import { person, state, visibleChannels } from "./state.js";

const PAUSE_MS = 1500;
const newest = new Map();
const dirty = new Set();
let everything = true;
let sweeping = false;

const storeKey = () => `read ${state.me}`;
const marks = () => JSON.parse(sessionStorage.getItem(storeKey()) ?? "{}");

/** Whether the channel has a message newer than what was seen. */
export function unread(channel) {
  return Number(newest.get(channel.id)?.at(-1)?.ts ?? 0) > Number(marks()[channel.id] ?? 0);
}

/** How many unseen messages name this person, or everybody in the channel. */
export function mentions(channel) {
  const since = Number(marks()[channel.id] ?? 0);
  const self = `<@${person(state.me)?.id}`;
  const named = (message) => /<!(channel|here|everyone)/.test(message.text ?? "") || JSON.stringify(message).includes(self);
  return (newest.get(channel.id) ?? []).filter((message) => Number(message.ts) > since && named(message)).length;
}

/** The channel in view, with these messages, has been seen to its end. */
export function seen(channelId, messages) {
  newest.set(channelId, messages);
  const last = messages.at(-1)?.ts;
  if (last && !document.hidden) sessionStorage.setItem(storeKey(), JSON.stringify({ ...marks(), [channelId]: last }));
}

/** A channel, or with `all` every one, may hold something new. */
export function stale(channelId, all) {
  if (all) everything = true;
  else if (channelId) dirty.add(channelId);
}

/** Look into those of the channels not in view, at most every 1.5 s; `then` is called when something is known. */
export async function sweep(then) {
  if (sweeping || !(everything || dirty.size)) return;
  sweeping = true;
  await new Promise((resolve) => { setTimeout(resolve, newest.size ? PAUSE_MS : 0); });
  sweeping = false;
  const others = visibleChannels().filter((one) => one.id !== state.place.channel && !one.is_archived && (everything || dirty.has(one.id)));
  everything = false;
  dirty.clear();
  await Promise.all(others.map(async (one) => {
    try {
      newest.set(one.id, await get("/person/messages", { channel: one.id, user: state.me }));
    } catch { /* a channel that cannot be read now is looked into next time */ }
  }));
  then();
}
