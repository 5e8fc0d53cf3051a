// What the page knows at this moment, and how to name it. Modules read `state`; only `app.js` and `live.js` fill it.

export const state = {
  /** The name of the person this window is, such as `guardian-1`; another window can be somebody else. */
  me: "",
  world: null,
  people: [],
  channels: [],
  commands: [],
  /** Messages of the channel in view, oldest first, thread replies included. */
  messages: [],
  files: [],
  views: [],
  home: null,
  scenarios: [],
  faults: [],
  /** `{channel, thread}` by id and ts, or `{home: true}`; follows the address. */
  place: {},
  /** What the last press, command or submit took, for the status strip. */
  lastAnswer: null,
};

let refetch = () => {};

/** `app.js` says here how to fetch everything in view again. */
export function onWanted(callback) {
  refetch = callback;
}

/** Something was done: fetch what is shown again. */
export function changed() {
  refetch();
}

/** The person of that id or name. */
export function person(idOrName) {
  return state.people.find((one) => one.id === idOrName || one.name === idOrName);
}

/** How a sender is called; whoever is not one of the people is the bot. */
export function nameOf(idOrName) {
  return person(idOrName)?.name ?? (/^[UBW][A-Z0-9]{6,}$/.test(idOrName ?? "") ? "musd-bot" : idOrName || "musd-bot");
}

/** The channel of that id or name. */
export function channel(idOrName) {
  return state.channels.find((one) => one.id === idOrName || one.name === idOrName);
}

/** What a conversation is called: its name, or for a direct one the other side's. */
export function titleOf(one) {
  return one.is_im ? one.members.map(nameOf).filter((name) => name !== state.me).join(", ") || state.me : one.name;
}

/** Whether a person is a member of a channel. */
export function isMember(one, who = state.me) {
  const self = person(who);
  return Boolean(self) && (one.members ?? []).some((member) => member === self.id || member === self.name);
}

/** Channels this person may see: all public ones, and the private ones they are in. */
export function visibleChannels() {
  return state.channels.filter((one) => !one.is_private || isMember(one));
}

/** The address of a place, to link to. */
export function addressOf(place) {
  if (place.home) return "#home";
  const known = channel(place.channel);
  const name = !known || known.is_im ? place.channel ?? "" : known.name;
  return `#${name}${place.thread ? `/${place.thread}` : ""}`;
}

/** Go to a place; the address follows, so that back and forward work. */
export function go(place) {
  location.hash = addressOf(place);
}

/** The role a person is known by: the highest, in words. */
export function roleOf(one) {
  return one?.roles?.[0] ?? "no role";
}
