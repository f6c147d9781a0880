"""Pictures of resources: add, describe, take away, serve."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from catalog.models import Resource, ResourcePicture
from catalog.services.archiving import refuse_archived
from catalog.services.image_sizes import Sizes
from catalog.services.resources import announce_resource
from common.db import TenantSession
from common.errors import ConflictError, NotFoundError

MAX_PICTURES = 20


def add_picture(session: TenantSession, resource: Resource, sizes: Sizes, *, alt: str = "") -> ResourcePicture:
    """Put a picture behind the others of a locked resource. Raises ConflictError ``too_many_pictures``."""
    refuse_archived(resource)
    of_it = ResourcePicture.resource_id == resource.id
    count, last = session.execute(
        select(func.count(), func.coalesce(func.max(ResourcePicture.position), 0)).where(of_it)
    ).one()
    if count >= MAX_PICTURES:
        raise ConflictError("too_many_pictures", f"a resource has at most {MAX_PICTURES} pictures")
    picture = ResourcePicture(
        resource_id=resource.id,
        position=last + 1,
        alt=alt,
        width=sizes.width,
        height=sizes.height,
        small=sizes.small,
        medium=sizes.medium,
        large=sizes.large,
        created_at=session.now(),
    )
    session.add(picture)
    _touch(session, resource)
    return picture


def find_picture(session: TenantSession, resource_id: UUID, picture_id: UUID) -> ResourcePicture:
    """A picture without its bytes. Raises NotFoundError."""
    statement = select(ResourcePicture).where(
        ResourcePicture.id == picture_id, ResourcePicture.resource_id == resource_id
    )
    picture = session.scalars(statement).one_or_none()
    if picture is None:
        raise NotFoundError("picture_not_found", "there is no such picture")
    return picture


def change_picture(session: TenantSession, resource: Resource, picture: ResourcePicture, **values: Any) -> None:
    """Change the text or the place of a locked resource's picture."""
    for name, value in values.items():
        setattr(picture, name, value)
    _touch(session, resource)


def remove_picture(session: TenantSession, resource: Resource, picture: ResourcePicture) -> None:
    """Take a picture of a locked resource away."""
    session.delete(picture)
    _touch(session, resource)


def picture_bytes(session: TenantSession, picture: ResourcePicture, size: str) -> bytes:
    """The WebP file in one of the sizes."""
    column = getattr(ResourcePicture, size)
    statement = select(ResourcePicture).where(ResourcePicture.id == picture.id).options(undefer(column))
    data: bytes = getattr(session.scalars(statement.execution_options(populate_existing=True)).one(), size)
    return data


def _touch(session: TenantSession, resource: Resource) -> None:
    """Pictures are part of the resource's answer: its ETag must change with them."""
    resource.touch()
    session.flush()
    announce_resource(session, resource)
