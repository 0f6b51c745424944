"""``eunoe`` and ``python -m unlearn_core``: the command line."""

import gc
import os
import sys
import threading
from typing import NoReturn

from unlearn_core.cli import main


def leave() -> NoReturn:
    """Run the command that the process was called with, and end the process with its exit code."""
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    if any(thread.name == "eunoe-inline" for thread in threading.enumerate()):
        # A stage that didn't hear that it was cancelled: ending the interpreter under its feet would crash.
        os._exit(code)
    gc.freeze()  # ending the interpreter looks for cycles among all that is left, which goes with the process anyway
    raise SystemExit(code)


if __name__ == "__main__":
    leave()
