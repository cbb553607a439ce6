"""Whether anything in a run folder names what was planted in it under seal.

Some defects bear ordinary words for names: `errors` is a kind of objective, too. Those are looked for in the
forms in which planting would name them: with a size or `/twin` behind them, in a list of defects, as an
option, as a file of defects. A name with a hyphen is nobody else's, so it is looked for as it is.
"""

from __future__ import annotations

import re
from pathlib import Path

from detect.blind import Envelope
from fixtures.region.defects.planting import VARIABLE

REACH = 1000  # characters before a name in which a list of defects may have begun
_QUOTE = r"""(?:\\?["']|&#34;|&#39;|&quot;)"""
_WHOLE = re.compile(r"(?:\A|[^\w-])\Z")
_SIZED = re.compile(r"/twin\b|:[a-z]+=")
_LISTED = re.compile(rf"{_QUOTE}(?:defects?|planted){_QUOTE}\s*:\s*(?:\[[^\]]*)?{_QUOTE}\Z")
_LED = re.compile(r"(?:--defect\W+|\bdefects[./]|gameday_defect_)\Z")
_GOES_ON = re.compile(r"[\w-]")


def named_in(folder: Path, envelope: Envelope) -> list[str]:
    """Files of a run folder, at any depth, that name the defect in text or path; none if the seal held."""
    found = []
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_file() and (_names(name, envelope) or _names(_text(path), envelope)):
            found.append(name)
    return sorted(found)


def _names(text: str, envelope: Envelope) -> bool:
    """Whether somebody who knew of the envelope wrote this."""
    if VARIABLE in text or envelope.text in text:
        return True
    spelt = {envelope.defect, envelope.defect.replace("-", "_")}
    places = (place for one in spelt for place in re.finditer(re.escape(one), text))
    return any(_planted(text, place.start(), place.end(), own="-" in place[0]) for place in places)


def _planted(text: str, start: int, end: int, *, own: bool) -> bool:
    """Whether the name at this place is the defect's; where it is its `own`, nobody else's, it always is."""
    before = text[max(start - REACH, 0) : start]
    whole = _WHOLE.search(before[-1:]) is not None
    if whole and _SIZED.match(text, end):
        return True
    if _GOES_ON.match(text, end):
        return False
    return (own and whole) or any(led.search(before) for led in (_LISTED, _LED))


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")
