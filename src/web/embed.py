#!/usr/bin/env python3
"""Write the C table of the page's assets: embed.py OUTPUT FILE..."""

import hashlib
import pathlib
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def main():
    output, *files = sys.argv[1:]
    everything = hashlib.sha256()
    lines = ['#include "web/assets.h"', ""]
    rows = []
    for number, name in enumerate(files):
        path = pathlib.Path(name)
        data = path.read_bytes()
        everything.update(data)
        digest = hashlib.sha256(data).hexdigest()[:16]
        lines.append(f"static const unsigned char bytes_{number}[] = {{")
        for start in range(0, len(data), 16):
            lines.append("\t" + ",".join(str(byte) for byte in data[start : start + 16]) + ",")
        lines.append("};")
        rows.append(
            f'\t{{"{path.name}", "/static/{path.stem}.{digest}{path.suffix}", '
            f'"{TYPES[path.suffix]}", bytes_{number}, sizeof(bytes_{number})}},'
        )
    lines += ["", "const struct asset assets_table[] = {", *rows, "};"]
    lines.append("const size_t assets_table_count = sizeof(assets_table) / sizeof(assets_table[0]);")
    lines.append(f'const char assets_table_build[] = "{everything.hexdigest()[:16]}";')
    pathlib.Path(output).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
