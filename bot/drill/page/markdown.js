// The `markdown` block: the common part of Markdown, as nodes.

import { el } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { link } from "./mrkdwn.js";

/** The nodes of a Markdown text: headings, lists, quotes, fences, rules and paragraphs. */
export function markdown(text) {
  const nodes = [];
  const lines = String(text ?? "").split("\n");
  while (lines.length) {
    const rule = RULES.find(([pattern]) => pattern.test(lines[0]));
    if (rule) nodes.push(rule[1](lines));
    else if (!lines[0].trim()) lines.shift();
    else nodes.push(paragraph(lines));
  }
  return nodes;
}

const LIST = /^\s*(?:[-*+]|\d+[.)])\s+(?:\[([ xX])\]\s+)?(.*)$/;

const RULES = [
  [/^```/, (lines) => {
    lines.shift();
    const body = take(lines, (line) => !line.startsWith("```"));
    lines.shift();
    return el("pre", { class: "fence" }, el("code", {}, body.join("\n")));
  }],
  [/^#{1,6}\s/, (lines) => {
    const [, marks, words] = /^(#+)\s+(.*)$/.exec(lines.shift());
    return el(`h${Math.min(marks.length + 2, 6)}`, {}, inline(words));
  }],
  [/^(?:-{3,}|\*{3,})\s*$/, (lines) => { lines.shift(); return el("hr", {}); }],
  [/^>/, (lines) => el("blockquote", {}, inline(take(lines, (line) => line.startsWith(">")).map((line) => line.replace(/^> ?/, "")).join("\n")))],
  [LIST, (lines) => {
    const ordered = /^\s*\d/.test(lines[0]);
    return el(ordered ? "ol" : "ul", {}, take(lines, (line) => LIST.test(line)).map((line) => {
      const [, tick, words] = LIST.exec(line);
      return el("li", {}, tick === undefined ? null : tick === " " ? "☐ " : "☑ ", inline(words));
    }));
  }],
];

function take(lines, wanted) {
  const taken = [];
  while (lines.length && wanted(lines[0])) taken.push(lines.shift());
  return taken;
}

function paragraph(lines) {
  return el("p", {}, inline(take(lines, (line) => line.trim() && !RULES.some(([pattern]) => pattern.test(line))).join("\n")));
}

const SPAN = /`([^`]+)`|\*\*(?=\S)(.+?)\*\*|(?<![\w*])[*_](?=\S)([^*_\n]+)[*_](?!\w)|~~(.+?)~~|\[([^\]]+)\]\(([^)\s]+)\)|(https?:\/\/[^\s)]+)/g;

function inline(text) {
  const nodes = [];
  let done = 0;
  for (const found of text.matchAll(SPAN)) {
    const [whole, code, bold, italic, strike, label, target, bare] = found;
    nodes.push(withEmoji(text.slice(done, found.index)));
    if (code) nodes.push(el("code", {}, code));
    else if (bold) nodes.push(el("strong", {}, inline(bold)));
    else if (italic) nodes.push(el("em", {}, inline(italic)));
    else if (strike) nodes.push(el("s", {}, inline(strike)));
    else nodes.push(link(target ?? bare, label));
    done = found.index + whole.length;
  }
  nodes.push(withEmoji(text.slice(done)));
  return nodes;
}
