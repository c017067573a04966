"""What somebody may do: roles are sets of capabilities, not a ladder."""

from __future__ import annotations

from enum import StrEnum

from service.person import Person


class Capability(StrEnum):
    """What somebody may be allowed to do."""

    READ = "read"
    WRITE_NEEDS = "write_needs"
    IMPORT = "import"
    LISTS = "lists"  # one's own, and those shared with one
    ALL_LISTS = "all_lists"
    PLAN = "plan"  # yearly runs, coverage, the list to fund
    NDA = "nda"  # given to a person, not to a role
    ADMIN = "admin"


READ, WRITE_NEEDS, IMPORT, LISTS, ALL_LISTS, PLAN, NDA, ADMIN = Capability
ROLES: dict[str, frozenset[Capability]] = {
    "reader": frozenset({READ}),
    "officer": frozenset({READ, WRITE_NEEDS, IMPORT, LISTS, ALL_LISTS, PLAN}),
    "broker": frozenset({READ, LISTS}),
    "administrator": frozenset(Capability) - {NDA},
}
ROLE_NAMES = {
    "reader": "người đọc",
    "officer": "cán bộ",
    "broker": "người môi giới",
    "administrator": "quản trị",
}


def may(person: Person, capability: Capability) -> bool:
    """Whether ``person`` has ``capability``; what is under NDA is never for readers."""
    if capability is NDA:
        return person.nda and person.role != "reader"
    return capability in ROLES.get(person.role, frozenset())
