// What can be typed and chosen: the manifest's slash commands, taken apart for completion, and its shortcuts.

import { get } from "./doors.js";
import { state } from "./state.js";

/** Fetch the commands as `{type: "command", text, hint, description}` and the shortcuts as the manifest has them. */
export async function fetchCommands() {
  const found = (await get("/person/commands").catch(() => null)) ?? { commands: [], shortcuts: [] };
  state.commands = [...found.commands.flatMap(completions), ...found.shortcuts];
}

/** The command itself, then each alternative of its hint: `status | pause [reason]` makes two. */
function completions({ command, description, usage_hint: hint = "" }) {
  const alternatives = hint.replace(/^\[([^[\]]*\|[^[\]]*)\]$/, "$1").split("|").map((one) => one.trim()).filter(Boolean);
  const each = alternatives.map((one) => {
    const [, words, rest] = /^([^[<(]*)(.*)$/.exec(one);
    return { type: "command", text: `${command} ${words.trim()}`.trim(), hint: rest, description: "" };
  });
  return [{ type: "command", text: command, hint: alternatives.length > 1 ? "" : hint, description: description ?? "" }, ...each.filter((one) => one.text !== command)];
}
