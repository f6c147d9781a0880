"""Who listens to what: routing keys per service, with the wildcards of a topic exchange."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

Subscriptions = Mapping[str, Sequence[str]]


def matches(pattern: str, routing_key: str) -> bool:
    """Whether a key fits a binding pattern: ``*`` is one word, ``#`` any number of words."""
    return pattern == routing_key or bool(_compiled(pattern).fullmatch(f".{routing_key}"))


def subscribers(subscriptions: Subscriptions, routing_key: str) -> list[str]:
    """Services that listen to a key."""
    return [
        service
        for service, patterns in subscriptions.items()
        if any(matches(pattern, routing_key) for pattern in patterns)
    ]


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Every word is matched with the dot before it, so that "#" may stand for no word at all.
    words = {"*": r"\.[^.]+", "#": r"(?:\.[^.]+)*"}
    return re.compile("".join(words.get(word, r"\." + re.escape(word)) for word in pattern.split(".")))
