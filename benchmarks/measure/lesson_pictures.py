"""Which steps of the lessons have their picture on a fresh install, and what the gallery lacks for the others.

    python -m benchmarks run lesson_pictures [--lessons find,redirect]

Opens every step as the app does, headless, with an empty store and the gallery that comes with the code, computes nothing, and
prints one line a step: whether the part that it points at is drawn, and the stages that a press of Run would compute. At the
end stands what the gallery would have to hold, by scenario.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from benchmarks.paths import ROOT


@dataclass
class Seen:
    """One step as it opens. ``there``: whether what it points at is drawn; ``lacks``: the stages that are not stored."""

    lesson: str
    number: int
    page: str
    panel: str
    there: bool
    lacks: list[Any] = field(default_factory=list)


def main() -> int:
    """Open the steps and print what they show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lessons", default="", help="names, separated by commas [default: all]")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"UNLEARN_STORE": folder, "UNLEARN_ENGINE": "inline"}
        os.environ.pop("UNLEARN_GALLERY", None)
        seen = list(looked_at(options.lessons.split(",") if options.lessons else []))
    for step in seen:
        words = "picture" if step.there else "NO PICTURE"
        more = f"; Run would compute {', '.join(stage.title for stage in step.lacks)}" if step.lacks else ""
        print(f"{step.lesson} {step.number}, {step.page}, {step.panel or 'the page'}: {words}{more}")
    for line in wanted(seen):
        print(line)
    missing = sum(not step.there for step in seen)
    print(f"{len(seen)} steps, {missing} without their picture.")
    return 1 if missing else 0


def looked_at(names: Sequence[str]) -> Iterator[Seen]:
    """Every step of these lessons (none: of all), opened one after the other."""
    from streamlit.testing.v1 import AppTest

    from pages.session.services import store
    from pages.widgets import jobs
    from unlearn_core import view_state as vs
    from unlearn_core.view_state.lessons import lessons

    asked: list[Any] = []
    drawn = jobs.run_button

    def note(place: Any, words: str, enabled: bool, stages: Sequence[Any], title: str) -> None:
        asked.extend(stages if enabled else ())
        drawn(place, words, enabled, stages, title)

    jobs.run_button = note
    for lesson in (one for one in lessons().values() if not names or one.name in names):
        for number, step in enumerate(lesson.steps, 1):
            asked.clear()
            app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
            for name, value in parse_qsl(vs.encode(lesson.state_at(number, vs.default_state())), keep_blank_values=True):
                app.query_params[name] = value
            app.switch_page(f"pages/{step.page}.py")
            app.run()
            keys = {str(getattr(element, "key", "")) for element in app.main}
            stages = {stage.key: stage for stage in asked}
            stored = store().has(list(stages))
            lacks = [stage for key, stage in stages.items() if key not in stored and stage.kind != "embedding"]
            searched = step.page != "forget" or not lacks
            yield Seen(lesson.name, number, step.page, step.panel, (not step.panel or step.panel in keys) and searched, lacks)


def wanted(seen: Sequence[Seen]) -> list[str]:
    """What the gallery would have to hold for the steps without a picture: by scenario, the stages."""
    from unlearn_core.specs import Scenario
    from unlearn_core.views.text.sentences import scenario_line

    found: dict[str, dict[str, str]] = {}
    for step in (one for one in seen if not one.there):
        for stage in step.lacks:
            told = stage.payload.get("scenario")
            line = scenario_line(Scenario.parse(told).model_dump(), str(told["dataset"]["name"])) if told else "files"
            corruption = (told or {}).get("corruption", {})
            line += f" · {corruption['kind']}" if corruption.get("kind") else ""
            trigger = corruption.get("trigger", {}).get("kind", "patch")
            line += f" · trigger {trigger}" if trigger != "patch" and not corruption.get("kind") else ""
            found.setdefault(line, {})[stage.key] = f"{stage.title} ({step.lesson} {step.number})"
    return [f"Missing: {line.replace('**', '')}: {', '.join(stages.values())}" for line, stages in found.items()]


if __name__ == "__main__":
    raise SystemExit(main())
