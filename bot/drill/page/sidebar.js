// The channels on the left, and the heading of the channel in view.

import { act } from "./acts.js";
import { el, fill } from "./dom.js";
import { link, mrkdwn } from "./mrkdwn.js";
import { addressOf, channel, isMember, state, titleOf, visibleChannels } from "./state.js";
import { mentions, unread } from "./unread.js";

/** Draw the channel list. */
export function drawSidebar(box) {
  const mine = visibleChannels().sort((a, b) => (titleOf(a) < titleOf(b) ? -1 : 1));
  const direct = mine.filter((one) => one.is_im);
  const open = mine.filter((one) => !one.is_im && !one.is_archived && isMember(one));
  const others = mine.filter((one) => !one.is_archived && !isMember(one));
  const archived = mine.filter((one) => one.is_archived);
  const stamp = JSON.stringify([state.me, state.place.channel, state.place.home, mine, mine.map((one) => [unread(one), mentions(one)])]);
  if (box.stamp === stamp) return;
  box.stamp = stamp;
  const top = box.scrollTop;
  fill(
    box,
    el("ul", {}, el("li", {}, el("a", { href: "#home", class: "row", "aria-current": state.place.home ? "page" : null }, sign("🏠"), el("span", { class: "name" }, "musd-bot home")))),
    group("Channels", open),
    others.length ? group("More channels", others) : null,
    direct.length ? group("Direct messages", direct) : null,
    archived.length ? el("details", { open: archived.some((one) => one.id === state.place.channel) }, el("summary", {}, `Archived (${archived.length})`), list(archived)) : null,
  );
  box.scrollTop = top;
}

const signOf = (one) => (one?.is_im ? "@" : one.is_private ? "🔒" : "#");
const sign = (mark) => el("span", { class: "sign", "aria-hidden": "true" }, mark);
const group = (title, channels) => el("section", {}, el("h2", {}, title), channels.length ? list(channels) : el("p", { class: "none" }, "None yet"));
const list = (channels) => el("ul", {}, channels.map(row));

function row(one) {
  const here = one.id === state.place.channel;
  const fresh = !here && unread(one);
  const named = mentions(one);
  const words = [one.is_im ? "direct messages with" : one.is_private ? "private channel" : "channel", titleOf(one), fresh && "unread", named && `${named} mentions`].filter(Boolean).join(", ");
  return el("li", {}, el(
    "a", { href: addressOf({ channel: one.id }), class: `row${fresh ? " unread" : ""}`, "aria-current": here ? "page" : null, "aria-label": words },
    sign(signOf(one)), el("span", { class: "name" }, titleOf(one)), fresh && named ? el("span", { class: "count" }, named) : null,
  ));
}

/** Draw the name, topic and members of the channel in view. */
export function drawChannelHead(box) {
  const one = channel(state.place.channel);
  const title = state.place.home ? "musd-bot home" : one ? titleOf(one) : "…";
  document.title = `${state.place.home ? title : title} · ${state.me} · mUSD practice`;
  const stamp = JSON.stringify([title, one]);
  if (box.stamp === stamp) return;
  box.stamp = stamp;
  const count = one?.members?.length ?? 0;
  fill(
    box,
    el("h1", {}, state.place.home ? null : sign(signOf(one)), title),
    one?.topic ? el("div", { class: "topic", title: one.topic }, mrkdwn(one.topic)) : null,
    one?.bookmarks?.length ? el("nav", { class: "bookmarks", "aria-label": "Bookmarks" }, one.bookmarks.map((mark) => link(mark.link ?? "", mark.title))) : null,
    one?.is_ext_shared ? el("span", { class: "pill bad" }, "shared with another organisation") : null,
    one ? el("span", { class: "members" }, count === 1 ? "1 member" : `${count} members`) : null,
  );
}

/** Join the public channel in view. */
export function join() {
  return act("Join", "/person/join", { channel: state.place.channel });
}
