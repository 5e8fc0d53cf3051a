// What a person does, sent through the doors, with what Slack would show: busy, answered, or not answered in time.

import { post } from "./doors.js";
import { el, toast } from "./dom.js";
import { plain, rich } from "./text.js";
import { changed, state } from "./state.js";

/** Send one act of this person; a refusal is shown. Answers what the door said, or `{ok: false}`. */
export async function act(what, path, body) {
  let answer;
  try {
    answer = (await post(path, { user: state.me, ...body })) ?? { ok: true };
  } catch (error) {
    answer = { ok: false, error: error.message };
  }
  if (answer.acked_ms !== undefined || !answer.ok) state.lastAnswer = { what, ...answer };
  if (!answer.ok && !answer.errors) toast(`${what}: ${reason(answer)}`, "problem");
  changed();
  return answer;
}

/** Why a door said no, in words. */
export const reason = (answer) => REASONS[answer.error] ?? answer.detail ?? answer.error ?? "the bot said no";

const REASONS = {
  not_in_channel: "you are not in this channel",
  operation_timeout: "the bot did not answer within 3 seconds",
  app_not_connected: "no bot is connected to take this",
  dispatch_failed: "the bot failed to take this",
  unknown_command: "there is no such command",
  is_archived: "this channel is archived",
  expired_trigger_id: "the bot was too slow to open its form",
};

/** Press an element of a message, a modal or the Home tab, after its confirm dialog if it has one. */
export async function press(place, element, { block_id: block, value, label }) {
  if (element.confirm && !(await confirmed(element.confirm))) return;
  const body = { ...place, block_id: block, action_id: element.action_id, value };
  await act(label ? `“${label}”` : "Choice", "/person/press", body);
}

/** Ask a Block Kit confirm dialog; true when the person goes on. */
export function confirmed(question) {
  return new Promise((resolve) => {
    const node = el(
      "dialog", { class: "confirm", "aria-label": plain(question.title), onclose: () => { node.remove(); resolve(node.returnValue === "yes"); } },
      el("form", { method: "dialog" },
        el("h2", {}, plain(question.title) || "Are you sure?"),
        el("div", { class: "text" }, rich(question.text)),
        el("div", { class: "dialog-foot" },
          el("button", { class: "button", value: "no" }, plain(question.deny) || "Cancel"),
          el("button", { class: `button ${question.style ?? "primary"}`, value: "yes", autofocus: true }, plain(question.confirm) || "Yes"))),
    );
    document.body.append(node);
    node.showModal();
  });
}
