"""Where a store lives: an SQLite file in a work folder, or a PostgreSQL server by URL.

A work folder names its server in ``CUNGCAU_STORE`` or in its file ``store.url``; without either,
the store is its own file. All that differs between the two stands here: how a transaction begins,
how writers take turns, and what a failure means. A password never reaches a message or a log.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

FILE = "cungcau.sqlite"
URL_FILE = "store.url"
URL_SETTING = "CUNGCAU_STORE"
BUSY_MS = 30_000  # how long a writer waits for another
WRITERS = 0x43756E6743617501  # the advisory lock that PostgreSQL's writers take turns by
_POSTGRESQL = frozenset({"postgresql", "postgresql+psycopg", "postgres"})


class StoreError(RuntimeError):
    """The store cannot be used; the message says why and what to do."""


class Database:
    """One engine, its transactions, and its failures in Vietnamese; safe from many threads."""

    def __init__(self, engine: Engine, name: str, folder: Path | None) -> None:
        """Keep ``name`` as what messages call it, ``folder`` as where the file is, if any."""
        self.engine, self.name, self.folder = engine, name, folder

    @classmethod
    def of(cls, where: Path | str) -> Database:
        """Return the database of a folder (made if missing) or of a URL; connects to nothing yet.

        Raises:
            StoreError: no such folder can be made, or the URL is none, or its driver is missing.
        """
        if isinstance(where, str):
            url = _url(where)
            return cls(_server(url), url.render_as_string(hide_password=True), None)
        try:
            where.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(explain(str(where), where, error)) from error
        return cls(_file(where / FILE), str(where), where)

    @contextmanager
    def transaction(self, write: bool = False) -> Iterator[Connection]:
        """Open one transaction; what the database cannot do is raised as a StoreError.

        One that writes has all other writers wait; one that reads sees one state throughout.
        """
        try:
            with self.engine.execution_options(**self._options(write)).begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise StoreError(explain(self.name, self.folder, error)) from error

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Open a connection that will write, as :mod:`corpus.migrations` needs it."""
        try:
            with self.engine.execution_options(write=True).connect() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise StoreError(explain(self.name, self.folder, error)) from error

    def close(self) -> None:
        """Close what is open; using the database again opens it again."""
        self.engine.dispose()

    @property
    def server(self) -> bool:
        """Whether it is a PostgreSQL server rather than a file."""
        return self.folder is None

    def _options(self, write: bool) -> dict[str, Any]:
        if write or not self.server:
            return {"write": write}
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def located(where: Path | str) -> Path | str:
    """Return the URL that a work folder's store is at, else the folder; a URL as it is."""
    if isinstance(where, str):
        return where
    named = os.environ.get(URL_SETTING, "").strip()
    if named:
        return named
    try:
        text = (where / URL_FILE).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return where
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"không đọc được {where / URL_FILE}: kiểm tra tệp và quyền đọc") from error
    return text or where


def exists(where: Path | str) -> bool:
    """Whether a store may be there: its file is, or a server is named (which is not asked)."""
    place = located(where)
    return isinstance(place, str) or (place / FILE).is_file()


def _url(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise StoreError(
            "địa chỉ kho dữ liệu không đọc được: viết như "
            "postgresql://người_dùng:mật_khẩu@máy_chủ:5432/cơ_sở_dữ_liệu"
        ) from None  # the text may hold a password
    if url.drivername not in _POSTGRESQL:
        raise StoreError(
            f"kho dữ liệu theo địa chỉ chỉ dùng được với postgresql://, không phải "
            f"{url.drivername}://; tệp SQLite nằm trong thư mục --data"
        )
    return url.set(drivername="postgresql+psycopg")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _file(path: Path) -> Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),  # a path may hold "?" or "%"
        poolclass=sa.pool.NullPool,  # no connection is carried over a fork
        connect_args={"timeout": BUSY_MS / 1000},
        json_serializer=_json,
        hide_parameters=True,  # they hold what records say
    )

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's BEGIN, not the driver's, see below
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that will write takes its lock at once: two that read first would deadlock.
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _server(url: sa.URL) -> Engine:
    try:
        engine = sa.create_engine(
            url, pool_pre_ping=True, json_serializer=_json, hide_parameters=True
        )
    except ModuleNotFoundError as error:
        raise StoreError(
            "chưa có trình điều khiển PostgreSQL: cài `pip install 'cungcau[postgresql]'`"
        ) from error

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Writers take turns, so that revisions stay a chain. The lock comes first: what the
        # transaction then reads is what the one before has written.
        if connection.get_execution_options().get("write", False):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BUSY_MS}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")

    return engine


def explain(name: str, folder: Path | None, error: Exception) -> str:
    """Say in Vietnamese what is wrong with the store called ``name``, and what to do."""
    if folder is None:
        return _explain_server(name, error)
    text = getattr(error, "strerror", None) or str(getattr(error, "orig", error))
    if isinstance(error, PermissionError) or "readonly" in text or "unable to open" in text:
        return f"không ghi được vào {folder}: kiểm tra quyền ghi của thư mục"
    if "full" in text or "No space" in text:
        return (
            f"đĩa chứa {folder} đã đầy: giải phóng dung lượng rồi chạy lại; dữ liệu cũ còn nguyên"
        )
    if "locked" in text:
        return f"dữ liệu trong {folder} đang được tiến trình khác ghi: chờ rồi chạy lại"
    if "not a database" in text or "malformed" in text:
        return f"{folder / FILE} không phải tệp dữ liệu của Cung Cầu hoặc đã hỏng"
    return f"không dùng được dữ liệu trong {folder}: {text}"


_SERVER = {  # classes or codes of SQLSTATE (PostgreSQL's appendix A), the longest that fits
    "25006": "không ghi được vào {name}: máy chủ hoặc tài khoản chỉ được đọc",
    "42501": "không ghi được vào {name}: tài khoản không đủ quyền",
    "53100": "đĩa của máy chủ {name} đã đầy: giải phóng dung lượng rồi chạy lại; dữ liệu cũ còn "
    "nguyên",
    "53300": "máy chủ {name} đã hết chỗ cho kết nối mới: chờ rồi chạy lại",
    "55P03": "dữ liệu trong {name} đang được tiến trình khác ghi: chờ rồi chạy lại",
    "28": "máy chủ từ chối đăng nhập vào {name}: kiểm tra người dùng và mật khẩu",
    "3D": "máy chủ không có cơ sở dữ liệu {name}: tạo trước bằng `createdb`",
    "57": "máy chủ {name} đang dừng hoặc khởi động lại: chờ rồi chạy lại",
}


def _explain_server(name: str, error: Exception) -> str:
    cause = getattr(error, "orig", error)
    code = getattr(cause, "sqlstate", None) or ""
    told = _SERVER.get(code) or _SERVER.get(code[:2])
    if told:
        return told.format(name=name)
    if code:
        return f"không dùng được dữ liệu trong {name}: lỗi {code} của máy chủ"
    if type(cause).__name__ == "OperationalError":  # no code: the server was never reached, or left
        return f"không kết nối được tới {name}: kiểm tra địa chỉ, mật khẩu và máy chủ có đang chạy"
    return f"không dùng được dữ liệu trong {name}: {type(cause).__name__}"
