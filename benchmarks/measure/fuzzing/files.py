"""Mutated files: sound inputs of every kind that is read from strangers, with bytes flipped, cut, repeated and swapped."""

from __future__ import annotations

import json
import random
import resource
import shutil
import zipfile
from pathlib import Path

import numpy as np

from benchmarks.measure.fuzzing.arguments import attempt
from benchmarks.measure.fuzzing.queries import Outcome
from benchmarks.measure.fuzzing.watch import Watch

PLAN = """dataset: blobs
regularity: [0, 1.0]
discovery: [0.5]
methods: [finetune]
seeds: [0]
amount: [40]
set: {training.epochs: 1}
"""


def make_seeds(folder: Path) -> dict[str, Path]:
    """Sound files by suffix, and a folder of photographs "photos" that lists and checkpoints belong to."""
    import pandas as pd
    import torch
    from PIL import Image
    from safetensors.torch import save_file

    rng = np.random.default_rng(0)
    for half, count in (("train", 8), ("test", 3)):
        for name in ("cat", "dog"):
            (folder / "photos" / half / name).mkdir(parents=True, exist_ok=True)
            for k in range(count):
                Image.fromarray(rng.integers(0, 255, (12, 12, 3), np.uint8)).save(folder / "photos" / half / name / f"{k}.png")
    images, labels = rng.integers(0, 255, (24, 8, 8, 3), np.uint8), np.arange(24) % 2
    np.savez_compressed(folder / "seed.npz", x_train=images, y_train=labels, x_test=images[:8], y_test=labels[:8])
    state = {"layer.weight": torch.randn(4, 4), "layer.bias": torch.zeros(4), "step": torch.tensor(3)}
    torch.save({"state_dict": state, "epoch": 3}, folder / "seed.pt")
    save_file(state, folder / "seed.safetensors", metadata={"classes": json.dumps(["cat", "dog"]), "architecture": "resnet18"})
    with zipfile.ZipFile(folder / "seed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((folder / "photos").rglob("*.png")):
            archive.write(file, str(file.relative_to(folder)))
    table = pd.DataFrame({"path": [f"train/cat/{k}.png" for k in range(8)], "clean_label": ["dog"] * 8, "note": "why"})
    table.to_csv(folder / "seed.csv")
    pairs = [(str(f.relative_to(folder / "photos")), f.parent.name) for f in sorted((folder / "photos").rglob("*.png"))]
    pd.DataFrame(pairs, columns=["path", "label"]).to_parquet(folder / "photos" / "labels.parquet")
    shutil.move(folder / "photos" / "labels.parquet", folder / "seed.parquet")
    shutil.copy(folder / "photos/train/cat/0.png", folder / "seed.png")
    Image.fromarray(rng.integers(0, 255, (24, 24, 3), np.uint8)).save(folder / "seed.jpg")
    (folder / "seed.yaml").write_text(PLAN)
    kinds = ("npz", "pt", "safetensors", "zip", "csv", "parquet", "png", "jpg", "yaml")
    return {kind: folder / f"seed.{kind}" for kind in kinds}


def accident(data: bytes, rng: random.Random) -> tuple[int, int, bytes]:
    """Which bytes (from, to) are replaced by which: one small accident."""
    at, size = rng.randrange(len(data)), rng.choice((1, 2, 4, 8, 64, 512))
    kind = rng.randrange(9)
    if kind == 0:
        return at, at + 1, bytes([data[at] ^ (1 << rng.randrange(8))])
    if kind == 1:
        return at, at + size, rng.randbytes(size)
    if kind == 2:
        return at, at + size, rng.choice((b"\0", b"\xff")) * size
    if kind == 3:
        return at, at + size, b""
    if kind == 4:
        return at, len(data), b""
    if kind == 5:
        return at, at, data[max(0, at - size) : at] * rng.choice((1, 2, 50))
    # Sizes and offsets stand near the beginning and the end of most formats.
    if kind == 6:
        return min(at, 40), min(at, 40) + 4, rng.choice((b"\xff\xff\xff\x7f", b"\0\0\0\0"))
    if kind == 7:
        end = max(0, len(data) - rng.randint(4, 60))
        return end, end + 4, b"\xff\xff\xff\x7f"
    return at, at, rng.choice((b",", b"\n", b'"', b"\r", b";", b": ", b"- ", b"\xe9", b"\\", b"&a *a"))


def mutate(data: bytes, rng: random.Random) -> bytes:
    """``data`` after one to eight accidents."""
    for _ in range(rng.choice((1, 1, 1, 2, 4, 8))):
        if not data:
            break
        start, stop, new = accident(data, rng)
        data = data[:start] + new + data[stop:]
    return data


def command_for(kind: str, file: Path, folder: Path) -> list[str]:
    """The command that reads a file of this kind."""
    photos = str(folder / "photos")
    if kind in ("pt", "safetensors"):
        network = ["--checkpoint", str(file), "--architecture", "resnet18", "--engine", "inline"]
        return ["run", "--data", photos, "--found", "--forget", str(folder / "seed.csv"), "--methods", "finetune", *network]
    if kind == "csv":
        return ["check", "--data", photos, "--forget", str(file)]
    if kind == "yaml":
        return ["sweep", str(file), "--engine", "inline"]
    return ["check", "--data", str(file)]


def place(kind: str, data: bytes, folder: Path) -> Path:
    """Write the mutated file where its command looks for it; pictures lie among sound ones."""
    if kind in ("png", "jpg"):
        mixed = folder / "mixed"
        if not mixed.exists():
            shutil.copytree(folder / "photos", mixed)
        (mixed / "train" / "cat" / f"0.{'png' if kind == 'png' else 'jpg'}").write_bytes(data)
        return mixed
    file = folder / ("photos/labels.parquet" if kind == "parquet" else f"mutated.{kind}")
    file.write_bytes(data)
    return file


def run(count: int, seed: int, watch: Watch, folder: Path) -> Outcome:
    """``count`` mutated files, the kinds in turn, each read by the command that is made for it."""
    rng, outcome = random.Random(seed), Outcome(tried=count)
    seeds, before = make_seeds(folder), len(watch.escapes)
    for number in range(count):
        kind = list(seeds)[number % len(seeds)]
        data = mutate(seeds[kind].read_bytes(), rng)
        file = place(kind, data, folder)
        if wrong := attempt(command_for(kind, file, folder)):
            kept = folder / "failures" / f"{number}.{kind}"
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(data)
            outcome.wrong.append(f"{kept.name}: {wrong}")
        (folder / "photos" / "labels.parquet").unlink(missing_ok=True)
    outcome.escapes = sorted(set(watch.escapes[before:]))
    outcome.memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return outcome
