"""Everything from outside goes through here on its way into a message, and comes out unable to do anything.

In this order, and no other: what can't be seen is removed (a zero-width space inside a token would hide it), secrets
are redacted (before cutting: half a secret is no longer recognised), what Slack would act on is disarmed, the rest is
cut to its length, and last `&`, `<` and `>` are escaped, so that no cut goes through an escape.

Without `<` and `>` nothing can mention, link or write a date. Bare URLs, e-mail addresses and channel names stay text
because every mrkdwn object of the bot is `verbatim` (see `kit`).
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from bot.views.redact import Redactor, bounded

_ANSI = re.compile(
    r"(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"  # OSC: titles and hyperlinks
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*(?:\x1b\\|\x9c)?"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor movements
    r"|\x1b[ -/]*[0-~]?"
)
_LINE_ENDS = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Controls, format characters (zero width, bidi, tags), lone surrogates, private use, unassigned."""
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | frozenset(
    map(chr, range(0xE0100, 0xE01F0))
)
"""Characters of other categories that show nothing."""
_STACKING = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
_STACKED = re.compile(f"([{_STACKING}]{{3}})[{_STACKING}]+")
"""More accents on one letter than any language needs: they climb over the lines above."""
_SHORTCODE = re.compile(r":(?=[a-z0-9_'+-]{1,60}:)(?=[0-9_'+-]*[a-z+]|100:|1234:|-1:)", re.IGNORECASE)
_WORD_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_TICK = "\N{MODIFIER LETTER GRAVE ACCENT}"
_LOOKALIKES = str.maketrans({"*": "\N{ASTERISK OPERATOR}", "~": "\N{TILDE OPERATOR}", "`": _TICK})
_ANGLES = str.maketrans(
    {
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
    }
)
_MENTION = re.compile(r"&lt;@([UW][A-Z0-9]{6,20})&gt;")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BEYOND_BMP = 0x10000
_QUOTED_LINES = 15


def visible(text: str) -> str:
    """Without ANSI sequences, controls and characters that show nothing. Line ends become one kind; tabs are kept."""
    text = _LINE_ENDS.sub("\n", _ANSI.sub("", text))
    kept = "".join(one for one in text if one in "\n\t" or not _unseen(one))
    return _STACKED.sub(r"\1", kept)


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN_CATEGORIES or character in _UNSEEN


def escape(text: str) -> str:
    """Slack's own escaping: the three characters that make mentions, links and dates."""
    return "".join(_ESCAPES.get(one, one) for one in text)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters as Slack counts them once the text is escaped; an ellipsis says that some are gone."""
    if length(text) <= limit:
        return text
    used = 1
    for place, character in enumerate(text):
        used += length(character)
        if used > limit:
            return text[:place].rstrip() + "…"
    return text


def length(text: str) -> int:
    """How long Slack finds this text once it is escaped; characters beyond the basic plane count twice, to be safe."""
    return sum(len(_ESCAPES.get(one, one)) + (ord(one) >= _BEYOND_BMP) for one in text)


def mentioned(text: str) -> frozenset[str]:
    """The people whom a text of ours mentions, such as a refusal that says who could do it instead."""
    return frozenset(_MENTION.findall(escape(text)))


@dataclass(frozen=True)
class Safe:
    """Text from outside, made fit for each place it can stand in. `limit` is always in characters as Slack counts."""

    redactor: Redactor

    def clean(self, text: str, known: Collection[str] = (), *, tail: bool = False) -> str:
        """Without anything unseen and without secrets; not yet fit for Slack. Of a huge text only one end is kept."""
        return self.redactor.redact(visible(bounded(text, tail=tail)), known)

    def line(self, text: str, limit: int = 300, known: Collection[str] = (), *, mentions: Collection[str] = ()) -> str:
        """Mrkdwn, one line, unformatted: for words from outside in the middle of ours. `mentions`: see `own`."""
        one_line = " ".join(self.clean(text, known).split())
        return _mentioning(escape(cut(_unformatted(one_line), limit)), mentions)

    def quoted(self, text: str, limit: int = 1000, known: Collection[str] = ()) -> str:
        """Mrkdwn, several lines, each marked as a quotation; nothing if there is nothing."""
        lines = [line.rstrip() for line in _unformatted(self.clean(text, known)).split("\n") if line.strip()]
        lines = [*lines[:_QUOTED_LINES], "…"] if len(lines) > _QUOTED_LINES else lines
        shown = cut("\n".join(lines), limit - len("> ") * len(lines))
        return "\n".join("> " + escape(line) for line in shown.split("\n")) if shown else ""

    def code(self, text: str, limit: int = 300, known: Collection[str] = ()) -> str:
        """Mrkdwn, a short piece in code; it can't end the code it stands in."""
        one_line = " ".join(self.clean(text, known).replace("`", _TICK).split())
        return f"`{escape(cut(one_line, limit - 2))}`" if one_line else ""

    def block(self, text: str, limit: int = 2500, *, tail: bool = False, known: Collection[str] = ()) -> str:
        """Mrkdwn, a code block; what is cut is said inside it. Nothing if there is nothing.

        Args:
            text: from outside.
            limit: of the whole block.
            tail: keep the end instead of the beginning: in a log the last line is the one that matters.
            known: hashes of our own.
        """
        body = self.clean(text, known, tail=tail).replace("`", _TICK).expandtabs(4).strip("\n")
        if not body.strip():
            return ""
        room = limit - len("```\n\n```")
        if length(body) > room:
            room -= len("… (cut: 000,000 characters left out)\n")
            kept = cut(body[::-1], room + 1)[::-1].lstrip("…") if tail else cut(body, room + 1).rstrip("…")
            note = f"… (cut: {len(body) - len(kept):,} characters left out)"
            body = f"{note}\n{kept}" if tail else f"{kept}\n{note}"
        return f"```\n{escape(body)}\n```"

    def plain(self, text: str, limit: int) -> str:
        """For `plain_text`: Slack acts on nothing there but emoji names, yet clients differ; so no `<`, `>` at all."""
        one_line = " ".join(self.clean(text).split()).translate(_ANGLES)
        return cut(_SHORTCODE.sub("\N{RATIO}", one_line), limit)

    def own(self, text: str, limit: int = 2900, *, mentions: Collection[str] = ()) -> str:
        """Mrkdwn, our own words: formatting works. `mentions` are the people who can be mentioned in it, by user id."""
        return _mentioning(escape(cut(self.clean(text).strip(), limit)), mentions)


def _mentioning(escaped: str, mentions: Collection[str]) -> str:
    """With these people's mentions as mentions again, and nobody else's."""
    return _MENTION.sub(lambda found: f"<@{found[1]}>" if found[1] in mentions else found[0], escaped)


def _unformatted(text: str) -> str:
    """Without what mrkdwn would make bold, struck, code, slanted or a picture; it looks the same."""
    text = _SHORTCODE.sub("\N{RATIO}", text.translate(_LOOKALIKES))
    return _WORD_EDGE_UNDERSCORE.sub("\N{FULLWIDTH LOW LINE}", text)
