"""Verdicts: the first step that is proven, recovery when it is proven, and otherwise that nothing is."""

from bot.domain.probe import Finding, State
from bot.domain.runbook import Resolution, Runbook, all_ok, any_of, decide
from bot.domain.signal import Severity


def finding(key: str, state: State) -> Finding:
    return Finding(state, f"{key} is {state}", probe=key, title=key)


def says_bad(key: str) -> Resolution:
    return Resolution(key, f"step {key}", lambda found: "why" if found[key].state is State.BAD else None, "do it")


RUNBOOK: Runbook[None] = Runbook(
    key="x",
    title="X",
    section="X",
    alerts=("X",),
    severity=Severity.CRITICAL,
    impact="",
    probes=(),
    resolutions=(says_bad("a"), says_bad("b")),
    recovered="look once more",
)


def verdict(a: State, b: State) -> tuple[State, str]:
    decided = decide(RUNBOOK, {"a": finding("a", a), "b": finding("b", b)})
    return decided.state, decided.title


def test_the_first_step_that_applies_is_the_verdict() -> None:
    assert verdict(State.BAD, State.BAD) == (State.BAD, "step a")


def test_a_later_step_applies_where_the_earlier_does_not() -> None:
    assert verdict(State.UNKNOWN, State.BAD) == (State.BAD, "step b")


def test_all_ok_is_recovered() -> None:
    assert verdict(State.OK, State.OK) == (State.OK, "Recovered: nothing is wrong now")


def test_one_unknown_proves_no_recovery() -> None:
    assert verdict(State.OK, State.UNKNOWN) == (State.UNKNOWN, "No resolution step is proven")


def test_an_alert_without_probes_is_not_called_recovered() -> None:
    assert decide(RUNBOOK, {}).state is State.UNKNOWN


def test_a_recovery_may_look_at_some_probes_only() -> None:
    findings = {"a": finding("a", State.OK), "b": finding("b", State.BAD)}

    assert all_ok("a")(findings) == "a: OK."
    assert all_ok("a", "b")(findings) is None
    assert all_ok("missing")(findings) is None


def test_any_of_gives_every_reason_that_holds() -> None:
    assert any_of(lambda _: "one", lambda _: None, lambda _: "two")({}) == "one two"
    assert any_of(lambda _: None)({}) is None
