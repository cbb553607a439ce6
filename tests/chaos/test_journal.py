"""The journal: on the disk before the fault, open until closed, readable after a crash."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chaos import journal
from chaos.errors import JournalError
from chaos.journal import Journal


@pytest.fixture
def book(tmp_path: Path) -> Journal:
    return Journal(path=tmp_path / "state" / "journal.jsonl")


def test_an_entry_is_open_until_it_is_closed(book: Journal) -> None:
    """Facts learned later belong to the entry; closing ends it, twice does no harm."""
    first, second = book.open(experiment="a"), book.open(experiment="b")
    book.note(first.id, experiment_id="EXP1")
    assert [entry.facts["experiment"] for entry in book.open_entries()] == ["a", "b"]
    assert book.open_entries()[0].facts["experiment_id"] == "EXP1"
    book.close(first.id, "gone")
    book.close(first.id, "gone")
    assert [entry.id for entry in book.open_entries()] == [second.id]


def test_a_journal_that_was_never_written_has_no_entries(book: Journal) -> None:
    """No file is an empty journal."""
    assert book.open_entries() == []


def test_every_line_is_forced_to_the_disk(book: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """File and folder are synced before `open` returns."""
    synced: list[bool] = []
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda handle: (synced.append(stat.S_ISDIR(os.fstat(handle).st_mode)), real(handle))
    )
    book.open(experiment="a")
    assert synced == [False, True]


def test_a_torn_last_line_is_skipped_and_written_after(book: Journal) -> None:
    """What a crash cut off is neither an entry nor glued to the next one."""
    first = book.open(experiment="a")
    with book.path.open("ab") as file:
        file.write(b'{"event":"open","entry":"torn","t":1')
    assert [entry.id for entry in book.open_entries()] == [first.id]
    second = book.open(experiment="b")
    assert [entry.id for entry in book.open_entries()] == [first.id, second.id]


def test_a_damaged_journal_is_not_taken_for_an_empty_one(book: Journal) -> None:
    """A whole line that cannot be understood stops everybody, with its number."""
    book.open(experiment="a")
    with book.path.open("ab") as file:
        file.write(b'{"no":"event"}\n')
    book.open(experiment="b")
    with pytest.raises(JournalError, match=r"journal\.jsonl:2"):
        book.open_entries()


def test_an_unwritable_journal_lets_no_fault_start(tmp_path: Path) -> None:
    """The refusal says so."""
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="no fault is started"):
        Journal(path=tmp_path / "file" / "journal.jsonl").open(experiment="a")


def test_an_entry_is_orphaned_when_its_process_is_gone(book: Journal) -> None:
    """Our own entry is not; one of a process that has ended is; a recycled id does not count."""
    assert not book.open(experiment="a").orphaned
    code = "import sys, pathlib, chaos.journal as j; j.Journal(path=pathlib.Path(sys.argv[1])).open()"
    subprocess.run([sys.executable, "-c", code, str(book.path)], check=True)
    assert [entry.orphaned for entry in book.open_entries()] == [False, True]
    assert book.open(pid=os.getpid(), pid_started=1.0).orphaned


def test_the_journal_s_place_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GAMEDAY_STATE names the folder; otherwise it is .gameday of the checkout."""
    monkeypatch.setenv("GAMEDAY_STATE", str(tmp_path))
    assert journal.default().path == tmp_path / "journal.jsonl"
    monkeypatch.delenv("GAMEDAY_STATE")
    assert journal.default().path.parts[-2:] == (".gameday", "journal.jsonl")
