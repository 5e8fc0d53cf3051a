// Slack's rich_text blocks: what its own editor writes and some apps send.

import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { channelLink, link, mention } from "./mrkdwn.js";

/** The nodes of a rich_text block. */
export function richText(block) {
  return (block.elements ?? []).map((part) => PARTS[part.type]?.(part) ?? el("p", { class: "unsupported" }, part.type));
}

const PARTS = {
  rich_text_section: (part) => el("div", {}, leaves(part)),
  rich_text_quote: (part) => el("blockquote", {}, leaves(part)),
  rich_text_preformatted: (part) => el("pre", { class: "fence" }, el("code", {}, leaves(part))),
  rich_text_list: (part) => el(
    part.style === "ordered" ? "ol" : "ul",
    { class: `indent-${part.indent ?? 0}`, start: part.style === "ordered" && part.offset ? part.offset + 1 : null },
    part.elements.map((item) => el("li", {}, leaves(item))),
  ),
};

const leaves = (part) => (part.elements ?? []).map(leaf);

function leaf(one) {
  let node = LEAVES[one.type]?.(one) ?? one.text ?? "";
  for (const [style, tag] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"]]) {
    if (one.style?.[style]) node = el(tag, {}, node);
  }
  return node;
}

const LEAVES = {
  text: (one) => one.text,
  link: (one) => link(one.url, one.text),
  user: (one) => mention(one.user_id),
  channel: (one) => channelLink(one.channel_id),
  emoji: (one) => emoji(one.name),
  broadcast: (one) => el("span", { class: "mention wide" }, `@${one.range}`),
  usergroup: (one) => el("span", { class: "mention" }, `@${one.usergroup_id}`),
  date: (one) => new Date(one.timestamp * 1000).toLocaleString(),
};
