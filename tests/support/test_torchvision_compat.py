"""The torchvision guard: beside a CPU-only torch the default wheel must still be usable."""

from __future__ import annotations

import subprocess
import sys


def test_torchvision_can_be_used_after_the_guard() -> None:
    code = (
        "from unlearn_core.support.torchvision_compat import torchvision\n"
        "tv = torchvision()\n"
        "import torch, torchvision.datasets, torchvision.transforms.v2 as t, torchvision.models as m\n"
        "print(m.resnet18(num_classes=3).eval()(torch.zeros(1, 3, 32, 32)).shape)\n"
        "print(t.functional.resize(torch.zeros(3, 8, 8), [4, 4]).shape)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-1500:]
    assert "[1, 3]" in done.stdout
    assert "[3, 4, 4]" in done.stdout
