"""Markdown as far as links need it: what is code, where a link leads, and what a heading is called as an anchor."""

import re

# The end of a link or a picture, with one pair of parentheses in the target and a title after it: `](target "title")`.
INLINE = re.compile(r"\]\(\s*(<[^<>\n]*>|[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)(\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)")
DEFINITION = re.compile(r"^ {0,3}\[[^\]]+\]:\s*(\S+)", re.M)
ATTRIBUTE = re.compile(r"<[a-zA-Z][^<>]*?\s(?:href|src|srcset)=\"([^\"]*)\"")
ANCHOR = re.compile(r"<[a-zA-Z][^<>]*?\s(?:id|name)=\"([^\"]*)\"")
FENCE = re.compile(r"^[ >]*(?:[-*+]\s+|\d+[.)]\s+)?(`{3,}|~{3,})(.*)$")
HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$")


def blank(text):
    """A text of spaces that has the same lines."""
    return re.sub(r"[^\n]", " ", text)


def without_blocks(text):
    """The text with spaces for fenced code and comments, so that offsets stay."""
    lines, fence = [], None
    for line in text.split("\n"):
        found = FENCE.match(line)
        if fence:
            closes = found and found[1][0] == fence[0] and len(found[1]) >= len(fence) and not found[2].strip()
            fence = None if closes else fence
            lines.append(blank(line))
        elif found and not (found[1][0] == "`" and "`" in found[2]):
            fence = found[1]
            lines.append(blank(line))
        else:
            lines.append(line)
    return re.sub(r"<!--.*?-->", lambda found: blank(found[0]), "\n".join(lines), flags=re.S)


def without_code(text):
    """The same, with spaces for code inside of lines."""
    text = without_blocks(text)
    return re.sub(r"(?<!`)(`+)(?!`)(?:(?!\n\n).)+?(?<!`)\1(?!`)", lambda found: blank(found[0]), text, flags=re.S)


def links(text):
    """Where the links and pictures of a page lead: (offset, target), the offset that of the target."""
    bare = without_code(text)
    found = [(match.start(1), match[1]) for match in INLINE.finditer(bare)]
    found += [(match.start(1), match[1]) for match in DEFINITION.finditer(bare)]
    found += [(match.start(1), match[1]) for match in ATTRIBUTE.finditer(bare)]
    return sorted(found)


def linked(text, names, target):
    """The text with a link at each piece of code that is one of the names, outside of headings and of other links."""
    out, at = [], 0
    bare = re.sub(r"(?m)^ {0,3}#.*$|\[[^\[\]\n]*\]\(", lambda found: blank(found[0]), without_blocks(text))
    for found in re.finditer(r"(?<![`\[])`([a-z]+(?:-[a-z]+)+)`(?![`\]])", bare):
        if found[1] in names:
            out += [text[at:found.start()], f"[`{found[1]}`]({target(found[1])})"]
            at = found.end()
    return "".join(out) + text[at:]


def headings(text):
    """The headings of a page: (level, text as written)."""
    lines = without_blocks(text).split("\n")
    return [(len(found[1]), found[2]) for found in map(HEADING.match, lines) if found]


def plain(heading):
    """A heading's words: without marks, and of links only their names."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[`*]|<[^<>]*>", "", text)


def anchors(text):
    """What `#…` may be on this page, as GitHub makes it of headings."""
    found, seen = set(ANCHOR.findall(without_code(text))), {}
    for _, heading in headings(text):
        name = re.sub(r"[^\w\- ]", "", plain(heading).strip().lower()).replace(" ", "-")
        count = seen.get(name, 0)
        seen[name] = count + 1
        found.add(f"{name}-{count}" if count else name)
    return found


def title(text):
    """The first heading."""
    return next((plain(heading) for level, heading in headings(text) if level == 1), None)


def paragraph(text):
    """The first paragraph below the title, its links only names; empty where there is none."""
    for block in re.split(r"\n\s*\n", without_blocks(text)):
        words = " ".join(block.split())
        if not words or words.startswith(("#", "<", "|", "-", "!", "[!")):
            continue
        # What a page of a decision begins with says nothing about it.
        words = re.sub(r"^\*\*\w+\.\*\* ", "", words)
        return re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", words).replace("**", "")
    return ""


def summary(text):
    """Its first sentence, without the mark at the end."""
    words = paragraph(text)
    sentence = re.match(r".+?[.:](?= [A-Z`]|$)", words)
    return (sentence[0] if sentence else words).rstrip(".:")
