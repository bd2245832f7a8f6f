"""Typing and sending in the member app on a slow phone: Chromium at a sixth of this machine's speed, a real node."""

import os
from pathlib import Path
from typing import Any, Final

from hedgerow_node.bench.measure import Figure, median
from hedgerow_node.bench.processes import process
from hedgerow_node.bench.rooms_client import WEBUI, invitation

SLOWER: Final = 6
TO_PAINT_MS_MAX: Final = 200.0
"""Milliseconds. From a key to the next frame (INP's "good")."""

LINES: Final = 55
"""Messages in the conversation: more than are shown at once."""
TYPED: Final = 5

PHONE: Final = {"width": 360, "height": 740}
WAIT_MS: Final = 60_000

WATCH: Final = """() => {
  Object.assign(globalThis, { typed: [], sent: [], shown: [] });
  // A frame's work is done when a task that was asked for inside of it runs.
  const painted = (then) => requestAnimationFrame(() => {
    const channel = new MessageChannel(); channel.port1.onmessage = then; channel.port2.postMessage(0); });
  addEventListener("keydown", (event) => {
    const begin = event.timeStamp;
    const sending = event.key === "Enter" && event.ctrlKey;
    if (event.key.length !== 1 && !sending) return;
    painted(() => (sending ? globalThis.sent : globalThis.typed).push(performance.now() - begin));
    const count = document.querySelectorAll("li.message").length;
    const look = () => painted(() => {
      if (document.querySelectorAll("li.message").length > count) globalThis.shown.push(performance.now() - begin);
      else look(); });
    if (sending) look();
  }, true);
}"""
"""Notes, in milliseconds: from a key to the frame after it (``typed``), from the keys that send to the frame after them
(``sent``), and to the frame with the message in it (``shown``)."""


def figures(folder: Path, playwright: Any, chromium: str) -> list[Figure]:
    """Nothing where the web UI is not built."""
    if not (WEBUI / "dist" / "assets.json").is_file():
        return []
    data = folder / "typing"
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    serve = ("-m", "hedgerow_node", "serve", "--data", str(data), "--port", "0")
    with process(*serve), playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=sandbox)
        context = browser.new_context(viewport=PHONE, locale="en-GB", reduced_motion="reduce")
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        _converse(page, invitation(data))
        taken = _typed(context, page)
        browser.close()
    about = f"to the next frame at {SLOWER} times less speed, in a conversation of {LINES} messages; median"
    return [
        Figure("app_typing", median(taken["typed"]), "ms", TO_PAINT_MS_MAX, f"from a key {about}"),
        Figure("app_sending", median(taken["sent"]), "ms", TO_PAINT_MS_MAX, f"from the keys that send {about}"),
        Figure("app_shown", median(taken["shown"]), "ms", None, "from the keys that send to the message on the screen"),
    ]


def _converse(page: Any, link: str) -> None:
    """Come in, open a group, and write into it."""
    page.goto(link)
    page.get_by_label("What should the others call you?").fill("Ana")
    _press(page, "Come in")
    page.get_by_role("link", name="New conversation").click()
    page.locator("main").get_by_role("link", name="Group", exact=True).click()
    page.get_by_label("Name of the group").fill("Thursday circle")
    page.get_by_label("What should the others call you?").fill("Ana")
    _press(page, "Open the group")
    field = page.get_by_role("textbox", name="Write to")
    for number in range(LINES):
        field.fill(f"Line {number} with *some* words, https://example.org/{number}")
        _press(page, "Send")
        page.wait_for_function("() => document.querySelector('textarea').value === ''")
    page.reload()
    page.wait_for_function("() => document.querySelectorAll('li.message').length === 50")


def _typed(context: Any, page: Any) -> dict[str, list[float]]:
    """Write some more, slowed down; what was noted."""
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.evaluate(WATCH)
    page.get_by_role("textbox", name="Write to").focus()
    for number in range(TYPED):
        page.keyboard.type(f"typed line {number}", delay=80)
        page.keyboard.press("Control+Enter")
        page.locator("li.message").filter(has_text=f"typed line {number}").wait_for()
    page.wait_for_function(f"() => globalThis.shown.length === {TYPED}")
    taken: dict[str, list[float]] = page.evaluate("({ typed, sent, shown })")
    return taken


def _press(page: Any, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()
