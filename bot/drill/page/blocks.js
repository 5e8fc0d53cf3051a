// Block Kit's blocks as nodes. What a block cannot be drawn as is named, never dropped in silence.

import { el } from "./dom.js";
import { control, initialValue, interactive } from "./elements.js";
import { filePicture } from "./files.js";
import { markdown } from "./markdown.js";
import { richText } from "./richtext.js";
import { plain, rich, richIn } from "./text.js";

/**
 * The nodes of some blocks. `use` is `{press(element, {block_id, value, label}), form}`: `press` tells the bot, `form`
 * (modals only) holds what was entered: `{value(block), enter(block, value), error(block), prefix}`.
 */
export function blocks(list, use) {
  return (list ?? []).map((block) => {
    const draw = BLOCKS[block.type];
    const node = draw ? draw(block, use) : el("p", { class: "unsupported" }, `A ${block.type} block, which this page cannot draw`);
    node.classList.add("block");
    if (block.block_id) node.dataset.block = block.block_id;
    return node;
  });
}

const presser = (block, use) => (element, more) => use.press(element, { block_id: block.block_id, ...more });

function section(block, use) {
  const body = el("div", { class: "section-text" }, block.text ? richIn("div", { class: "text" }, block.text) : null);
  if (block.fields) body.append(el("div", { class: "fields" }, block.fields.map((field) => richIn("div", { class: "text" }, field))));
  const accessory = block.accessory && el("div", { class: "section-accessory" }, interactive(block.accessory, presser(block, use)));
  return el("div", { class: "section" }, body, accessory);
}

function context(block) {
  const part = (one) => (one.type === "image" ? el("img", { src: one.image_url, alt: one.alt_text ?? "" }) : richIn("span", { class: "text" }, one));
  return el("div", { class: "context" }, block.elements.map(part));
}

function image(block) {
  const source = block.image_url ? el("img", { src: block.image_url, alt: block.alt_text ?? "", loading: "lazy" }) : filePicture(block.slack_file, block.alt_text);
  return el("figure", { class: "picture" }, block.title ? el("figcaption", {}, plain(block.title)) : null, source);
}

function input(block, use) {
  const id = `${use.form.prefix}-${block.block_id}`;
  const words = plain(block.label);
  const error = use.form.error(block);
  const hint = block.hint ? el("p", { class: "hint", id: `${id}-hint` }, rich(block.hint)) : null;
  const wrong = error ? el("p", { class: "field-error", id: `${id}-error` }, el("strong", {}, "Please check: "), error) : null;
  const node = control(block.element, {
    id,
    name: words,
    labelled: true,
    invalid: Boolean(error),
    describedBy: [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ") || null,
    value: use.form.value(block),
    changed: (value) => {
      use.form.enter(block, value);
      if (block.dispatch_action && !TYPED.has(block.element.type)) use.press(block.element, { block_id: block.block_id, value });
    },
  });
  if (block.dispatch_action && TYPED.has(block.element.type)) {
    node.addEventListener("change", () => use.press(block.element, { block_id: block.block_id, value: node.value }));
  }
  const optional = block.optional ? el("span", { class: "optional" }, " (optional)") : null;
  return el("div", { class: error ? "input wrong" : "input" }, el("label", { for: id }, words, optional), node, wrong, hint);
}

const TYPED = new Set(["plain_text_input", "number_input", "email_text_input", "url_text_input"]);

function table(block) {
  const cell = (one, tag) => el(tag, {}, one.type === "rich_text" ? richText(one) : one.text ?? "");
  const [head, ...rows] = block.rows ?? [];
  return el("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" }, el(
    "table", {},
    el("thead", {}, el("tr", {}, (head ?? []).map((one) => cell(one, "th")))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((one) => cell(one, "td"))))),
  ));
}

const BLOCKS = {
  header: (block) => el("h3", { class: "header" }, plain(block.text)),
  section,
  context,
  image,
  input,
  table,
  divider: () => el("hr", {}),
  actions: (block, use) => el("div", { class: "actions" }, block.elements.map((one) => interactive(one, presser(block, use)))),
  rich_text: (block) => el("div", { class: "text" }, richText(block)),
  markdown: (block) => el("div", { class: "text markdown" }, markdown(block.text)),
  video: (block) => el("p", { class: "text" }, plain(block.title)),
};

/** What a form holds before anybody typed: `{block_id: value}` of the inputs that start with one. */
export function initialValues(list) {
  const inputs = (list ?? []).filter((block) => block.type === "input");
  return Object.fromEntries(inputs.map((block) => [block.block_id, initialValue(block.element)]).filter(([, value]) => value !== undefined));
}
