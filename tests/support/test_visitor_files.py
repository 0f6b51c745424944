"""Strangers' files: a quota for each session and for all, names that nobody guesses, expiry; and the audit log's file."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from unlearn_core.errors import UserError
from unlearn_core.support import audit, visitor_files
from unlearn_core.support.limits import Limits

A, B = "a" * 12, "b" * 12
SMALL = Limits(upload_mb=2, uploads_mb=3, uploads_all_mb=4, upload_hours=1)


def keep(folder: Path, data: bytes, owner: str = A, name: str = "x.zip") -> Path:
    return visitor_files.keep(folder, name, data, owner, f"secret of {owner}", SMALL)


def test_the_same_file_of_two_sessions_has_two_names_and_neither_tells_what_it_holds(tmp_path: Path) -> None:
    one, again, other = keep(tmp_path, b"data"), keep(tmp_path, b"data"), keep(tmp_path, b"data", B)
    assert one == again != other
    assert one.name.partition("-")[2] != other.name.partition("-")[2]
    assert (one.stat().st_mode & 0o777, one.read_bytes()) == (0o600, b"data")
    assert keep(tmp_path, b"data", name="../../evil.npz").parent == tmp_path


@pytest.mark.parametrize(
    ("sizes", "owner", "sentence"),
    [
        ([2.5], A, "A file may have 2 MB here; this one has 3"),
        ([1.8, 1.7], A, "Your files may have 3 MB together here; with this one they have 4"),
        ([1.9, 1.0], B, "This server keeps 4 MB of files"),
    ],
)
def test_beyond_the_quota_a_sentence_says_which(sizes: list[float], owner: str, sentence: str, tmp_path: Path) -> None:
    if owner == B:
        keep(tmp_path, b"0" * 1_500_000)
    files = [bytes([number]) * int(size * 2**20) for number, size in enumerate(sizes)]
    for data in files[:-1]:
        keep(tmp_path, data, owner)
    with pytest.raises(UserError, match=sentence):
        keep(tmp_path, files[-1], owner)
    with pytest.raises(UserError, match="cannot be handed over"):
        keep(tmp_path, b"x", name="model.pt")


def test_the_server_s_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    key = visitor_files.server_key(folder)
    assert visitor_files.server_key(folder) == key
    assert len(key) == 32
    assert (folder / visitor_files.KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert visitor_files.server_key(tmp_path / "other") != key


def test_what_has_expired_is_deleted_and_makes_room(tmp_path: Path) -> None:
    old, new = keep(tmp_path, b"0" * 2_000_000), tmp_path / f"{B}-{'0' * 32}.zip"
    operators = tmp_path / ("c" * 32 + ".zip")
    for path in (new, operators):
        path.write_bytes(b"x")
    for path in (old, operators):
        os.utime(path, (time.time() - 3700,) * 2)
    assert visitor_files.sweep(tmp_path, SMALL) == 1
    assert (old.exists(), new.exists(), operators.exists()) == (False, True, True)
    keep(tmp_path, b"1" * 2_000_000)


def test_a_link_carries_a_name_and_no_path(tmp_path: Path) -> None:
    path = str(keep(tmp_path, b"data"))
    linked = visitor_files.in_link(path)
    assert linked.startswith("upload:")
    assert str(tmp_path) not in linked
    assert visitor_files.of_link(linked, tmp_path) == path
    assert visitor_files.in_link("/home/me/photos.zip") == "/home/me/photos.zip"
    for text in ("upload:../x.zip", f"upload:{A}-{'0' * 32}.pt", "upload:", path, f"upload:{A}-{'0' * 32}.zip/../../x"):
        assert visitor_files.of_link(text, tmp_path) == ""
    assert visitor_files.owned(path, tmp_path, A)
    assert not visitor_files.owned(path, tmp_path, B)
    assert not visitor_files.owned(f"{tmp_path}/../{tmp_path.name}/{Path(path).name}", tmp_path)
    assert not visitor_files.owned("/etc/passwd", tmp_path)


def test_the_audit_log_is_private_bounded_and_one_line_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MAX_BYTES", 2000)
    for number in range(100):
        audit.note(tmp_path, "started", A, what=f'run "{number}"\nnext line', job="j")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["audit.jsonl", *(f"audit.jsonl.{k}" for k in range(1, audit.KEPT + 1))]
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.stat().st_size <= 2000
        for line in path.read_text().splitlines():
            assert set(json.loads(line)) == {"time", "event", "session", "what", "job"}
    assert 'run \\"99\\"' in (tmp_path / audit.NAME).read_text().splitlines()[-1]
    assert 'run \\"98\\"' not in (tmp_path / f"{audit.NAME}.1").read_text().splitlines()[-1]


def test_a_log_that_cannot_be_written_ends_no_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / audit.NAME).symlink_to(tmp_path / "elsewhere")
    audit.note(tmp_path, "started", A)
    assert (tmp_path / "elsewhere").read_text() == ""
    assert "cannot be written" in capsys.readouterr().out
