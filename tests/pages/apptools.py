"""What the page tests share."""

from __future__ import annotations

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
