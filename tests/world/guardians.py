"""Canton's guardians as they vote: with their own tokens, through the ledger's own API, past the bot."""

import itertools
import json
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
            contract = [one for one in self.active(BALLOT) if _purpose(one) == purpose][-1]
            self._vote(name, BALLOT, contract["contractId"], "Proposal_Approve", approver=_party(name))

    def put_again(self, like: Json, key: str, name: str) -> None:
        """Somebody puts another proposal like this one, under another id and without its votes."""
        fresh = {"proposalId": key, "proposer": _party(name), "status": "Pending", "timelockEndsAt": None}
        argument = {**like, **fresh, "approvals": {"map": []}, "rejections": {"map": []}}
        create = {"templateId": f"{_PACKAGE}:{BALLOT}", "createArguments": argument}
        self._submit(name, {"CreateCommand": create})

    def trigger(self, *names: str) -> None:
        """These guardians vote on the pause state."""
        for name in names:
            contract = self.active(PAUSE_STATE)[-1]["contractId"]
            choice = "EmergencyPause_Trigger"
            self._vote(name, PAUSE_STATE, contract, choice, guardian=_party(name), reason="seen it")

    def _vote(self, name: str, template: str, contract: str, choice: str, **argument: str) -> None:
        body = {
            "templateId": f"{_PACKAGE}:{template}",
            "contractId": contract,
            "choice": choice,
            "choiceArgument": argument,
        }
        self._submit(name, {"ExerciseCommand": body})

    def _submit(self, name: str, command: Json) -> None:
        commands = {"commandId": f"{name}-{next(_numbers)}", "actAs": [_party(name)], "commands": [command]}
        self._ask("POST", "/v2/commands/submit-and-wait-for-transaction", {"commands": commands}, name)

    def _ask(self, method: str, path: str, body: Any, user: str) -> Any:
        headers = {"Authorization": f"Bearer {self._tokens.token(user)}"}
        answer = self.http.request(method, self.url + path, json=body, headers=headers, timeout=15)
        assert answer.ok, answer.text
        return answer.json()


def _party(name: str) -> str:
    return next(one for one in GUARDIANS if one.partition("::")[0] == name)


def _purpose(created: Json) -> str:
    said: Json = json.loads(created["createArgument"]["payload"])
    return str(said["purpose"])
