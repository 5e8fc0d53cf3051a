"""Drawing readings over 24 hours: large enough for a phone, and told apart without colour.

The colours are Okabe and Ito's, which the colour-blind tell apart; thresholds are dashed and named besides.
"""

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from PIL import Image, ImageDraw, ImageFont

from bot.domain.series import Panel, Sample

WIDTH, HEIGHT = 800, 392
"""Pixels of one panel."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 24, 170, 108, 52
_TITLE, _SMALL = 34, 24
"""Sizes of letters: on a phone the picture is about as wide as its screen, and these still read well."""
_LABEL = 54.0
"""Pixels from one threshold's name to the next: two lines."""
_DAY = timedelta(hours=24)
_GAP = timedelta(minutes=90)
"""Samples further apart have nothing known between them: the line is broken there."""
_BLUE, _VERMILLION, _INK, _FAINT, _PAPER = "#0072B2", "#D55E00", "#1B1F24", "#C9D1D9", "#FFFFFF"
_DASH = 12

Point = tuple[float, float]


def png(panels: Sequence[Panel], now: datetime | None = None) -> bytes:
    """The panels, one below the other, as a PNG."""
    image = Image.new("RGB", (WIDTH, HEIGHT * len(panels)), _PAPER)
    draw = ImageDraw.Draw(image)
    for place, panel in enumerate(panels):
        _panel(draw, panel, place * HEIGHT, now or datetime.now(UTC))
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()


def _panel(draw: ImageDraw.ImageDraw, panel: Panel, top: int, now: datetime) -> None:
    left, right, high, low = _LEFT, WIDTH - _RIGHT, top + _TOP, top + HEIGHT - _BOTTOM
    for hours in (24, 18, 12, 6, 0):
        x = right - (right - left) * hours / 24
        draw.line([(x, high), (x, low)], fill=_FAINT, width=1)
        anchor = "la" if x == left else "ma"
        draw.text((x, low + 10), f"-{hours} h" if hours else "now", fill=_INK, font=_font(_SMALL), anchor=anchor)
    latest = f"{panel.samples[-1].value:,.{panel.places}f} {panel.unit}".strip() if panel.samples else ""
    draw.text((WIDTH - _LEFT, top + 16), latest, fill=_BLUE, font=_font(_TITLE), anchor="ra")
    free = WIDTH - 3 * _LEFT - draw.textlength(latest, font=_font(_TITLE))
    draw.text((left, top + 16), panel.title, fill=_INK, font=_fitting(draw, panel.title, free))
    if not panel.samples:
        draw.text((left, (high + low) / 2), "no samples yet", fill=_INK, font=_font(28), anchor="lm")
        return
    values = [one.value for one in panel.samples]
    ranged = f"{min(values):,.{panel.places}f} to {max(values):,.{panel.places}f} in 24 h"
    draw.text((left, top + 62), ranged, fill=_INK, font=_font(_SMALL))
    bottom, ceiling = _range(panel)

    def y(value: float) -> float:
        return low - (low - high) * (value - bottom) / (ceiling - bottom)

    thresholds = sorted(panel.thresholds, key=lambda one: y(one.value))
    for one, place in zip(thresholds, _apart([y(one.value) for one in thresholds], high, low), strict=True):
        _dashed(draw, y(one.value), left, right)
        draw.line([(right, y(one.value)), (right + 8, place)], fill=_VERMILLION, width=2)
        text = f"{one.label}\n{one.value:,.{panel.places}f}"
        draw.text((right + 12, place), text, fill=_VERMILLION, font=_font(_SMALL), anchor="lm", spacing=2)
    for run in _runs(panel.samples):
        points = [(right - (right - left) * ((now - one.at) / _DAY), y(one.value)) for one in run]
        points = [point for point in points if point[0] >= left]
        _line(draw, points)


def _line(draw: ImageDraw.ImageDraw, points: Sequence[Point]) -> None:
    if len(points) > 1:
        draw.line(list(points), fill=_BLUE, width=5, joint="curve")
    for x, y in points[-1:]:
        draw.ellipse([(x - 7, y - 7), (x + 7, y + 7)], fill=_BLUE)


def _dashed(draw: ImageDraw.ImageDraw, y: float, left: int, right: int) -> None:
    for x in range(left, right, 2 * _DASH):
        draw.line([(x, y), (min(x + _DASH, right), y)], fill=_VERMILLION, width=3)


def _apart(wanted: Sequence[float], high: float, low: float) -> list[float]:
    """Where the names of thresholds go: as near to their lines as can be without one standing on another."""
    places: list[float] = []
    for y in wanted:
        places.append(max(y, places[-1] + _LABEL if places else high + _LABEL / 2))
    limit = low - _LABEL / 2
    for index in reversed(range(len(places))):
        places[index] = min(places[index], limit)
        limit = places[index] - _LABEL
    return places


def _range(panel: Panel) -> tuple[float, float]:
    """From below the lowest to above the highest of samples and thresholds, never of no height."""
    values = [one.value for one in panel.samples] + [one.value for one in panel.thresholds]
    lowest, highest = min(values), max(values)
    room = (highest - lowest) * 0.08 or abs(highest) * 0.05 or 1.0
    return lowest - room, highest + room


def _runs(samples: Sequence[Sample]) -> list[list[Sample]]:
    """The samples in runs without a gap."""
    runs: list[list[Sample]] = []
    for one in samples:
        if not runs or one.at - runs[-1][-1].at > _GAP:
            runs.append([])
        runs[-1].append(one)
    return runs


def _fitting(draw: ImageDraw.ImageDraw, text: str, width: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font of a title: smaller where its reading leaves it less room than it would take."""
    return next(
        (font for size in range(_TITLE, _SMALL, -1) if draw.textlength(text, font := _font(size)) <= width),
        _font(_SMALL),
    )


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
