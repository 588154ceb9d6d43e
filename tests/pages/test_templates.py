"""What every page owes its reader: a language, a title, landmarks, labels, and no inline code."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from live.pages.language import LANGUAGES, Language
from live.pages.routes import render_page
from live.pages.statics import FOLDER, RELEASE

PAGES = ("basket.html", "home.html", "order.html", "sell.html", "store.html", "watch.html")
VOID = {"br", "hr", "img", "input", "link", "meta"}


class Page(HTMLParser):
    """The elements of a page in order, and the texts that name its parts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.inside: list[str] = []
        self.unlabelled: list[dict[str, str]] = []
        self.title = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if tag in {"input", "select", "textarea"} and "label" not in self.inside:
            self.unlabelled.append(attributes)
        if tag not in VOID:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element; it must be the innermost."""
        if tag not in VOID:
            assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the title."""
        if self.inside[-1:] == ["title"]:
            self.title += data

    def all(self, *tags: str) -> list[dict[str, str]]:
        """The attributes of every element of these tags."""
        return [attributes for tag, attributes in self.elements if tag in tags]


EVERY = [(page, language) for page in PAGES for language in LANGUAGES]


def _page(template: str, language: Language) -> Page:
    links = {one: f"/?lang={one}" for one in LANGUAGES}
    return Page(render_page(template, language, links=links, maybe_signed_in=False))


def test_every_template_is_looked_at() -> None:
    folder = Path(FOLDER).parent / "templates"
    assert {path.name for path in folder.glob("*.html")} == {*PAGES, "base.html"}


@pytest.mark.parametrize(("template", "language"), EVERY)
def test_a_page_has_a_language_a_title_and_landmarks(template: str, language: Language) -> None:
    page = _page(template, language)
    assert page.all("html")[0]["lang"] == language
    assert len(page.title) > 3
    assert len(page.all("main")) == 1
    assert len(page.all("header")) >= 1
    assert page.all("h1")
    assert page.inside == []


@pytest.mark.parametrize(("template", "language"), EVERY)
def test_a_page_has_no_inline_code_and_nothing_foreign(template: str, language: Language) -> None:
    page = _page(template, language)
    assert page.all("style") == []
    assert all(script["src"].startswith("/static/") for script in page.all("script"))
    for tag, attributes in page.elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "href", "action"):
            assert attributes.get(name, "/").startswith(("/", "#")), attributes


@pytest.mark.parametrize("template", PAGES)
def test_everything_has_a_name_for_those_who_listen(template: str) -> None:
    page = _page(template, "en")
    labelled = {label.get("for") for label in page.all("label")}
    assert [field for field in page.unlabelled if field.get("id") not in labelled] == []
    assert all("alt" in image for image in page.all("img"))
    assert all(one.get("aria-label") or one.get("aria-labelledby") for one in page.all("dialog"))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "aria-controls", "for"):
            assert attributes.get(name, ids[0]) in ids, attributes


@pytest.mark.parametrize("template", PAGES)
def test_every_file_a_page_names_is_there(template: str) -> None:
    prefix = f"/static/{RELEASE}/"
    named = [
        attributes[name].removeprefix(prefix).split("#")[0]
        for _, attributes in _page(template, "ko").elements
        for name in ("src", "href")
        if attributes.get(name, "").startswith(prefix)
    ]
    assert len(named) > 8
    assert [name for name in named if not name.startswith("strings/")] != []
    for name in named:
        assert name.startswith("strings/") or (FOLDER / name).is_file(), name
