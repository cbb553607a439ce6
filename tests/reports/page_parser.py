"""A strict reading of HTML: what is opened is closed in order, ids are unique, nothing is fetched."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input", "hr"}
FETCHING = {"script", "iframe", "img", "object", "embed", "base", "form", "video", "audio"}


class Page(HTMLParser):
    """Collects what the tests ask about; `faults` names every violation."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.headings: list[str] = []
        self.verdicts: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.loose_headers = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element and note its attributes."""
        self._note(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element that closes itself, as in SVG."""
        self._note(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Only what was opened last may close."""
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        """Text outside of style sheets."""
        if "style" in self.open:
            if "http" in data or "url(" in data or "@import" in data:
                self.faults.append("the style sheet refers to something outside")
            return
        self.words.append(data)
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)

    def _note(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in FETCHING:
            self.faults.append(f"<{tag}> at {self.getpos()}")
        given = {name: value or "" for name, value in attrs}
        if tag == "th" and "scope" not in given:
            self.loose_headers += 1
        if "verdict" in given.get("class", "").split():
            self.verdicts.append(given["class"].split()[1])
        if "id" in given:
            self.ids.append(given["id"])
        self.attributes.extend((tag, name, value) for name, value in given.items())


def parse(html: str) -> Page:
    """Read a page and check what holds for every page."""
    page = Page()
    page.feed(html)
    page.close()
    outward = [
        item for item in page.attributes if item[1] in ("href", "src", "xlink:href", "srcset", "action")
    ]
    page.faults.extend(f"{tag} {name}={value}" for tag, name, value in outward if value != "data:,")
    page.faults.extend(
        f"handler {name} on {tag}" for tag, name, _ in page.attributes if name.startswith("on")
    )
    page.faults.extend(f"left open: {tag}" for tag in page.open)
    if len(set(page.ids)) != len(page.ids):
        page.faults.append("an id stands twice")
    known = set(page.ids)
    for tag, name, value in page.attributes:
        if name == "aria-labelledby" and not set(value.split()) <= known:
            page.faults.append(f"{tag} is labelled by something that is not there: {value}")
    return page
