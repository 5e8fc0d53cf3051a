// The modals the bot has open for this person: a stack, drawn as one dialog that updates in place.

import { act, press, reason } from "./acts.js";
import { blocks, initialValues } from "./blocks.js";
import { el, fill } from "./dom.js";
import { plain } from "./text.js";
import { state } from "./state.js";

/** What was entered, kept per view while it is open: `{values, errors, problem, busy}`. */
const forms = new Map();
let dialog = null;

/** Show the topmost modal, or close the dialog when there is none. */
export function drawModal() {
  const views = state.views.filter((view) => view.type !== "home");
  for (const id of forms.keys()) if (!views.some((view) => view.id === id)) forms.delete(id);
  const view = views.at(-1);
  if (!view) {
    dialog?.remove();
    dialog = null;
    return;
  }
  if (!forms.has(view.id)) forms.set(view.id, { values: {}, errors: {}, problem: "", busy: false });
  const form = forms.get(view.id);
  const stamp = JSON.stringify([state.me, view.id, view.title, view.blocks, view.submit, view.close, form.errors, form.problem, form.busy, views.length]);
  if (dialog?.stamp === stamp) return;
  const fresh = dialog?.viewId !== view.id;
  if (!dialog) {
    dialog = el("dialog", { class: "modal", oncancel: (event) => { event.preventDefault(); close(); } });
    document.body.append(dialog);
    dialog.showModal();
  }
  const focused = document.activeElement?.id;
  const scrolled = dialog.querySelector(".modal-body")?.scrollTop ?? 0;
  dialog.stamp = stamp;
  dialog.viewId = view.id;
  dialog.setAttribute("aria-label", plain(view.title));
  fill(dialog, content(view, form, views.length));
  const again = !fresh && focused ? document.getElementById(focused) : null;
  (again ?? dialog.querySelector(".modal-body :is(input, textarea, select)") ?? dialog.querySelector("button"))?.focus();
  dialog.querySelector(".modal-body").scrollTop = fresh ? 0 : scrolled;
}

function content(view, form, depth) {
  const use = {
    press: (element, more) => press({ view_id: view.id }, element, more),
    form: {
      prefix: view.id,
      value: (block) => (block.block_id in form.values ? form.values[block.block_id] : initialValues([block])[block.block_id]),
      enter: (block, value) => { form.values[block.block_id] = value; },
      error: (block) => form.errors[block.block_id],
    },
  };
  const foot = el(
    "footer", { class: "dialog-foot" },
    form.problem ? el("p", { class: "field-error", role: "alert" }, form.problem) : null,
    el("button", { type: "button", class: "button", onclick: close }, plain(view.close) || "Close"),
    view.submit ? el("button", { class: "button primary", disabled: form.busy || view.submit_disabled, "aria-busy": form.busy ? "true" : null }, form.busy ? "Sending…" : plain(view.submit)) : null,
  );
  return el(
    "form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); submit(view, form, event.target); } },
    el("header", {},
      el("img", { src: "/page/icon.svg", alt: "", width: 22, height: 22 }),
      el("h2", {}, plain(view.title)),
      depth > 1 ? el("small", {}, `step ${depth}`) : null,
      el("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: close }, "✕")),
    el("div", { class: "modal-body" }, blocks(view.blocks, use)),
    foot,
  );
}

const isEmpty = (value) => value === undefined || value === null || value === "" || (Array.isArray(value) && !value.length);

function valuesOf(view, form) {
  const values = { ...initialValues(view.blocks), ...form.values };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value === "" ? null : value]));
}

/** What Slack's own client checks before the bot hears of it. */
function mistakes(view, form, node) {
  const values = valuesOf(view, form);
  const found = {};
  for (const block of view.blocks.filter((one) => one.type === "input")) {
    const field = node.querySelector(`[id="${CSS.escape(`${view.id}-${block.block_id}`)}"]`);
    if (isEmpty(values[block.block_id])) {
      if (!block.optional) found[block.block_id] = "this field is needed";
    } else if (field?.checkValidity && !field.checkValidity()) {
      found[block.block_id] = field.validationMessage;
    }
  }
  return found;
}

async function submit(view, form, node) {
  if (form.busy) return;
  form.problem = "";
  form.errors = mistakes(view, form, node);
  if (!Object.keys(form.errors).length) {
    form.busy = true;
    drawModal();
    const answer = await act(`“${plain(view.submit)}”`, "/person/submit", { view_id: view.id, values: valuesOf(view, form) });
    form.busy = false;
    form.errors = answer.errors ?? {};
    form.problem = answer.ok || answer.errors ? "" : `Not sent: ${reason(answer)}. Try again.`;
  }
  drawModal();
  dialog?.querySelector("[aria-invalid=true]")?.focus();
}

async function close() {
  const view = state.views.at(-1);
  if (!view) return;
  state.views = state.views.slice(0, -1);
  drawModal();
  await act("Close", "/person/close", { view_id: view.id });
}
