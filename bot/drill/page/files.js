// Files of messages: pictures inline, texts as a short preview, the rest as a link with type and size.

import { el } from "./dom.js";
import { state } from "./state.js";

/** Where this page can read a file; only addresses of its own origin. */
function addressOf(file) {
  for (const address of [file.url, file.url_private_download, file.url_private, file.permalink]) {
    if (!address) continue;
    const url = new URL(address, location.href);
    if (url.origin === location.origin) return url.pathname + url.search;
    if (["127.0.0.1", "localhost"].includes(url.hostname) && url.port === location.port) return url.pathname + url.search;
  }
  return null;
}

const typeOf = (file) => file.content_type ?? file.mimetype ?? "";

/** A message's files; entries may be ids, whose rest is then found among the uploads. */
export function filesOf(list) {
  if (!list?.length) return null;
  return el("div", { class: "files" }, list.map((one) => attached(known(one))));
}

function known(one) {
  const id = typeof one === "string" ? one : one.id;
  const uploaded = state.files.find((file) => file.id === id);
  return { ...uploaded, ...(typeof one === "string" ? { id } : one) };
}

function attached(file) {
  const address = addressOf(file);
  const name = file.title || file.name || file.filename || file.id;
  if (typeOf(file).startsWith("image/") && address) {
    return el("figure", { class: "picture" }, el("figcaption", {}, name), el("a", { href: address, target: "_blank" }, el("img", { src: address, alt: file.alt_txt || name, loading: "lazy" })));
  }
  const facts = [typeOf(file) || "file", sizeOf(file.size)].filter(Boolean).join(", ");
  const card = el("div", { class: "file" }, el("span", { class: "file-sign", "aria-hidden": "true" }, "📄"), el("div", {}, el("strong", {}, name), el("small", {}, facts)));
  if (!address) return card;
  card.append(el("a", { href: address, target: "_blank", class: "button small" }, "Open"));
  return /^text\/|json|yaml|markdown/.test(typeOf(file)) ? el("div", { class: "file-text" }, card, preview(address, name)) : card;
}

function preview(address, name) {
  const body = el("pre", { class: "fence" }, "…");
  const load = async () => { body.textContent = (await (await fetch(address)).text()).slice(0, 20_000); };
  const box = el("details", { ontoggle: () => box.open && load().catch(() => { body.textContent = "could not be read"; }) }, el("summary", {}, `Show ${name}`), body);
  return box;
}

/** The picture of a `slack_file`, or its name where it cannot be shown. */
export function filePicture(slackFile, alt = "") {
  const file = slackFile ? known(slackFile.id ? { id: slackFile.id } : { url: slackFile.url }) : {};
  const address = addressOf(file);
  return address ? el("img", { src: address, alt, loading: "lazy" }) : el("p", { class: "unsupported" }, `Picture: ${alt || "without a description"}`);
}

function sizeOf(bytes) {
  if (bytes === undefined || bytes === null) return "";
  return bytes < 1024 ? `${bytes} bytes` : bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}
