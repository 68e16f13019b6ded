"""Bodies that are hostile to whatever looks into them: a search that would take minutes ends, and never says `down`."""

from hostile.behaviour import answer, down, unknown, up

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


NOT_AS = ("json_mismatch",)
COSTLY = ("pattern_too_costly", "took too long")


def json(name, does, body, make, *rest, **expected):
    script = answer(HEAD + str(len(body)).encode() + b"\r\n\r\n", body)
    return make(f"json_{name}", does, script, *rest, site={"expect_json": {"pointer": "/x", **expected}})


def many_pointers(name, does, body, way):
    """As many pointers as a site may have, each as long as may be, and a body that lies on the way of all of them."""
    pointers = [{"pointer": f"{way * 63}/{n}x", "exists": False} for n in range(64)]
    script = answer(HEAD + str(len(body)).encode() + b"\r\n\r\n", body)
    return up(f"json_{name}", does, script, site={"expect_json": pointers})


# No letter that must be there tells PCRE2 at once that there is no match: each takes minutes without a bound.
EVIL = {
    "nested_plus": ("(a+)+$", b"a"),
    "nested_star": ("(a*)*[bc]", b"a"),
    "same_twice": ("(a|a)*[bc]", b"a"),
    "one_or_two": ("(a|aa)+$", b"a"),
    "twenty_stars": ("(.*a){20}[bc]", b"a"),
    "words": (r"(\w+\s*)+[:;]", b"word "),
    "mail": (r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*[@%][a-z0-9]+$", b"a"),
    "recursion": (r"(a+)(?1)*[bc]", b"a"),
    "umlauts": (r"(ä+)+$", "ä".encode()),
    "quotes": (r'(?:(?:"(?:[^"\\]|\\.)*")*,?)*[xy]$', b'"a",'),
    "hundreds_of_options": ("(a?){200}a{200}[!?]", b"a"),
    "names_of_classes": ("^(([a-z])+.)+[A-Z]([a-z])+$", b"ab"),
    "either_case": ("(?i)(a+)+[!?]$", b"aA"),
    "nested_thrice": ("((a+)*)+[^a~ä]", b"a"),
    "tags": (r"([^<]*<[^>]*>)+[\x01\x02]", b"<p>text"),
    "numbers": (r"(\d+,?)+[;|]", b"123,"),
    "spaces": (r"(\s|\n|\t)+[!?]", b" \n\t"),
    "versions": (r"^(\d+\.?)+[ab]$", b"1.22."),
    "fields": (r"(?:.*,){30}[|;]", b"a,"),
    "four_stars": ("(.*)(.*)(.*)(.*)[|;]", b"abc"),
    "words_and_not": (r"(\w*\W*)*[\x01\x02]", b"a b-c "),
    "three_levels": ("(?:a(?:b(?:c)*)*)*[de]", b"abcc"),
    "letters_of_unicode": (r"(\p{L}+\s?)+[\x01\x02]", "wörter ".encode()),
    "graphemes": (r"(?:\X)*[\x01\x02]", "e\u0301".encode()),
    "two_plus": ("(x+x+)+[yz]", b"x"),
    "either_of_three": ("(a|b|ab)*[cd]", b"ab"),
    "may_or_may_not": ("(?:a+b?)+[cd]", b"a"),
    "two_stars": ("(a*a*)*[bc]", b"a"),
    "commas": (r"(\s*,?\s*)+[;|]", b" , "),
    "all_of_it": ("(.+)+[bc]", b"a"),
    "lazy": ("(a+?)+?[bc]", b"a"),
    # Steps that each run through the page.
    "reference": (r"((?:ab?)+)\1[cd]", b"aba"),
    "reference_to_all": (r"(a+)\1[bc]", b"a"),
    "reference_in_reference": (r"(a+)(\1+)\2[bc]", b"a"),
    "look_ahead": (r"(?=(a+))a*[bc]\1", b"a"),
    "look_ahead_again": (r"(?=(a+))\1[bc]", b"a"),
    "look_ahead_behind": ("(?<!b)(?=a+[bc])a", b"a"),
    "look_ahead_either": ("(?:(?=a+[bc]|a)a)*[de]", b"a"),
    "look_ahead_in_look_ahead": ("(?=.*(?=.*[bc]))a", b"a"),
    "look_ahead_thrice": ("(?=.*(?=.*(?=.*[bc])))a", b"a"),
    "look_ahead_lines": (r"(?s)(?=.*\n.*\n.*[bc])l", b"line\n"),
    "look_ahead_words": (r"(?=.*\bnever\b)(?=.*\bhere\b).*[bc]", b"words and words "),
    "once": ("(?>a+)+[bc]|(?>(?>a*)*)[bc]", b"a"),
}

ROWS = [
    *(costly(name, pattern, fill) for name, (pattern, fill) in EVIL.items()),
    costly("that_must_not_be", r"(\w+\s*)+[:;]", b"word ", "fail_if_body_matches_regexp"),
    costly("no_utf_8", "(a+)+$", b"a", end=b"\xff"),
    # JSON.
    json("deep", "brackets without end", b"[" * SIZE, unknown, "pattern_too_costly", "deeper than 512", exists=True),
    many_pointers(
        "many_elements", "elements on 64 ways", b"[" * 64 + b"0," * (SIZE // 2 - 200) + b"0" + b"]" * 64, "/0"
    ),
    many_pointers(
        "many_names", "names on 64 ways", b'{"":' * 63 + b"{" + b'"":0,' * (SIZE // 5 - 200) + b'"":0' + b"}" * 64, "/"
    ),
    json("deep_names", "names within names", b'{"x":' * (SIZE // 5), unknown, "pattern_too_costly", "deeper than 512",
         exists=True),
    json("deep_behind", "a value, and brackets behind it", b'{"x":1,"y":' + b"[" * 600 + b"]" * 600 + b"}", unknown,
         "pattern_too_costly", "deeper than 512", equals=1),
    json("deep_before", "brackets, and a value behind them", b'{"y":' + b"[" * 600 + b"]" * 600 + b',"x":1}', unknown,
         "pattern_too_costly", "deeper than 512", equals=1),
    json("members", "a member again and again", b"{" + b'"x":1,' * 40_000 + b'"x":2}', up, equals=2),
    json("number", "a number of 200,000 digits", b'{"x":' + b"9" * 200_000 + b"}", down, *NOT_AS, "not less", less=5),
    json("exponent", "a number beyond all bounds", b'{"x":1e999999999}', down, *NOT_AS, "not less", less=5),
    json("text", "a text of escapes", b'{"x":"' + b"\\u0041" * 40_000 + b'"}', down, *NOT_AS, "AAA", equals="y"),
    json("controls", "control characters", b'{"x":"\\u001b[31m\\u0000"}', down, *NOT_AS, "[31m", equals="y"),
    json("surrogates", "half a character", b'{"x":"\\ud800"}', down, *NOT_AS, 'is "', equals="y"),
    json("cut_off", "JSON that ends too soon", b'{"x":"ok"', down, *NOT_AS, "no JSON", equals="ok"),
    json("not", "what is no JSON", b"<html>hello</html>", down, *NOT_AS, "no JSON", equals="ok"),
    json("empty", "nothing", b"", down, *NOT_AS, "no JSON", equals="ok"),
    json("pattern", "a text for a pattern", b'{"x":"' + b"a" * 200_000 + b'"}', unknown, *COSTLY, matches="(a+)+[bc]"),
    up("pattern_recorded", "a body for a pattern that is only recorded", page(b"a"), site={"pattern": "(a+)+$"}),
]
