"""``/v1/resources/{id}/pictures`` through the app, on a real database."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image


def png(size: tuple[int, int] = (400, 300)) -> bytes:
    """A picture file."""
    out = BytesIO()
    Image.new("RGB", size, "teal").save(out, "PNG")
    return out.getvalue()


def upload(client: Any, room: dict[str, Any], data: bytes, kind: str = "image/png", query: str = "") -> Any:
    """POST a file as it is."""
    headers = {"Content-Type": kind}
    return client.request("POST", f"/v1/resources/{room['id']}/pictures{query}", data=data, headers=headers)


def test_an_uploaded_picture_is_served_to_anybody_and_may_be_kept(shop: Any, sign_in: Any) -> None:
    room = shop.room()
    made = upload(shop.owner, room, png(), query="?alt=Blue%20chairs")
    assert made.status_code == 201, made.json
    assert (made.json["alt"], made.json["width"], made.json["height"]) == ("Blue chairs", 400, 300)
    stranger = sign_in(shop.app, None)
    served = stranger.get(made.json["urls"]["small"])
    assert (served.status_code, served.content_type) == (200, "image/webp")
    assert Image.open(BytesIO(served.data)).size == (320, 240)
    assert served.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    again = stranger.get(made.json["urls"]["small"], headers={"If-None-Match": served.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    large = stranger.get(made.json["urls"]["large"], headers={"If-None-Match": served.headers["ETag"]})
    assert large.status_code == 200
    assert stranger.get(made.json["urls"]["large"].replace("large", "huge")).status_code == 422
    assert shop.owner.get(f"/v1/resources/{room['id']}").json["pictures"] == [made.json]


def test_pictures_have_an_order_and_can_be_taken_away(shop: Any, sign_in: Any) -> None:
    room = shop.room()
    first, second = (upload(shop.owner, room, png()).json for _ in "ab")
    path = f"/v1/resources/{room['id']}"
    old = shop.owner.get(path).headers["ETag"]
    changed = shop.owner.patch(f"{path}/pictures/{second['id']}", {"position": 0, "alt": "Front"})
    assert (changed.status_code, changed.json["alt"]) == (200, "Front")
    answer = shop.owner.get(path)
    assert [picture["id"] for picture in answer.json["pictures"]] == [second["id"], first["id"]]
    assert answer.headers["ETag"] != old
    assert shop.owner.delete(f"{path}/pictures/{first['id']}").status_code == 204
    assert sign_in(shop.app, None).get(first["urls"]["small"]).status_code == 404
    assert shop.owner.delete(f"{path}/pictures/{first['id']}").status_code == 404


def test_bad_uploads_are_refused_and_change_nothing(shop: Any, open_shop: Any) -> None:
    room = shop.room()
    for data, kind, status, code in (
        (b"not a picture", "image/png", 422, "picture_unreadable"),
        (b"", "image/png", 422, "picture_unreadable"),
        (png(), "image/gif", 415, "unsupported_media_type"),
        (b"{}", "application/json", 415, "unsupported_media_type"),
        (b"\x00" * 10_485_761, "image/png", 413, "request_too_large"),
    ):
        refused = upload(shop.owner, room, data, kind)
        assert (refused.status_code, refused.json["code"]) == (status, code)
    assert upload(shop.client("member"), room, png()).status_code == 403
    assert upload(shop.client("front_desk"), room, png()).status_code == 403
    assert upload(open_shop().owner, room, png()).status_code == 404
    assert shop.owner.get(f"/v1/resources/{room['id']}").json["pictures"] == []
    assert len(shop.messages("resource-changed")) == 1


def test_a_picture_larger_than_other_bodies_may_be_is_accepted(shop: Any) -> None:
    noise = Image.effect_noise((1300, 1300), 100).convert("RGB")
    out = BytesIO()
    noise.save(out, "PNG")
    assert len(out.getvalue()) > 1_048_576
    assert upload(shop.owner, shop.room(), out.getvalue()).status_code == 201
    assert shop.owner.post("/v1/resources", {"name": "x" * 1_048_577}).status_code == 413


def test_a_resource_takes_twenty_pictures(shop: Any) -> None:
    room, data = shop.room(), png((8, 8))
    statuses = [upload(shop.owner, room, data).status_code for _ in range(21)]
    assert statuses == [201] * 20 + [409]


def test_a_picture_belongs_to_its_resource_and_organisation(shop: Any, open_shop: Any) -> None:
    room, other_room = shop.room(), shop.room()
    picture = upload(shop.owner, room, png()).json
    wrong = f"/v1/resources/{other_room['id']}/pictures/{picture['id']}"
    assert shop.owner.get(wrong).status_code == 404
    assert shop.owner.delete(wrong).status_code == 404
    stranger = open_shop().owner
    assert stranger.delete(f"/v1/resources/{room['id']}/pictures/{picture['id']}").status_code == 404
    assert stranger.patch(f"/v1/resources/{room['id']}/pictures/{picture['id']}", {"alt": "x"}).status_code == 404
    assert shop.owner.get(picture["urls"]["medium"]).status_code == 200
