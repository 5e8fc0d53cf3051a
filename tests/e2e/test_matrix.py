"""The whole matrix, in the running bot: each role, each kind of action, proposer or not, fresh, used, expired, changed.

`TABLE` is the policy table as it was asked for, written out. `CASES` are proposals enough for everybody who may vote
to do so once on their own and once on somebody else's; on each of them, everybody who may not vote tries it too. What
came of a press is read from the audit log, where every vote and every refusal is a row, from what the person was told,
and from the outside: the chain, the cluster, the ledger, the places of announcements.

The messages are never edited here, so their buttons stay: as for somebody whose Slack shows an old one.

tests/engine/test_matrix.py has what is not tried here: every role as the proposer of what has expired, the last moment
before that, and the kinds of action that come out of another's end.
"""

import itertools
import json
import shlex
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bot.drill.ledger.access import Access
from tests.world.guardians import Guardians
from tests.world.postgres import binaries_or_skip
from tests.world.practice import Practice, until, written

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
"""A restore takes a backup, and a backup takes a PostgreSQL."""

NO, RE, OP, GU, AD = "outsider", "responder", "operator", "guardian", "admin"
ROLES = (NO, RE, OP, GU, AD)
OWN = "own"
"""In a case: the proposer."""
PROPOSERS = {RE: "responder-1", OP: "operator-1", GU: "guardian-1", AD: "admin-1"}
OTHERS = {NO: "outsider", RE: "responder-1", OP: "operator-2", GU: "guardian-2", AD: "admin-2"}


class Row(NamedTuple):
    """A row of the table: who proposes, who approves, how many different people; the proposer's own vote counts."""

    propose: str
    approve: str
    people: int


TABLE = {
    "operate": Row(OP, OP, 1),
    "pause": Row(RE, GU, 1),
    "restart-all": Row(OP, OP, 2),
    "oracle-updates": Row(OP, GU, 1),
    "unpause": Row(GU, GU, 2),
    "restore": Row(OP, AD, 2),
    "rotate": Row(OP, AD, 2),
    "canton": Row(GU, GU, 2),
    "announce": Row(RE, OP, 1),
    "supply": Row(GU, AD, 2),
}


class Act(NamedTuple):
    """How an action is asked for."""

    row: str
    channel: str
    words: str
    title: str
    """What its Proposal's begins with."""
    fields: Mapping[str, Any] = {"reason": "the matrix"}
    """What is filled into its modal; nothing where there is none."""
    typed: str = ""
    """What approving it takes."""


ENG, INFRA, SECURITY = "musd-protocol-eng", "musd-infra", "musd-security"
_WHY = {"cause": "a bug", "fix": "mended"}
ACTS = {
    "restart one": Act("operate", INFRA, "restart musd-relay", "Restart musd-relay"),
    "raise memory": Act("operate", ENG, "memory canton-participant", "Raise the memory limit"),
    "backup": Act("operate", SECURITY, "database backup", "Back up"),
    "switch source": Act("operate", INFRA, "oracle switch temple", "Switch the oracle"),
    "pause": Act("pause", ENG, "pause", "Pause SMUSD", {"reason": "an exploit", "contracts": ["SMUSD"]}),
    "restart all": Act("restart-all", SECURITY, "restart all", "Restart everything"),
    "pause updates": Act("oracle-updates", INFRA, "oracle pause", "Pause oracle updates"),
    "resume updates": Act("oracle-updates", ENG, "oracle resume", "Resume oracle updates"),
    "unpause": Act("unpause", SECURITY, "unpause", "Unpause SMUSD", {"contracts": ["SMUSD"], **_WHY}),
    "restore": Act("restore", INFRA, "database restore latest", "Restore canton_ledger", typed="canton_ledger"),
    "rotate": Act("rotate", ENG, "rotate token", "Rotate the Canton token"),
    "canton": Act("canton", SECURITY, "canton cap 12000000", "Propose on Canton"),
    "announce": Act("announce", INFRA, "announce update", "Announce the update on Discord", {}),
    "supply": Act("supply", ENG, "supply cap 40000000", "Set the supply cap"),
}
CASES: Mapping[str, Sequence[tuple[str, ...]]] = {
    "restart one": ((OP, OWN), (GU, OP)),
    "raise memory": ((OP, GU), (GU, OWN)),
    "backup": ((OP, AD), (AD, OWN)),
    "switch source": ((OP, GU),),
    "pause": ((RE, GU), (OP, AD), (GU, OWN), (AD, OWN)),
    "restart all": ((OP, OWN, GU), (GU, OWN, AD), (AD, OWN, OP)),
    "pause updates": ((OP, GU), (GU, OWN)),
    "resume updates": ((OP, AD), (AD, OWN)),
    "unpause": ((GU, OWN, AD), (AD, OWN, GU)),
    "restore": ((OP, AD), (AD, OWN, AD)),
    "rotate": ((OP, AD), (AD, OWN, AD)),
    "canton": ((GU, OWN, AD), (AD, OWN, GU)),
    "announce": ((RE, OP), (RE, GU), (RE, AD), (OP, OWN), (GU, OWN), (AD, OWN)),
    "supply": ((GU, AD), (AD, OWN, AD)),
}
"""By action, one proposal after the other: whose it is, and whose approvals count on it, in this order."""


