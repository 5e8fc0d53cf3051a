// Slack's mrkdwn as nodes: links, mentions, dates, emphasis, code, quotes, emoji. Text stays text.

import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { channel, nameOf, person } from "./state.js";

/** The nodes of a mrkdwn text. */
export function mrkdwn(text) {
  const nodes = [];
  for (const [at, part] of String(text ?? "").split("```").entries()) {
    if (at % 2) nodes.push(el("pre", { class: "fence" }, el("code", {}, entities(part.replace(/^\n/, "").replace(/\n$/, "")))));
    else nodes.push(...quotes(at ? part.replace(/^\n/, "") : part));
  }
  return nodes;
}

function quotes(text) {
  const nodes = [];
  let quoted = [];
  let plain = [];
  const flush = () => {
    if (plain.length) nodes.push(...inline(plain.join("\n")));
    if (quoted.length) nodes.push(el("blockquote", {}, inline(quoted.join("\n"))));
    plain = [];
    quoted = [];
  };
  for (const line of text.split("\n")) {
    const quote = /^(?:>|&gt;)(?!>|&gt;) ?(.*)$/.exec(line);
    if (quote ? plain.length : quoted.length) flush();
    (quote ? quoted : plain).push(quote ? quote[1] : line);
  }
  flush();
  return nodes;
}

const SPAN = /`([^`\n]+)`|<([^<>\n]+)>|(?<![\w*])\*(?=\S)([^*\n]*[^*\s])\*(?![\w*])|(?<![\w_])_(?=\S)([^_\n]*[^_\s])_(?![\w_])|(?<![\w~])~(?=\S)([^~\n]*[^~\s])~(?![\w~])|:([a-z0-9_+-]+):/g;

function inline(text) {
  const nodes = [];
  let done = 0;
  for (const found of text.matchAll(SPAN)) {
    if (found.index > done) nodes.push(unescape(text.slice(done, found.index)));
    const [whole, code, entity, bold, italic, strike, sign] = found;
    if (code !== undefined) nodes.push(el("code", {}, entities(code)));
    else if (entity !== undefined) nodes.push(entityNode(entity));
    else if (bold !== undefined) nodes.push(el("strong", {}, inline(bold)));
    else if (italic !== undefined) nodes.push(el("em", {}, inline(italic)));
    else if (strike !== undefined) nodes.push(el("s", {}, inline(strike)));
    else nodes.push(emoji(sign));
    done = found.index + whole.length;
  }
  nodes.push(unescape(text.slice(done)));
  return nodes;
}

/** Inside code only links and mentions mean anything. */
function entities(text) {
  return text.split(/(<[^<>\n]+>)/).map((part, at) => (at % 2 ? entityNode(part.slice(1, -1)) : unescape(part)));
}

/** Undo Slack's three escapes. */
export function unescape(text) {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

function entityNode(entity) {
  const bar = entity.indexOf("|");
  const target = bar < 0 ? entity : entity.slice(0, bar);
  const label = bar < 0 ? "" : unescape(entity.slice(bar + 1));
  if (target.startsWith("@")) return mention(target.slice(1), label);
  if (target.startsWith("#")) return channelLink(target.slice(1), label);
  if (target.startsWith("!date^")) return dateNode(target.split("^"), label);
  if (target.startsWith("!subteam^")) return el("span", { class: "mention" }, label || "@group");
  if (target.startsWith("!")) return el("span", { class: "mention wide" }, `@${target.slice(1)}`);
  return ADDRESS.test(target) ? link(unescape(target), label) : document.createTextNode(`<${unescape(entity)}>`);
}

const ADDRESS = /^(https?:|mailto:)/i;

/** A person's name, marked when it is the reader's own. */
export function mention(id, label = "") {
  const known = person(id);
  return el("span", { class: "mention", "data-user": id }, `@${known?.name ?? (label || nameOf(id))}`);
}

/** A channel's name as a link to it; a private one that is not the reader's stays a word. */
export function channelLink(id, label = "") {
  const known = channel(id);
  return known ? el("a", { class: "mention", href: `#${known.name}` }, `#${known.name}`) : el("span", { class: "mention" }, label ? `#${label}` : "a private channel");
}

/** A link. Only web and mail addresses become one; permalinks of this workspace stay in the page. */
export function link(address, label = "") {
  const text = label || address.replace(/^mailto:/, "");
  const permalink = /\/archives\/([CG][A-Z0-9]+)(?:\/p(\d+)(\d{6}))?(?:\?.*?thread_ts=([\d.]+))?/.exec(address);
  if (permalink && channel(permalink[1])) {
    const [, id, seconds, micros, thread] = permalink;
    const ts = thread ?? (seconds ? `${seconds}.${micros}` : "");
    return el("a", { href: `#${channel(id).name}${ts ? `/${ts}` : ""}` }, text);
  }
  if (!ADDRESS.test(address)) return document.createTextNode(text);
  return el("a", { href: address, target: "_blank", rel: "noopener noreferrer", title: address }, text);
}

function dateNode([, seconds, format, address], fallback) {
  const at = new Date(Number(seconds) * 1000);
  if (Number.isNaN(at.getTime())) return document.createTextNode(fallback);
  const text = (format ?? "{date} {time}").replace(/\{(\w+)\}/g, (whole, token) => FORMATS[token]?.(at) ?? whole);
  const node = el("time", { datetime: at.toISOString(), title: at.toLocaleString() }, text);
  return address ? el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, node) : node;
}

const show = (options) => (at) => at.toLocaleString(undefined, options);
const long = show({ month: "long", day: "numeric", year: "numeric" });
const FORMATS = {
  date_num: (at) => `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`,
  date: long,
  date_short: show({ month: "short", day: "numeric", year: "numeric" }),
  date_long: show({ weekday: "long", month: "long", day: "numeric", year: "numeric" }),
  date_pretty: pretty(long),
  date_short_pretty: pretty(show({ month: "short", day: "numeric", year: "numeric" })),
  date_long_pretty: pretty(show({ weekday: "long", month: "long", day: "numeric", year: "numeric" })),
  time: clock,
  time_secs: show({ hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }),
  ago: (at) => ago(at),
};

function pretty(otherwise) {
  return (at) => dayWord(at) ?? otherwise(at);
}

/** "today", "yesterday" or "tomorrow", else undefined. */
export function dayWord(at) {
  const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[Math.round((midnight(at) - midnight(new Date())) / 86_400_000)];
}

/** The time of day, such as 14:05. */
export function clock(at) {
  return at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
}

/** How long ago, or until, in the largest fitting unit. */
export function ago(at) {
  const seconds = Math.round((at.getTime() - Date.now()) / 1000);
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  for (const [unit, size] of [["day", 86_400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
  }
  return words.format(seconds, "second");
}
