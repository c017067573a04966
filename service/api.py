"""The routes of ``/api/v1``: what the command line answers with ``--json``, for other programs.

One module for each noun; order matters where a path may hold slashes: what follows an id comes
before the id by itself.
"""

from __future__ import annotations

from fastapi import APIRouter

from service import (
    api_decisions,
    api_duplicates,
    api_exports,
    api_imports,
    api_lists,
    api_needs,
    api_records,
    api_search,
    api_searches,
)
from service.api_lending import Current, Public

__all__ = ["Current", "Public", "router"]

router = APIRouter(prefix="/api/v1")
PARTS = (
    api_search,
    api_exports,
    api_records,
    api_needs,
    api_lists,
    api_decisions,
    api_searches,
    api_imports,
    api_duplicates,
)
for part in PARTS:
    router.include_router(part.router)
