// The messages of a channel and of a thread.

import { act, press } from "./acts.js";
import { blocks } from "./blocks.js";
import { add, el, keep, menu } from "./dom.js";
import { REACTIONS, emoji } from "./emoji.js";
import { filesOf } from "./files.js";
import { clock, dayWord, mention, mrkdwn } from "./mrkdwn.js";
import { channel, go, nameOf, person, roleOf, state } from "./state.js";

const GROUPED_SECONDS = 300;

const dateOf = (message) => new Date(Number(message.ts) * 1000);
const isReply = (message) => Boolean(message.thread_ts) && message.thread_ts !== message.ts;

/** Draw the channel's own messages (no replies), with days between them. */
export function drawChannel(box) {
  const replies = new Map();
  for (const message of state.messages.filter(isReply)) {
    if (message.ephemeral_to) continue;
    replies.set(message.thread_ts, [...(replies.get(message.thread_ts) ?? []), message]);
  }
  draw(box, state.messages.filter((message) => !isReply(message) || message.broadcast), replies, "This is the very beginning of the channel. Type /musd help to see what the bot can do.");
}

/** Draw a thread: its first message, then the replies. */
export function drawThread(box) {
  const { thread } = state.place;
  const shown = state.messages.filter((message) => message.ts === thread || message.thread_ts === thread);
  draw(box, shown, new Map(), "This thread is gone: its first message was deleted, or it is not yours to see.", thread);
}

function draw(box, shown, replies, nothing, root) {
  const entries = [];
  let last = null;
  let today = "";
  for (const message of joined(shown)) {
    const day = dateOf(message).toDateString();
    if (day !== today) {
      today = day;
      entries.push({ key: day, stamp: day, make: () => el("div", { class: "day", role: "separator" }, el("span", {}, dayName(dateOf(message)))) });
      last = null;
    }
    const follows = last && last.user === message.user && !last.ephemeral_to && !message.ephemeral_to && !message.subtype && !last.subtype && message.ts - last.ts < GROUPED_SECONDS;
    const below = replies.get(message.ts) ?? [];
    const key = [state.me, state.place.channel, message.ts, message.ephemeral_to].join();
    const attached = JSON.stringify(message).includes("file") ? state.files.length : 0;
    const stamp = JSON.stringify([message, follows, below.length, below.at(-1)?.ts, attached, isPinned(message)]);
    entries.push({ key, stamp, make: () => (message.subtype?.startsWith("channel_") ? noticeNode(message) : messageNode(message, follows, below)) });
    last = message;
    if (message.ts === root && shown.length > 1) {
      const count = counted(shown.length - 1);
      entries.push({ key: "replies", stamp: count, make: () => el("div", { class: "day", role: "separator" }, el("span", {}, count)) });
      last = null;
    }
  }
  if (!entries.length) entries.push({ key: "nothing", stamp: nothing, make: () => el("p", { class: "empty" }, nothing) });
  const atEnd = box.place !== JSON.stringify(state.place) || box.scrollHeight - box.scrollTop - box.clientHeight < 90;
  const fresh = box.newest !== entries.at(-1).key;
  box.place = JSON.stringify(state.place);
  box.newest = entries.at(-1).key;
  keep(box, entries);
  if (atEnd) toEnd(box);
  else if (fresh) offerJump(box);
}

/** People who joined one after the other, as one line: the first's notice names those after it as `others`. */
function joined(messages) {
  const lines = [];
  for (const message of messages) {
    const before = lines.at(-1);
    if (message.subtype !== "channel_join" || before?.subtype !== "channel_join") lines.push(message);
    else lines[lines.length - 1] = { ...before, others: [...(before.others ?? []), message.user] };
  }
  return lines;
}

/** What Slack itself writes when somebody joins or changes a topic: one quiet line. */
function noticeNode(message) {
  const others = (message.others ?? []).map((user) => [", ", mention(user)]);
  const words = others.length ? [mention(message.user), others, " have joined the channel"] : mrkdwn(message.text);
  const at = dateOf(message);
  return el("div", { class: "notice", "data-ts": message.ts }, el("div", { class: "avatar-slot" }), el("div", { class: "body" }, words, " ", el("time", { datetime: at.toISOString(), title: at.toLocaleString() }, clock(at))));
}

/** Somebody reading further up is told of what is new below, and not moved. */
function offerJump(box) {
  const pane = box.parentElement;
  if (pane.querySelector(".jump")) return;
  const jump = el("button", { type: "button", class: "jump", onclick: () => toEnd(box) }, "New messages ↓");
  pane.insertBefore(jump, box.nextSibling);
  const look = () => {
    if (box.scrollHeight - box.scrollTop - box.clientHeight > 90) return;
    jump.remove();
    box.removeEventListener("scroll", look);
  };
  box.addEventListener("scroll", look);
}

/** Scroll to the newest message, and stay there while its pictures load. */
export function toEnd(box) {
  box.scrollTop = box.scrollHeight;
  if (box.follows) return;
  box.follows = true;
  box.addEventListener("load", () => { if (box.scrollHeight - box.scrollTop - box.clientHeight < 500) box.scrollTop = box.scrollHeight; }, true);
}

function dayName(at) {
  const word = dayWord(at);
  return word ? word[0].toUpperCase() + word.slice(1) : at.toLocaleDateString(undefined, { weekday: "long", month: "long", day: "numeric" });
}

