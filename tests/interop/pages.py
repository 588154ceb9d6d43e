"""What people do on the pages, told in JavaScript: for a browser that Playwright does not drive."""

from typing import Final

from tests.interop.firefox import Tab

WITHIN_MS: Final = 20_000
"""A busy machine is slow; a page that is wrong stays wrong."""

UNTIL: Final = """
async ({ selector, withinMs }) => {
  const end = performance.now() + withinMs;
  const find = (wanted) => document.querySelector(wanted);
  while (!find(selector)?.checkVisibility()) {
    if (performance.now() > end) {
      throw new Error(`no ${selector}: ${find("[data-test=alert]")?.textContent}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
"""
PRESS: Final = "(selector) => document.querySelector(selector).click()"
FILL: Final = """
({ selector, text }) => {
  const field = document.querySelector(selector);
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
"""


async def until(tab: Tab, selector: str) -> None:
    """Wait for something that can be seen."""
    await tab.evaluate(UNTIL, {"selector": selector, "withinMs": WITHIN_MS})


async def press(tab: Tab, test: str) -> None:
    """Press a button as soon as it can be pressed."""
    selector = f"[data-test={test}]:enabled"
    await until(tab, selector)
    await tab.evaluate(PRESS, selector)


async def fill(tab: Tab, **texts: str) -> None:
    """Type into fields; `show_title` is the field `show-title`."""
    for name, text in texts.items():
        selector = f"[data-test={name.replace('_', '-')}]"
        await until(tab, selector)
        await tab.evaluate(FILL, {"selector": selector, "text": text})


async def open_show(tab: Tab, seller: str) -> str:
    """From the console's first step to a show that could go live; gives the show's path."""
    await press(tab, "sign-up")
    await fill(tab, email=f"{seller}@kkot.example", name=seller, password="a flower in spring")
    await press(tab, "submit")
    await fill(tab, store_name=f"{seller}'s", store_slug=seller, store_story="From Jeju")
    await press(tab, "create-store")
    await fill(tab, show_title="Spring evening")
    await press(tab, "create-show")
    await until(tab, "[data-test=watch-link][href*='/shows/']")
    path: str = await tab.evaluate(
        "() => document.querySelector('[data-test=watch-link]').getAttribute('href')"
    )
    return path


async def go_live(tab: Tab) -> None:
    """Camera on, and on air."""
    await press(tab, "camera-on")
    await press(tab, "go-live")
    await until(tab, "body[data-publisher=live]")


async def sees(tab: Tab) -> None:
    """The curtain is away: the show's picture is there."""
    await until(tab, "body:has([data-test=curtain][hidden])")
