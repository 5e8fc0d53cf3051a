"""Who may do what on the practice ledger: parties, users with rights, and the tokens that prove a user."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from bot.drill.ledger.errors import denied, unauthenticated
from bot.drill.listening import Json, now

SECRET = b"practice ledger token secret"
"""Signs this ledger's tokens; opens nothing else."""
LIFETIME = timedelta(days=30)


def party(hint: str) -> str:
    """The identifier of a practice party: its hint and the participant's fingerprint."""
    return f"{hint}::1220{hashlib.sha256(b'musd practice participant').hexdigest()}"


OPERATOR = party("musd-operator")
HOLDER = party("treasury")
GUARDIANS = tuple(party(hint) for hint in ("musd-bot", "admin-1", "admin-2", "guardian-1", "guardian-2"))
"""Five; the first is the bot's, the others belong to the practice people of those names."""
PARTIES = (OPERATOR, *GUARDIANS, HOLDER)
ADMIN = "participant_admin"
SERVICES = "musd-services"
"""The user of the token that the protocol's deployments share."""
_NEVER = datetime(2100, 1, 1, tzinfo=UTC)


def right(kind: str, whose: str | None = None) -> Json:
    """A right in the shape of the users API, such as ``{"kind": {"CanActAs": {"value": {"party": …}}}}``."""
    return {"kind": {kind: {"value": {"party": whose} if whose else {}}}}


class Access:
    """Users and their rights. New users and tokens for them are made here."""

    def __init__(self) -> None:
        self.users: dict[str, list[Json]] = {
            ADMIN: [right("ParticipantAdmin")],
            "musd-bot": [right("CanActAs", GUARDIANS[0]), right("CanReadAs", OPERATOR)],
            "musd-operator": [right("CanActAs", OPERATOR)],
            SERVICES: [right("CanActAs", OPERATOR)],
        }
        self.deactivated: set[str] = set()
        for guardian in GUARDIANS[1:]:
            name = guardian.partition("::")[0]
            self.users[name] = [right("CanActAs", guardian), right("CanReadAs", OPERATOR)]

    def token(self, user: str, lifetime: timedelta = LIFETIME) -> str:
        """A token that proves that user; the same call serves an admin API that hands them out."""
        return _token(user, now() + lifetime)

    def user_of(self, authorization: str | None) -> str:
        """Whose token that header carries. Raises `LedgerError` (401) when it proves nobody."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme != "Bearer" or token.count(".") != 2:
            raise unauthenticated("the Authorization header carries no bearer token")
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(_encode(_signature(signed)), signature):
            raise unauthenticated("its signature is wrong")
        claims = json.loads(_decode(signed.partition(".")[2]))
        if claims["exp"] < now().timestamp():
            raise unauthenticated("it has expired")
        user: str = claims["sub"]
        if user not in self.users:
            raise unauthenticated(f"there is no user {user}")
        if user in self.deactivated:
            raise denied(user, "to do anything: it is deactivated")
        return user

    def must_act_as(self, user: str, parties: Iterable[str]) -> None:
        """Raises `LedgerError` (403) unless the user may act as every one of them."""
        for one in parties:
            if right("CanActAs", one) not in self.users[user]:
                raise denied(user, f"CanActAs({one})")

    def must_read_as(self, user: str, parties: Iterable[str]) -> None:
        """Raises `LedgerError` (403) unless the user may read as every one of them; who may act may also read."""
        for one in parties:
            if not any(right(kind, one) in self.users[user] for kind in ("CanActAs", "CanReadAs", "CanReadAsAnyParty")):
                raise denied(user, f"CanReadAs({one})")

    def must_read_everything(self, user: str) -> None:
        """Raises `LedgerError` (403) unless the user may read as any party."""
        if right("CanReadAsAnyParty") not in self.users[user]:
            raise denied(user, "CanReadAsAnyParty")

    def must_be_admin(self, user: str) -> None:
        """Raises `LedgerError` (403) unless the user runs the participant."""
        if right("ParticipantAdmin") not in self.users[user]:
            raise denied(user, "ParticipantAdmin")


def services_token() -> str:
    """The token that the deployments begin with: one that never expires, as they are found."""
    return _token(SERVICES, _NEVER)


def _token(user: str, expires: datetime) -> str:
    claims = {"sub": user, "exp": int(expires.timestamp()), "scope": "daml_ledger_api"}
    signed = ".".join(_encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{_encode(_signature(signed))}"


def _signature(signed: str) -> bytes:
    return hmac.new(SECRET, signed.encode(), hashlib.sha256).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
