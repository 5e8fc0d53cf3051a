// The bot's App Home tab, as this person sees it.

import { press } from "./acts.js";
import { blocks } from "./blocks.js";
import { get } from "./doors.js";
import { el, keep } from "./dom.js";
import { state } from "./state.js";

let openedFor = "";

/** The Home tab; the bot hears of its opening once per visit and person, not of our looking again. */
export function fetchHome() {
  const quiet = openedFor === state.me ? "yes" : "";
  openedFor = state.me;
  return get("/person/home", { user: state.me, quiet });
}

/** Another place is in view: the next look at the Home tab is a visit of its own. */
export function leaveHome() {
  openedFor = "";
}

/** Draw the Home tab into the place of the messages. */
export function drawHome(box) {
  const view = state.home;
  const list = view?.blocks ?? [];
  const use = { press: (element, more) => press({ view_id: view.id }, element, more) };
  const empty = () => el("p", { class: "empty" }, "The bot has not drawn its home tab for you yet.");
  const make = () => el("div", { class: "home" }, blocks(list, use));
  keep(box, [{ key: `home ${state.me}`, stamp: JSON.stringify(list), make: list.length ? make : empty }]);
}
