"""Draws the house from its imports: ``python -m tests.walls.draw`` writes ``docs/architecture.svg``.

Every room stands on the floor that the wall test gives it. An arrow means "imports from"; those that a longer way implies are
left out, and so are those within a floor.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from tests.walls.sources import LEVELS, MODULES, ROOT, imported_modules, room_of

TARGET = ROOT / "docs" / "architecture.svg"
WIDTH, BOX, HEIGHT, FLOOR, MARGIN = 980, 150, 46, 92, 24
GROUND = LEVELS[0]
"""What nearly every room uses: drawn as one floor, without arrows."""
COLUMNS = {
    "app": 0.08, "pages": 0.34, "cli": 0.66, "bench": 0.92, "front_door": 0.4, "engine": 0.16, "view_state": 0.5, "views": 0.8,
    "stages": 0.3, "results": 0.62, "store": 0.08, "evaluation": 0.22, "methods": 0.47, "presets": 0.71, "tuning": 0.95,
    "discovery": 0.58, "training": 0.4, "corruption": 0.25, "forget_sets": 0.0, "models": 0.7, "datasets": 0.4,
}  # fmt: skip
"""Where on its floor a room stands, so that arrows cross little; a room without a place stands in the middle."""
STYLE = "font-family='Source Sans Pro, Segoe UI, Helvetica, Arial, sans-serif'"


def rooms() -> dict[str, tuple[int, set[str]]]:
    """Room → (lines, rooms it imports from)."""
    found: dict[str, tuple[int, set[str]]] = {}
    for module, path in MODULES.items():
        here = room_of(module)
        if here in ("unlearn_core", "__main__"):
            continue
        lines, others = found.get(here, (0, set()))
        seen = {room_of(other) for other in imported_modules(path)} - {here, "unlearn_core"}
        found[here] = (lines + len(path.read_text().splitlines()), others | seen)
    return found


def floors() -> dict[str, int]:
    """Room → floor, 0 at the ground."""
    return {room: floor for floor, names in enumerate(LEVELS) for room in names}


def direct(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The arrows that go down and that no longer way implies."""
    floor = floors()
    down = {room: {other for other in others - GROUND if floor[other] < floor[room]} for room, others in graph.items()}

    def reached(room: str) -> set[str]:
        return down[room] | {far for near in down[room] for far in reached(near)}

    below = {room: reached(room) for room in down}
    return {
        room: {other for other in others if not any(other in below[near] for near in others)} for room, others in down.items()
    }


def places(names: dict[str, tuple[int, set[str]]]) -> dict[str, tuple[float, float]]:
    """The middle of each room's box."""
    found = {}
    for floor, level in enumerate(LEVELS):
        row = sorted(level & set(names))
        for k, room in enumerate(row):
            share = (k + 0.5) / len(row) if level is GROUND else COLUMNS.get(room, 0.5)
            half = MARGIN + BOX / 2
            found[room] = (half + share * (WIDTH - 2 * half), MARGIN + (len(LEVELS) - 1 - floor) * FLOOR + HEIGHT / 2)
    return found


def draw() -> str:
    """The picture as SVG text."""
    found = rooms()
    place, arrows = places(found), direct({room: others for room, (_, others) in found.items()})
    height = 2 * MARGIN + (len(LEVELS) - 1) * FLOOR + HEIGHT
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' role='img' aria-labelledby='title'>",
        "<title id='title'>The rooms of the house and what each imports from, arrows pointing down</title>",
        "<defs><marker id='tip' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' orient='auto'>",
        "<path d='M0 0 L8 4 L0 8 z' fill='#6b7785'/></marker></defs>",
        f"<rect width='{WIDTH}' height='{height}' fill='#ffffff'/>",
    ]
    for room in sorted(arrows):
        for other in sorted(arrows[room]):
            (x, y), (u, v) = place[room], place[other]
            y, v = y + HEIGHT / 2, v - HEIGHT / 2 - 2
            bend = min(60.0, (v - y) / 2)
            curve = f"M{x:.0f} {y:.0f} C{x:.0f} {y + bend:.0f} {u:.0f} {v - bend:.0f} {u:.0f} {v:.0f}"
            parts.append(f"<path d='{curve}' fill='none' stroke='#6b7785' stroke-width='1.3' marker-end='url(#tip)'/>")
    for room in sorted(place):
        (x, y), lines = place[room], found[room][0]
        box = f"x='{x - BOX / 2:.0f}' y='{y - HEIGHT / 2:.0f}' width='{BOX}' height='{HEIGHT}' rx='7'"
        parts.append(f"<rect {box} fill='#eaf1f7' stroke='#0072B2' stroke-width='1.2'/>")
        parts.append(
            f"<text x='{x:.0f}' y='{y - 2:.0f}' text-anchor='middle' font-size='15' font-weight='600' fill='#1b2733' {STYLE}>"
            f"{escape(room)}</text>"
        )
        size = "a few lines" if lines < 100 else f"{lines / 1000:.1f} k lines"
        parts.append(
            f"<text x='{x:.0f}' y='{y + 15:.0f}' text-anchor='middle' font-size='11.5' fill='#44525f' {STYLE}>{size}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    TARGET.write_text(draw())
    print(f"{TARGET.relative_to(ROOT)} is written.")
