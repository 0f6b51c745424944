"""A worker with other versions, or that does not tell them, gets no stage; the others do, and a sentence says why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.dummy import RUNNER, Stage, until
from tests.engine.outside import ROOT, Outside
from unlearn_core.cli import follow
from unlearn_core.engine import Engine
from unlearn_core.engine.backends import admission
from unlearn_core.store import Store


def test_what_differs_is_named_with_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = admission.versions()
    assert ours["torch"][0].isdigit()
    assert "+" not in ours["torch"]  # a processor and a graphics card may share a sweep
    same = admission.PREFIX + ", ".join(f"{name} {version}" for name, version in ours.items())
    assert admission.refusal("tcp://a:1", ["GPU", same]) == ""
    other = same.replace(f"numpy {ours['numpy']}", "numpy 1.0").replace(f"Python {ours['Python']}", "Python 3.9")
    said = admission.refusal("tcp://a:1", [other])
    assert f"numpy is 1.0 there and {ours['numpy']} here" in said
    assert f"Python is 3.9 there and {ours['Python']} here" in said
    assert "tcp://a:1" in said
    assert "torch" not in said
    lacking = admission.refusal("tcp://a:1", [same.replace(f", torch {ours['torch']}", "")])
    assert f"torch is missing there and {ours['torch']} here" in lacking


def test_the_digest_follows_the_code_and_not_its_line_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "__init__.py"
    monkeypatch.setattr(admission.unlearn_core, "__file__", str(file))
    found = []
    for text in (b"a = 1\n", b"a = 1\r\n", b"a = 2\n"):
        file.write_bytes(text)
        found.append(admission.code_digest.__wrapped__())
    assert found[0] == found[1] != found[2]


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    made = Outside(tmp_path)
    try:
        made.scheduler()
        yield made
    finally:
        made.end()


@pytest.mark.cluster
def test_workers_with_other_versions_get_nothing_and_the_stages_go_elsewhere(
    outside: Outside, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older, changed = tmp_path / "older", tmp_path / "changed"
    (older / "numpy-1.0.dist-info").mkdir(parents=True)
    (older / "numpy-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 1.0\n")
    shutil.copytree(ROOT / "unlearn_core", changed / "unlearn_core", ignore=shutil.ignore_patterns("__pycache__"))
    with (changed / "unlearn_core" / "errors.py").open("a") as file:
        file.write("# another revision\n")
    strangers = [
        outside.worker("--name", "older", code=[older]),
        outside.worker("--name", "changed", code=[changed]),
        outside.worker("--name", "silent", "--preload", "json"),
    ]
    engine = Engine(store, address=outside.address, runner=RUNNER, device="cpu")
    try:
        engine.start()
        until(lambda: len(engine.status().workers) == 3)
        job = engine.submit([Stage(f"s{k}") for k in range(6)], "six")
        assert engine.wait(job, 1.5).state == "running"
        assert engine.status().running == 0
        sentences = " ".join(worker.refused for worker in engine.status().workers)
        ours = admission.versions()
        assert f"numpy is 1.0 there and {ours['numpy']} here" in sentences
        assert f"and {ours['code']} here" in sentences
        assert "does not tell its versions" in sentences
        assert "is refused" in engine.status().message
        assert "And 2 more." in engine.status().message
        good = outside.worker("--name", "good")
        assert follow.follow(engine, job, details=False).state == "done"  # nothing waits for those who are refused
        assert {store.get(f"s{k}").payload["pid"] for k in range(6)} == {good.pid}
        assert capsys.readouterr().err.count("is refused") == 1
        assert "is refused" in engine.status().message
        assert all(process.poll() is None for process in strangers)  # they may be there for someone else
    finally:
        engine.close()
