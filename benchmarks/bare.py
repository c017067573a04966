"""The least a FastAPI service can do: one plain route, one small answer; what ours is held to."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI(openapi_url=None)


@app.get("/bare")
def bare(q: str) -> JSONResponse:
    """Answer in a thread, as the search does."""
    return JSONResponse({"query": q})
