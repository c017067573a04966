"""The routes of ``/api/v1``: what the command line answers with ``--json``, for other programs.

One module for each noun; order matters where a path may hold slashes: what follows an id comes
before the id by itself.
"""

from __future__ import annotations

from fastapi import APIRouter

from service import api_records, api_search
from service.api_lending import Current, Public

__all__ = ["Current", "Public", "router"]

router = APIRouter(prefix="/api/v1")
for part in (api_search, api_records):
    router.include_router(part.router)
