"""Streamlit's own command with strangers' messages sifted from the first on: ``python pages/session/serve.py run app.py …``.

Where ``app.py`` is served by Streamlit alone they are sifted once a first page has been drawn.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parents[2]
"""The folder with ``app.py``, which Streamlit would make importable once a page is drawn."""


def main() -> None:
    """Serve until stopped."""
    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))  # where Streamlit puts it as well
    from streamlit.web import cli

    from pages.session import hardening

    hardening.guard()
    sys.argv[0] = "streamlit"
    cli.main()


if __name__ == "__main__":
    main()
