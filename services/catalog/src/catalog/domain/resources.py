"""What holds for resources whatever their storage: types, who sees them, and how they may be linked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from common.errors import FieldError, InvalidError

RESOURCE_TYPES = ("meeting_room", "private_office", "dedicated_desk", "hot_desk", "event_space", "custom")
VISIBILITIES = ("public", "members", "plans")


def check_audience(visibility: str, plan_ids: Sequence[UUID]) -> None:
    """Plans are named exactly when only their holders see it. Raises InvalidError ``plans_and_visibility``."""
    if (visibility == "plans") != bool(plan_ids):
        detail = "plan_ids goes with visibility `plans`, and with no other"
        raise InvalidError("plans_and_visibility", detail, errors=[FieldError("/plan_ids", detail)])


def check_links(resource_id: UUID, parent_ids: Iterable[UUID], parents: Mapping[UUID, Sequence[UUID]]) -> None:
    """Refuse parents among which the resource itself would be, however far up. Raises InvalidError ``parent_cycle``.

    ``parents`` maps every resource of the organisation to its parents as they are now.
    """
    seen: set[UUID] = set()
    waiting = list(parent_ids)
    while waiting:
        ancestor = waiting.pop()
        if ancestor == resource_id:
            detail = "a resource cannot be its own parent, nor the parent of one of its parents"
            raise InvalidError("parent_cycle", detail, errors=[FieldError("/parent_ids", detail)])
        if ancestor not in seen:
            seen.add(ancestor)
            waiting.extend(parents.get(ancestor, ()))
