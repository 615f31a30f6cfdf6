"""The picture and the tables of compare.py's data. No library: an SVG is text."""
import math
import re

GROUPS = {
    "How to wait (one thread, pinned)": ["epoll", "poll", "select", "io_uring", "level", "edge", "edge-short"],
    "Who works (on both processors)": [
        "one loop", "worker pool", "dealt loops", "reuseport loops", "prefork, accept lock", "prefork, exclusive",
        "thread per connection"],
}
COLOURS = ["#1f6fb4", "#d1495b", "#3a8f4d", "#c77f1a", "#8a5fb0", "#2a9d9d", "#6b6b6b"]
WIDTH, PANEL_HEIGHT, TOP, LEFT, GAP = 1000, 250, 190, 78, 70
PANEL_WIDTH = (WIDTH - 2 * LEFT - 60) / 2

# title, how to read a value from a cell, logarithmic?, how to write one
ROWS = [
    ("requests a second, at most 50 ask", lambda cell: cell["few"]["rate"], False, lambda v: f"{v / 1000:g} k"),
    ("processor µs per request, at most 50 ask", lambda cell: cell["few"]["cpu_us"], True, lambda v: f"{v:g}"),
    ("processor µs per request, all ask", lambda cell: cell["all"]["cpu_us"], True, lambda v: f"{v:g}"),
    ("memory of the server, MiB", lambda cell: cell["memory"] / 2**20, True, lambda v: f"{v:g}"),
]


def text(x, y, words, anchor="start", size=12):
    words = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{words}</text>\n'


def line(x1, y1, x2, y2, style='stroke="#dddddd"'):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>\n'


def marks(least, most, logarithmic):
    """Where the grid lies: 1, 2, 5, 10, ... or five to ten even steps from 0."""
    if not logarithmic:
        step = 10 ** math.floor(math.log10(most))
        step /= 5 if most / step < 2 else 2 if most / step < 5 else 1
        return [i * step for i in range(math.ceil(most / step) + 1)]
    ladder = [m * 10**e for e in range(-3, 7) for m in (1, 2, 5)]
    first = max(i for i, v in enumerate(ladder) if v <= least)
    last = min(i for i, v in enumerate(ladder) if v >= most)
    return ladder[first:last + 1]


def panel(x, y, title, series, sizes, value_of, logarithmic, label):
    """One set of axes; `series` is [(colour, dash, {size: cell})]."""
    values = [value_of(cell) for _, _, cells in series for cell in cells.values()]
    grid = marks(min(values), max(values), logarithmic)
    low, high = grid[0], grid[-1]

    def height(v):
        share = math.log(v / low) / math.log(high / low) if logarithmic else (v - low) / (high - low)
        return y + PANEL_HEIGHT - share * PANEL_HEIGHT

    def place(size):
        return x + PANEL_WIDTH * sizes.index(size) / max(1, len(sizes) - 1)

    svg = text(x, y - 8, title)
    for mark in grid:
        svg += line(x, height(mark), x + PANEL_WIDTH, height(mark))
        svg += text(x - 6, height(mark) + 4, label(mark), "end", 11)
    for size in sizes:
        svg += line(place(size), y, place(size), y + PANEL_HEIGHT)
        svg += text(place(size), y + PANEL_HEIGHT + 16, f"{int(size):,}", "middle", 11)
    for colour, dash, cells in series:
        points = [(place(size), height(value_of(cell))) for size, cell in cells.items()]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        svg += f'<polyline fill="none" stroke="{colour}" stroke-width="2" {dash} points="{path}"/>\n'
        svg += "".join(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="2.5" fill="{colour}"/>\n' for px, py in points)
    return svg


def picture(data):
    cells = data["median"]
    sizes = list(cells["epoll"])
    height = TOP + len(ROWS) * (PANEL_HEIGHT + GAP) - 20
    svg = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">\n'
           '<rect width="100%" height="100%" fill="white"/>\n')
    svg += text(LEFT, 24, "One service, several models: what a GET costs over the number of connections", size=15)
    average = data["load_average"]
    svg += text(LEFT, 42, f"{data['machine']}; {data['date'][:10]}, load average {average['before'][0]:.1f} before; "
                          f"medians of {data['repetitions']}", size=11)
    for column, (title, names) in enumerate(GROUPS.items()):
        x = LEFT + column * (PANEL_WIDTH + LEFT + 12)
        svg += text(x, 66, title, size=13)
        series = []
        for i, name in enumerate(names):
            dash = 'stroke-dasharray="5 3"' if name in ("level", "edge-short", "prefork, accept lock") else ""
            series.append((COLOURS[i], dash, cells[name]))
            lx, ly = x + (i % 2) * PANEL_WIDTH / 2, 86 + i // 2 * 18
            svg += line(lx, ly - 4, lx + 30, ly - 4, f'stroke="{COLOURS[i]}" stroke-width="2" {dash}')
            svg += text(lx + 36, ly, name)
        for row, (words, value_of, logarithmic, label) in enumerate(ROWS):
            svg += panel(x, TOP + row * (PANEL_HEIGHT + GAP), words, series, sizes, value_of, logarithmic, label)
    svg += text(WIDTH / 2, height - 12, "connections", "middle")
    return svg + "</svg>\n"


