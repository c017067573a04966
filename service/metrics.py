"""What a running service counts, for Prometheus: ``/metrics``.

Labels are route templates, never addresses, so that neither a query nor an id becomes a metric.
Several workers of one service share their counts through the folder ``PROMETHEUS_MULTIPROC_DIR``,
as prometheus_client has it; facts of the index are read when asked for.
"""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Iterator
from pathlib import Path

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from service.access import asked
from service.contract import ApiError
from service.live import Live
from service.roles import ADMIN, may
from service.workspace import Opened

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SEARCHES = frozenset({"/", "/api/v1/search", "/api/v1/matches"})
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")  # set by a proxy: somebody farther asks


class Metrics:
    """The counts of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "cungcau_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "cungcau_request_seconds",
            "Seconds until a request was answered",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._searches = Counter(
            "cungcau_searches", "Searches and matches answered", registry=self.registry
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        method = method if method in METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if route in SEARCHES and status == 200:
            self._searches.inc()

    def text(self, live: Live, pointer: Path) -> bytes:
        """Return everything in Prometheus' text format; ``pointer`` names the current index."""
        registry = self.registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        index = CollectorRegistry()
        index.register(_Index(live, pointer))
        return generate_latest(registry) + generate_latest(index)


class _Index(Collector):
    """Facts of the index that is served, at the time of asking."""

    def __init__(self, live: Live, pointer: Path) -> None:
        self._live, self._pointer = live, pointer

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            with self._live.lease() as opened:
                facts = _facts(opened)
            made = self._pointer.stat().st_mtime
            told = "Seconds since the current index was made"
            facts["cungcau_index_age_seconds"] = (told, time.time() - made)
        except (ApiError, OSError):
            facts = {"cungcau_index_ready": ("Whether there is an index to search", 0.0)}
        for name, (told, value) in facts.items():
            yield GaugeMetricFamily(name, told, value)


def _facts(opened: Opened) -> dict[str, tuple[str, float]]:
    manifest, engine = opened.manifest, opened.matcher.engine
    told = {
        "index_ready": ("Whether there is an index to search", True),
        "index_revision": ("Revision of the store that it shows", manifest.revision),
        "index_records": ("Technologies in it", manifest.records),
        "index_notices": ("Things that are to be known about it", len(opened.notices)),
        "encoder_wanted": ("Whether it has vectors", manifest.encoder is not None),
        "encoder_up": ("Whether queries are encoded", engine.encoder is not None),
    }
    return {f"cungcau_{name}": (text, float(value)) for name, (text, value) in told.items()}


async def metrics(request: Request) -> Response:
    """Số liệu vận hành cho Prometheus; chỉ máy này hoặc quản trị được đọc."""
    if not near(request):
        found = await asked(request)
        if found is None:
            raise ApiError(401, "login_needed", "cần mã truy cập của quản trị")
        if not may(found.person, ADMIN):
            raise ApiError(403, "not_allowed", "chỉ quản trị được đọc số liệu vận hành")
    app = request.app
    body = await run_in_threadpool(
        app.metrics.text, app.state.live, app.state.space.index_folder / "CURRENT"
    )
    return Response(body, media_type=CONTENT_TYPE_LATEST)


def near(request: Request) -> bool:
    """Whether this machine itself asks, not somebody behind a proxy on it."""
    if request.client is None or any(each in request.headers for each in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
