"""``store import`` of what is no archive of a store any more, or never was: refused whole, in one sentence, within bounds."""

from __future__ import annotations

import hashlib
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from storetools import expect_one_sentence, files
from upkeeptools import plant, snapshot

from unlearn_core.cli import main
from unlearn_core.errors import UserError
from unlearn_core.store import Store
from unlearn_core.store.artifacts import path_of
from unlearn_core.store.schema import SCHEMA
from unlearn_core.store.upkeep import export_store, import_archive


def repack(archive: Path, change: Callable[[dict[str, bytes]], Any]) -> Path:
    """The archive with other content, its manifest and checksums made to fit: a hostile one."""
    with zipfile.ZipFile(archive) as old:
        content = {name: old.read(name) for name in old.namelist()}
    change(content)
    if "manifest.json" in content and "records.jsonl" in content:
        manifest = json.loads(content["manifest.json"])
        manifest["records_sha256"] = hashlib.sha256(content["records.jsonl"]).hexdigest()
        content["manifest.json"] = json.dumps(manifest).encode()
    made = archive.with_name("changed.zip")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in content.items():
            new.writestr(name, data)
    return made


def change_first(content: dict[str, bytes], change: Callable[[dict[str, Any]], Any]) -> None:
    """Change the first record that has files."""
    lines = [json.loads(line) for line in content["records.jsonl"].splitlines()]
    change(next(line for line in lines if line["files"]))
    content["records.jsonl"] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def test_any_damage_is_refused_whole(store: Store, archive: Path, other: Store, tmp_path: Path) -> None:
    """Bytes flipped and cut off anywhere: refused in a sentence, or nothing of what is kept was hit."""
    data, dice, refused = archive.read_bytes(), random.Random(0), 0
    for trial in range(60):
        place = dice.randrange(len(data))
        rest = b"" if trial % 6 == 0 else bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]
        (tmp_path / "hit.zip").write_bytes(data[:place] + rest)
        try:
            import_archive(other, tmp_path / "hit.zip")
        except UserError:
            refused += 1
        if other.find() or files(other):
            assert snapshot(other) == snapshot(store)
            for record in other.find():
                other.delete(record.key)
    assert refused > 40


def bomb(content: dict[str, bytes]) -> None:
    content["artifacts/aa/aa-w-0.safetensors"] = bytes(2**29)


def no_arrays(content: dict[str, bytes]) -> None:
    """A pickle where arrays should be, with checksums that fit."""
    import pickle

    data = pickle.dumps({"a": 1})

    def change(line: dict[str, Any]) -> None:
        (file, *_) = line["files"]
        del content["artifacts/" + file["path"]]
        digest = hashlib.sha256(data).hexdigest()
        path = path_of(line["key"], file["name"], digest)
        file |= {"size": len(data), "sha256": digest, "path": path}
        content["artifacts/" + file["path"]] = data

    change_first(content, change)


def elsewhere(content: dict[str, bytes]) -> None:
    def change(line: dict[str, Any]) -> None:
        (file, *_) = line["files"]
        content["artifacts/../../x.safetensors"] = content.pop("artifacts/" + file["path"])
        file["path"] = "../../x.safetensors"

    change_first(content, change)


def of_version(content: dict[str, bytes], **said: Any) -> None:
    content["manifest.json"] = json.dumps(json.loads(content["manifest.json"]) | said).encode()


HOSTILE: dict[str, tuple[Callable[[dict[str, bytes]], Any], str]] = {
    "a bomb": (bomb, "would unpack to"),
    "a pickle": (no_arrays, "holds no arrays"),
    "a path outside": (elsewhere, "not as Eunoe writes them"),
    "a key that is a path": (lambda c: change_first(c, lambda line: line.update(key="../../x")), "not as Eunoe writes them"),
    "a run that is none": (
        lambda c: c.update({"records.jsonl": c["records.jsonl"].replace(b'"metrics": {"healed": 0.5}', b'"metrics": [1]')}),
        "its run .* is not as",
    ),
    "a file too many": (lambda c: c.update({"artifacts/aa/aa.safetensors": b"1"}), "no record names its file"),
    "another kind of file": (lambda c: c.update({"setup.py": b"1"}), "nothing that a store exports"),
    "no records": (lambda c: c.pop("records.jsonl"), "no records.jsonl"),
    "a file too few": (lambda c: c.pop(next(n for n in c if n.startswith("artifacts"))), "is missing or has another size"),
    "a record twice": (lambda c: c.update({"records.jsonl": c["records.jsonl"] * 2}), "twice"),
    "a record too few": (lambda c: of_version(c, records=7), "3 records where its manifest says 7"),
    "no JSON": (lambda c: c.update({"records.jsonl": b"[[[" * 10**5 + b"\n"}), "is damaged"),
    "a newer store": (lambda c: of_version(c, schema=SCHEMA + 1), f"newer version of Eunoe .schema {SCHEMA + 1}"),
    "another manifest": (lambda c: of_version(c, format="x"), "no exported store"),
    "a manifest without numbers": (lambda c: of_version(c, records="3"), "not complete"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused(tmp_path: Path, name: str) -> None:
    change, why = HOSTILE[name]
    store, other = Store.open(tmp_path / "store"), Store.open(tmp_path / "other")
    plant(store)
    export_store(store, tmp_path / "archive.zip")
    with pytest.raises(UserError, match=why) as caught:
        import_archive(other, repack(tmp_path / "archive.zip", change))
    expect_one_sentence(caught)
    assert other.find() == []
    assert files(other) == []
    assert {path.name for path in tmp_path.iterdir()} == {"store", "other", "archive.zip", "changed.zip"}


def test_no_zip_makes_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.zip").write_text("no zip")
    for name in ("text.zip", "missing.zip"):
        assert main(["store", "import", str(tmp_path / name), "--store", str(tmp_path / "new")]) == 2
        assert capsys.readouterr().err.startswith("Error: The archive")
    assert not (tmp_path / "new").exists()
