"""An epoch of ResNet-9 with its loss compiled by torch, in a process of its own: compiling may hang or take the process down.

    python -m benchmarks.measure.gpu.compiled --scale 1 --device cuda --out FILE

Noise images. Prints nothing; writes what it measured, plainly launched and recorded as a graph, one after the other.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.paths import ROOT


def measure_apart(scale: float, device: str, seconds: float, folder: Path) -> dict[str, Any]:
    """Run this module in another process for at most so many seconds; what it had written by then counts."""
    out = folder / "compiled.json"
    out.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "benchmarks.measure.gpu.compiled",
        "--scale",
        str(scale),
        "--device",
        device,
        "--out",
        str(out),
    ]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=max(1.0, seconds), check=False)
        said = done.stderr[-600:] if done.returncode else ""
    except subprocess.TimeoutExpired:
        said = f"stopped after {seconds:.0f} s"
    found: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {}
    out.unlink(missing_ok=True)
    if not found:
        raise RuntimeError(said or "the other process wrote nothing")
    return found | ({"stopped": said} if said else {})


def main() -> None:
    import torch

    from benchmarks.measure.gpu.bench import switched
    from benchmarks.measure.gpu.sizes import Sizes
    from benchmarks.measure.gpu.speed import noise, time_epoch
    from unlearn_core.training import Augmentation, DeviceData, cross_entropy
    from unlearn_core.training.cuda_graph import capturable

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    sizes, device = Sizes(options.scale), torch.device(options.device)
    whole = sizes.images[0] // sizes.batch * sizes.batch  # every shape of a batch is compiled for itself
    data = DeviceData.place(noise(whole), device, Augmentation(flip=True))
    compiled = torch.compile(cross_entropy, dynamic=False)

    @capturable
    def loss(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        return compiled(model, x, y, ids)

    found: dict[str, Any] = {}
    for name, graphs in (("plain", False), ("graph", True)):
        with switched(graphs):
            found[name] = time_epoch(sizes, data, lambda: False, loss)
        options.out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
