"""Plots as SVG, written by hand: inside the page bars, shares with whiskers and a curve with its band; and charts that
are files of their own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .report import percent

WIDTH = 800
#: Of a chart: its size and margins, and colours that are told apart in print and by people who see fewer (Okabe, Ito).
WIDE, TALL = 720, 460
LEFT, RIGHT, TOP, BOTTOM = 74, 40, 46, 58
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")

Points = Sequence[tuple[float, float]]


def _svg(height: int, parts: Sequence[str], label: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def bars(rows: Sequence[tuple[str, int, int]]) -> str:
    """One bar for each (label, number, part of it): the part is drawn in the second colour."""
    height, base, left = 220, 185, 45
    most = max((number for _, number, _ in rows), default=0) or 1
    step = (WIDTH - left - 10) / max(1, len(rows))
    width = max(1.0, min(60.0, step * 0.75))
    every = max(1, -(-len(rows) // 12))
    parts = [f'<line class="axis" x1="{left}" y1="{base}" x2="{WIDTH - 10}" y2="{base}"/>']
    for share in (0.5, 1.0):
        y = base - 160 * share
        parts.append(f'<line class="axis" x1="{left}" y1="{y:.1f}" x2="{WIDTH - 10}" y2="{y:.1f}"/>')
        if share == 1.0 or most > 1:
            parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{most * share:,.0f}</text>')
    for at, (label, number, part) in enumerate(rows):
        x = left + step * at + (step - width) / 2
        for value, kind in ((number, "one"), (part, "two")):
            tall = 160 * value / most
            if value:
                parts.append(
                    f'<rect class="{kind}" x="{x:.1f}" y="{base - tall:.1f}" width="{width:.1f}" height="{tall:.1f}">'
                    f"<title>{escape(label)}: {number:,}, {part:,}</title></rect>"
                )
        if at % every == 0:
            parts.append(
                f'<text x="{x + width / 2:.1f}" y="{base + 18}" text-anchor="middle">{escape(label)}</text>'
            )
    return _svg(height, parts, "bars")


def shares(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """A horizontal bar for each share, with its interval."""
    row, left, wide = 34, 190, WIDTH - 190 - 130
    known = [share for _, share in rows if share["n"]]
    most = min(1.0, 1.05 * max((share["high"] for share in known), default=1.0)) or 1.0
    height = row * len(rows) + 24
    parts = []
    for at, (label, share) in enumerate(rows):
        y = row * at + 6
        kind = "two" if at == 3 else "one" if at < 3 else "three"
        parts.append(
            f'<text class="ink" x="{left - 10}" y="{y + 15}" text-anchor="end">{escape(label)}</text>'
        )
        if not share["n"]:
            parts.append(f'<text x="{left + 4}" y="{y + 15}">nothing to count</text>')
            continue
        x1, x2 = left + wide * share["low"] / most, left + wide * min(most, share["high"]) / most
        parts.append(
            f'<rect class="{kind}" x="{left}" y="{y}" width="{wide * share["share"] / most:.1f}" height="20"/>'
        )
        parts.append(f'<line class="whisker" x1="{x1:.1f}" y1="{y + 10}" x2="{x2:.1f}" y2="{y + 10}"/>')
        parts.append(f'<text x="{x2 + 8:.1f}" y="{y + 15}">{percent(share["share"])} ({share["k"]:,})</text>')
    parts.append(f'<line class="axis" x1="{left}" y1="0" x2="{left}" y2="{row * len(rows)}"/>')
    parts.append(f'<text x="{left}" y="{height - 6}">0</text>')
    parts.append(f'<text x="{left + wide}" y="{height - 6}" text-anchor="end">{percent(most)}</text>')
    return _svg(height, parts, "shares with intervals")


def curve(points: Sequence[Mapping[str, Any]]) -> str:
    """Precision over the share caught, in the order of falling confidence."""
    left, top, wide, tall = 55, 12, WIDTH - 85, 220
    most = max((point["caught"]["share"] or 0 for point in points), default=0) or 0.01

    def at(point: Mapping[str, Any], value: float) -> str:
        x = left + wide * (point["caught"]["share"] or 0) / most
        return f"{x:.1f},{top + tall * (1 - value):.1f}"

    parts = []
    for share in (0, 0.5, 1):
        y = top + tall * (1 - share)
        parts.append(f'<line class="axis" x1="{left}" y1="{y}" x2="{left + wide}" y2="{y}"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{share:.0%}</text>')
    band = [at(point, point["flags"]["high"]) for point in points]
    band += [at(point, point["flags"]["low"]) for point in reversed(points)]
    parts.append(f'<polygon class="band" points="{" ".join(band)}"/>')
    line = [at(point, point["flags"]["share"]) for point in points]
    parts.append(f'<polyline class="stroke" points="{" ".join(line)}"/>')
    for point, place in zip(points, line, strict=True):
        across, down = place.split(",")
        parts.append(
            f'<circle class="one" cx="{across}" cy="{down}" r="4"><title>confidence {point["confidence"]}: '
            f"{point['flags']['k']} of {point['flags']['n']} right</title></circle>"
        )
    parts.append(f'<text x="{left}" y="{top + tall + 20}">0</text>')
    parts.append(
        f'<text x="{left + wide}" y="{top + tall + 20}" text-anchor="end">{percent(most)} of corrections caught</text>'
    )
    return _svg(top + tall + 34, parts, "precision against coverage")


def chart(
    title: str,
    across: str,
    up: str,
    series: Mapping[str, Points],
    guides: Mapping[str, Points] | None = None,
    *,
    logarithmic: bool = True,
    legend: tuple[float, float] = (LEFT + 14, TOP + 18),
) -> str:
    """An SVG image with both axes alike: from 0, or over whole powers of ten, where all values are above 0.

    `guides` are dashed lines without points; `legend` is where the names begin, in the image's units.
    """
    guides = guides or {}
    scale = _Powers if logarithmic else _FromZero
    every = [point for points in (*series.values(), *guides.values()) for point in points]
    x, y = (
        scale([p[0] for p in every], LEFT, WIDE - RIGHT),
        scale([p[1] for p in every], TALL - BOTTOM, TOP),
    )
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {TALL}" font-family="sans-serif"'
        ' font-size="13">',
        f'<rect width="{WIDE}" height="{TALL}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="26" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for tick in x.ticks():
        at = x.at(tick)
        rows.append(_line(at, TOP, at, TALL - BOTTOM, "#e4e4e4"))
        rows.append(_text(at, TALL - BOTTOM + 20, _plain(tick), "middle"))
    for tick in y.ticks():
        at = y.at(tick)
        rows.append(_line(LEFT, at, WIDE - RIGHT, at, "#e4e4e4"))
        rows.append(_text(LEFT - 8, at + 4, _plain(tick), "end"))
    rows.append(_text((LEFT + WIDE - RIGHT) / 2, TALL - 14, across, "middle"))
    middle = (TOP + TALL - BOTTOM) / 2
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
        left, beside = legend[0], legend[1] + 20 * number
        rows.append(_line(left, beside - 4, left + 26, beside - 4, colour, dashes, 2))
        rows.append(_text(left + 34, beside, name, "start"))
    return "\n".join([*rows, "</svg>", ""])


class _Powers:
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


class _FromZero:
    """An axis from 0 to what holds all values, in tenths, fifths or halves of a power of ten."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        most = max(values, default=0.0) or 1.0
        power = 10.0 ** math.floor(math.log10(most))
        self._step = next(step for step in (power / 5, power / 2, power, 2 * power) if most <= 5.001 * step)
        self._most = self._step * math.ceil(most / self._step - 1e-9)
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        return self._start + value / self._most * (self._end - self._start)

    def ticks(self) -> list[float]:
        return [self._step * number for number in range(round(self._most / self._step) + 1)]


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _text(x: float, y: float, said: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "", width: int = 1) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"{more}/>'
