// Building the page's nodes. Text only ever becomes text nodes: nothing in these modules parses markup.

/** An element with attributes, listeners (`onclick`…) and children; null, undefined and false children are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  add(node, children);
  return node;
}

/** Append children to a node; strings become text nodes, lists are flattened. */
export function add(node, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

/** Put these children, and nothing else, into a node. */
export function fill(node, ...children) {
  node.replaceChildren();
  return add(node, ...children);
}

/**
 * Make `parent` hold exactly `entries` (`{key, stamp, make}`) in order. An entry whose stamp is unchanged keeps its
 * node, so that focus, an open menu or a selection outlives a refetch.
 */
export function keep(parent, entries) {
  const present = new Map();
  for (const node of [...parent.children]) {
    if (node.entryKey === undefined) node.remove();
    else present.set(node.entryKey, node);
  }
  let place = parent.firstChild;
  for (const { key, stamp, make } of entries) {
    let node = present.get(key);
    present.delete(key);
    if (node && node.entryStamp !== stamp) {
      const fresh = make();
      if (place === node) place = fresh;
      node.replaceWith(fresh);
      node = fresh;
    } else if (!node) {
      node = make();
    }
    node.entryKey = key;
    node.entryStamp = stamp;
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  for (const node of present.values()) node.remove();
}

/** A short note at the bottom of the page; problems stay longer and say so in words. */
export function toast(text, kind = "note") {
  const node = el("div", { class: `toast ${kind}` }, kind === "problem" ? el("strong", {}, "Did not work: ") : null, text);
  const box = document.getElementById("toasts");
  box.append(node);
  if (box.matches(":popover-open")) box.hidePopover();
  box.showPopover(); // again on top, also of a modal that opened in between
  setTimeout(() => { node.remove(); if (!box.childElementCount) box.hidePopover(); }, kind === "problem" ? 9000 : 3500);
}

/** Open a small menu below a button: `items` are `{label, note?, act}`; Escape or a press elsewhere closes it. */
export function menu(button, name, items) {
  const list = el("div", { class: "menu", role: "menu", popover: "auto", "aria-label": name });
  for (const item of items) {
    const choose = () => { list.hidePopover(); item.act(); };
    list.append(el("button", { type: "button", role: "menuitem", onclick: choose }, item.label, item.note ? el("small", {}, item.note) : null));
  }
  return popUp(button, list);
}

/** Show a popover node by its button, inside the window, and throw it away when it closes. */
export function popUp(button, list) {
  (button.closest("dialog") ?? document.body).append(list);
  list.addEventListener("toggle", (event) => {
    if (event.newState === "closed") { list.remove(); button.setAttribute("aria-expanded", "false"); button.focus(); }
  });
  list.addEventListener("keydown", walk);
  list.showPopover();
  button.setAttribute("aria-expanded", "true");
  const at = button.getBoundingClientRect();
  const below = at.bottom + 4 + list.offsetHeight < innerHeight;
  list.style.left = `${Math.max(8, Math.min(at.left, innerWidth - list.offsetWidth - 8))}px`;
  list.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - 4 - list.offsetHeight)}px`;
  list.querySelector("[role^=menuitem]")?.focus();
  return list;
}

function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const items = [...event.currentTarget.querySelectorAll("[role^=menuitem]")];
  const next = items[(items.indexOf(document.activeElement) + step + items.length) % items.length];
  next?.focus();
}
