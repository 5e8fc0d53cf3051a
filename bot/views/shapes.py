"""What secrets look like, as patterns. Each takes time in proportion to the text: no unbounded repeat inside another.

Where a pattern has a group called `before`, that part is kept in front of the mark: people see whose secret it was.
"""

import re
from collections.abc import Sequence

_END = r"[^\s\"'<>]"
_QUOTES = r"[\"'\\]{0,4}"
_ADDRESS = r"0x[0-9a-f]{40}(?![0-9a-z])"
_PROVIDERS = (
    r"infura\.io|alchemy\.com|alchemyapi\.io|quiknode\.pro|quicknode\.com|ankr\.com|blastapi\.io|chainstack\.com"
    r"|chainnodes\.org|getblock\.io|drpc\.org|nodereal\.io|moralis[a-z-]{0,20}\.(?:io|com)|tenderly\.co|pokt\.network"
    r"|grove\.city|rivet\.cloud|1rpc\.io|onfinality\.io|allnodes\.me|nownodes\.io|dwellir\.com"
)
"""RPC providers that put the key into the URL's path."""
_NAMES = (
    r"pass(?:word|wd|phrase)?|pwd|secret(?:[_-]?(?:access)?[_-]?key)?|token|mnemonic|seed(?:[_-]?phrase)?|credentials?"
    r"|(?:api|private|access|routing|integration|signing|encryption|account|auth)[_-]?key(?![_-]?id)|privkey"
)
"""How the name of a secret ends, such as in ``MUSD_SLACK_BOT_TOKEN=…`` or ``"client_secret": "…"``."""


def _kind(kind: str, *pattern: str, case: bool = False) -> tuple[str, re.Pattern[str]]:
    return kind, re.compile("".join(pattern), 0 if case else re.IGNORECASE)


SHAPES: Sequence[tuple[str, re.Pattern[str]]] = (
    _kind("PEM block", r"-----BEGIN ([A-Z0-9 ]{1,40})-----(?:(?!-----BEGIN)[\s\S]){0,20000}?-----END \1-----"),
    _kind(  # one whose end was cut off
        "PEM block",
        r"-----BEGIN [A-Z0-9 ]{1,40}-----(?:(?:\\[nr]|\s)*+[A-Za-z0-9+/=]{16,}+)*+",
        r"(?:(?:\\[nr]|\s)*[A-Za-z0-9+/]+={1,2})?",
    ),
    _kind(
        "Slack webhook",
        r"(?P<before>hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/)[A-Za-z0-9/_-]{8,}",
    ),
    _kind("Slack token", r"(?:xox[a-z](?:[.-]xox[a-z])?|xapp)-[A-Za-z0-9-]{6,}"),
    _kind("JWT", r"(?<![\w-])eyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*){0,3}", case=True),
    _kind("GitHub token", r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    _kind(
        "access token",  # GitLab, npm, Stripe, Telegram
        r"(?<![A-Za-z0-9])(?:glpat-[\w-]{16,}|npm_[A-Za-z0-9]{30,}|[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
        r"|\d{8,12}:AA[\w-]{30,})",
        case=True,
    ),
    _kind("extended private key", r"(?<![A-Za-z0-9])[tuvxyz]prv[1-9A-HJ-NP-Za-km-z]{20,}", case=True),
    _kind("Google key", r"(?<![\w-])AIza[\w-]{30,}", case=True),
    _kind("AWS key id", r"(?<![A-Z0-9])A(?:KIA|SIA|GPA|IDA|ROA|NPA|BIA|CCA)[A-Z0-9]{16}(?![A-Z0-9])", case=True),
    _kind(  # forty characters of base64, of mixed case and with a digit: no git hash, no address, no word
        "AWS secret key",
        r"(?<![A-Za-z0-9/+=])(?=\S{0,39}[a-z])(?=\S{0,39}[A-Z])(?=\S{0,39}\d)(?![0-9a-fA-F]{40})",
        r"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])",
        case=True,
    ),
    _kind(
        "authorization",
        r"(?P<before>authorization" + _QUOTES + r"\s{0,3}[:=]\s{0,3}" + _QUOTES + r")",
        # Not the variable in a command to run oneself, such as "Bearer $TEMPLE_JWT".
        r"(?!(?:bearer\s+)?\$[A-Z_]+(?:[\"'\s]|$))(?:(?:bearer|basic|token|digest|aws4-hmac-sha256)\s+)?[^\s\"'\\,]{4,}",
    ),
    _kind("bearer token", r"(?P<before>\bbearer[\s:]{1,4})(?=\S{0,200}\d|\S{20})[A-Za-z0-9._~+/=-]{8,}"),
    _kind("password", r"(?P<before>\b[a-z][a-z0-9+.-]{1,20}://)" + _END + r"{1,400}(?=@)"),
    _kind(
        "RPC key",
        r"(?P<before>(?<![a-z0-9-])(?:" + _PROVIDERS + r")(?::\d+)?\\?/)" + _END + "+",
    ),
    _kind(
        "key in URL",
        r"(?P<before>[?&;](?:[a-z0-9_-]{0,20}(?:key|token|secret|passw(?:or)?d|signature|credential)",
        r"|sig|auth|pwd|code)=)[^&\s\"'<>]+",
    ),
    _kind(  # a long piece of path with letters and digits in one run, or a UUID: neither an address nor a pod's name
        "key in URL",
        r"(?P<before>\b(?:https?|wss?)://" + _END + r"{1,200}?/)(?!" + _ADDRESS + r")(?!0x[0-9a-f]{64})",
        r"(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?=[a-z_]{0,60}\d)\w{24,})(?!\w)",
    ),
    _kind(
        "secret",
        r"(?P<before>(?:" + _NAMES + ")" + _QUOTES + r"\s{0,3}(?::=|=>|[:=])\s{0,3}" + _QUOTES + ")",
        r"(?!\[redacted)(?!" + _ADDRESS + r")(?=[^\s\"'\\,;&]{0,80}[\d!#$%*+?@^~=]|[^\s\"'\\,;&]{16})",
        r"[^\s\"'\\,;&]{6,}",
    ),
    _kind(  # as an option of a command
        "password",
        r"(?P<before>--[a-z-]{0,40}?(?:" + _NAMES + r")[ \t]{1,3})(?![-$])[^\s\"']{3,}",
    ),
    _kind("password", r"(?P<before>\s(?:-u|--user)[ \t]{1,3}[^\s:\"']{1,60}:)(?!\d+(?:\s|$))[^\s\"']{3,}"),
    _kind(  # between quotes it may have spaces
        "password",
        r"(?P<before>(?:pass(?:word|wd|phrase)?|mnemonic)[\"']?\s{0,3}[:=]\s{0,3}(?P<quote>[\"']))(?!\[redacted)",
        r"[^\"'\\\n]{3,200}(?=(?P=quote))",
    ),
    _kind(  # a password's value counts whatever it looks like
        "password",
        r"(?P<before>pass(?:word|wd|phrase)?" + _QUOTES + r"\s{0,3}[:=]\s{0,3}" + _QUOTES + ")",
        r"(?!\[redacted)[^\s\"'\\,;&]{3,}",
    ),
)
