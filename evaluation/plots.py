"""Plots as inline SVG: bars, shares with whiskers, and a curve with its band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .report import percent

WIDTH = 800


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
