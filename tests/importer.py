"""A process that loads an upload as a service does, to be killed: its parent reads tables once.

Imported by the process that the others are forked from, so that each of them begins at once.
"""

import time
from pathlib import Path

from corpus.lexicon import Lexicon
from corpus.store import Store
from service import importing
from service.imports import Imports
from service.ledger import Ledger
from service.person import Person
from service.workspace import Workspace

LEXICON = Lexicon.load()
PAUSE = 0.01  # seconds after each batch, for whoever wants to kill in between
OFFICER = Person("lan", "Lan", "officer")


class Quick(Workspace):
    """A work folder whose tables were read before."""

    def lexicon(self) -> Lexicon:
        return LEXICON


def paused(write):
    def slower(*args):
        for each in write(*args):
            yield each
            time.sleep(PAUSE)

    return slower


def imports(folder: Path, store: Store) -> Imports:
    return Imports(Quick(folder), store, Ledger(folder), OFFICER)


def load(folder: str, token: str, batch: int) -> None:
    """Load in a thread, as a service does, in batches of so many, until that is done."""
    importing.BATCH = batch
    importing.write = paused(importing.write)
    with Store.open(Path(folder)) as store:
        mine = imports(Path(folder), store)
        kept = mine.find(token)
        mine.start(kept)
        while (seen := mine.progress(kept)) is None or seen.state == "loading":
            time.sleep(0.005)
