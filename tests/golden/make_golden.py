"""Write the golden data: what stores, links and commands of today are, so that a later version can be held to it.

    python tests/golden/make_golden.py --all        everything, the store included (a minute)
    python tests/golden/make_golden.py --keys       keys.json: after a method's ``revision`` was raised on purpose
    python tests/golden/make_golden.py --links      links.json: after a control was added or a notice reworded
    python tests/golden/make_golden.py --commands   commands.json: after a command's JSON was changed on purpose

What each of them holds is said in the tests beside this file. ``git diff`` shows what a change means for others: a key that
changes without a new revision loses stored results, a link that resolves to something else breaks somebody's bookmark. The
store is only written anew when its format needs new kinds of records: an old one is worth more than a new one.
"""

# ruff: noqa: E402
from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import tempfile
import zipfile
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"  # before torch is imported: as the tests compute
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from goldencommands import (
    BARE,
    COMPONENTS,
    FAILED,
    PLAN,
    SET_NAME,
    STORED,
    WRITING,
    pictured,
    plan_pictures,
)
from goldenkeys import all_keys
from goldenlinks import all_links
from goldentools import (
    PLACEHOLDER,
    STORE,
    ask,
    computed,
    copy_store,
    option_names,
    read_golden,
    within,
    write_golden,
    write_images,
)

from unlearn_core.engine import Engine
from unlearn_core.forget_sets import ForgetSet, NamedSets
from unlearn_core.specs import Scenario
from unlearn_core.store import Store


def write_store(folder: Path) -> None:
    """Fill a store through the command line and the engine, then commit its files to the folder of the golden one."""
    place = folder / "store"
    with within(folder, place):
        store = Store.open(place)
        scenario, spec = pictured()
        write_sets(store, scenario)
        for command in WRITING:
            answer = ask(command.arguments, folder)
            assert answer["code"] == (1 if command is FAILED else 0), (command.name, answer)
        engine = Engine(store, address="inline", device="cpu")
        for stage in plan_pictures(store, scenario, spec):
            view = engine.wait(engine.submit([stage], stage.title))
            assert view.state == "done", view
        for command in STORED:  # what they measure on the way is stored as well
            ask(command.arguments, folder)
        engine.close()
        store.close()
    _commit(place, folder)


def write_sets(store: Store, scenario: Scenario) -> None:
    """Three named sets: one with a history of every kind, one that was removed, and one that was never touched."""
    sets = NamedSets(store, scenario.sets_key)
    first = sets.create("Draft", ForgetSet((3, 5, 8)))
    sets.change(first.id, lambda s: ForgetSet((3, 5, 8, 13, 21), (34,), {}, {5: "seen by eye"}), "two more")
    sets.change(first.id, lambda s: ForgetSet((3, 5)), "a mistake")
    sets.undo(first.id)
    sets.rename(first.id, SET_NAME)
    gone = sets.create("Not needed", ForgetSet((1, 2)))
    sets.remove(gone.id)
    sets.create("Untouched", ForgetSet((10, 11, 12)), "from a list")


def _commit(place: Path, folder: Path) -> None:
    """Pack the database, as small as it gets and without a log beside it, and the array files; no path of this machine."""
    database = sqlite3.connect(place / "lethe.sqlite")
    database.execute("DELETE FROM leases")
    database.execute("UPDATE failures SET detail = replace(detail, ?, '')", (f"{HERE.parents[1]}/",))
    database.execute("UPDATE records SET spec = replace(spec, ?, ?)", (str(folder), PLACEHOLDER))
    database.commit()
    database.execute("VACUUM")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with zipfile.ZipFile(STORE, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in [place / "lethe.sqlite", *sorted((place / "artifacts").rglob("*"))]:
            if path.is_file():
                archive.write(path, path.relative_to(place))


def write_commands(folder: Path) -> None:
    """Ask every command: where there is no store, then of a copy of the golden one, which must need no computing."""
    with within(folder, None):
        answers = {command.name: ask(command.arguments, folder) for command in (*COMPONENTS, *BARE)}
    for path in folder.glob("healed.*"):
        path.unlink()
    place = copy_store(folder / "copy")
    with within(folder, place):
        before = computed(Store.open(place))
        answers |= {command.name: ask(command.arguments, folder) for command in STORED}
        assert computed(Store.open(place)) == before, "a command computed something"
    write_golden("commands", {"options": option_names(), "answers": answers})


def main() -> None:
    """Write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for part in ("all", "store", "keys", "links", "commands"):
        parser.add_argument(f"--{part}", action="store_true")
    wanted = parser.parse_args()
    if not any(vars(wanted).values()):
        parser.error("say what to write")
    with tempfile.TemporaryDirectory(prefix="golden-") as name:
        folder = Path(os.path.realpath(name))
        write_images(folder / "images")
        (folder / "plan.yaml").write_text(PLAN)
        if wanted.store or wanted.all:
            write_store(folder)
        if wanted.keys or wanted.all:
            with within(folder, None):
                write_golden("keys", all_keys(folder))
        if wanted.links or wanted.all:
            with within(folder, None):
                write_golden("links", all_links(folder, read_golden("keys")["revisions"]))
        if wanted.commands or wanted.all:
            write_commands(folder)


if __name__ == "__main__":
    main()
