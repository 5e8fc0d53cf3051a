// The stream of changes. It reconnects by itself; a banner says when the drill has gone.

import { get } from "./doors.js";

const GRACE_MS = 1500;
const AGAIN_MS = 2000;

/** Call `changed(channel, all)` on every change (`all`: after a connect, anything may be new) and `connected(bool)` when the stream comes or goes. */
export function follow(changed, connected) {
  let grace = null;
  const open = () => {
    const stream = new EventSource("/page/changes");
    const alive = () => {
      clearTimeout(grace);
      grace = null;
      connected(true);
    };
    stream.onopen = () => { alive(); changed(null, true); };
    stream.onmessage = (event) => changed(JSON.parse(event.data).channel, false);
    stream.onerror = () => {
      grace ??= setTimeout(() => connected(false), GRACE_MS);
      if (stream.readyState === EventSource.CLOSED) setTimeout(open, AGAIN_MS);
    };
  };
  open();
}

/** Follow `GET /world` every three seconds: the bot's process may die without a change in the workspace. */
export function watchWorld(known) {
  const look = () => get("/world").then(known, () => {});
  setInterval(look, 3000);
  return look();
}
