"""The embedding of 5,000 and of 50,000 images: seconds to open it and to select in it, thumbnails on a page, memory.

    python -m benchmarks run many_points [--sizes 5000,50000] [--folder FOLDER]

Trains a network on so many road signs for one epoch, in this process, and opens the page Embedding without a browser (its
projection is PCA, which shows every example). Prints, as JSON by size: seconds until the page is complete; the median of
seconds from a selection of some hundred examples to the page drawn anew; how many thumbnails stand on it; the highest memory of
the process so far, training included. ``browser_speed`` measures the drawing in the browser. Run it with nothing else going on.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import tempfile
import time
from typing import Any

from benchmarks.paths import ROOT

ASKED = {"select_s": 0.5, "thumbnails": 100, "memory_mb": 4096}
"""At most; the first for 5,000 examples, in the page's process."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="5000,50000")
    parser.add_argument("--folder", default=None, help="where results are kept [default: a temporary folder]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ |= {"UNLEARN_STORE": options.folder or scratch, "UNLEARN_ENGINE": "inline", "UNLEARN_GALLERY": ""}
        os.chdir(ROOT)
        found = {size: measure(int(size)) for size in options.sizes.split(",")}
    print(json.dumps(found | {"asked": ASKED}, indent=1))
    small = [one for size, one in found.items() if int(size) <= 5000]
    within = all(one[name] <= ASKED[name] for one in found.values() for name in ("thumbnails", "memory_mb"))
    return 0 if within and all(one["select_s"] <= ASKED["select_s"] for one in small) else 1


def measure(size: int) -> dict[str, Any]:
    """One size; the median is of ten selections."""
    query = f"dataset=signs&dataset.examples={size}&training.epochs=1&embedded=&projection=pca"
    _compute(query)
    start = time.perf_counter()
    app = _page(query)
    opened = time.perf_counter() - start
    words, times = "".join(element.proto.body for element in app.get("html")), []
    for seed in range(10):
        chosen = tuple(sorted(random.Random(seed).sample(range(size), 300 + 20 * seed)))
        app.session_state["examples"] = app.session_state["examples"] | {"chosen": chosen}
        start = time.perf_counter()
        app.run()
        times.append(time.perf_counter() - start)
    if app.exception:
        raise SystemExit(str(app.exception[0].value))
    return {
        "open_s": round(opened, 2),
        "select_s": round(statistics.median(times), 2),
        "thumbnails": words.count('class="eunoe-thumb"'),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _compute(query: str) -> None:
    """The original model and its PCA, in the store."""
    from unlearn_core import view_state as vs
    from unlearn_core.engine import Engine
    from unlearn_core.store import Store
    from unlearn_core.views.embedding.stage import plan_embedding

    stages = plan_embedding(vs.to_scenario(vs.decode(query)[0]), [])[:-1]  # all but UMAP
    engine = Engine(Store.open(os.environ["UNLEARN_STORE"]), address="inline")
    done = engine.wait(engine.submit(stages, "many points"), 3600)
    engine.close()
    if done is None or done.state != "done":
        raise SystemExit(f"Not computed: {done}")


def _page(query: str) -> Any:
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=600)
    for part in query.split("&"):
        name, _, value = part.partition("=")
        app.query_params[name] = value
    app.switch_page("pages/embedding.py")
    return app.run()
