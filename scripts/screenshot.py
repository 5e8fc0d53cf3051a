"""Walk through the relay incident on the practice page, as a person would, and keep pictures of it in docs/images.

``.venv/bin/python scripts/screenshot.py [--out FOLDER]`` needs Chromium (``CHROMIUM=/path`` where it is elsewhere), a
font with emoji in colour, and the packages of the ``test`` and ``drill`` extras. It starts a drill of its own and
ends it.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SCENARIO = "relay-down"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
START_SECONDS = 90
SETTLE_SECONDS = 2.5
"""A channel in which nothing changed for so long is taken to be done for now."""


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def drill(folder: str) -> Iterator[str]:
    """A running drill; its address. Raises `RuntimeError` with its last words when it does not get ready."""
    port = free_port()
    command = [sys.executable, "-m", "bot", "drill", "--no-browser", "--port", str(port), "--data", folder]
    command += ["--block-time", "4"]  # as on the real chain, the four pauses share a block
    log = Path(folder, "drill.log")
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_for(lambda: "drill ready" in log.read_text() or process.poll() is not None, START_SECONDS, "a ready drill")
        if process.poll() is not None:
            raise RuntimeError(f"the drill ended by itself:\n{log.read_text()[-3000:]}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)


def wait_for(met: Callable[[], bool], seconds: float, what: str) -> None:
    """Look until `met`. Raises `TimeoutError` naming `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.2)


def door(base: str, path: str, **query: str) -> Any:
    """What a door of the practice world answers."""
    with urlopen(f"{base}{path}?{urlencode(query)}") as answer:  # noqa: S310 - loopback, the drill started above
        return json.load(answer)


def channels(base: str) -> set[str]:
    """The names of every channel there is."""
    return {one["name"] for one in door(base, "/person/channels")}


def settle(base: str, channel: str) -> None:
    """Wait until nothing in the channel has changed for a while."""
    seen: list[tuple[float, str]] = [(time.monotonic(), "")]

    def quiet() -> bool:
        now = json.dumps(door(base, "/person/messages", channel=channel))
        if now != seen[-1][1]:
            seen.append((time.monotonic(), now))
        return time.monotonic() - seen[-1][0] > SETTLE_SECONDS

    wait_for(quiet, 60, f"#{channel} to settle")


class Camera:
    """Opens pages as people and keeps pictures of them."""

    def __init__(self, browser: Browser, base: str, out: Path) -> None:
        self._browser = browser
        self._base = base
        self._out = out

    def sit_down(self, person: str, place: str, *, dark: bool = False, phone: bool = False) -> Page:
        """A window of that person, at that place of the page."""
        context = self._browser.new_context(
            viewport=PHONE if phone else DESKTOP,  # type: ignore[arg-type]  # a literal dict is a ViewportSize
            color_scheme="dark" if dark else "light",
            has_touch=phone,
            is_mobile=phone,
            locale="en-GB",
            timezone_id="UTC",
        )
        page = context.new_page()
        page.goto(f"{self._base}/?as={person}#{place}")
        page.locator("#status .good").first.wait_for()
        return page

    def keep(self, page: Page, name: str) -> None:
        """Keep a picture of the page as it is now."""
        page.wait_for_timeout(400)
        page.screenshot(path=self._out / f"{name}.png")
        print(f"{name}.png")


def show(page: Page, where: str, words: str) -> None:
    """Scroll to what the picture is of: words that stand somewhere in the middle of the channel or the thread."""
    page.locator(where).get_by_text(words).last.evaluate("one => one.scrollIntoView({block: 'center'})")


def break_the_relay(base: str, camera: Camera) -> str:
    """Start the scenario from the panel; the incident channel the bot opened for it."""
    before = channels(base)
    page = camera.sit_down("guardian-1", "musd-alerts")
    page.get_by_role("button", name="Break something").click()
    card = page.locator(f"[data-key={SCENARIO}]")
    card.get_by_role("button", name="Break it").click()
    expect(card.get_by_text("Broken now")).to_be_visible()
    camera.keep(page, "break-something")
    wait_for(lambda: bool(channels(base) - before), 60, "the bot to open an incident")
    name = (channels(base) - before).pop()
    settle(base, name)
    page.context.close()
    return name


def look_at_the_incident(camera: Camera, incident: str) -> None:
    """The incident's channel and its thread: light, dark and on a phone."""
    for name, looks in (("incident", {}), ("incident-dark", {"dark": True}), ("incident-phone", {"phone": True})):
        page = camera.sit_down("guardian-1", incident, **looks)
        page.locator("#messages .message").first.wait_for()
        thread = page.locator(".replies").first
        if "phone" not in looks and thread.count():
            thread.click()
            page.locator("#thread .message").first.wait_for()
            show(page, "#thread", "Resolution step")
        page.locator("#messages").evaluate("box => { box.scrollTop = 0; }")
        camera.keep(page, name)
        page.context.close()


def pause(base: str, camera: Camera, incident: str) -> None:
    """One guardian proposes the pause, another confirms it."""
    page = camera.sit_down("guardian-1", incident)
    page.get_by_role("button", name="Pause protocol…").first.click()
    reason = page.locator("dialog :is(textarea, input[type=text])").first
    reason.fill("The relay is down and the bridge cannot attest: stop minting until it is back.")
    camera.keep(page, "pause-modal")
    page.locator("dialog .primary").click()
    page.locator("dialog").wait_for(state="detached")
    settle(base, incident)
    show(page, "#messages", "What runs, in this order")
    camera.keep(page, "pause-proposed")
    second = camera.sit_down("guardian-2", incident)
    confirm_pause(second)
    settle(base, incident)
    second.locator("#messages .replies").last.click()
    second.locator("#thread .message").last.wait_for()
    show(second, "#messages", "What runs, in this order")
    show(second, "#thread", "DirectMintV2: DONE")
    camera.keep(second, "paused")
    page.context.close()
    second.context.close()


def confirm_pause(page: Page) -> None:
    """Press Confirm, in the channel or in the thread it stands in, and agree to its dialog."""
    page.locator("#messages .message").first.wait_for()
    button = page.get_by_role("button", name="Confirm", exact=True)
    if not button.count():
        page.locator(".replies").first.click()
    button.last.click()
    agree = page.locator("dialog button[value=yes]")
    page.wait_for_timeout(300)
    if agree.count():
        agree.click()


def look_at_home(base: str, camera: Camera) -> None:
    """The bot's Home tab, when it publishes one."""
    page = camera.sit_down("operator-1", "home")
    try:
        wait_for(lambda: door(base, "/person/home", user="operator-1", quiet="yes") is not None, 5, "the Home tab")
    except TimeoutError as reason:
        print(f"no home.png: {reason}")
    else:
        page.locator(".home").wait_for()
        camera.keep(page, "home")
    page.context.close()


def main() -> None:
    """Make every picture."""
    parser = argparse.ArgumentParser(description="Pictures of the practice page, from a relay incident.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "images")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, drill(folder) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        camera = Camera(browser, base, out)
        incident = break_the_relay(base, camera)
        look_at_the_incident(camera, incident)
        pause(base, camera, incident)
        look_at_home(base, camera)
        browser.close()


if __name__ == "__main__":
    main()
