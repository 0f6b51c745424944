"""The text of plug-ins that tests write."""

from __future__ import annotations

from collections.abc import Callable

from unlearn_core import plugins

Plug = Callable[[str, str], plugins.Plugin]
METHOD = '''
"""A plug-in."""
from torch import nn
from unlearn_core.errors import Cancelled
from unlearn_core.methods import Method, MethodParams, register

@register
class Still(Method[MethodParams]):
    """θ = θ₀."""
    name, label, family, summary = "{name}", "Still", "ascent", "Leaves all as it is."

    def unlearn(self, task, reporter):
        if reporter.cancelled():
            raise Cancelled
        reporter.step(1, 1)
        {line}
'''


def method(name: str = "still", line: str = "return task.original.eval()") -> str:
    """The text of a plug-in with one method of this name, whose last line is this one (the sixteenth of the file)."""
    return METHOD.format(name=name, line=line)
