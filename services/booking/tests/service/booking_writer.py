"""The writing processes of `test_booking_processes`: print how often each answer came, as JSON."""

from __future__ import annotations

import json
import multiprocessing
import random
import secrets
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from booking.config import BookingSettings
from booking.service import SERVICE
from common.db import Database
from common.http import create_service_app

DAY = datetime(2027, 2, 15, 7, tzinfo=UTC)


def write(app: Any, job: dict[str, Any], seed: int, ready: Any, told: Any) -> None:
    """Book, move and cancel at random inside ten hours of one day, as soon as all writers are ``ready``."""
    draw = random.Random(seed)
    client = app.test_client()
    answers: Counter[str] = Counter()
    mine: list[str] = []

    def send(kind: str, method: str, path: str, body: dict[str, object]) -> dict[str, object]:
        headers = {"Authorization": f"Bearer {job['token']}", "Idempotency-Key": secrets.token_hex(8)}
        answer = client.open(path, method=method, json=body, headers=headers)
        answers[f"{kind} {answer.status_code}"] += 1
        if answer.status_code == 409 and (answer.json or {}).get("code") == "busy":
            answers["BUSY"] += 1
        return dict(answer.json or {}) if answer.status_code < 300 else {}

    ready.wait(timeout=60)
    for _ in range(15):
        start = DAY + timedelta(hours=draw.randrange(10))
        end = start + timedelta(hours=draw.randrange(1, 4))
        action = draw.random()
        if action < 0.6 or not mine:
            body = {"resource_id": draw.choice(job["resources"]), "member_id": job["member"]}
            made = send("POST", "POST", "/v1/bookings", {**body, "start": start.isoformat(), "end": end.isoformat()})
            if made:
                mine.append(str(made["id"]))
        elif action < 0.8:
            send("PATCH", "PATCH", f"/v1/bookings/{draw.choice(mine)}", {"start": start.isoformat()})
        else:
            send("CANCEL", "POST", f"/v1/bookings/{draw.choice(mine)}/cancellation", {})
    told.put(dict(answers))


def main() -> None:
    """Fork the writers from an app that has not connected yet: each opens connections of its own."""
    job = json.loads(sys.argv[1])
    settings = BookingSettings(database_url=job["url"], internal_token="token", secret="secret")
    app = create_service_app(SERVICE, settings, Database(job["url"], pool_size=2))
    forked = multiprocessing.get_context("fork")
    ready, told = forked.Barrier(job["writers"]), forked.SimpleQueue()
    writers = [forked.Process(target=write, args=(app, job, seed, ready, told)) for seed in range(job["writers"])]
    for writer in writers:
        writer.start()
    answers = [told.get() for _ in writers]
    for writer in writers:
        writer.join()
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
