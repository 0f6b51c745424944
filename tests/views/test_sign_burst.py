"""The start page's star-burst: what is packed is what the store has, sentences follow counts, what is shipped is of today."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from unlearn_core.engine import Engine
from unlearn_core.presets import make_method, make_scenario
from unlearn_core.results.reader import scenario_data
from unlearn_core.stages.unlearn import plan_runs
from unlearn_core.store import Store
from unlearn_core.views.embedding.data import embed, pca
from unlearn_core.views.start import burst as bursts
from unlearn_core.views.start.burst import METHODS, SignBurst, burst_digest, burst_of, make_burst_scenario
from unlearn_core.views.start.burst_pack import COLUMNS, pack_burst
from unlearn_core.views.start.burst_sentences import describe_method, opening
from unlearn_core.views.start.shipped import BURST, BURST_PROVENANCE

COUNT, KNOWN = 40, 10


def made(arrived: dict[str, int], unknown: int | None = None, memorised: float = 1.0) -> SignBurst:
    """A burst of 40 signs, 10 of them known, of which so many are home; the unknown ones come first, or ``unknown`` of them."""
    models, random = ("original", *arrived.keys() - {"original"}), np.random.default_rng(0)
    home = np.zeros((len(models), COUNT), bool)
    for row, name in enumerate(models):
        late = arrived[name] if unknown is None or name == "original" else unknown
        home[row, KNOWN : KNOWN + min(late, COUNT - KNOWN)] = True
        home[row, : arrived[name] - int(home[row].sum())] = True
    return SignBurst(
        make_burst_scenario(),
        models,
        tuple("abcdefghij"),
        random.normal(size=(len(models), 60, 2)).astype(np.float32),
        np.arange(60) % 10,
        np.arange(20, 60),
        KNOWN,
        home,
        random.integers(0, 256, (COUNT, 32, 32, 3)).astype(np.uint8),
        memorised,
    )


def test_a_sentence_says_what_was_counted() -> None:
    burst = made({"original": 1, "retrain": 2, "rem": 38, "finetune": 20, "oracle_retrain": 40}, unknown=None)
    assert burst.arrived("rem") == (38, 30)
    assert describe_method(burst, "retrain").endswith("hardly any leaves, 2 of 40 come home.")
    assert "the other 30 as they are" in describe_method(burst, "retrain")
    assert describe_method(burst, "rem").endswith("nearly all fly home, 38 of 40, 30 of the 30 that nobody found among them.")
    assert describe_method(burst, "finetune").endswith("20 of 40 fly home, 20 of the 30 that nobody found among them.")
    assert describe_method(burst, "oracle_retrain").endswith("all fly home, 40 of 40.")


def test_a_sentence_does_not_praise_what_did_not_happen() -> None:
    burst = made({"original": 0, "retrain": 30, "rem": 0})
    assert describe_method(burst, "rem").endswith("none of the 40 leaves.")
    assert "30 of 40 fly home" in describe_method(burst, "retrain")
    assert "little to heal" in opening(made({"original": 0}, memorised=0.2))
    assert "little to heal" not in opening(burst)


def test_pictures_and_places_come_back_from_bytes() -> None:
    burst = made({"original": 1, "retrain": 2, "rem": 38})
    packed = pack_burst(burst, {"rem": "REM"}, ("#112233", "#445566"))
    assert packed == pack_burst(burst, {"rem": "REM"}, ("#112233", "#445566"))
    header, array = unpacked(packed)
    assert {model["name"]: model["arrived"] for model in header["models"]} == {"original": 1, "retrain": 2, "rem": 38}
    places = array("places")
    assert places.shape == burst.places.shape
    for axis in (0, 1):  # one window for all models: who lies left of whom stays as it was
        one, other = places[..., axis].ravel().astype(float), burst.places[..., axis].ravel()
        assert np.corrcoef(one, other)[0, 1] > 0.99999
    sheet = np.asarray(Image.open(io.BytesIO(array("sheet").tobytes())))
    assert sheet.shape == (32 * -(-COUNT // COLUMNS), 32 * COLUMNS, 3)
    row, column = divmod(17, COLUMNS)
    tile = sheet[32 * row : 32 * (row + 1), 32 * column : 32 * (column + 1)].astype(float)
    assert np.corrcoef(tile.ravel(), burst.pictures[17].ravel())[0, 1] > 0.6  # of pure noise, which JPEG likes least


def unpacked(packed: bytes):  # type: ignore[no-untyped-def]
    import gzip

    raw = gzip.decompress(packed)
    start = 4 + int.from_bytes(raw[:4], "little")
    header = json.loads(raw[4:start])

    def array(name: str) -> np.ndarray:
        entry = header[name]
        return np.frombuffer(raw, entry["type"], int(np.prod(entry["shape"])), start + entry["at"]).reshape(entry["shape"])

    return header, array


def test_what_is_shown_is_what_the_store_has(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.open(tmp_path_factory.mktemp("burst"))
    scenario = make_scenario("digits", regularity=1.0, discovery=0.3, overrides={"training.epochs": 2})
    specs = [make_method("finetune", scenario, {"epochs": 1})]
    engine = Engine(store, address="inline")
    assert engine.wait(engine.submit(plan_runs(scenario, specs), "burst"), 120).state == "done"
    engine.close()
    monkeypatch.setattr(bursts, "layout", lambda features, to_first: pca(features))  # UMAP compiles for longer than this takes
    burst = burst_of(store, scenario, specs)
    data = scenario_data(scenario).corrupted
    assert burst.models == ("original", "finetune")
    assert np.allclose(burst.places, embed(store, scenario, specs, "pca").places, atol=1e-4)
    assert np.array_equal(burst.clean[burst.corrupted], data.truth.clean_labels[data.truth.corrupted].numpy())
    assert set(burst.corrupted[: burst.known]) == set(data.truth.forget_of(scenario).tolist())
    assert burst.home.shape == (2, len(burst.corrupted))
    with pytest.raises(LookupError):
        burst_of(store, scenario, [make_method("rem", scenario)])


# --- What comes with the code --------------------------------------------------------------------------------------------


def test_what_is_shipped_is_of_today_s_settings_values_and_revisions() -> None:
    assert json.loads(BURST_PROVENANCE.read_text())["digest"] == burst_digest(), "run: python assets/make_burst.py"


def test_the_shipped_picture_is_small_and_shows_what_it_says() -> None:
    header, array = unpacked(BURST.read_bytes())
    told = json.loads(BURST_PROVENANCE.read_text())
    assert BURST.stat().st_size <= 400 * 2**10
    names = [model["name"] for model in header["models"]]
    assert names == ["original", *METHODS]
    assert {model["name"]: model["arrived"] for model in header["models"]} == told["home"]
    assert len(array("corrupted")) == told["of"]
    assert all(model["sentence"] for model in header["models"][1:])
    # Who moved far is who is said to have come home: retraining's signs stay together, REM's scatter.
    wrong, places = array("corrupted"), array("places").astype(float)
    spread = {name: float(np.median(np.ptp(places[k, wrong], axis=0))) for k, name in enumerate(names)}
    ways = {name: float(np.median(np.linalg.norm(places[k, wrong] - places[0, wrong], axis=1))) for k, name in enumerate(names)}
    assert ways["rem"] > 2 * ways["retrain"], (ways, spread)
