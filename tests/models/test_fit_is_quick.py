"""Whether a network fits is asked by pages, of every network: it draws no numbers and does not load torch's compiler."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import torch
from unlearn_core import models
from unlearn_core.specs import ModelSpec
before = torch.default_generator.get_state()
for name in [source.name for source in models.registry if source.offered]:
    try:
        models.check_fit(ModelSpec(name=name), (3, 32, 32), 10)
    except ValueError:
        continue
assert torch.equal(before, torch.default_generator.get_state())
assert "torch._dynamo" not in sys.modules
"""


def test_no_network_loads_the_compiler_to_be_asked_whether_it_fits() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=120)
