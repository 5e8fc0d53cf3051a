"""The pods' log lines, growing slowly with time, and telling of what is broken."""

from bot.drill.cluster import network
from bot.drill.cluster.apps import BY_OWNER, POSTGRES_POD, RELAY, App, line
from bot.drill.cluster.kubelet import is_running
from bot.drill.cluster.state import Life, State, owner_of

_CATCH_UP = 120
"""At most this many lines are written at once after a long silence."""
PLANTED_KEY = "0x4c0883a69102937d6231471b5dbb6204fe512961708279f1d5d7e5b3c1a2f4e9"
PLANTED_JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJtdXNkLXJlbGF5Iiwicm9sZSI6InBhcnRpY2lwYW50In0"
    ".c2lnbmF0dXJlLW9mLXByYWN0aWNlLXRva2Vu"
)
PLANTED_RPC_KEY = "b7f1c09e6a2d4b58a1d3"
HOSTILE = (
    "ERROR [relay] <!channel> <!here> <@U0ADMIN0001> everything is on fire",
    "\x1b[31mERROR\x1b[0m [relay] \x1b[2J\x1b]0;owned\x07 colours and a cleared screen",
    "ERROR [relay] transfer to \u202egnp.tnuocca\u202c failed \u2066hidden\u2069 \u200b zero width",
    f"ERROR [wallet] cannot sign with private key {PLANTED_KEY}",
    f"ERROR [canton] 401 for Authorization: Bearer {PLANTED_JWT}",
    f"ERROR [rpc] POST https://eth-mainnet.example/v2/{PLANTED_RPC_KEY} failed: 429",
    "ERROR [relay] ``` *bold* _italic_ <https://evil.example|click here> ```",
    "ERROR [relay] nul \x00 bell \x07 carriage\rreturn and a very long tail " + "A" * 3000,
)


def write_lines(state: State, now: float) -> None:
    """Let every running container say what it would have said by now."""
    for pod in state.store.all_of("pods"):
        if not is_running(pod) or "deletionTimestamp" in pod["metadata"]:
            continue
        name, owner = pod["metadata"]["name"], owner_of(pod)
        life, app = state.life(name, now), BY_OWNER[owner]
        every = app.every * state.pace
        life.spoke = max(life.spoke, now - _CATCH_UP * every)
        while life.spoke + every <= now:
            life.spoke += every
            _say(state, name, owner, app, life)


def remember_the_past(state: State, now: float) -> None:
    """Give the first pods a log that goes back a while, as if they had run all along."""
    for name, life in state.lives.items():
        life.spoke = now - 60 * BY_OWNER[_owner(state, name)].every


def _owner(state: State, pod: str) -> str:
    return owner_of(state.store.get("pods", "musd", pod))


def _say(state: State, pod: str, owner: str, app: App, life: Life) -> None:
    life.said += 1
    if owner == state.troubles.hostile:
        state.journal.write(pod, HOSTILE[life.said % len(HOSTILE)], life.spoke)
    complaints = _complaints(state, owner, app)
    if complaints and life.said % 2:
        state.journal.write(pod, complaints[life.said // 2 % len(complaints)], life.spoke)
    else:
        state.journal.write(pod, line(app.routine[life.said % len(app.routine)], life.said), life.spoke)


def _complaints(state: State, owner: str, app: App) -> list[str]:
    """The error lines an application writes about what is broken around it."""
    troubles = state.troubles
    found = []
    if owner == POSTGRES_POD and troubles.postgres_down:
        found.append("FATAL:  the database system is shutting down")
    if owner in {POSTGRES_POD, "canton-participant"} and troubles.disk_percent >= 100:
        found.append("ERROR:  could not extend file: No space left on device")
    if owner == "canton-participant" and troubles.postgres_down:
        found.append("ERROR c.d.c.r.DbStorageSingle - Connection to canton-postgres-0:5432 refused")
    uses_canton = owner == RELAY.name or app.app_label == "musd-validator"
    if uses_canton and (why := network.unreachable(state, "canton")):
        found.append(f"ERROR [canton] connect {why} canton-participant:7575")
    if owner == RELAY.name and (why := network.unreachable(state, "ethereum")):
        found.append(f"ERROR [rpc] eth_blockNumber: connect {why} ethereum-rpc.musd.internal:443")
    if owner == RELAY.name and troubles.mismatch:
        found.append(f"ERROR [health] unhealthy: {troubles.mismatch}")
    if owner == RELAY.name and troubles.price_sync:
        found.append(f"ERROR [prices] {troubles.price_sync}")
    ailment = state.ailment(owner)
    if ailment and ailment.kind == "stale":
        found.append("WARN  [heartbeat] event loop blocked, heartbeat not written")
    return found
