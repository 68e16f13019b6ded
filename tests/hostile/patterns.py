"""Bodies that are hostile to a pattern: a search that would take minutes ends, and never says `down`."""

from hostile.behaviour import answer, unknown, up

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: "
SIZE = 256 * 1024  # as much as is searched


def page(fill, end=b"~"):
    body = (fill * (SIZE // len(fill) + 1))[: SIZE - len(end)] + end
    return answer(HEAD + str(len(body)).encode() + b"\r\n\r\n", body)


def costly(name, pattern, fill, key="fail_if_body_not_matches_regexp", end=b"~"):
    return unknown(
        f"pattern_{name}",
        f"a body for {pattern}",
        page(fill, end),
        "pattern_too_costly",
        "took too long",
        site={key: [pattern]},
    )


ROWS = [
    costly("nested_plus", "(a+)+$", b"a"),
    costly("nested_star", "(a*)*[bc]", b"a"),
    costly("same_twice", "(a|a)*[bc]", b"a"),
    costly("one_or_two", "(a|aa)+$", b"a"),
    costly("twenty_stars", "(.*a){20}[bc]", b"a"),
    costly("words", r"(\w+\s*)+[:;]", b"word "),
    costly("words_that_must_not_be", r"(\w+\s*)+[:;]", b"word ", "fail_if_body_matches_regexp"),
    costly("look_ahead", r"(?=(a+))a*[bc]\1", b"a"),
    costly("mail", r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*[@%][a-z0-9]+$", b"a"),
    costly("recursion", r"(a+)(?1)*[bc]", b"a"),
    costly("umlauts", r"(ä+)+$", "ä".encode()),
    costly("no_utf_8", "(a+)+$", b"a", end=b"\xff"),
    costly("quotes", r'(?:(?:"(?:[^"\\]|\\.)*")*,?)*[xy]$', b'"a",'),
    costly("hundreds_of_options", "(a?){200}a{200}[!?]", b"a"),
    up("pattern_recorded", "a body for a pattern that is only recorded", page(b"a"), site={"pattern": "(a+)+$"}),
]
