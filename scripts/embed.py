#!/usr/bin/env python3
"""Make a C file that holds text files as one NULL-terminated array of strings: embed.py OUTPUT SYMBOL FILE..."""

import sys


def literal(text):
    """The lines of text as adjacent C string literals."""
    escapes = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n"}
    lines = text.splitlines(keepends=True)
    return "\n".join('\t"' + "".join(escapes.get(c, c) for c in line) + '"' for line in lines)


def main():
    output, symbol, *files = sys.argv[1:]
    parts = []
    for name in sorted(files):
        with open(name, encoding="ascii") as source:
            parts.append(literal(source.read()) + ",\n")
    with open(output, "w", encoding="ascii") as made:
        made.write(f"extern const char *const {symbol}[];\n")
        made.write(f"const char *const {symbol}[] = {{\n{''.join(parts)}\t0,\n}};\n")


if __name__ == "__main__":
    main()
