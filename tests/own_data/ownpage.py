"""What the tests of the page Your own share: opening it, waiting until files are read, its words and its address."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in query.items():
        app.query_params[name.replace("__", ".")] = value
    app.switch_page("pages/own.py")
    app.run()
    assert not app.exception, app.exception
    return app


def until_read(app: AppTest) -> AppTest:
    """Run the page until the files are read, as the browser does while the bar is drawn."""
    for _ in range(100):
        app.run()
        assert not app.exception, app.exception
        if "What was read" in words(app) or app.error:
            return app
        time.sleep(0.05)
    raise AssertionError("the files were not read")


def until(app: AppTest, true: Callable[[], bool]) -> None:
    for _ in range(200):
        app.run()
        assert not app.exception, app.exception
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never happened")


def words(app: AppTest) -> str:
    kinds: tuple[Any, ...] = (app.markdown, app.caption, app.info, app.warning, app.success, app.error)
    html = [element.proto.body for element in app.main if getattr(element, "type", "") == "html"]
    return "\n".join([*(str(element.value) for kind in kinds for element in kind), *html])


def button(app: AppTest, key: str) -> Any:
    return app.button(key=key)


def address(app: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[-1] for name, value in app.query_params.items()}


def enter(app: AppTest, path: Path | str) -> AppTest:
    app.text_input(key="control:own").set_value(str(path))
    return until_read(app)
