"""The people of the practice workspace, named by what they are."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Person:
    """Somebody who can type, press and read in the workspace."""

    id: str
    """A Slack user id."""
    name: str
    """The name the doors take, such as ``guardian-1``."""
    real_name: str
    roles: tuple[str, ...]
    """The bot's roles, highest first; the bot learns them from its settings, not from here."""

    def as_json(self) -> dict[str, object]:
        """The shape of ``GET /world``."""
        return {key: value for key, value in asdict(self).items() if key != "real_name"}


_ADMIN = ("admin", "guardian", "operator", "responder")

PEOPLE: tuple[Person, ...] = (
    Person("U0ADMIN0001", "admin-1", "Ada Adeyemi", _ADMIN),
    Person("U0ADMIN0002", "admin-2", "Aki Andersson", _ADMIN),
    Person("U0GUARD0001", "guardian-1", "Grace Garcia", _ADMIN[1:]),
    Person("U0GUARD0002", "guardian-2", "Goran Gruber", _ADMIN[1:]),
    Person("U0OPERA0001", "operator-1", "Olga Okafor", _ADMIN[2:]),
    Person("U0OPERA0002", "operator-2", "Omar Ortiz", _ADMIN[2:]),
    Person("U0RESPO0001", "responder-1", "Rita Rossi", _ADMIN[3:]),
    Person("U0OUTSI0001", "outsider", "Otto Outside", ()),
)


def person(name_or_id: str) -> Person:
    """The person of that name or Slack id. Raises `KeyError` with the names there are."""
    for one in PEOPLE:
        if name_or_id in {one.id, one.name}:
            return one
    raise KeyError(f"nobody here is called {name_or_id!r}; there are {', '.join(p.name for p in PEOPLE)}")
