// The page's table of contents: who this window is, what is in view, fetch it, draw it, and again on every change.

import { fetchCommands } from "./commands.js";
import { drawComposer } from "./composer.js";
import { get } from "./doors.js";
import { el, fill, toast } from "./dom.js";
import { drawHome, fetchHome, leaveHome } from "./home.js";
import { follow, watchWorld } from "./live.js";
import { drawChannel, drawThread } from "./messages.js";
import { drawModal } from "./modal.js";
import { drawPanel, fetchPanel } from "./panel.js";
import { drawChannelHead, drawSidebar } from "./sidebar.js";
import { addressOf, channel, onWanted, state, visibleChannels } from "./state.js";
import { drawStatus } from "./status.js";
import { seen, stale, sweep } from "./unread.js";
import { drawWho, startingPerson } from "./who.js";

const part = (id) => document.getElementById(id);
let live = false;
let panelOpen = false;
let fetching = false;
let again = false;

/** Fetch everything in view and draw it; a call in the middle of one makes one more round. */
async function refresh() {
  again = true;
  if (fetching) return;
  fetching = true;
  while (again) {
    again = false;
    try {
      await fetchAll();
      draw();
    } catch (error) {
      if (!error.gone) toast(error.message, "problem");
    }
  }
  fetching = false;
  sweep(() => drawSidebar(part("sidebar")));
}

async function fetchAll() {
  const user = state.me;
  [state.channels, state.views, state.files] = await Promise.all([get("/person/channels"), get("/person/views", { user }), get("/person/files")]);
  readAddress();
  const place = state.place;
  const [messages, home] = await Promise.all([
    place.channel ? get("/person/messages", { channel: place.channel, user }) : [],
    place.home ? fetchHome() : null,
    panelOpen ? fetchPanel() : null,
  ]);
  if (!place.home) leaveHome();
  if (place !== state.place || user !== state.me) return;
  state.messages = messages ?? [];
  if (place.home) state.home = home;
  if (place.channel) seen(place.channel, state.messages);
}

/** The address names the place: `#musd-alerts`, `#musd-alerts/1712.0001`, `#home`. */
function readAddress() {
  const [name, thread] = decodeURIComponent(location.hash.slice(1)).split("/");
  const wanted = channel(name);
  const may = visibleChannels();
  if (name === "home") return setPlace({ home: true });
  if (wanted && may.includes(wanted)) return setPlace(thread ? { channel: wanted.id, thread } : { channel: wanted.id });
  const first = may.find((one) => one.name === "musd-alerts") ?? may.find((one) => !one.is_archived) ?? may[0];
  if (!first) return setPlace({ home: true });
  if (name && name !== "home") history.replaceState(null, "", addressOf({ channel: first.id }));
  return setPlace({ channel: first.id });
}

function setPlace(place) {
  if (JSON.stringify(place) !== JSON.stringify(state.place)) state.place = place;
}

function draw() {
  const { home, thread } = state.place;
  drawWho(part("who"), become);
  drawSidebar(part("sidebar"));
  drawChannelHead(part("channel-head"));
  if (home) drawHome(part("messages"));
  else drawChannel(part("messages"));
  part("composer").hidden = Boolean(home);
  if (!home) drawComposer(part("composer"), false);
  part("panel").hidden = !panelOpen;
  part("break").setAttribute("aria-expanded", String(panelOpen));
  part("thread").hidden = !thread || panelOpen;
  if (panelOpen) drawPanel(part("panel"), togglePanel);
  if (thread) drawThreadPane();
  drawModal();
  drawStatus(part("status"), live);
}

function drawThreadPane() {
  const head = part("thread-head");
  if (!head.childElementCount) {
    const shut = () => { location.hash = addressOf({ channel: state.place.channel }); };
    fill(head, el("h1", {}, "Thread"), el("span", { class: "topic" }), el("button", { type: "button", class: "icon-button", "aria-label": "Close thread", onclick: shut }, "✕"));
  }
  head.querySelector(".topic").textContent = `#${channel(state.place.channel)?.name ?? ""}`;
  drawThread(part("thread-messages"));
  drawComposer(part("thread-composer"), true);
}

async function togglePanel() {
  panelOpen = !panelOpen;
  await refresh();
}

function become(name) {
  state.me = name;
  state.views = [];
  sessionStorage.setItem("as", name);
  history.replaceState(null, "", `/?as=${encodeURIComponent(name)}${location.hash}`);
  refresh();
}

function sidebarShown(shown) {
  part("sidebar").classList.toggle("shown", shown);
  part("menu").setAttribute("aria-expanded", String(shown));
}

async function start() {
  state.me = startingPerson();
  sessionStorage.setItem("as", state.me);
  onWanted(refresh);
  part("break").addEventListener("click", togglePanel);
  part("menu").addEventListener("click", () => sidebarShown(!part("sidebar").classList.contains("shown")));
  part("sidebar").addEventListener("click", (event) => { if (event.target.closest("a")) sidebarShown(false); });
  window.addEventListener("hashchange", () => { sidebarShown(false); refresh(); });
  await watchWorld((world) => {
    state.world = world;
    state.people = world?.people ?? [];
    drawStatus(part("status"), live);
    if (panelOpen) fetchPanel().then(() => drawPanel(part("panel"), togglePanel));
  });
  if (state.people.length && !state.people.some((one) => one.name === state.me)) state.me = state.people[0].name;
  await fetchCommands();
  follow((changedChannel, all) => { stale(changedChannel, all); refresh(); }, (connected) => {
    live = connected;
    part("gone").hidden = connected;
    part("gone").textContent = connected ? "" : "The drill has gone. This page goes on by itself when it is back.";
    drawStatus(part("status"), live);
  });
  await refresh();
}

start();
