"""People in the member app: a node with rooms in this process, and somebody at a browser of their own."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from browser.photographs import SCALE, photograph
from browser.watching import WEBUI, missing
from member_node import MemberNode, member_node

PHONE = {"width": 360, "height": 740}
NOTHING_SEALED = re.compile(r"/api/v1/sealed/[\w-]+$")
"""A device asks for what it sealed before it has sealed anything: the answer is 404, and that is as it should be."""


@dataclass
class Person:
    """Somebody with one browser: a context, its page, and what it complained about."""

    name: str
    base: str
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    offline: bool = False

    async def watch(self, page: Page) -> None:
        """Note whatever a page should not do."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{self.name}: {error}"))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        address = str(message.location.get("url", ""))
        expected = self.offline or ("404" in message.text and NOTHING_SEALED.search(address))
        if not expected:
            self.complaints.append(f"{self.name}, console {message.type}: {message.text} ({address})")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.complaints.append(f"{self.name} asked somebody else: {request.url}")

    async def photo(self, step: str) -> None:
        """A picture of this step for the members' guide, if pictures are being taken."""
        await photograph(self.page, step)

    # ways through the app, as a person goes them

    async def join(self, link: str, *, step: str = "") -> None:
        """Open an invitation, give a name, and be in."""
        await self.page.goto(link)
        await self.page.get_by_label("What should the others call you?").fill(self.name)
        if step:
            await self.photo(step)
        await self.press("Come in")
        await expect(self.page.get_by_role("link", name="New conversation")).to_be_visible(timeout=20_000)

    async def open_link(self, link: str, act: str = "Come in") -> None:
        """With an account: open an invitation that came as a link."""
        await self.home()
        await self.follow("Open an invitation")
        await self.page.get_by_label("Link", exact=True).fill(link)
        await self.press("Continue")
        await self.page.get_by_label("What should the others call you?").fill(self.name)
        await self.press(act)

    async def new_pair(self) -> str:
        """Begin a one-on-one; the link for the other person."""
        await self.home()
        await self.follow("New conversation")
        await self.follow("One-on-one")
        await self.page.get_by_label("What should the others call you?").fill(self.name)
        await self.press("Make the link")
        return await self.shown_link()

    async def new_group(self, title: str, *, step: str = "") -> str:
        """Open a group; its id."""
        await self.home()
        await self.follow("New conversation")
        await self.follow("Group")
        await self.page.get_by_label("Name of the group").fill(title)
        await self.page.get_by_label("What should the others call you?").fill(self.name)
        if step:
            await self.photo(step)
        await self.press("Open the group")
        await self.at(title)
        return await self.room_id()

    async def room_id(self) -> str:
        """Of the room that is open, from the address of its people's page."""
        href = await self.page.locator(".room-menu a").first.get_attribute("href")
        assert href is not None
        return href.rpartition("/")[2]

    async def shown_link(self) -> str:
        return await self.page.get_by_label("Link", exact=True).input_value()

    async def home(self) -> None:
        """To the list of conversations, as the app's own navigation leads there."""
        await self.page.get_by_role("navigation", name="Your conversations").get_by_role("link").first.click()
        await self.at("Conversations")

    async def open(self, room: str) -> None:
        """Open a conversation from the list."""
        await self.home()
        await self.page.locator(".rooms").get_by_role("link", name=room).click()
        await self.at(room)

    async def write(self, text: str, *, shown: str = "") -> None:
        """Write into the open conversation and see it there (``shown``: without the marks)."""
        await self.page.get_by_role("textbox", name="Write to").fill(text)
        await self.press("Send")
        await expect(self.message(shown or text)).to_be_visible()

    async def sent(self, text: str) -> None:
        """It is on its way for good: nothing is said about it any more."""
        await expect(self.message(text).locator(".status")).to_have_count(0)

    async def reads(self, text: str) -> None:
        await expect(self.message(text)).to_be_visible(timeout=20_000)

    def message(self, text: str) -> Locator:
        return self.page.locator("li.message").filter(has=self.page.locator(".rich", has_text=text))

    async def press(self, button: str) -> None:
        await self.page.get_by_role("button", name=button, exact=True).click()

    async def follow(self, link: str) -> None:
        await self.page.locator("main").get_by_role("link", name=link, exact=True).click()

    async def at(self, heading: str) -> None:
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(heading, timeout=20_000)

    async def view(self, hash_: str) -> None:
        """Open one view by its address, as a link opened in another tab would."""
        await self.page.goto("about:blank")
        await self.page.goto(f"{self.base}/app#/{hash_}")

    async def set_offline(self, offline: bool) -> None:
        self.offline = self.offline or offline
        await self.context.set_offline(offline)

    async def second_page(self) -> Page:
        """Another tab of the same browser."""
        page = await self.context.new_page()
        await self.watch(page)
        return page


Meet = Callable[..., Awaitable[Person]]
"""``await meet("Ana")``: a person with a fresh browser; ``viewport=…`` and other options of a context may follow."""


@dataclass
class Village:
    """One node and whoever came to it."""

    node: MemberNode
    base: str
    meet: Meet
    people: list[Person]

    async def link(self, *, uses: int = 1) -> str:
        return await self.node.link(uses=uses)

    async def newcomer(self, name: str, **options: Any) -> Person:
        """Somebody who is in already."""
        person = await self.meet(name, **options)
        await person.join(await self.link())
        return person

    async def couple(self) -> tuple[Person, Person]:
        """Two people in a one-on-one, at its page."""
        ana, ben = await self.newcomer("Ana"), await self.newcomer("Ben")
        await ben.open_link(await ana.new_pair())
        await ben.at("Ana")
        await ana.open("Ben")
        return ana, ben

    def complaints(self) -> list[str]:
        return [line for person in self.people for line in person.complaints]


def browsers(browser: Browser, stack: AsyncExitStack, base: str, people: list[Person]) -> Meet:
    """Fresh browsers before one node, each noted in ``people`` and closed with ``stack``."""

    async def meet(name: str, **options: Any) -> Person:
        chosen = {
            "viewport": PHONE,
            "locale": "en-GB",
            "timezone_id": "Europe/London",
            "reduced_motion": "reduce",
            "device_scale_factor": SCALE,
        }
        context = await browser.new_context(**{**chosen, **options})
        stack.push_async_callback(context.close)
        context.set_default_timeout(15_000)
        person = Person(name, base, context, await context.new_page())
        await person.watch(person.page)
        people.append(person)
        return person

    return meet


@asynccontextmanager
async def village(browser: Browser, data: Path, **settings: Any) -> AsyncIterator[Village]:
    """Run the node, and close every browser at the end."""
    if not (WEBUI / "dist" / "assets.json").is_file():
        missing("The web UI is not built, so the browser tests do not run (python webui/build_hook.py).")
    async with AsyncExitStack() as stack:
        named = {"title": "Leeds Hedgerow", "country": "GB", **settings}
        node = await stack.enter_async_context(member_node(data, **named))
        base = node.node.address.rstrip("/")
        people: list[Person] = []
        meet = browsers(browser, stack, base, people)
        yield Village(node, base, meet, people)