class Shown(NamedTuple):
    """A Proposal as it stands in Slack."""

    id: str
    act: Act
    message: dict[str, Any]
    proposer: str


Outcomes = list[tuple[str, str]]
"""Who pressed, and what came of it."""


def may(role: str, needed: str) -> bool:
    return ROLES.index(role) >= ROLES.index(needed)


def voters(proposer: str) -> dict[str, str]:
    """Everybody with their role: the proposer, and one of each role who is somebody else."""
    return {PROPOSERS[proposer]: proposer} | {
        person: role for role, person in OTHERS.items() if person != PROPOSERS[proposer]
    }


def called(case: tuple[str, ...]) -> list[str]:
    """The people of a case whose approvals count."""
    return [PROPOSERS[case[0]] if role == OWN else OTHERS[role] for role in case[1:]]


def test_everybody_who_may_vote_does_once_on_their_own_and_once_on_anothers() -> None:
    counted = {
        (ACTS[name].row, case[0] if who == OWN else who, who == OWN)
        for name, cases in CASES.items()
        for case in cases
        for who in case[1:]
    }
    wanted = {
        (name, role, own)
        for name, row in TABLE.items()
        for role in ROLES
        for own in (True, False)
        if may(role, row.approve)
    }
    assert counted == wanted


class Matrix:
    """A drill, and what is done to it."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.folder = folder
        self.releases = 0
        self.begin(settings)
        self.names = {person["id"]: person["name"] for person in self.practice.world["people"]}

    def begin(self, settings: Sequence[str]) -> None:
        """Go on with the world of this folder, or make it."""
        self.practice = Practice(*(word for one in settings for word in ("--set", one)), data=self.folder)
        self.practice.post("/faults", target="slack", method="chat.update", error="edit_window_closed")
        self.canton = Guardians(self.practice.world["ledger"])

    def roll_out(self) -> None:
        """Somebody rolls new images out, past the bot."""
        self.releases += 1
        for name in ("canton-participant", "musd-relay"):
            image = {
                "op": "replace",
                "path": "/spec/template/spec/containers/0/image",
                "value": f"{name}:{self.releases}",
            }
            self.deployment(name, "PATCH", json=[image])
        until(lambda: self.rolled_out("canton-participant") and self.rolled_out("musd-relay"))
        until(self.canton.answers)

    def rolled_out(self, name: str) -> bool:
        """As `kubectl rollout status` looks at it."""
        found = self.deployment(name)
        status = found["status"]
        seen = status["observedGeneration"] == found["metadata"]["generation"]
        return seen and status.get("availableReplicas") == status.get("updatedReplicas") == 1

    def deployment(self, name: str, method: str = "GET", **body: Any) -> Any:
        """As somebody with the writing token sees or changes it."""
        config = json.loads(Path(self.practice.world["kubeconfig"]).read_text())
        writer = next(one["user"]["token"] for one in config["users"] if one["name"] == "writer")
        answer = self.practice.http.request(
            method,
            f"{self.practice.world['kubernetes']}/apis/apps/v1/namespaces/musd/deployments/{name}",
            headers={"Authorization": f"Bearer {writer}", "Content-Type": "application/json-patch+json"},
            timeout=60,
            **body,
        )
        answer.raise_for_status()
        return answer.json()

    def back_up(self) -> None:
        """So that there is something to restore."""
        one = self.propose({"backup": "operator-1"})["backup"]
        self.approve(one, "operator-1")
        self.ended(one)

    def propose(self, wanted: Mapping[str, str]) -> dict[str, Shown]:
        """Each of these actions, by this person, asked for at once."""
        known = {act.channel: {m["ts"] for m in self.practice.messages(act.channel)} for act in ACTS.values()}
        for name, person in wanted.items():
            self.ask(name, person)
        return {name: self.shown(ACTS[name], person, known[ACTS[name].channel]) for name, person in wanted.items()}

    def ask(self, name: str, person: str) -> None:
        act = ACTS[name]
        assert self.practice.command(person, act.words, act.channel)["ok"]
        if act.fields:
            view = self.modal(person)
            said = self.practice.post("/person/submit", user=person, view_id=view["id"], values=act.fields)
            assert said["ok"], said

    def modal(self, person: str) -> Any:
        """What has just opened, once there is something to fill in."""
        known = self.practice.seen_views[person]
        return until(
            lambda: next((v for v in self.practice.views(person) if v["id"] not in known and v["callback_id"]), None)
        )

    def shown(self, act: Act, proposer: str, known: set[str]) -> Shown:
        def posted() -> dict[str, Any] | None:
            for message in self.practice.messages(act.channel):
                if message["ts"] not in known and f"Proposal: {act.title}" in written(message):
                    return message
            return None

        message = until(posted)
        buttons = [one for block in message["blocks"] for one in block.get("elements", ()) if "action_id" in one]
        proposal_id = next(one["value"] for one in buttons if one["action_id"] == "proposal:approve")
        return Shown(proposal_id, act, message, proposer)

    def press(self, one: Shown, person: str, label: str = "") -> None:
        """Approve it, or whatever its button is called."""
        label = label or ("Confirm" if one.act.row == "pause" else "Approve")
        assert self.practice.press(person, one.message, label, one.act.channel)["ok"]

    def approve(self, one: Shown, person: str) -> None:
        """With whatever it takes."""
        self.press(one, person)
        if one.act.typed:
            view = self.modal(person)
            self.practice.post("/person/submit", user=person, view_id=view["id"], values={"typed": one.act.typed})

    def rows(self) -> list[dict[str, Any]]:
        """The audit log."""
        return [json.loads(line) for line in self.practice.terminal("audit", "export").splitlines()]

    def outcomes(self, rows: Sequence[Mapping[str, Any]], one: Shown) -> Outcomes:
        """What came of each press on a Proposal."""
        about = [row for row in rows if row["subject"] == one.id and row["what"] in {"vote", "refused"}]
        return [(self.names.get(row["actor"], "bot"), outcome(row, one.act)) for row in about]

    def everybody_was_told(self, rows: Sequence[Mapping[str, Any]], proposals: Sequence[Shown]) -> None:
        """Whose press was refused has read why; not of a modal, which says so itself."""
        channels = {one.id: one.act.channel for one in proposals}
        refused = {
            (self.names[row["actor"]], channels[row["subject"]], row["detail"]["why"])
            for row in rows
            if row["what"] == "refused" and row["subject"] in channels and row["actor"] in self.names
        }
        whispers = {
            (person, channel): "\n".join(
                written(m) for m in self.practice.messages(channel, person) if m["ephemeral_to"]
            )
            for person, channel, _ in refused
        }
        assert [one for one in refused if one[2] not in whispers[one[:2]] and "is in already" not in one[2]] == []

    def effects(self) -> tuple[int, ...]:
        """How much has happened outside."""
        seen = self.practice.get("/seen/cluster")
        return (
            len(self.practice.paused_events()),
            len([one for one in seen if one["method"] != "GET" and "dryRun" not in one["path"]]),
            len(self.practice.get("/seen/announcements")),
            len(self.canton.ballots()),
        )

    def ended(self, one: Shown) -> None:
        """Wait for its Receipt."""
        until(
            lambda: [
                m
                for m in self.practice.messages(one.act.channel)
                if m["thread_ts"] == one.message["ts"] and "Receipt:" in written(m)
            ]
        )


def outcome(row: Mapping[str, Any], act: Act) -> str:
    """One row in a word; a refusal that gives another reason than these is shown whole."""
    if row["what"] == "vote":
        return "counted"
    why = row["detail"]["why"]
    reasons = {
        f"that takes {'an' if TABLE[act.row].approve in {OP, AD} else 'a'} {TABLE[act.row].approve}": "no role",
        "carried out already": "used",
        "expired": "expired",
        "Your vote is in already": "in already",
        "What would be sent now is not what you approved": "changed",
    }
    return next((word for words, word in reasons.items() if words in why), why)


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    """A world in which no deployment can be changed: what is approved runs, and stops at its first write."""
    binaries_or_skip()
    running = Matrix(tmp_path_factory.mktemp("matrix"))
    running.back_up()
    running.practice.break_("cluster", "forbidden", verb="patch")
    yield running
    running.practice.stop()


def test_who_may_propose(matrix: Matrix) -> None:
    """Who may and proposes nothing below: the modal opens. Everybody who may not is told why."""
    tried = Counter[str]()
    for name, act in ACTS.items():
        for role in ROLES:
            if not may(role, TABLE[act.row].propose):
                assert matrix.practice.command(OTHERS[role], act.words, act.channel)["ok"]
                tried[OTHERS[role]] += 1
            elif act.fields and role not in {case[0] for case in CASES[name]}:
                assert matrix.practice.command(PROPOSERS[role], act.words, act.channel)["ok"]
                matrix.modal(PROPOSERS[role])

    def refused() -> Counter[str]:
        rows = [row for row in matrix.rows() if row["what"] == "refused" and "You can't" in row["detail"]["why"]]
        return Counter(matrix.names[row["actor"]] for row in rows)

    until(lambda: refused() == tried)


def test_fresh_and_used(matrix: Matrix) -> None:
    """In waves of one Proposal an action, since two identical open ones are one."""
    expected: dict[str, Outcomes] = {}
    proposals: list[Shown] = []
    approved: dict[str, set[str]] = {}
    for cases in zip_longest(*CASES.values()):
        wave = {name: case for name, case in zip(CASES, cases, strict=True) if case}
        shown = matrix.propose({name: PROPOSERS[case[0]] for name, case in wave.items()})
        nothing = matrix.effects()
        for name, case in wave.items():
            expected[shown[name].id] = unable(matrix, shown[name], case)
            if TABLE[ACTS[name].row].people > 1:
                expected[shown[name].id] += first_of_two(matrix, shown[name], called(case)[0])
        assert matrix.effects() == nothing

        complete = {name: case for name, case in wave.items() if len(called(case)) == TABLE[ACTS[name].row].people}
        for name, case in complete.items():
            matrix.approve(shown[name], called(case)[-1])
            expected[shown[name].id].append((called(case)[-1], "counted"))
            approved[shown[name].id] = set(called(case))
        for name in complete:
            matrix.ended(shown[name])
        something = matrix.effects()
        assert something != nothing
        for name, case in complete.items():
            expected[shown[name].id] += used(matrix, shown[name], case)
        assert matrix.effects() == something
        for name in wave.keys() - complete.keys():
            matrix.press(shown[name], shown[name].proposer, "Withdraw")
        proposals += shown.values()

    rows = matrix.rows()
    assert {one.id: matrix.outcomes(rows, one) for one in proposals} == expected
    executed = [row for row in rows if row["what"] == "execution" and row["subject"] in expected]
    assert {row["subject"]: {matrix.names[who] for who in row["detail"]["approved_by"]} for row in executed} == approved
    matrix.everybody_was_told(rows, proposals)


def unable(matrix: Matrix, one: Shown, case: tuple[str, ...]) -> Outcomes:
    """Everybody who may not vote tries it."""
    people = [who for who, role in voters(case[0]).items() if not may(role, TABLE[one.act.row].approve)]
    for person in people:
        matrix.press(one, person)
    return [(person, "no role") for person in people]


def first_of_two(matrix: Matrix, one: Shown, person: str) -> Outcomes:
    """The first approval, and the same person once more."""
    for _ in range(2):
        matrix.approve(one, person)
    return [(person, "counted"), (person, "in already")]


def used(matrix: Matrix, one: Shown, case: tuple[str, ...]) -> Outcomes:
    """Everybody tries it once it was carried out."""
    approve = TABLE[one.act.row].approve
    people = voters(case[0])
    for person in people:
        matrix.press(one, person)
    return [(person, "used" if may(role, approve) else "no role") for person, role in people.items()]


def test_expired(tmp_path: Path) -> None:
    """Proposals that live a second each, which is stricter than the table, so configuration may have it so."""
    binaries_or_skip()
    short = {name: {"lives": 1} for name in TABLE if name != "pause"}
    matrix = Matrix(tmp_path, "pause_lives=1", f"policies={json.dumps(short)}")
    try:
        cases = {name: case[0] for name, case in CASES.items() if name != "restore"}
        shown = matrix.propose({name: PROPOSERS[case[0]] for name, case in cases.items()})
        nothing = matrix.effects()
        until(lambda: [row["what"] for row in matrix.rows()].count("expired") >= len(shown))
        expected = {}
        for name, case in cases.items():
            people, approve = voters(case[0]), TABLE[ACTS[name].row].approve
            for person in people:
                matrix.press(shown[name], person)
            expected[name] = [(who, "expired" if may(role, approve) else "no role") for who, role in people.items()]

        rows = matrix.rows()
        assert {name: matrix.outcomes(rows, one) for name, one in shown.items()} == expected
        assert matrix.effects() == nothing
        matrix.everybody_was_told(rows, list(shown.values()))
    finally:
        matrix.practice.stop()


def test_changed(tmp_path: Path) -> None:
    """Before it is approved, images are rolled out and the bot is set up otherwise: nothing runs, it is shown anew."""
    binaries_or_skip()
    one, other = (tmp_path / name for name in ("one", "other"))
    matrix = Matrix(tmp_path / "world", f"backup_dir={one}", "backup_bucket=")
    try:
        matrix.back_up()
        shutil.copytree(one, other)
        setups = itertools.cycle((changed_setup(matrix, other), [f"backup_dir={one}", "backup_bucket="]))
        expected: dict[str, Outcomes] = {}
        proposals: list[Shown] = []
        for cases in zip_longest(*CASES.values()):
            wave = {name: case for name, case in zip(CASES, cases, strict=True) if case}
            shown = matrix.propose({name: PROPOSERS[case[0]] for name, case in wave.items()})
            matrix.practice.stop()
            matrix.begin(next(setups))
            matrix.roll_out()
            nothing = matrix.effects()
            known = {act.channel: {m["ts"] for m in matrix.practice.messages(act.channel)} for act in ACTS.values()}
            for name, case in wave.items():
                expected[shown[name].id] = changed(matrix, shown[name], case)
            for old in shown.values():
                is_anew = ("bot", "changed") in expected[old.id]
                now = matrix.shown(old.act, old.proposer, known[old.act.channel]) if is_anew else old
                matrix.press(now, now.proposer, "Withdraw")
            assert matrix.effects() == nothing
            proposals += shown.values()

        rows = matrix.rows()
        assert {one.id: matrix.outcomes(rows, one) for one in proposals} == expected
        matrix.everybody_was_told(rows, proposals)
    finally:
        matrix.practice.stop()


def changed_setup(matrix: Matrix, backups: Path) -> list[str]:
    """Settings by which every action of the table comes to another plan: key, place, order, party, way."""
    lines = shlex.split((matrix.folder / "bot.env").read_text())
    now = dict(line.split("=", 1) for line in lines)
    discord = now["MUSD_DISCORD_WEBHOOK_URL"].rpartition("/")
    deployments = [*(f"musd-validator-{number}" for number in (3, 2, 1)), "canton-participant", "musd-relay"]
    return [
        f"keystore={now['MUSD_UNPAUSE_KEYSTORE']}",
        f"keystore_password_file={now['MUSD_UNPAUSE_KEYSTORE_PASSWORD_FILE']}",
        f"unpause_keystore={now['MUSD_KEYSTORE']}",
        f"unpause_keystore_password_file={now['MUSD_KEYSTORE_PASSWORD_FILE']}",
        *(f"backup_dir={backups}", "backup_bucket="),
        f"deployments={','.join((*deployments, 'liquidation-bot'))}",
        *("single_deployments=canton-participant", "oracle_feeder=liquidation-bot"),
        f"ledger_guardian_token={Access().token('guardian-2')}",
        f"discord_webhook_url={discord[0].rpartition('/')[0]}/2/{discord[2]}",
    ]


def changed(matrix: Matrix, one: Shown, case: tuple[str, ...]) -> Outcomes:
    """Everybody who may not vote tries it; whose approvals count give them; where they are enough, it is refused."""
    came = unable(matrix, one, case)
    for person in called(case):
        matrix.approve(one, person)
        came.append((person, "counted"))
    if len(called(case)) == TABLE[one.act.row].people:
        until(lambda: ("bot", "changed") in matrix.outcomes(matrix.rows(), one))
        came.append(("bot", "changed"))
    return came
