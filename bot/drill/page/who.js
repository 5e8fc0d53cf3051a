// Who am I: switch this window to another person, or open a second window as somebody else.

import { el, fill, popUp } from "./dom.js";
import { face } from "./messages.js";
import { person, roleOf, state } from "./state.js";

/** Choose who this window is at its start: the address, then the window's memory, then a guardian. */
export function startingPerson() {
  return new URLSearchParams(location.search).get("as") ?? sessionStorage.getItem("as") ?? "guardian-1";
}

/** Draw the switch; `become(name)` changes the person. */
export function drawWho(button, become) {
  const one = person(state.me);
  if (button.stamp === state.me + Boolean(one)) return;
  button.stamp = state.me + Boolean(one);
  fill(button, face(state.me), el("span", { class: "who-name" }, state.me), el("span", { class: "role" }, roleOf(one)), el("span", { "aria-hidden": "true" }, "▾"));
  button.setAttribute("aria-label", `Who am I: ${state.me}, ${roleOf(one)}`);
  button.onclick = () => popUp(button, list(button, become));
}

function list(button, become) {
  const box = el("div", { class: "menu people", role: "menu", popover: "auto", "aria-label": "Who am I" });
  for (const one of state.people) {
    const choose = () => { box.hidePopover(); become(one.name); };
    const row = el(
      "div", { class: "person" },
      el("button", { type: "button", role: "menuitemradio", "aria-checked": String(one.name === state.me), onclick: choose }, face(one.name), el("span", {}, one.name, el("small", {}, one.roles.join(", ") || "no role"))),
      el("a", { role: "menuitem", href: `/?as=${encodeURIComponent(one.name)}${location.hash}`, target: "_blank", "aria-label": `Open a second window as ${one.name}`, title: "Open a second window" }, "↗"),
    );
    box.append(row);
  }
  return box;
}
