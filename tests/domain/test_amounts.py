from decimal import Decimal

from bot.domain.amounts import Amount


def test_a_ratio_scales_each_side_by_its_own_decimals() -> None:
    reserves, supply = Amount(973_000_000_000, 6), Amount(1_000_000 * 10**18, 18)

    assert reserves.over(supply) == Decimal("0.973")


def test_the_largest_amounts_lose_no_digit() -> None:
    assert str(Amount(2**256 - 1, 18).exact).replace(".", "") == str(2**256 - 1)


def test_people_see_grouped_digits() -> None:
    assert Amount(1_234_567_890_000, 6).text() == "1,234,567.89"
