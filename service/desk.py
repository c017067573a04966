"""The desk: what people do with records. Pages and API both call it; neither touches the store.

Every verb that changes something takes the content hash (ETag) of what the person saw, and is one
transaction that the log keeps with their login and the time.
"""

from __future__ import annotations

from service.desk_base import StaleError, now
from service.desk_decisions import Decisions
from service.desk_gathering import Gathering
from service.desk_merging import Merging
from service.desk_needs import Needs, Searches
from service.person import Person

__all__ = ["Desk", "Person", "StaleError", "now"]


class Desk(Decisions, Gathering, Merging, Needs, Searches):
    """One person's desk; make one for every request, on a store that all requests share."""
