// Block Kit's interactive elements as native controls: one function per kind, for messages, modals and the Home tab.

import { el, menu } from "./dom.js";
import { plain } from "./text.js";
import { state, visibleChannels } from "./state.js";

/** The value an element starts with, in the shape the doors take; undefined for none. */
export function initialValue(element) {
  if (element.initial_option) return element.initial_option.value;
  if (element.initial_options) return element.initial_options.map((option) => option.value);
  for (const key of ["value", "user", "users", "date", "time", "date_time", "channel", "channels", "conversation", "conversations"]) {
    if (element[`initial_${key}`] !== undefined) return element[`initial_${key}`];
  }
  return undefined;
}

/**
 * A control that holds a value. `use` is `{name, value, changed(value), describedBy, autofocus}`; `changed` is called
 * with what the doors take: a text, an option's value, an id, or a list of them.
 */
export function control(element, use) {
  const make = CONTROLS[element.type];
  return make ? make(element, use) : el("span", { class: "unsupported" }, `${element.type}: not practised on this page`);
}

/** Whether an element is a control with a value, rather than a button. */
export function holdsValue(element) {
  return element.type in CONTROLS;
}

const shared = (use) => ({
  "aria-label": use.labelled ? null : use.name,
  id: use.id,
  "aria-describedby": use.describedBy,
  "aria-invalid": use.invalid ? "true" : null,
});

function text(element, use) {
  const limits = { minlength: element.min_length, maxlength: element.max_length, placeholder: plain(element.placeholder) };
  const oninput = (event) => use.changed(event.target.value);
  if (element.multiline) return el("textarea", { ...shared(use), ...limits, rows: 4, value: use.value ?? "", oninput });
  const type = { email_text_input: "email", url_text_input: "url" }[element.type] ?? "text";
  return el("input", { ...shared(use), ...limits, type, autocomplete: "off", value: use.value ?? "", oninput });
}

function number(element, use) {
  const attributes = { type: "number", min: element.min_value, max: element.max_value, step: element.is_decimal_allowed ? "any" : 1 };
  const oninput = (event) => use.changed(event.target.value);
  return el("input", { ...shared(use), ...attributes, placeholder: plain(element.placeholder), value: use.value ?? "", oninput });
}

function picker(type) {
  return (element, use) => el("input", { ...shared(use), type, value: use.value ?? "", onchange: (event) => use.changed(event.target.value) });
}

function moment(element, use) {
  const local = (seconds) => new Date((seconds - new Date(seconds * 1000).getTimezoneOffset() * 60) * 1000).toISOString().slice(0, 16);
  const onchange = (event) => use.changed(Math.floor(new Date(event.target.value).getTime() / 1000));
  return el("input", { ...shared(use), type: "datetime-local", value: use.value ? local(use.value) : "", onchange });
}

/** Options as `[{value, label, note}]`, from the element, the people or the channels. */
function choices(element) {
  if (element.type.includes("users")) return state.people.map((one) => ({ value: one.id, label: one.name, note: one.roles[0] }));
  if (/channels|conversations/.test(element.type)) return visibleChannels().map((one) => ({ value: one.id, label: `#${one.name}` }));
  const option = (one) => ({ value: one.value, label: plain(one.text), rich: one.text, note: plain(one.description) });
  if (element.option_groups) return element.option_groups.flatMap((group) => group.options.map((one) => ({ ...option(one), group: plain(group.label) })));
  return (element.options ?? []).map(option);
}

function select(element, use) {
  const offered = choices(element);
  const options = offered.map((one) => el("option", { value: one.value }, one.label));
  const groups = new Map();
  for (const [at, one] of offered.entries()) {
    if (one.group) (groups.get(one.group) ?? groups.set(one.group, el("optgroup", { label: one.group })).get(one.group)).append(options[at]);
  }
  const empty = el("option", { value: "" }, plain(element.placeholder) || "Choose…");
  const node = el("select", { ...shared(use), onchange: (event) => use.changed(event.target.value) }, empty, groups.size ? [...groups.values()] : options);
  node.value = use.value ?? "";
  return node;
}

function ticks(type) {
  return (element, use) => {
    const chosen = new Set([use.value ?? []].flat());
    const group = crypto.randomUUID();
    const box = el("fieldset", { ...shared(use), class: type === "radio" ? "ticks" : `ticks ${element.type.startsWith("multi") ? "many" : ""}`, role: type === "radio" ? "radiogroup" : "group", "aria-label": use.name });
    for (const one of choices(element)) {
      const change = (event) => {
        if (type === "radio") return use.changed(one.value);
        if (event.target.checked) chosen.add(one.value);
        else chosen.delete(one.value);
        return use.changed([...chosen]);
      };
      const input = el("input", { type, name: group, value: one.value, checked: chosen.has(one.value), onchange: change });
      const words = one.rich ? plain(one.rich) : one.label;
      box.append(el("label", {}, input, el("span", {}, words, one.note ? el("small", {}, one.note) : null)));
    }
    return box;
  };
}

const CONTROLS = {
  plain_text_input: text,
  email_text_input: text,
  url_text_input: text,
  number_input: number,
  datepicker: picker("date"),
  timepicker: picker("time"),
  datetimepicker: moment,
  static_select: select,
  users_select: select,
  channels_select: select,
  conversations_select: select,
  multi_static_select: ticks("checkbox"),
  multi_users_select: ticks("checkbox"),
  multi_channels_select: ticks("checkbox"),
  multi_conversations_select: ticks("checkbox"),
  checkboxes: ticks("checkbox"),
  radio_buttons: ticks("radio"),
};

/** An element of an actions block or a section's accessory: choosing or pressing it tells the bot through `press`. */
export function interactive(element, press) {
  if (element.type === "button" || element.type === "workflow_button") return button(element, press);
  if (element.type === "overflow") return overflow(element, press);
  if (element.type === "image") return el("img", { class: "accessory", src: element.image_url, alt: element.alt_text ?? "" });
  const name = plain(element.placeholder) || element.action_id;
  const changed = (value) => press(element, { value });
  return el("span", { class: "control" }, control(element, { name, value: initialValue(element), changed }));
}

function button(element, press) {
  const words = plain(element.text);
  const style = element.style ? ` ${element.style}` : "";
  const node = el("button", { type: "button", class: `button${style}`, "aria-label": element.accessibility_label, "data-action": element.action_id }, words);
  node.addEventListener("click", async () => {
    node.disabled = true;
    node.setAttribute("aria-busy", "true");
    if (element.url) window.open(element.url, "_blank", "noopener");
    await press(element, { label: words });
    node.disabled = false;
    node.removeAttribute("aria-busy");
  });
  return node;
}

function overflow(element, press) {
  const open = () => menu(node, "More choices", element.options.map((one) => ({
    label: plain(one.text),
    note: plain(one.description),
    act: () => press(element, { value: one.value, label: plain(one.text) }),
  })));
  const node = el("button", { type: "button", class: "button overflow", "aria-label": "More choices", "aria-haspopup": "menu", "aria-expanded": "false", onclick: open }, "⋯");
  return node;
}
