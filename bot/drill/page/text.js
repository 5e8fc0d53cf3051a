// Block Kit's text objects.

import { el } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";

/** A text object, or a bare string, as one plain line of words; empty for none. */
export function plain(text) {
  if (text === null || text === undefined) return "";
  return withEmoji(typeof text === "string" ? text : text.text ?? "");
}

/** A text object as nodes: mrkdwn where it says so, else plain words. */
export function rich(text) {
  return text?.type === "mrkdwn" ? mrkdwn(text.text) : [plain(text)];
}

/** Rich nodes in one element. */
export function richIn(tag, attributes, text) {
  return el(tag, attributes, rich(text));
}
