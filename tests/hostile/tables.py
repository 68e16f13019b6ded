"""All rows of all tables, by name."""

from hostile import (
    bodies,
    breaches,
    handshakes,
    heads,
    kept,
    names,
    patterns,
    proxies,
    redirects,
    socks,
    streams,
    trickles,
    unread,
)

BEHAVIOURS = {}
for _table in (
    heads,
    bodies,
    redirects,
    handshakes,
    streams,
    breaches,
    names,
    patterns,
    proxies,
    socks,
    kept,
    trickles,
    unread,
):
    for _row in _table.ROWS:
        assert _row.name not in BEHAVIOURS, f"two rows are named {_row.name}"
        BEHAVIOURS[_row.name] = _row
