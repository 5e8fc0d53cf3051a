// Break something: the scenarios, one per runbook section, and the single faults of every part of the world.

import { get, post } from "./doors.js";
import { el, fill, toast } from "./dom.js";
import { markdown } from "./markdown.js";
import { changed, state } from "./state.js";

/** Fetch what the panel shows. */
export async function fetchPanel() {
  [state.scenarios, state.faults] = await Promise.all([
    get("/scenarios").catch(() => []).then((found) => found ?? []),
    get("/faults").catch(() => []).then((found) => found ?? []),
  ]);
}

/** Draw the panel. */
export function drawPanel(box, close) {
  const stamp = JSON.stringify([state.scenarios, state.faults]);
  if (box.stamp === stamp) return;
  box.stamp = stamp;
  const open = new Set([...box.querySelectorAll("details[open]")].map((node) => node.dataset.key));
  const top = box.querySelector(".scroll")?.scrollTop ?? 0;
  fill(
    box,
    el("header", { class: "pane-head" }, el("h1", {}, "Break something"), el("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: close }, "✕")),
    el("div", { class: "scroll panel" },
      el("p", { class: "lead" }, "Nothing here is real. Break a part of the world, watch the bot, and bring it back the way the runbook says."),
      el("button", { type: "button", class: "button", onclick: mendAll }, "Mend everything"),
      el("h2", {}, "Scenarios"),
      state.scenarios.length ? state.scenarios.map((one) => scenario(one, open)) : el("p", { class: "empty" }, "This drill has no scenarios yet."),
      el("h2", {}, "Single faults"),
      state.faults.length ? faultGroups(open) : el("p", { class: "empty" }, "No part of this world can be broken yet.")),
  );
  box.querySelector(".scroll").scrollTop = top;
}

async function tell(what, path, body) {
  try {
    const answer = await post(path, body);
    if (answer?.ok === false) toast(`${what}: ${answer.error}`, "problem");
    else toast(what);
  } catch (error) {
    toast(`${what}: ${error.message}`, "problem");
  }
  await fetchPanel();
  changed();
}

const mendAll = () => tell("Everything is mended", "/faults", { target: "all", fault: "clear" });

function scenario(one, open) {
  const [word, kind] = one.solved ? [`Solved in ${took(one.solved_after_seconds)}`, "good"] : one.active ? ["Broken now", "bad"] : ["Not started", "quiet"];
  const start = () => tell(`Broken: ${one.title}`, "/scenarios", { key: one.key, action: "start" });
  const mend = () => tell(`Mended: ${one.title}`, "/scenarios", { key: one.key, action: "mend" });
  return el(
    "section", { class: `scenario ${one.active ? "active" : ""}`, "data-key": one.key, "aria-label": one.title },
    el("div", { class: "scenario-head" }, el("h3", {}, one.title), el("span", { class: `pill ${kind}` }, word)),
    el("p", {}, one.what),
    el("p", { class: "facts" }, "Runbook: ", one.section),
    one.alert ? el("p", { class: "facts" }, "Alert: ", el("code", {}, one.alert)) : null,
    el("p", { class: "facts" }, "Solved when ", one.solved_when),
    one.hint ? el("details", { "data-key": `hint ${one.key}`, open: open.has(`hint ${one.key}`) }, el("summary", {}, "Hint"), el("p", {}, one.hint)) : null,
    one.scorecard ? scorecard(one.scorecard) : null,
    el("div", { class: "scenario-foot" },
      el("button", { type: "button", class: "button broken", disabled: one.active, onclick: start }, one.solved ? "Break it again" : "Break it"),
      one.active ? el("button", { type: "button", class: "button", onclick: mend }, "Mend it") : null),
  );
}

/** Seconds as words: 42 s, 3 min 5 s. */
function took(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

function scorecard(card) {
  const rows = typeof card === "string" ? markdown(card) : el("dl", {}, Object.entries(card).flatMap(([name, value]) => [el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, Array.isArray(value) ? value.join(", ") || "none" : String(value ?? "never"))]));
  return el("div", { class: "scorecard" }, el("h4", {}, "Scorecard"), rows);
}

function faultGroups(open) {
  const groups = new Map();
  for (const one of state.faults.filter(({ target }) => target !== "all")) groups.set(one.target, [...(groups.get(one.target) ?? []), one]);
  return [...groups].map(([target, faults]) => el(
    "details", { class: "fault-group", "data-key": `faults ${target}`, open: open.has(`faults ${target}`) },
    el("summary", {}, target, el("small", {}, ` ${faults.length}`)),
    faults.map(fault),
    target === "world" ? null : el("div", { class: "fault" }, el("p", {}, `Undo every fault of ${target}.`), el("button", { type: "button", class: "button small", onclick: () => tell(`Mended: ${target}`, "/faults", { target, fault: "clear" }) }, "Mend")),
  ));
}

function fault(one) {
  const inputs = Object.entries(one.arguments ?? {}).map(([name, help]) => el("label", {}, name, el("input", { name, placeholder: help, title: help, autocomplete: "off" })));
  const send = (event) => {
    event.preventDefault();
    const given = [...new FormData(event.target)].filter(([, value]) => value !== "");
    const more = Object.fromEntries(given.map(([name, value]) => [name, /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value]));
    tell(`Broken: ${one.target} ${one.fault}`, "/faults", { target: one.target, fault: one.fault, ...more });
  };
  return el(
    "form", { class: "fault", onsubmit: send },
    el("div", {}, el("strong", {}, one.fault), el("p", {}, one.help), inputs),
    el("button", { class: "button small", "aria-label": `Break ${one.target}: ${one.fault}` }, "Break"),
  );
}
