"""Canton's guardians as they vote: with their own tokens, through the ledger's own API, past the bot."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import requests

from bot.drill.ledger.access import GUARDIANS, OPERATOR, Access
from bot.drill.ledger.protocol import SERVICES

Json = dict[str, Any]

BALLOT = "Governance:MultiSigProposal"
PROOF = "Governance:GovernanceActionLog"
PAUSE_STATE = "Governance:EmergencyPauseState"
FEED = "CantonLending:CantonPriceFeed"
_PACKAGE = "#musd-protocol"
_TAKEN = ("CONTRACT_NOT_FOUND", "LOCAL_VERDICT_LOCKED_CONTRACTS")
"""Answered where another vote on the same contract came first."""
_TRIES = 5
_numbers = itertools.count()


class Guardians:
    """The ledger seen by everybody but the bot."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False
        self._tokens = Access()

    def active(self, template: str) -> list[Json]:
        """The active contracts of a template, oldest first."""
        one = {"identifierFilter": {"TemplateFilter": {"value": {"templateId": f"{_PACKAGE}:{template}"}}}}
        end = self._ask("GET", "/v2/state/ledger-end", None, "musd-operator")["offset"]
        body = {
            "activeAtOffset": end,
            "eventFormat": {"filtersByParty": {OPERATOR: {"cumulative": [one]}}, "verbose": False},
        }
        found = self._ask("POST", "/v2/state/active-contracts", body, "musd-operator")
        return [one["contractEntry"]["JsActiveContract"]["createdEvent"] for one in found]

    def answers(self) -> bool:
        """Whether the participant is there."""
        return self._answer("GET", "/v2/version", None, "musd-operator").ok

    def ballots(self) -> list[Json]:
        """The arguments of every proposal."""
        return [one["createArgument"] for one in self.active(BALLOT)]

    def paused(self) -> list[bool]:
        """What every active service contract says."""
        return [one["createArgument"]["paused"] for service in SERVICES for one in self.active(service.key)]

    def feed(self, symbol: str) -> Json:
        """A price feed's arguments."""
        return next(one["createArgument"] for one in self.active(FEED) if one["createArgument"]["symbol"] == symbol)

    def approve(self, purpose: str, *names: str) -> None:
        """These guardians approve the newest proposal whose payload names this purpose."""
        for name in names:
            self._vote(
                name,
                BALLOT,
                lambda: [one for one in self.active(BALLOT) if _purpose(one) == purpose][-1],
                "Proposal_Approve",
                approver=_party(name),
            )

    def put_again(self, like: Json, key: str, name: str) -> None:
        """Somebody puts another proposal like this one, under another id and without its votes."""
        fresh = {"proposalId": key, "proposer": _party(name), "status": "Pending", "timelockEndsAt": None}
        argument = {**like, **fresh, "approvals": {"map": []}, "rejections": {"map": []}}
        create = {"templateId": f"{_PACKAGE}:{BALLOT}", "createArguments": argument}
        answer = self._submit(name, {"CreateCommand": create})
        assert answer.ok, answer.text

    def trigger(self, *names: str) -> None:
        """These guardians vote on the pause state."""
        for name in names:
            self._vote(
                name,
                PAUSE_STATE,
                lambda: self.active(PAUSE_STATE)[-1],
                "EmergencyPause_Trigger",
                guardian=_party(name),
                reason="seen it",
            )

    def _vote(self, name: str, template: str, newest: Callable[[], Json], choice: str, **argument: str) -> None:
        """Vote on the contract that stands. Somebody else's vote takes its place at any moment: then on that one."""
        for _ in range(_TRIES):
            body = {
                "templateId": f"{_PACKAGE}:{template}",
                "contractId": newest()["contractId"],
                "choice": choice,
                "choiceArgument": argument,
            }
            answer = self._submit(name, {"ExerciseCommand": body})
            if answer.ok or answer.json()["code"] not in _TAKEN:
                break
        assert answer.ok, answer.text

    def _submit(self, name: str, command: Json) -> requests.Response:
        commands = {"commandId": f"{name}-{next(_numbers)}", "actAs": [_party(name)], "commands": [command]}
        return self._answer("POST", "/v2/commands/submit-and-wait-for-transaction", {"commands": commands}, name)

    def _ask(self, method: str, path: str, body: Any, user: str) -> Any:
        answer = self._answer(method, path, body, user)
        assert answer.ok, answer.text
        return answer.json()

    def _answer(self, method: str, path: str, body: Any, user: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._tokens.token(user)}"}
        return self.http.request(method, self.url + path, json=body, headers=headers, timeout=15)


def _party(name: str) -> str:
    return next(one for one in GUARDIANS if one.partition("::")[0] == name)


def _purpose(created: Json) -> str:
    said: Json = json.loads(created["createArgument"]["payload"])
    return str(said["purpose"])
