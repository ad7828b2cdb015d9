"""What was measured, as text, as tables of the document, as plots."""

import statistics

from .common import added, ratio, rows, say, table
from .plot import plot
from .slices import SLICES, labels_of

HEAD = ["hooks", "median", "added", "its quartiles", "times nothing"]


def show(found):
    """Every table in full."""
    say(f"\n{found['machine']}, {found['lane']}, {found['minutes']} minutes; milliseconds {found['clock']}, medians")
    for name, points in found["slices"].items():
        shape = SLICES[name]
        for point, there in points.items():
            title = f"\n{shape['title']}; {int(point):,} {shape['axis']}"
            if name == "range":
                say(table(["command", "median, ms", "beside git", "peak, MB"], range_rows(there), False, title))
            else:
                body = list(rows(there["seconds"], labels_of(name), "nothing"))
                say(table(HEAD, body, False, title))
    tell_peers(found, say)


def tell_peers(found, tell):
    for name, version in found["versions"].items():
        tell(f"{name}: {version}")
    for name, why in found["missing"].items():
        tell(f"{name}: left out, {why}")


def range_rows(there):
    seconds = there["seconds"]
    return [[labels_of("range")[kind], f"{1e3 * statistics.median(seconds[kind]):.0f}", f"{ratio(seconds, kind, 'git'):.2f}",
             f"{there['peak'][kind]:.0f}"] for kind in seconds]


def sections(found):
    """The tables of the document, by the name of their place."""
    lines = [f"{found['machine']}; {found['rounds']} rounds at the small points, fewer at the large; all in one run of "
             f"{found['minutes']:.0f} minutes. Milliseconds {found['clock']}.", ""]
    versions = [f"{version}" for version in found["versions"].values()]
    if versions:
        lines.append(f"Versions: {', '.join(versions)}.")
    lines += [f"Left out: {name} ({why})." for name, why in found["missing"].items()]
    made = {"bench-machine": "\n".join(lines)}
    for name, points in found["slices"].items():
        made[f"bench-{name}"] = range_table(points) if name == "range" else matrix(name, points)
    return made


def matrix(name, points):
    """Contenders down, points across: what each adds in milliseconds, and that against hooks that do nothing."""
    labels, columns = labels_of(name), {}
    for point, there in points.items():
        differences = added(there["seconds"], "none")
        middle = {kind: statistics.median(values) for kind, values in differences.items()}
        is_clear = statistics.quantiles(differences["nothing"], n=4)[0] > 0
        columns[point] = {kind: f"{value:+.1f}" + (f", {value / middle['nothing']:.1f}×" if is_clear else "")
                          for kind, value in middle.items()}
        columns[point]["none"] = f"{1e3 * statistics.median(there['seconds']['none']):.1f}"
    kinds = [kind for kind in labels if any(kind in column for column in columns.values())]
    header = [f"{SLICES[name]['axis']}:", *(f"{int(point):,}" for point in columns)]
    return table(header, [[labels[kind], *(column.get(kind, "") for column in columns.values())] for kind in kinds], True)


def range_table(points):
    body = [[f"{int(point):,}", *row] for point, there in points.items() for row in range_rows(there)]
    return table(["commits", "command", "median, ms", "beside git", "peak, MB"], body, True)


def write_plots(found, folder):
    folder.mkdir(exist_ok=True)
    for name, points in found["slices"].items():
        series = {}
        for point, there in points.items():
            times = there["seconds"]
            values = {kind: [1e3 * value for value in all_of] for kind, all_of in times.items()} if name == "range" \
                else added(times, "none")
            for kind, each in values.items():
                if kind != "none":
                    series.setdefault(kind, []).append((int(point), statistics.median(each)))
        shape = SLICES[name]
        label = "milliseconds" if name == "range" else "milliseconds added to no hooks"
        label += ", processor time" if found["clock"] != "by the clock" else ""
        path = folder / f"performance-{name}.svg"
        path.write_text(plot(shape["title"], shape["axis"], label, series, labels_of(name)), encoding="utf-8")
        say(f"written: {path}")
