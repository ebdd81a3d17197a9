"""The figures as a picture: how many times its baseline each is, on a logarithmic axis."""

import math
from collections.abc import Sequence
from html import escape

from bench.figures import Figure

WIDTH, ROW, TOP, LABELS, VALUES = 760, 22, 44, 250, 90
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2328}"
    ".bar{fill:#0969da}.less{fill:#8250df}.grid{stroke:#d0d7de}.one{stroke:#1f2328}"
    ".back{fill:#ffffff}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#4493f8}.less{fill:#ab7df8}"
    ".grid{stroke:#3d444d}.one{stroke:#e6edf3}.back{fill:#0d1117}}"
)
LESS = ("ms", "s", "MB", "bytes")
"""Units of which less is better."""


def picture(figures: Sequence[Figure]) -> str:
    """An SVG of the rows that have a baseline; it follows the reader's light or dark."""
    rows = [(one, one.ratio) for one in figures if one.ratio]
    height = TOP + ROW * len(rows) + 30
    decades = _decades([ratio for _, ratio in rows])
    lines = [_axis(decade, decades, height) for decade in decades]
    lines += [_row(one, ratio, TOP + ROW * n, decades) for n, (one, ratio) in enumerate(rows)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'role="img" aria-labelledby="title">\n'
        '<title id="title">Each figure through its baseline</title>\n'
        f"<style>{STYLE}</style>\n"
        f'<rect class="back" width="{WIDTH}" height="{height}"/>\n'
        '<text x="8" y="18">Figure through its baseline; purple: less is better</text>\n'
        + "\n".join(lines)
        + "\n</svg>\n"
    )


def _decades(ratios: Sequence[float]) -> range:
    """The powers of ten that the axis shows; 1 is among them."""
    low = min([0, *(math.floor(math.log10(one)) for one in ratios)])
    high = max([1, *(math.ceil(math.log10(one)) for one in ratios)])
    return range(low, high + 1)


def _x(ratio: float, decades: range) -> float:
    share = (math.log10(ratio) - decades[0]) / (decades[-1] - decades[0])
    return LABELS + share * (WIDTH - LABELS - VALUES)


def _axis(decade: int, decades: range, height: int) -> str:
    x, kind = _x(10.0**decade, decades), "one" if decade == 0 else "grid"
    return (
        f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - 24}"/>'
        f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{10.0**decade:g}</text>'
    )


def _row(figure: Figure, ratio: float, y: int, decades: range) -> str:
    one, end = _x(1.0, decades), _x(ratio, decades)
    kind = "less" if figure.unit in LESS else "bar"
    told = f"{ratio:.2g}" if ratio < 100 else f"{ratio:,.0f}"
    return (
        f'<text x="8" y="{y + 13}">{escape(figure.name)}</text>'
        f'<rect class="{kind}" x="{min(one, end):.1f}" y="{y + 3}" '
        f'width="{max(1.0, abs(end - one)):.1f}" height="{ROW - 8}"/>'
        f'<text x="{max(one, end) + 6:.1f}" y="{y + 13}">{told}</text>'
    )
