"""Plots as SVG: points and lines on two logarithmic axes, of so little text that a change can be read."""
import math
from html import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 80, 20, 40, 60
COLOURS = ("#1f5fa8", "#c2571a", "#3a7d44", "#7a4a9e")


def _label(value):
    for unit, name in ((1e6, " M"), (1e3, " k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"


def _decades(values):
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def _text(x, y, text, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


class Plot:
    """lines: {name: [(x, y) …]}. A dashed grey line of slope one through the first line's last point shows what
    linear growth would be."""

    def __init__(self, title, x_title, y_title, lines):
        self.title, self.x_title, self.y_title, self.lines = title, x_title, y_title, lines
        points = [point for line in lines.values() for point in line]
        self.x_range = _decades([x for x, _ in points])
        self.y_range = _decades([y for _, y in points])

    def _x(self, value):
        low, high = self.x_range
        return LEFT + (math.log10(value) - low) / max(1, high - low) * (WIDTH - LEFT - RIGHT)

    def _y(self, value):
        low, high = self.y_range
        return HEIGHT - BOTTOM - (math.log10(value) - low) / max(1, high - low) * (HEIGHT - TOP - BOTTOM)

    def _grid(self):
        for decade in range(self.x_range[0], self.x_range[1] + 1):
            x = self._x(10.0 ** decade)
            yield f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>'
            yield _text(x, HEIGHT - BOTTOM + 18, _label(10.0 ** decade))
        for decade in range(self.y_range[0], self.y_range[1] + 1):
            y = self._y(10.0 ** decade)
            yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>'
            yield _text(LEFT - 8, y + 4, _label(10.0 ** decade), "end")

    def _linear(self):
        x, y = next(iter(self.lines.values()))[-1]
        low = max(10.0 ** self.x_range[0], x / (y / 10.0 ** self.y_range[0]))
        yield (f'<line x1="{self._x(low):.1f}" y1="{self._y(y * low / x):.1f}" x2="{self._x(x):.1f}" '
               f'y2="{self._y(y):.1f}" stroke="#999" stroke-dasharray="4 4"/>')

    def _line(self, number, name, points):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{self._x(x):.1f},{self._y(y):.1f}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, y in points:
            yield f'<circle cx="{self._x(x):.1f}" cy="{self._y(y):.1f}" r="4" fill="{colour}"/>'
            yield _text(self._x(x), self._y(y) - 9, f"{y:.3g}", more=f' fill="{colour}"')
        yield _text(LEFT + 12, TOP + 18 + 18 * number, name, "start", f' fill="{colour}"')

    def svg(self):
        out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
               f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
               f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
               _text(WIDTH / 2, 22, self.title, more=' font-size="15"')]
        out += self._grid()
        out += self._linear()
        for number, (name, points) in enumerate(self.lines.items()):
            out += self._line(number, name, points)
        out.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 18, self.x_title))
        out.append(_text(0, 0, self.y_title, more=f' transform="translate(20 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) '
                                                  f'rotate(-90)"'))
        return "\n".join([*out, "</svg>", ""])
