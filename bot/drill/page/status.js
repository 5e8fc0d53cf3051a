// The strip at the bottom: is the bot there, does it answer, is the page live. Colours always come with words.

import { reason } from "./acts.js";
import { el, fill } from "./dom.js";
import { state } from "./state.js";

/** Draw the strip; `live` says whether the stream of changes is open. */
export function drawStatus(box, live) {
  const pid = state.world?.pids?.bot;
  const part = (good, words, title) => el("span", { class: good ? "good" : "bad", title }, el("i", { "aria-hidden": "true" }, good ? "●" : "▲"), words);
  const parts = [
    part(Boolean(pid), pid ? `Bot running, pid ${pid}` : "Bot not running", "The bot is a process of its own; the drill starts it again when it dies"),
    answered(part),
    part(live, live ? "Page live" : "Page not connected", "Changes arrive by themselves"),
    state.world?.bot ? el("span", { class: "quiet", title: "The bot's own HTTP port" }, `bot ${state.world.bot}`) : null,
    state.world?.rpc ? el("span", { class: "quiet", title: "The practice chain" }, `chain ${state.world.chain_id} at ${state.world.rpc}`) : null,
  ];
  const stamp = JSON.stringify([pid, state.lastAnswer, live, state.world?.bot]);
  if (box.stamp === stamp) return;
  box.stamp = stamp;
  fill(box, parts);
}

function answered(part) {
  const last = state.lastAnswer;
  if (!last) return null;
  const words = last.ok ? `${last.what} answered in ${Math.round(last.acked_ms)} ms` : `${last.what}: ${last.errors ? "please check the form" : reason(last)}`;
  return part(Boolean(last.ok || last.errors), words, "How long the bot took to acknowledge; Slack gives it 3 seconds");
}
