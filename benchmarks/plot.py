"""A plot as one SVG file, written by hand: what was measured, and lines to compare it with, on logarithmic axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 460
LEFT, RIGHT, TOP, BOTTOM = 74, 24, 46, 58
#: Told apart in print and by people who see fewer colours (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")

Points = Sequence[tuple[float, float]]


def log_log(
    title: str, across: str, up: str, series: Mapping[str, Points], guides: Mapping[str, Points] | None = None
) -> str:
    """An SVG image; `guides` are dashed lines without points. All values are above 0."""
    guides = guides or {}
    every = [point for points in (*series.values(), *guides.values()) for point in points]
    x, y = (
        _Axis([p[0] for p in every], LEFT, WIDTH - RIGHT),
        _Axis([p[1] for p in every], HEIGHT - BOTTOM, TOP),
    )
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        ' font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="26" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for tick in x.ticks():
        at = x.at(tick)
        rows.append(_line(at, TOP, at, HEIGHT - BOTTOM, "#e4e4e4"))
        rows.append(_text(at, HEIGHT - BOTTOM + 20, _plain(tick), "middle"))
    for tick in y.ticks():
        at = y.at(tick)
        rows.append(_line(LEFT, at, WIDTH - RIGHT, at, "#e4e4e4"))
        rows.append(_text(LEFT - 8, at + 4, _plain(tick), "end"))
    rows.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, across, "middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turned = f'transform="rotate(-90 18 {middle:.0f})"'
    rows.append(f'<text x="18" y="{middle:.0f}" text-anchor="middle" {turned}>{escape(up)}</text>')
    for number, (name, points) in enumerate((*series.items(), *guides.items())):
        guide = number >= len(series)
        colour = "#777777" if guide else COLOURS[number % len(COLOURS)]
        path = " ".join(f"{x.at(a):.1f},{y.at(b):.1f}" for a, b in points)
        dashes = ' stroke-dasharray="5 5"' if guide else ""
        rows.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        if not guide:
            rows += [
                f'<circle cx="{x.at(a):.1f}" cy="{y.at(b):.1f}" r="4" fill="{colour}"/>' for a, b in points
            ]
        beside = TOP + 18 + 20 * number
        rows.append(_line(LEFT + 14, beside - 4, LEFT + 40, beside - 4, colour, dashes, 2))
        rows.append(_text(LEFT + 48, beside, name, "start"))
    return "\n".join([*rows, "</svg>", ""])


class _Axis:
    """A logarithmic axis from `start` to `end`, in the image's units, over whole powers of ten."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self._low = math.floor(math.log10(min(values)) + 1e-9)
        self._high = max(self._low + 1, math.ceil(math.log10(max(values)) - 1e-9))
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return self._start + share * (self._end - self._start)

    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self._low, self._high + 1)]


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _text(x: float, y: float, said: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "", width: int = 1) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"{more}/>'
