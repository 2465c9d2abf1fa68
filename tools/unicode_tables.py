#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes bedplate/unicode/unicode_tables.cc: `tools/unicode_tables.py > bedplate/unicode/unicode_tables.cc`.

What is in it changes which words a full-text index holds, so it is made once, from the Unicode version named in its
first lines, and not at build time from whatever a machine has. Making it anew means rebuilding every index.
"""
import unicodedata

# Marks that a reader may leave out: Latin, Greek and Cyrillic accents, Hebrew points, Arabic vowel signs. Marks of
# other scripts (the vowels of Devanagari, say) are letters of the word and stay.
OPTIONAL_MARKS = [(0x300, 0x36F), (0x591, 0x5BD), (0x5BF, 0x5BF), (0x5C1, 0x5C2), (0x5C4, 0x5C5), (0x5C7, 0x5C7),
                  (0x64B, 0x65F), (0x670, 0x670), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF)]
# Scripts that put no spaces between words: each character counts as a word.
UNSPACED = [(0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3005, 0x3007),
            (0x3021, 0x30FF), (0x3105, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x9FFF),
            (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F), (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x1B000, 0x1B16F),
            (0x20000, 0x3FFFF)]
# What is not folded: Hangul syllables, and compatibility forms that nobody types (ideographs, radicals, Arabic
# presentation and mathematical forms).
WHOLE = [(0xAC00, 0xD7A3), (0x2E80, 0x2FDF), (0x3131, 0x318E), (0xF900, 0xFAFF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF),
         (0x1EE00, 0x1EEFF), (0x2F800, 0x2FA1F)]


def within(code, ranges):
    return any(first <= code <= last for first, last in ranges)


def is_word(code):
    return unicodedata.category(chr(code))[0] in "LNM"


def folded(char):
    """Without case, compatibility forms and optional marks."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    text = "".join(c for c in text if not within(ord(c), OPTIONAL_MARKS) and is_word(ord(c)))
    return unicodedata.normalize("NFC", text)


def ranges_of(mapping):
    """Runs of code points, every one or every second, that all move by the same distance."""
    runs = []
    for code in sorted(mapping):
        delta = mapping[code] - code
        if runs:
            first, last, step, moved = runs[-1]
            gap = code - last
            if moved == delta and gap <= 2 and (first == last or gap == step):
                runs[-1] = (first, code, gap, moved)
                continue
        runs.append((code, code, 1, delta))
    return runs


def spans_of(codes):
    spans = []
    for code in codes:
        if spans and spans[-1][1] == code - 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return spans


def literal(text):
    return '"' + "".join(f"\\{byte:03o}" for byte in text.encode()) + '"'


def table(kind, name, entries):
    print(f"\nnamespace {{\nconstexpr {kind} {name}Entries[] = {{")
    line = "   "
    for entry in entries:
        if len(line) + len(entry) + 2 > 110:
            print(line)
            line = "   "
        line += f" {entry},"
    print(line + "\n};\n}  // namespace")
    print(f"const std::span<const {kind}> {name}({name}Entries);")


def main():
    words, lower, fold, texts = [], {}, {}, {}
    for code in range(0x80, 0x110000):
        if 0xD800 <= code <= 0xDFFF or not is_word(code):
            continue
        char = chr(code)
        words.append(code)
        if len(char.lower()) == 1 and char.lower() != char:
            lower[code] = ord(char.lower())
        if within(code, WHOLE):
            continue
        to = folded(char)
        if to == char:
            continue
        if len(to) == 1:
            fold[code] = ord(to)
        else:
            texts[code] = to
    print("// SPDX-License-Identifier: Apache-2.0")
    print(f"// Made by tools/unicode_tables.py from Unicode {unicodedata.unidata_version}. Not to be edited.")
    print("// clang-format off")
    print('#include "bedplate/unicode/unicode_tables.h"\n\nnamespace bedplate::unicode {')
    table("Span", "kWordSpans", [f"{{{a}, {b}}}" for a, b in spans_of(words)])
    table("Span", "kUnspaced", [f"{{{a}, {b}}}" for a, b in UNSPACED])
    table("Move", "kLower", [f"{{{a}, {b}, {s}, {d}}}" for a, b, s, d in ranges_of(lower)])
    table("Move", "kFold", [f"{{{a}, {b}, {s}, {d}}}" for a, b, s, d in ranges_of(fold)])
    table("Expansion", "kExpansions", [f"{{{c}, {literal(t)}}}" for c, t in sorted(texts.items())])
    print("\n}  // namespace bedplate::unicode")


if __name__ == "__main__":
    main()
