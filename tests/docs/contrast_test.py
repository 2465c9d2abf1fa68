#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The text of /docs can be read in both themes: `contrast_test.py CHECKOUT`.

WCAG 2.2 asks 4.5 to 1 of text (1.4.3) and 3 to 1 of the edges of controls and of the focus (1.4.11). Here that is
computed for every pair of a text colour and a background in bedplate/surfaces/docs_ui/reference.css. That no other colours
are shown follows from two rules that are checked too: nothing there names a colour but the list at its top, and
Swagger UI's style is in a layer below, all colours of which are reset.
"""
import pathlib
import re
import sys

BACKGROUNDS = ("page", "panel", "bar", "field")
TEXTS = ("text", "quiet", "link", "code", "good", "bad")
SOLIDS = ("get", "post", "put", "patch", "delete", "other")
EDGES = ("control", "focus")
ONLY_SEEN = ("line", "shade")  # These divide and dim; nothing has to be told by them.
THEME = re.compile(r":root \{(.*?)\}", re.S)
RESET = ".swagger-ui * { color: inherit; background: none; box-shadow: none; border-color: var(--line); }"


def luminance(colour):
    """WCAG 2.2, relative luminance of #rrggbb."""
    parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def pairs():
    """(colour, the one behind it, the least contrast)"""
    for behind in BACKGROUNDS:
        yield from ((text, behind, 4.5) for text in TEXTS)
        yield from ((edge, behind, 3.0) for edge in EDGES)
    yield from (("on-solid", solid, 4.5) for solid in SOLIDS)
    yield ("white", "icon", 3.0)


def theme_faults(name, theme):
    for colour, behind, least in pairs():
        ratio = contrast(theme.get(colour, "#ffffff"), theme[behind])
        if ratio < least:
            yield f"{name}: --{colour} on --{behind} is {ratio:.2f} to 1, less than {least}"
    known = {*BACKGROUNDS, *TEXTS, *SOLIDS, *EDGES, *ONLY_SEEN, "on-solid", "icon"}
    for colour in sorted(theme.keys() ^ known):
        yield f"{name}: --{colour} is a colour that is either not defined or not in this test"


def rule_faults(css):
    """What is wrong with the rules below the list of colours."""
    allowed = {"color": TEXTS + ("on-solid",), "background": BACKGROUNDS + SOLIDS + ("shade", "icon"),
               "border-color": EDGES + TEXTS + SOLIDS + ("line",)}
    for rule, body in re.findall(r"([^{}]*)\{([^{}]*)\}", THEME.sub("", css)):
        for name, value in re.findall(r"([\w-]+):\s*([^;]+?)\s*(?:!important)?(?:;|$)", body):
            where = f"{' '.join(rule.split())[:60]}: {name}: {value}"
            if re.search(r"#[0-9a-f]{3}|\b(?:rgb|hsl|hwb|lab|lch|color-mix|white|black|red|gr[ae]y)\b", value):
                yield f"{where} names a colour; those at the top are for that"
            if name == "opacity" and value != "1":
                yield f"{where} makes text paler"
            for used in re.findall(r"var\(--([\w-]+)\)", value):
                if used not in allowed.get(name, [used]):
                    yield f"{where}: --{used} is not for that"


def faults(root):
    folder = root / "bedplate/surfaces/docs_ui"
    css = re.sub(r"/\*.*?\*/", "", (folder / "reference.css").read_text(encoding="utf-8"), flags=re.S)
    themes = [dict(re.findall(r"--([\w-]+): ([^;]+);", body)) for body in THEME.findall(css)]
    if len(themes) != 2:
        yield f"{len(themes)} lists of colours instead of a light and a dark one"
        return
    light, dark = themes
    yield from theme_faults("light", light)
    yield from theme_faults("dark", {**light, **dark})
    yield from rule_faults(css)
    script = (folder / "reference.js").read_text(encoding="utf-8")
    for colour in re.findall(r"color: \"([^\"]*)\"", script):
        if colour not in [f"var(--{text})" for text in TEXTS]:
            yield f"reference.js: {colour} is no colour of texts"
    for colour in re.findall(r"background: \"([^\"]*)\"", script):
        if colour not in [f"var(--{behind})" for behind in BACKGROUNDS]:
            yield f"reference.js: {colour} is no background"
    if not re.match(r'\s*@layer important, swagger;\s*@import url\("swagger-ui.css"\) layer\(swagger\);', css):
        yield "reference.css does not begin with Swagger UI's style in a layer"
    if RESET not in css:
        yield f"reference.css lacks: {RESET}"
    if re.search(r'rel="stylesheet"[^>]*swagger-ui', (folder / "index.html").read_text(encoding="utf-8")):
        yield "index.html loads Swagger UI's style outside the layer"


def main():
    found = list(faults(pathlib.Path(sys.argv[1]).resolve()))
    print("\n".join(found) or "every text colour can be read on every background, in both themes")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
