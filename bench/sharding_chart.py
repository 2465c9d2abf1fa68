# SPDX-License-Identifier: Apache-2.0
"""The table and the chart of ./dev bench sharding, from what sharding_bench prints."""
import math

WIDTH, HEIGHT, LEFT, TOP, GAP = 460, 250, 52, 46, 44
STEPS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
PANELS = (("fullest", "Fullest shard, of the mean"), ("moved", "Keys moved when the Nth shard joins, of 1/N"))
LINES = (("ring_", "#c2571a", "consistent hashing, 100 points a shard"), ("", "#1f6feb", "buckets"))
Y_MIN, Y_MAX, LIMIT = 0.8, 1.5, 1.1


def table(rows):
    lines = [f"{'shards':>6}  {'fullest':>7}  {'moved':>7}  {'ring: fullest':>13}  {'ring: moved':>11}"]
    for row in rows:
        if row["shards"] in STEPS:
            lines.append(f"{row['shards']:>6}  {row['fullest']:>7.3f}  {row['moved']:>7.3f}  "
                         f"{row['ring_fullest']:>13.3f}  {row['ring_moved']:>11.3f}")
    return "\n".join(lines)


def x_of(left, shards):
    return left + (WIDTH - LEFT) * math.log10(shards) / 3


def y_of(value):
    return TOP + HEIGHT * (Y_MAX - min(max(value, Y_MIN), Y_MAX)) / (Y_MAX - Y_MIN)


def panel(rows, left, figure, title):
    right, bottom = x_of(left, 1000), TOP + HEIGHT
    parts = [f'<text x="{left}" y="{TOP - 14}" class="title">{title}</text>']
    for tick in (0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5):
        parts.append(f'<line x1="{left}" y1="{y_of(tick):.1f}" x2="{right:.1f}" y2="{y_of(tick):.1f}" class="grid"/>'
                     f'<text x="{left - 8}" y="{y_of(tick) + 4:.1f}" class="y">{tick:.1f}</text>')
    for tick in (1, 10, 100, 1000):
        parts.append(f'<text x="{x_of(left, tick):.1f}" y="{bottom + 18}" class="x">{tick}</text>')
    parts.append(f'<text x="{(left + right) / 2:.0f}" y="{bottom + 36}" class="x">shards</text>')
    parts.append(f'<line x1="{left}" y1="{y_of(LIMIT):.1f}" x2="{right:.1f}" y2="{y_of(LIMIT):.1f}" class="limit"/>')
    first = 2 if figure == "moved" else 1  # The first shard takes everything.
    for prefix, colour, _ in LINES:
        points = " ".join(f"{x_of(left, row['shards']):.1f},{y_of(row[prefix + figure]):.1f}"
                          for row in rows if row["shards"] >= first)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
    return parts


def chart(rows):
    width, height = 2 * WIDTH + 2 * GAP, TOP + HEIGHT + 76
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
             'font-size="12"><style>.title{font-size:14px;font-weight:600;fill:#1f2328}.y{text-anchor:end;fill:#59636e}'
             '.x{text-anchor:middle;fill:#59636e}.grid{stroke:#d1d9e0;stroke-width:.6}'
             '.limit{stroke:#1a7f37;stroke-width:1.2;stroke-dasharray:5 4}.key{fill:#1f2328}</style>'
             f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
    for number, (figure, title) in enumerate(PANELS):
        parts += panel(rows, LEFT + number * (WIDTH + GAP), figure, title)
    x = LEFT
    for colour, words, dashes in [(colour, words, "") for _, colour, words in reversed(LINES)] + [
            ("#1a7f37", "what must be reached", ' stroke-dasharray="5 4"')]:
        parts.append(f'<line x1="{x}" y1="{height - 16}" x2="{x + 24}" y2="{height - 16}" stroke="{colour}" '
                     f'stroke-width="2"{dashes}/><text x="{x + 30}" y="{height - 12}" class="key">{words}</text>')
        x += 60 + 7 * len(words)
    return "\n".join(parts + ["</svg>"]) + "\n"
