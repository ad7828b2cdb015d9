"""Plots as SVG: both axes logarithmic, one line for each contender, named where it ends. Light and dark."""

import math
from html import escape

WIDTH, HEIGHT = 900, 470
LEFT, RIGHT, TOP, BOTTOM = 74, 240, 52, 58
# Told apart by shade, dash and mark, so that colour is not needed. git-lane is the thickest.
STYLES = {"nothing": ("#6e7781", "#9198a1", "5 4"), "lane": ("#0969da", "#4493f8", ""),
          "sh": ("#1a7f37", "#3fb950", "2 3"), "lefthook": ("#9a6700", "#d29922", ""),
          "prek": ("#bc4c00", "#f0883e", "8 3"), "pre-commit": ("#cf222e", "#ff7b72", ""),
          "husky": ("#8250df", "#bc8cff", "6 2 2 2"), "committed": ("#116329", "#7ee787", "1 3"),
          "gitlint": ("#bf3989", "#f778ba", "8 3 2 3"), "git": ("#6e7781", "#9198a1", "5 4")}
MARKS = ["circle", "square", "diamond", "up", "down"]


def plot(title, x_label, y_label, series, labels):
    """`series`: for each contender its points (x, y), y in milliseconds; those not above 0 are left out."""
    series = {kind: [(x, y) for x, y in points if y > 0] for kind, points in series.items()}
    series = {kind: points for kind, points in series.items() if points}
    xs = sorted({x for points in series.values() for x, _ in points})
    ys = [y for points in series.values() for _, y in points]
    low, high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)) + 0.02)
    x_low, x_high = math.log10(xs[0]), math.log10(xs[-1]) if len(xs) > 1 else math.log10(xs[0]) + 1
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def at_x(x):
        return LEFT + (math.log10(x) - x_low) / (x_high - x_low) * (right - LEFT)

    def at_y(y):
        return bottom - (math.log10(y) - low) / (high - low) * (bottom - TOP)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
           f'aria-label="{escape(title)}" font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">',
           style(series), f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>',
           f'<text class="title" x="{LEFT}" y="28">{escape(title)}</text>']
    for power in range(low, high + 1):
        y = at_y(10 ** power)
        out.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        out.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number(10 ** power)}</text>')
        for part in range(2, 10) if power < high else []:
            y = at_y(part * 10 ** power)
            out.append(f'<line class="grid" x1="{LEFT - 4}" y1="{y:.1f}" x2="{LEFT}" y2="{y:.1f}"/>')
    for x in xs:
        out.append(f'<line class="grid" x1="{at_x(x):.1f}" y1="{TOP}" x2="{at_x(x):.1f}" y2="{bottom}"/>')
        out.append(f'<text class="tick" x="{at_x(x):.1f}" y="{bottom + 20}" text-anchor="middle">{number(x)}</text>')
    out.append(f'<text class="axis" x="{(LEFT + right) / 2}" y="{HEIGHT - 14}" text-anchor="middle">{escape(x_label)}</text>')
    middle = (TOP + bottom) / 2
    out.append(f'<text class="axis" x="20" y="{middle}" text-anchor="middle" transform="rotate(-90 20 {middle})">'
               f'{escape(y_label)}</text>')
    for place, (kind, points) in enumerate(series.items()):
        line = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in points)
        out.append(f'<polyline class="line {kind}" points="{line}"/>')
        out += [mark(MARKS[place % len(MARKS)], at_x(x), at_y(y), kind) for x, y in points]
    ends = {kind: (at_x(points[-1][0]), at_y(points[-1][1])) for kind, points in series.items()}
    for kind, y in spread({kind: y for kind, (_, y) in ends.items()}, TOP, bottom).items():
        x, end = ends[kind]
        out.append(f'<line class="leader {kind}" x1="{x + 6:.1f}" y1="{end:.1f}" x2="{right + 20}" y2="{y:.1f}"/>')
        out.append(f'<text class="name {kind}" x="{right + 24}" y="{y + 4:.1f}">{escape(labels.get(kind, kind))}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def number(value):
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def spread(wanted, top, bottom, gap=17):
    """Heights of the names: each as near to its line's end as the others let it."""
    placed, last = {}, top - gap
    for kind in sorted(wanted, key=wanted.get):
        last = placed[kind] = max(wanted[kind], last + gap)
    limit = bottom + gap
    for kind in sorted(placed, key=placed.get, reverse=True):
        limit = placed[kind] = min(placed[kind], limit - gap)
    return placed


def mark(shape, x, y, kind):
    if shape == "circle":
        return f'<circle class="mark {kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.6"/>'
    corners = {"square": [(-3.4, -3.4), (3.4, -3.4), (3.4, 3.4), (-3.4, 3.4)], "diamond": [(0, -5), (5, 0), (0, 5), (-5, 0)],
               "up": [(0, -5), (4.6, 3.4), (-4.6, 3.4)], "down": [(0, 5), (4.6, -3.4), (-4.6, -3.4)]}[shape]
    return f'<polygon class="mark {kind}" points="{" ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)}"/>'


def style(series):
    def colours(which):
        return "".join(f".line.{kind},.leader.{kind}{{stroke:{STYLES[kind][which]}}}"
                       f".mark.{kind},.name.{kind}{{fill:{STYLES[kind][which]}}}\n" for kind in series)

    dashes = "".join(f".line.{kind}{{stroke-dasharray:{STYLES[kind][2]}}}\n" for kind in series if STYLES[kind][2])
    return ("<style>\n.ground{fill:#ffffff}.title,.axis,.tick{fill:#1f2328}.grid{stroke:#d1d9e0}\n"
            ".title{font-size:16px;font-weight:600}.axis{font-size:13px}.tick{font-size:12px}\n"
            ".name{font-size:13px}.name.lane{font-weight:700}.line{fill:none;stroke-width:2}.line.lane{stroke-width:3.4}\n"
            f".leader{{stroke-width:.7;opacity:.6}}\n{dashes}{colours(0)}"
            "@media (prefers-color-scheme: dark){\n"
            ".ground{fill:#0d1117}.title,.axis,.tick{fill:#e6edf3}.grid{stroke:#30363d}\n"
            f"{colours(1)}}}\n</style>")
