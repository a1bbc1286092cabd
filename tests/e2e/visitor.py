"""One person at one browser window: what they see, press and are told."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from services.gateway import app as gateway
from tests.flows.house import House

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_CHECK = """rules => axe.run(document, {runOnly: rules}).then(result =>
  result.violations.map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 200)).join(" | ")))"""

# What can be scrolled to must be something: boxes in the flow, to their last line. What is hidden from the eye and
# stands outside its scrolling parent makes the whole page taller than what it shows.
_EMPTY = """() => {
  const flows = e => !["absolute", "fixed"].includes(getComputedStyle(e).position);
  const top = e => e.getBoundingClientRect().top, end = e => e.getBoundingClientRect().bottom;
  const lowest = (e, from) => Math.max(0, ...[...e.children].filter(flows).map(end)) - from;
  const root = document.documentElement, found = [];
  const tell = (what, px) => found.push(`${what} scrolls over ${Math.round(px)} px of nothing`);
  const page = Math.max(innerHeight, lowest(document.body, top(root)));
  if (root.scrollHeight > page + 1) tell("the page", root.scrollHeight - page);
  for (const e of document.querySelectorAll("body *")) {
    const style = getComputedStyle(e);
    if (!["auto", "scroll"].includes(style.overflowY) || e.scrollHeight <= e.clientHeight + 1) continue;
    if (![...e.children].some(flows)) continue;
    const inside = lowest(e, top(e) - e.scrollTop) + parseFloat(style.paddingBottom);
    if (e.scrollHeight > inside + 2) tell("." + e.className, e.scrollHeight - inside);
  }
  return found;
}"""

RUN_MS = 60_000


class Visitor:
    """`errors`: what console and page complained about; `clicks`: how often something was pressed."""

    def __init__(
        self,
        browser: Browser,
        house: House,
        axe: str,
        *,
        width: int = 1280,
        language: str = "ko-KR",
        theme: str = "light",
    ) -> None:
        self._house = house
        self._axe = axe
        self._context = browser.new_context(
            viewport={"width": width, "height": 800},
            locale=language,
            timezone_id="Asia/Seoul",
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
        )
        self.page: Page = self._context.new_page()
        self.errors: list[str] = []
        self.clicks = 0
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self._hear(message.type, message.text))
        self.page.on("request", lambda request: self._leaves(request.url))

    def _hear(self, kind: str, text: str) -> None:
        # Before signing in the page asks who is there, and the browser notes the 401 by itself.
        if kind == "error" and "401" not in text:
            self.errors.append(text)

    def _leaves(self, url: str) -> None:
        files = f"http://files.localhost:{self._house.port}/download/"
        if not url.startswith((self.address, files, "data:", "blob:")):
            self.errors.append(f"the page asked elsewhere: {url}")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._house.port}"

    def arrive(self, path: str = "/") -> None:
        self.page.goto(self.address + path)

    def sign_in(self) -> None:
        application = self._house.application
        assert application is not None
        self.page.goto(gateway.sign_in_link(application.kits["gateway"], self.address))
        expect(self.page.locator(".example").first).to_be_visible(timeout=RUN_MS)

    def button(self, name: str, within: Locator | None = None) -> Locator:
        return (within or self.page).get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> None:
        self.clicks += 1
        self.button(name).click(timeout=RUN_MS)

    def sees(self, text: str, timeout_ms: int = RUN_MS) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=timeout_ms)

    def run_card(self) -> Locator:
        """The newest run in the conversation."""
        return self.page.locator(".run-card").last

    def complaints(self) -> list[str]:
        """What a person who sees little, or has a small window, would stumble over on this screen."""
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()
        self.page.evaluate(self._axe)
        found: list[Any] = self.page.evaluate(_CHECK, _RULES)
        wide = self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        empty: list[str] = self.page.evaluate(_EMPTY)
        return [str(each) for each in found] + (["wider than the window"] if wide else []) + empty

    def leave(self) -> None:
        self._context.close()