# --- tables, for docs/models.md

def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def number(v):
    return f"{v:,.0f}" if v >= 100 else f"{v:.1f}" if v >= 10 else f"{v:.2f}"


def grid_of(data, value_of):
    cells = data["median"]
    sizes = list(cells["epoll"])
    rows = [[name, *(number(value_of(by_size[s])) if s in by_size else "" for s in sizes)]
            for name, by_size in cells.items()]
    return table(["model", *(f"{int(s):,}" for s in sizes)], rows)


def per_connection(data):
    """The growth from the smallest crowd to the largest, shared among the connections."""
    rows = []
    for name, by_size in data["median"].items():
        first, last = min(by_size, key=int), max(by_size, key=int)
        grown = (by_size[last]["memory"] - by_size[first]["memory"]) / (int(last) - int(first))
        rows.append([name, *(number(by_size[s]["memory"] / 2**20) for s in (first, last)), number(grown)])
    return table(["model", "MiB with 1", "MiB with most", "bytes per connection"], rows)


def herd_of(data):
    herd = data["herd"]
    counts = list(herd["all"])
    rows = [[f"`--wake {wake}`, {what}", *(write(herd[wake][n][key]) for n in counts)]
            for what, key, write in (("wake-ups per connection", "wakeups", number),
                                     ("processor µs per connection", "cpu_us", number),
                                     ("share of the busiest process", "most_of_one", lambda v: f"{100 * v:.0f} %"))
            for wake in herd]
    idle = [number(herd["lock"][n]["idle_per_second"]) for n in counts]
    rows.append(["`--wake lock`, wake-ups a second when nobody comes", *idle])
    return table(["processes", *counts], rows)


def parts(data):
    average = data["load_average"]
    where = (f"`{data['command'].strip()}`, {data['date'][:10]}, {data['machine']}; load average "
             f"{average['before'][0]:.1f} before, {average['after'][0]:.1f} after; {data['took_seconds']} s; "
             f"medians of {data['repetitions']}.\n")
    return {
        "where": where,
        "few": grid_of(data, lambda cell: cell["few"]["cpu_us"]),
        "all": grid_of(data, lambda cell: cell["all"]["cpu_us"]),
        "rate": grid_of(data, lambda cell: cell["few"]["rate"]),
        "memory": per_connection(data),
        "herd": herd_of(data),
    }


def tables(data):
    return "\n".join(f"{name}\n{part}" for name, part in parts(data).items())


def with_tables(page, data):
    """Puts each part between its two marks on the page."""
    for name, part in parts(data).items():
        between = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.S)
        page = between.sub(lambda _, part=part: part, page)
    return page
