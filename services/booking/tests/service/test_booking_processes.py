"""BOK-1 with eight processes, each with its own connections, writing at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

WRITERS = 8

OVERLAPS = text("""
WITH taken AS (
  SELECT b.*, r.number FROM booking b JOIN resource r ON r.id = b.resource_id
  WHERE b.organization_id = :org AND b.status IN ('held', 'tentative', 'confirmed', 'checked_in')
)
SELECT count(*) FROM taken a JOIN taken b ON a.id < b.id AND a.resource_id = b.resource_id AND a.unit_no = b.unit_no
 AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
""")


@pytest.mark.slow
def test_bok_1_eight_processes_book_move_and_cancel_and_never_overlap(room: Any) -> None:
    area = room.house.resource(room.location_id, capacity=3)
    job = {
        "url": room.house.database.url,
        "token": room.client.token,
        "member": f"mem_{room.member_id.hex}",
        "resources": [f"res_{room.resource_id.hex}", f"res_{area.hex}"],
        "writers": WRITERS,
    }
    script = Path(__file__).with_name("booking_writer.py")
    command = [sys.executable, str(script), json.dumps(job)]
    written = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert written.returncode == 0, written.stderr
    each = [Counter(answers) for answers in json.loads(written.stdout)]
    assert len(each) == WRITERS
    answers = sum(each, Counter[str]())
    assert set(answers) <= {"POST 201", "POST 409", "PATCH 200", "PATCH 409", "CANCEL 200", "CANCEL 409"}
    assert answers["POST 201"] > 0
    with room.house.database.system_session() as session:
        assert session.scalar(OVERLAPS, {"org": room.house.organization_id}) == 0
