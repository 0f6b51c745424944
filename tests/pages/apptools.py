"""What the page tests share."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

QUICK = "dataset=blobs&training.epochs=12&amount=60&methods=finetune,rem&finetune.epochs=2&rem.epochs=2"


def texts(app: AppTest) -> str:
    """All words on the page."""
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.subheader, app.title)
    html = [element.proto.body for element in app.main if getattr(element, "type", "") == "html"]
    return "\n".join([*(str(element.value) for kind in kinds for element in kind), *html])


def finish_jobs() -> None:
    """Wait until the app's engine has nothing left to do."""
    from pages.session.services import engine

    for job in engine().jobs():
        engine().wait(job.id, 60)


def link(app: AppTest) -> dict[str, str]:
    """The query string in the address bar."""
    return {name: value if isinstance(value, str) else value[-1] for name, value in app.query_params.items()}


def figures(app: AppTest) -> set[str]:
    """Names of the pictures on the page."""
    return {
        key.removeprefix("figure:") for element in app.main if (key := str(getattr(element, "key", ""))).startswith("figure:")
    }


def keyed(app: AppTest, key: str) -> Any:
    """The element with this key."""
    return next(element for element in app.main if getattr(element, "key", None) == key)


def figure(app: AppTest, name: str) -> str:
    """A picture as the JSON that is sent to the browser."""
    return str(keyed(app, f"figure:{name}").proto.spec)
