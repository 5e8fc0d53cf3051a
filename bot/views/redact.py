"""Redaction: secrets in text from outside are replaced before the text is cut, shown, uploaded or logged.

Rules for what secrets look like, and the exact values of the bot's own. Where a rule can't tell a secret from something
harmless of the same shape (a private key and a transaction hash are both 0x and 64 hex digits) it takes the secret's
side; values the bot itself knows to be harmless are passed as `known` and survive.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from urllib.parse import quote, quote_plus

from bot.views.shapes import SHAPES

_SHORTEST_OWN = 6
"""Own secrets below this length are left alone: replacing every "abc" would eat the text and announce the secret."""
_LONGEST = 50_000
"""Characters that are looked at. No view shows more than a few thousand; a megabyte of log must not stall it."""
_LONGEST_WORD = 4_000
"""Characters taken off where an overlong text was cut, at most: no secret is longer."""
_SEED_WORDS = 12
"""The shortest seed phrase."""

_BIP39 = frozenset(files("bot.views").joinpath("bip39.txt").read_text().split())
"""The English word list of BIP-39."""
_SEED_TOKEN = re.compile(r"\\[nrt]|[A-Za-z]+")
_SEED_GAP = re.compile(r"[\s\d,;.:\"'()\[\]{}|_+\\/#*-]{0,16}")

_BASE64 = re.compile(r"[A-Za-z0-9+/=]*")
_SURELY_BASE64 = 16
"""Characters in a row that no word has."""
_PEM_END = re.compile(r"-----END [A-Z0-9 ]{1,40}-----")
_PRIVATE_KEY = re.compile(
    r"(?:(?<![0-9A-Za-z])|(?<=\\[nrt]))(?<!sha256:)(?:0[xX])?(?:[0-9a-fA-F]{64}){1,2}(?![0-9A-Za-z])"
)
"""One, or two run together; also behind the ``\\n`` of an escaped line."""


@dataclass(frozen=True)
class Redactor:
    """Takes secrets out of text. Built once, with the values of the bot's own."""

    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, secrets: Iterable[str]) -> "Redactor":
        """With these secrets, in each spelling they can turn up in."""
        spellings = {
            spelling
            for secret in secrets
            if len(secret) >= _SHORTEST_OWN
            for spelling in (secret, quote(secret, safe=""), quote_plus(secret), secret.replace('"', '\\"'))
        }
        return cls(tuple(sorted(spellings, key=lambda one: (-len(one), one))))

    def redact(self, text: str, known: Collection[str] = ()) -> str:
        """The text without its secrets, each replaced by ``[redacted: what it was]``.

        Call it on text whose invisible characters are already gone (`safe.visible`): one in the middle of a secret
        would hide it from every rule.

        Args:
            text: from outside. Of more than 50 000 characters only the first are kept.
            known: hashes of our own that survive although they look like private keys.
        """
        text = bounded(text)
        for secret in self.secrets:
            text = text.replace(secret, "[redacted: own secret]")
        for kind, shape in SHAPES:
            text = shape.sub(partial(_marked, kind), text)
        text = _without_cut_pem(text)
        harmless = {one.lower() for one in known}
        text = _PRIVATE_KEY.sub(
            lambda found: found[0] if found[0].lower() in harmless else "[redacted: private key or hash]", text
        )
        return _without_seed_phrases(text)


PATTERNS_ONLY = Redactor()
"""Without the bot's own values: for its own words, where a secret would be an accident."""


def bounded(text: str, *, tail: bool = False) -> str:
    """The first, or last, part of an overlong text, without the word it was cut in: half a secret isn't recognised."""
    if len(text) <= _LONGEST:
        return text
    if tail:
        kept = text[-_LONGEST:]
        cut_word = kept[:_LONGEST_WORD].split(maxsplit=1)[0] if kept[:_LONGEST_WORD].strip() else ""
        return kept[len(cut_word) :]
    kept = text[:_LONGEST]
    cut_word = kept[-_LONGEST_WORD:].rsplit(maxsplit=1)[-1] if kept[-_LONGEST_WORD:].strip() else ""
    return kept[: len(kept) - len(cut_word)]


def _marked(kind: str, found: re.Match[str]) -> str:
    before = found.groupdict().get("before") or ""
    return f"{before}[redacted: {kind}]"


def _without_cut_pem(text: str) -> str:
    """A PEM block whose beginning was cut off, as by `logs --tail`: the base64 before its end goes too."""
    if "-----END " not in text:
        return text
    kept: list[str] = []
    for line in text.split("\n"):
        ends = _PEM_END.split(line)
        if len(ends) == 1:
            kept.append(line)
            continue
        words = re.split(r"(\\[nr]|\s)", ends[0])
        while words and (_BASE64.fullmatch(words[-1]) or words[-1].isspace() or words[-1] in {"\\n", "\\r"}):
            words.pop()
        _drop_base64(kept)
        kept.append("".join(words) + "[redacted: PEM block]" + ends[-1])
    return "\n".join(kept)


def _drop_base64(lines: list[str]) -> None:
    """Take the base64 off the last lines, as far up as it goes; what stands before it in a line, as a time, stays."""
    for place in reversed(range(len(lines))):
        line = lines[place].rstrip()
        last = line.split()[-1] if line else ""
        alone = last == line.strip()
        if not _BASE64.fullmatch(last) or not (alone or len(last) >= _SURELY_BASE64 or last.endswith("=")):
            return
        lines[place] = line.removesuffix(last)


def _without_seed_phrases(text: str) -> str:
    for start, end in reversed(list(_seed_phrases(text))):
        text = text[:start] + "[redacted: seed phrase]" + text[end:]
    return text


def _seed_phrases(text: str) -> Iterator[tuple[int, int]]:
    """Where twelve or more words of the BIP-39 list follow each other with nothing but separators in between."""
    run: list[re.Match[str]] = []
    for word in _SEED_TOKEN.finditer(text):
        if word[0].startswith("\\"):
            continue
        if word[0].lower() in _BIP39 and (not run or _SEED_GAP.fullmatch(_gap(text, run[-1].end(), word.start()))):
            run.append(word)
            continue
        if len(run) >= _SEED_WORDS:
            yield run[0].start(), run[-1].end()
        run = [word] if word[0].lower() in _BIP39 else []
    if len(run) >= _SEED_WORDS:
        yield run[0].start(), run[-1].end()


def _gap(text: str, start: int, end: int) -> str:
    return re.sub(r"\\[nrt]", " ", text[start:end])
