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

_QUOTE = r"""(?:\\?["']|&#34;|&#39;|&quot;)"""


def named_in(folder: Path, envelope: Envelope) -> list[str]:
    """Files of a run folder, at any depth, that name the defect in text or path; none if the seal held."""
    wanted = forms(envelope)
    return sorted(
        name
        for path in folder.rglob("*")
        if path.is_file()
        and (wanted.search(name := str(path.relative_to(folder))) or wanted.search(_text(path)))
    )


def forms(envelope: Envelope) -> re.Pattern[str]:
    """Every form in which somebody who knew of the envelope would have named what is in it."""
    name, stem = re.escape(envelope.defect), re.escape(envelope.defect.replace("-", "_"))
    found = [
        re.escape(envelope.text),
        VARIABLE,
        rf"(?<![\w-]){name}(?:/twin\b|:[a-z]+=)",
        rf"--defect\W+{name}\b",
        rf"{_QUOTE}(?:defects?|planted){_QUOTE}\s*:\s*(?:\[[^\]]*)?{_QUOTE}{name}\b",
        rf"\bdefects[./]{stem}\b",
        rf"gameday_defect_{stem}\b",
    ]
    if "-" in envelope.defect:
        found.append(rf"(?<![\w-]){name}(?![\w-])")
    return re.compile("|".join(found))


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")
