"""The page's colours, light and dark: text can be read on its ground, and bars and marks can be told from theirs."""
import re

import pytest
from support.processes import ROOT

TEXT, SHAPE = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11
STATES = ("up", "degraded", "down", "unknown", "overdue")
BARS = ("up", "degraded", "down", "unknown")


def palettes():
    """{scheme: {name: (r, g, b)}}; the dark one says what is other than in the light one."""
    blocks = re.findall(r":root {(.*?)}", (ROOT / "src/web/assets/page.css").read_text(), re.DOTALL)
    assert len(blocks) == 2
    light, dark = ({name: parse(value) for name, value in re.findall(r"--([\w-]+): #([0-9a-f]+);", block)}
                   for block in blocks)
    return {"light": light, "dark": {**light, **dark}}


def parse(digits):
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    return tuple(int(digits[i:i + 2], 16) for i in (0, 2, 4))


def luminance(colour):
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_are_told_from_their_ground(scheme):
    palette = palettes()[scheme]
    wanted = [(text, ground, TEXT) for text in ("ink", "soft") for ground in ("ground", "card")]
    wanted += [(state, f"{state}-wash", TEXT) for state in STATES]
    wanted += [("down", "ground", TEXT), ("accent", "card", SHAPE)]
    wanted += [(f"{state}-bar", "card", SHAPE) for state in BARS]
    wanted += [("mark", state, SHAPE) for state in STATES]
    weak = [(one, other, round(contrast(palette[one], palette[other]), 2)) for one, other, least in wanted
            if contrast(palette[one], palette[other]) < least]
    assert weak == []


def test_nothing_is_made_pale():
    """An opacity would take from every contrast that the palettes have."""
    for name in ("page.css", "sites.css"):
        assert "opacity" not in (ROOT / "src/web/assets" / name).read_text()
