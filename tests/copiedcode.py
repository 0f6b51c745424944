"""Code copied from a page, read instead of run: the keys of what it would compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from unlearn_core.presets import Values, make_method, method_overrides
from unlearn_core.specs import Scalar, Scenario


def keys_of(code: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The key of every run that ``code`` asks ``unlearn_core.run`` for; nothing is computed."""
    keys: list[str] = []

    def run(
        scenario: Scenario,
        methods: Sequence[str],
        *,
        overrides: Mapping[str, Scalar] | None = None,
        values: Values = "tuned",
    ) -> None:
        chosen = [make_method(name, scenario, method_overrides(overrides or {}, name), values) for name in methods]
        keys.extend(scenario.run_key(spec) for spec in chosen)

    with monkeypatch.context() as patch:
        patch.setattr("unlearn_core.run", run)
        exec(code, {})
    return keys
