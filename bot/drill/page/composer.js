// The box a person types in: a message, or `/musd …` with completion.

import { act } from "./acts.js";
import { el, fill } from "./dom.js";
import { channel, isMember, state, titleOf } from "./state.js";
import { join } from "./sidebar.js";

/** Draw the composer of the channel (`thread` false) or of the open thread; kept while its place stays the same. */
export function drawComposer(box, thread) {
  const one = channel(state.place.channel);
  const mayWrite = one && !one.is_archived && isMember(one);
  const stamp = JSON.stringify([state.me, one?.id, one?.name, mayWrite, one?.is_archived, thread ? state.place.thread : ""]);
  if (box.stamp === stamp) return;
  box.stamp = stamp;
  if (!one) fill(box);
  else if (one.is_archived) fill(box, el("p", { class: "no-writing" }, "This channel is archived: it can be read, not written to."));
  else if (!mayWrite) fill(box, el("p", { class: "no-writing" }, `${state.me} is not in #${one.name}. `, el("button", { type: "button", class: "button primary", onclick: join }, "Join channel")));
  else fill(box, composer(one, thread));
}

function composer(one, thread) {
  const listId = thread ? "thread-completions" : "completions";
  const list = el("ul", { id: listId, class: "completions", role: "listbox", "aria-label": "Commands", hidden: true });
  const label = thread ? "Reply…" : `Message ${one.is_im ? "" : "#"}${titleOf(one)}, or /musd`;
  const text = el("textarea", {
    id: thread ? "thread-text" : "composer-text", rows: 1, placeholder: label, "aria-label": label, autocomplete: "off", spellcheck: "true",
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": listId,
  });
  const form = el("form", { class: "composer" }, list, text, el("button", { class: "button primary send", "aria-label": "Send" }, "➤"));
  const offer = () => { grow(text); drawCompletions(list, text, thread); };
  text.addEventListener("input", offer);
  text.addEventListener("blur", () => setTimeout(() => hide(list, text), 150));
  text.addEventListener("keydown", (event) => key(event, form, list, text, offer));
  form.addEventListener("submit", (event) => { event.preventDefault(); send(one, text, thread).then(offer); });
  return form;
}

function grow(text) {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, 180)}px`;
}

async function send(one, text, thread) {
  const words = text.value.trim();
  if (!words) return;
  const isCommand = words.startsWith("/");
  text.value = "";
  const body = { channel: one.id, text: words };
  const answer = isCommand && !thread
    ? await act(words.split(" ").slice(0, 2).join(" "), "/person/command", body)
    : await act("Message", "/person/say", { ...body, thread_ts: thread ? state.place.thread : undefined });
  if (!answer.ok && !text.value) text.value = words;
}

function key(event, form, list, text, offer) {
  const open = !list.hidden;
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    const chosen = open && list.querySelector("[aria-selected=true]");
    if (chosen && chosen.dataset.text !== text.value.trim()) take(chosen, text, offer);
    else form.requestSubmit();
  } else if (open && event.key === "Tab") {
    event.preventDefault();
    take(list.querySelector("[aria-selected=true]") ?? list.firstChild, text, offer);
  } else if (open && event.key === "Escape") {
    event.stopPropagation();
    hide(list, text);
  } else if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    move(list, text, event.key === "ArrowDown" ? 1 : -1);
  }
}

function take(option, text, offer) {
  text.value = `${option.dataset.text} `;
  text.focus();
  offer();
}

function move(list, text, step) {
  const options = [...list.children];
  const at = options.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const next = options[(at + step + options.length + (at < 0 && step < 0 ? 1 : 0)) % options.length];
  for (const one of options) one.setAttribute("aria-selected", String(one === next));
  text.setAttribute("aria-activedescendant", next.id);
  next.scrollIntoView({ block: "nearest" });
}

function hide(list, text) {
  list.hidden = true;
  text.setAttribute("aria-expanded", "false");
  text.removeAttribute("aria-activedescendant");
}

function drawCompletions(list, text, thread) {
  const typed = text.value;
  const matching = typed.startsWith("/") ? state.commands.filter((one) => one.type === "command" && one.text.startsWith(typed.trimEnd()) && one.text !== typed) : [];
  if (thread && typed.startsWith("/")) {
    fill(list, el("li", { class: "note" }, "Slash commands cannot be used in threads, as in Slack: use the channel, a button, or mention the bot."));
  } else {
    fill(list, matching.map((one, at) => {
      const option = el("li", { id: `${list.id}-${at}`, role: "option", "aria-selected": "false", "data-text": one.text }, el("strong", {}, one.text), one.hint ? el("code", {}, one.hint) : null, one.description ? el("small", {}, one.description) : null);
      option.addEventListener("mousedown", (event) => { event.preventDefault(); take(option, text, () => drawCompletions(list, text, thread)); });
      return option;
    }));
  }
  list.hidden = !list.children.length;
  text.setAttribute("aria-expanded", String(!list.hidden));
}
