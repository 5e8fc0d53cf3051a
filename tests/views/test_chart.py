"""Pictures: drawn as PNGs that say what they show."""

import io
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from PIL import Image

from bot.domain.series import Panel, Sample, Threshold
from bot.views.chart import HEIGHT, WIDTH, png

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BLUE, VERMILLION, INK = (0, 114, 178), (213, 94, 0), (27, 31, 36)


def samples(*values: float, every: timedelta = timedelta(minutes=15)) -> list[Sample]:
    return [Sample(NOW - every * place, value) for place, value in enumerate(reversed(values))][::-1]


def drawn(*panels: Panel) -> Image.Image:
    return Image.open(io.BytesIO(png(panels, NOW))).convert("RGB")


def columns(image: Image.Image, colour: tuple[int, int, int]) -> set[int]:
    """The columns of the plot, below title and reading, that hold this colour."""
    return {x for x in range(WIDTH - 170) for y in range(108, HEIGHT - 52) if image.getpixel((x, y)) == colour}


def test_each_panel_has_its_own_stripe() -> None:
    image = drawn(Panel("One", "%", 1, samples(1, 2)), Panel("Two", "%", 1, samples(2, 1)))

    assert image.size == (WIDTH, 2 * HEIGHT)


def test_a_threshold_is_drawn_even_where_no_sample_comes_near() -> None:
    image = drawn(Panel("Ratio", "%", 2, samples(101, 101), (Threshold("pause all", 90),)))

    assert columns(image, VERMILLION)


def test_the_names_of_thresholds_that_lie_close_together_stay_apart() -> None:
    limits = tuple(Threshold(name, value) for name, value in (("monitor", 99), ("pause mints", 95), ("pause all", 90)))
    image = drawn(Panel("Ratio", "%", 2, samples(101, 5), limits))

    beside = range(WIDTH - 150, WIDTH)
    inked = [any(image.getpixel((x, y)) == VERMILLION for x in beside) for y in range(HEIGHT)]
    blocks = sum(now and not before for before, now in pairwise(inked))
    assert blocks == 2 * len(limits)  # a name and a value each, and paper between any two


def test_a_long_title_leaves_its_reading_alone() -> None:
    image = drawn(Panel("Supply, Ethereum and Canton", "million mUSD", 2, samples(41, 41.58)))

    rows = range(10, 60)
    blue = {x for x in range(WIDTH) for y in rows if image.getpixel((x, y)) == BLUE}
    ink = {x for x in range(WIDTH) for y in rows if image.getpixel((x, y)) == INK}
    assert max(ink) < min(blue)


def test_nothing_is_drawn_across_a_gap() -> None:
    old = [Sample(NOW - timedelta(hours=20), 1.0), Sample(NOW - timedelta(hours=19), 1.0)]

    blue = columns(drawn(Panel("Price", "USD", 2, [*old, *samples(1, 1, 1)])), BLUE)

    middle = range(WIDTH // 3, WIDTH // 2)
    assert not blue & set(middle)


def test_without_samples_it_says_so() -> None:
    assert Panel("Price", "USD", 2, []).said == "Price: no samples yet."


def test_the_words_hold_the_reading_its_range_and_the_thresholds() -> None:
    panel = Panel("Reserve ratio", "%", 1, samples(101, 94.1, 97.3), (Threshold("pause mints", 95),))

    assert panel.said == ("Reserve ratio: 97.3 % now, between 94.1 and 101.0 in 24 hours, pause mints at 95.0.")
