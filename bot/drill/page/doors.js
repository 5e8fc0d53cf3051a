// The workspace's doors, as this page uses them. Every call speaks for one person.

/** A door said no, or nobody was behind it (`gone`). The message can be shown as it is. */
export class DoorError extends Error {
  constructor(message, gone = false) {
    super(message);
    this.gone = gone;
  }
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new DoorError("the drill does not answer", true);
  }
  const body = await answer.text();
  let value = null;
  try {
    value = body ? JSON.parse(body) : null;
  } catch {
    throw new DoorError(`${path}: ${answer.status} ${body.slice(0, 200)}`);
  }
  if (!answer.ok && value?.ok === undefined) throw new DoorError(`${path}: ${value?.error ?? answer.status}`);
  return value;
}

/** GET a door; empty query values are left out. */
export function get(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(given).toString();
  return ask(search ? `${path}?${search}` : path, { cache: "no-store" });
}

/** POST JSON to a door; keys without a value are left out. */
export function post(path, body) {
  return ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}