function messageNode(message, follows, replies) {
  const sender = message.user_name ?? nameOf(message.user);
  const at = dateOf(message);
  const name = `${sender}, ${clock(at)}`;
  const time = el("time", { datetime: at.toISOString(), title: at.toLocaleString() }, clock(at));
  const head = el("div", { class: "sender" }, el("strong", {}, sender), badge(message), time, message.edited ? el("span", { class: "edited" }, "(edited)") : null);
  const kind = [follows && "follows", message.ephemeral_to && "ephemeral"].filter(Boolean).join(" ");
  return el(
    "article", { class: `message ${kind}`, "aria-label": name, "data-ts": message.ts },
    avatar(message, sender, time.cloneNode(true), follows),
    el("div", { class: "body" },
      message.ephemeral_to ? note("👁", "Only visible to you") : null,
      isPinned(message) ? note("📌", "Pinned") : null,
      isReply(message) && message.broadcast && !state.place.thread ? note("↳", "Replied in a thread") : null,
      head, content(message), filesOf(message.files), reactions(message), replyLine(message, replies)),
    message.ephemeral_to ? null : tools(message),
  );
}

const note = (sign, words) => el("div", { class: "note" }, el("span", { "aria-hidden": "true" }, `${sign} `), words);
const isPinned = (message) => channel(state.place.channel)?.pins?.includes(message.ts);
const counted = (count) => (count === 1 ? "1 reply" : `${count} replies`);

function badge(message) {
  const one = person(message.user);
  if (one) return el("span", { class: "role" }, roleOf(one));
  return message.user === "USLACKBOT" ? null : el("span", { class: "app" }, "APP");
}

/** A sender's square: initials for people, the bot's sign for the bot. */
export function avatar(message, sender, time, follows = false) {
  if (follows) return el("div", { class: "avatar-slot" }, time);
  if (!person(message.user) && message.user !== "USLACKBOT") return el("div", { class: "avatar-slot" }, el("img", { class: "avatar", src: "/page/icon.svg", alt: "" }));
  return el("div", { class: "avatar-slot" }, face(sender));
}

/** The initials of somebody, in a colour of their own. */
export function face(name) {
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
  const node = el("span", { class: "avatar", "aria-hidden": "true" }, name[0].toUpperCase() + (/\d+$/.exec(name)?.[0] ?? ""));
  node.style.setProperty("--hue", hue);
  return node;
}

function content(message) {
  const place = { channel: state.place.channel, ts: message.ts };
  const use = { press: (element, more) => press(place, element, more) };
  const parts = message.blocks?.length ? blocks(message.blocks, use) : [el("div", { class: "text" }, mrkdwn(message.text))];
  const attached = (message.attachments ?? []).map((one) => {
    const bar = el("div", { class: "attachment" }, one.blocks ? blocks(one.blocks, use) : el("div", { class: "text" }, mrkdwn(one.text ?? one.fallback)));
    if (/^#?[0-9a-f]{6}$/i.test(one.color ?? "")) bar.style.borderColor = `#${one.color.replace("#", "")}`;
    return bar;
  });
  const body = el("div", { class: "content" }, parts, attached);
  for (const word of body.querySelectorAll(`[data-user="${CSS.escape(person(state.me)?.id ?? "")}"]`)) word.classList.add("mine");
  return body;
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  return el("div", { class: "reactions" }, message.reactions.map((one) => {
    const names = (one.users ?? []).map(nameOf);
    const mine = names.includes(state.me);
    return el("button", {
      type: "button", class: mine ? "reaction mine" : "reaction", "aria-pressed": String(mine), disabled: mine, title: names.join(", "),
      "aria-label": `${one.name}, ${names.length}: ${names.join(", ")}`, onclick: () => react(message, one.name),
    }, emoji(one.name), ` ${one.count ?? names.length}`);
  }));
}

const react = (message, name) => act("Reaction", "/person/react", { channel: state.place.channel, ts: message.ts, name });

function replyLine(message, replies) {
  if (!replies.length) return null;
  const faces = [...new Set(replies.map((reply) => reply.user))].slice(0, 4).map((user) => (person(user) ? face(nameOf(user)) : el("img", { class: "avatar", src: "/page/icon.svg", alt: "" })));
  const open = () => go({ channel: state.place.channel, thread: message.ts });
  return el("button", { type: "button", class: "replies", onclick: open }, faces, el("strong", {}, counted(replies.length)), el("small", {}, `last at ${clock(dateOf(replies.at(-1)))}`));
}

function tools(message) {
  const bar = el("div", { class: "tools", role: "toolbar", "aria-label": "Message" });
  const tool = (sign, name, onclick) => el("button", { type: "button", "aria-label": name, title: name, onclick }, sign);
  const pick = (event) => menu(event.currentTarget, "React with", REACTIONS.map((name) => ({ label: `${emoji(name)} ${name.replaceAll("_", " ")}`, act: () => react(message, name) })));
  add(bar, tool("☺", "React…", pick));
  add(bar, tool("↳", "Reply in thread", () => go({ channel: state.place.channel, thread: message.thread_ts ?? message.ts })));
  const shortcuts = state.commands.filter((one) => one.type === "message");
  const more = (event) => menu(event.currentTarget, "Shortcuts", shortcuts.map((one) => ({
    label: one.name, note: one.description, act: () => act(one.name, "/person/shortcut", { callback_id: one.callback_id, channel: state.place.channel, ts: message.ts }),
  })));
  if (shortcuts.length) add(bar, tool("⋯", "More: message shortcuts…", more));
  return bar;
}
