"""The commands ``cungcau user`` and ``cungcau token``: who may use the service of a work folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from service.accounts import Account
from service.console import emit, fail, out
from service.ledger import LedgerError
from service.register import Register
from service.roles import ROLE_NAMES, ROLES
from service.settings import DATA, Data, Exit, Json
from service.tokens import DEFAULT_DAYS, LONGEST_DAYS, SCOPES, Token

user = typer.Typer(no_args_is_help=True, help="Tài khoản của những người dùng dịch vụ.")
token = typer.Typer(no_args_is_help=True, help="Mã truy cập để chương trình khác gọi API.")

Login = Annotated[str, typer.Argument(metavar="TÊN", help="Tên đăng nhập.")]
Role = Annotated[str, typer.Option("--role", metavar="|".join(ROLES), help="Vai trò.")]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="Đọc mật khẩu từ một dòng của đầu vào chuẩn.")
]
Temporary = Annotated[
    bool, typer.Option("--must-change", help="Phải đổi mật khẩu khi đăng nhập lần đầu.")
]


@contextmanager
def _register(data: Path | None) -> Iterator[Register]:
    """Open the accounts of a work folder; what cannot be done is told in a sentence."""
    found = Register(data or DATA())
    try:
        yield found
    except LedgerError as error:
        fail(str(error), Exit.USAGE)
    finally:
        found.close()


def _password(from_input: bool) -> str:
    if from_input:
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = typer.prompt(
        "Mật khẩu", hide_input=True, confirmation_prompt="Nhập lại mật khẩu", err=True
    )
    return asked


def _told(account: Account, as_json: bool, sentence: str) -> None:
    if as_json:
        emit(asdict(account))
    else:
        out.print(sentence)


@user.command("add")
def add_user(
    login: Login,
    role: Role = "reader",
    name: Annotated[str, typer.Option("--name", help="Họ tên.")] = "",
    nda: Annotated[bool, typer.Option("--nda", help="Được đọc phần theo NDA.")] = False,
    must_change: Temporary = False,
    password_stdin: FromInput = False,
    data: Data = None,  # type: ignore[assignment]
    as_json: Json = False,
) -> None:
    """Thêm một tài khoản; mật khẩu hỏi ở màn hình, ít nhất 10 ký tự."""
    with _register(data) as register:
        made = register.accounts.add(
            login, name, role, _password(password_stdin), nda=nda, must_change=must_change
        )
    _told(made, as_json, f"Đã thêm tài khoản {made.login} ({ROLE_NAMES[made.role]}).")


@user.command("list")
def list_users(data: Data = None, as_json: Json = False) -> None:  # type: ignore[assignment]
    """Liệt kê các tài khoản."""
    with _register(data) as register:
        found = register.accounts.all()
    if as_json:
        emit([asdict(each) for each in found])
        return
    table = Table("Tên đăng nhập", "Họ tên", "Vai trò", "NDA", "Trạng thái", box=None)
    for each in found:
        state = "đã khóa" if each.disabled else "đang dùng"
        nda = "được đọc" if each.person.nda else ""
        table.add_row(each.login, each.name, ROLE_NAMES[each.role], nda, state)
    out.print(table if found else "Chưa có tài khoản nào.")


@user.command("passwd")
def set_password(
    login: Login,
    must_change: Temporary = False,
    password_stdin: FromInput = False,
    data: Data = None,  # type: ignore[assignment]
    as_json: Json = False,
) -> None:
    """Đặt mật khẩu mới; mọi phiên đang mở của tài khoản kết thúc."""
    with _register(data) as register:
        register.accounts.get(login)
        password = _password(password_stdin)
        register.accounts.set_password(login, password, must_change=must_change)
        account = register.accounts.get(login)
    _told(account, as_json, f"Đã đổi mật khẩu của {login}.")


@user.command("change")
def change_user(
    login: Login,
    role: Annotated[
        str | None, typer.Option("--role", metavar="|".join(ROLES), help="Vai trò.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Họ tên.")] = None,
    nda: Annotated[
        bool | None, typer.Option("--nda/--no-nda", help="Được đọc phần theo NDA, hay không.")
    ] = None,
    data: Data = None,  # type: ignore[assignment]
    as_json: Json = False,
) -> None:
    """Sửa họ tên, vai trò hoặc quyền đọc NDA; có hiệu lực ngay."""
    with _register(data) as register:
        account = register.accounts.change(login, name=name, role=role, nda=nda)
    _told(account, as_json, f"Đã sửa tài khoản {login} ({ROLE_NAMES[account.role]}).")


@user.command("disable")
def disable_user(login: Login, data: Data = None, as_json: Json = False) -> None:  # type: ignore[assignment]
    """Khóa tài khoản: phiên kết thúc, mã truy cập bị thu hồi; không mất gì đã làm."""
    with _register(data) as register:
        register.accounts.set_disabled(login, True)
        account = register.accounts.get(login)
    _told(account, as_json, f"Đã khóa tài khoản {login}.")


@user.command("enable")
def enable_user(login: Login, data: Data = None, as_json: Json = False) -> None:  # type: ignore[assignment]
    """Mở lại tài khoản đã khóa; mã truy cập cũ vẫn bị thu hồi."""
    with _register(data) as register:
        register.accounts.set_disabled(login, False)
        account = register.accounts.get(login)
    _told(account, as_json, f"Đã mở tài khoản {login}.")


@token.command("add")
def add_token(
    login: Login,
    name: Annotated[str, typer.Option("--name", help="Dùng cho chương trình nào.")],
    scope: Annotated[
        str,
        typer.Option(metavar="|".join(SCOPES) + "[+nda]", help="Phạm vi, hẹp hơn quyền của chủ."),
    ] = "read",
    days: Annotated[
        int, typer.Option(min=0, max=LONGEST_DAYS, help="Số ngày có hiệu lực; 0: không hết hạn.")
    ] = DEFAULT_DAYS,
    data: Data = None,  # type: ignore[assignment]
    as_json: Json = False,
) -> None:
    """Tạo mã truy cập cho một tài khoản; mã chỉ in ra một lần này."""
    with _register(data) as register:
        made, secret = register.tokens.issue(login, name, scope, days or None)
    if as_json:
        emit({**asdict(made), "token": secret})
        return
    out.print(secret, soft_wrap=True)
    out.print("Mã này không xem lại được. Dùng: Authorization: Bearer MÃ", style="dim")


@token.command("list")
def list_tokens(data: Data = None, as_json: Json = False) -> None:  # type: ignore[assignment]
    """Liệt kê các mã truy cập, không có phần bí mật."""
    with _register(data) as register:
        found, now = register.tokens.all(), register.ledger.now()
    if as_json:
        emit([asdict(each) for each in found])
        return
    table = Table("Mã", "Của", "Dùng cho", "Phạm vi", "Hết hạn", "Trạng thái", box=None)
    for each in found:
        table.add_row(*_line(each, now))
    out.print(table if found else "Chưa có mã truy cập nào.")


def _line(each: Token, now: str) -> tuple[str, ...]:
    expires = (each.expires or "không")[:10]
    return each.id, each.login, each.name, each.scope, expires, each.state_at(now)


@token.command("revoke")
def revoke_token(
    key: Annotated[str, typer.Argument(metavar="MÃ", help="Phần sau cc_, như `token list` in ra.")],
    data: Data = None,  # type: ignore[assignment]
    as_json: Json = False,
) -> None:
    """Thu hồi một mã truy cập."""
    with _register(data) as register:
        register.tokens.revoke(key)
    if as_json:
        emit({"id": key, "revoked": True})
    else:
        out.print(f"Đã thu hồi mã truy cập {key}.")
