"""How fast the app answers, and how long the terminal takes, on this machine.

    python -m benchmarks run app_speed [--repeats 15]

Prints, as JSON: seconds from ``streamlit run`` to a complete first page in Chromium; milliseconds of server time of Craft's
script after a slider move, for each dataset (median, 90th percentile); seconds of ``run`` with five methods on
trigger / 30 % from an empty store, and of the same again. Run it with nothing else going on.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.paths import ROOT

DATASETS = ("digits", "blobs", "waves", "spirals")
FIRST_PAGE = ("[class*=st-key-figure-start-scatter] .main-svg", "[data-testid=stMain] [data-testid=stDataFrame]")
"""The last picture and the table below it, both from the gallery."""
RUN = "run --dataset digits --regularity 1.0 --discovery 0.3 --methods finetune,npo,retrain,oracle_retrain,rem --seed 0 --json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    os.environ.pop("UNLEARN_GALLERY", None)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["UNLEARN_STORE"] = folder
        measured: dict[str, float | dict[str, float]] = {
            "run_empty_store_s": _run(folder),
            "run_cached_s": _run(folder),
            "first_page_s": _first_page(),
        }
        measured |= {f"craft_slider_{name}_ms": _craft(name, options.repeats) for name in DATASETS}
    print(json.dumps(measured, indent=1))


def _run(store: str) -> float:
    start = time.perf_counter()
    command = [sys.executable, "-m", "unlearn_core", *RUN.split(), "--store", store]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return round(time.perf_counter() - start, 2)


def _first_page() -> float:
    from playwright.sync_api import Error, sync_playwright

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with sync_playwright() as play, tempfile.TemporaryDirectory() as folder:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        start = time.perf_counter()
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true"],
            cwd=ROOT,
            env=os.environ | {"UNLEARN_STORE": folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while True:
                try:
                    page.goto(f"http://localhost:{port}/", wait_until="commit")
                    break
                except Error:
                    time.sleep(0.1)
            for part in FIRST_PAGE:
                page.locator(part).first.wait_for(timeout=60_000)
            return round(time.perf_counter() - start, 2)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()
            browser.close()


def _craft(dataset: str, repeats: int) -> dict[str, float]:
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(ROOT / "pages" / "craft.py"), default_timeout=60)
    app.query_params["dataset"] = dataset
    app.run()
    slider = next(str(widget.key) for widget in app.slider if "regularity" in str(widget.key))
    times = []
    for k in range(repeats + 3):
        app.slider(key=slider).set_value((7 * k % 101) / 100)
        start = time.perf_counter()
        app.run()
        times.append(1000 * (time.perf_counter() - start))
        if app.exception:
            raise SystemExit(str(app.exception[0].value))
    times = sorted(times[3:])  # the first ones fill caches
    return {"median": round(statistics.median(times), 1), "p90": round(times[int(0.9 * (len(times) - 1))], 1)}
