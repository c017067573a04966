"""The pages that people read: made on the server, complete without JavaScript, in Vietnamese.

One module for each place a person goes to, each with a ``router``; :mod:`service.pages.render` puts
a template's HTML around what a module found. All words that people read stand in
``service/templates``, what a page loads besides itself in ``service/static``.
"""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles

from service.access import needs
from service.pages import (
    account,
    admin,
    duplicates,
    gathering,
    import_columns,
    imports,
    list_papers,
    list_work,
    lists,
    need,
    overview,
    owner,
    plan,
    priorities,
    product,
    render,
    search,
    searches,
    suggestions,
    technology,
    works,
    yearly,
)
from service.pages.catalogue import Catalogues
from service.roles import READ

OPEN: tuple[APIRouter, ...] = (account.router,)  # also to whom nobody knows yet
ROUTERS: tuple[APIRouter, ...] = (
    search.router,
    searches.router,
    product.router,
    technology.router,
    need.router,
    owner.router,
    overview.router,
    lists.router,
    list_work.router,
    list_papers.router,
    imports.router,
    suggestions.router,
    import_columns.router,
    yearly.router,
    plan.router,
    works.router,
    priorities.router,
    duplicates.router,
    gathering.router,
    admin.router,
)


def add_to(app: FastAPI) -> None:
    """Give ``app`` all pages; programs do not see them in the API's own document."""
    app.state.catalogues = Catalogues()
    app.state.live.prepare = lambda opened: app.state.catalogues.of(opened.matcher).prepare()
    for router in OPEN:
        app.include_router(router, include_in_schema=False)
    for router in ROUTERS:
        app.include_router(router, include_in_schema=False, dependencies=[needs(READ)])
    app.mount("/static", StaticFiles(directory=render.STATIC), name="static")
