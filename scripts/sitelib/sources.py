"""The pages of the site: those that docs/SUMMARY.md lists, with their links led to where things are on the site."""

import os
import re
import subprocess

from . import generated, markdown

SUMMARY = "docs/SUMMARY.md"
ENTRY = re.compile(r"^( *)(- )?\[([^\]]+)\]\(([^)]+)\)\s*$")
# Below docs/, and no page of the site.
NO_PAGES = {SUMMARY}
# One page in the repository, a folder of pages on the site.
MOVED = {"docs/rules.md": generated.RULES}


class Mistake(Exception):
    """What the sources cannot have."""


class Entry:
    """A line of the summary. `source`: the path in the repository; none where the page is generated."""

    def __init__(self, depth, title, source, part, path=None):
        self.depth, self.title, self.source, self.part = depth, title, source, part
        self.path = path or place(source)


def place(source):
    """Where a page of the repository is on the site."""
    if source in MOVED:
        return MOVED[source]
    path = source[len("docs/"):] if source.startswith("docs/") else source
    # mdBook names such a page so by itself, and leaves the links to it as they were.
    return re.sub(r"(^|/)README\.md$", r"\1index.md", path)


def summary(root, written):
    """The entries of the summary, in order. `written`: entries (depth, title, path) by the comment that stands for them."""
    entries, part = [], None
    for number, line in enumerate((root / SUMMARY).read_text("utf-8").split("\n"), 1):
        comment = re.fullmatch(r" *<!-- (.+) -->", line)
        if line.startswith("# "):
            part = line[2:] if entries else None
        elif comment and comment[1] in written:
            entries += [Entry(depth, title, None, part, path) for depth, title, path in written[comment[1]]]
        elif line.strip():
            found = ENTRY.match(line)
            if not found:
                raise Mistake(f"{SUMMARY}:{number}: neither a link to a page, nor a part: {line}")
            source = os.path.normpath(os.path.join("docs", found[4]))
            if not (root / source).is_file():
                raise Mistake(f"{SUMMARY}:{number}: no such file: {found[4]}")
            entries.append(Entry(len(found[1]) // 4, found[3], source, part))
    listed = {entry.source for entry in entries}
    missing = sorted(set(pages(root)) - listed - NO_PAGES)
    if missing:
        raise Mistake(f"{SUMMARY} does not list {', '.join(missing)}")
    return entries


def pages(root):
    """The pages below docs/ that git tracks, or would."""
    args = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "docs/*.md"]
    listed = subprocess.run(args, cwd=root, capture_output=True, check=True).stdout.decode()
    return [name for name in listed.split("\0") if name and (root / name).exists()]


def summary_text(entries):
    """The summary as mdBook reads it."""
    lines, part = ["# Summary", ""], None
    for entry in entries:
        if entry.part != part:
            part = entry.part
            lines += ["", f"# {part}", ""]
        bullet = "    " * entry.depth + "- " if part else ""
        lines.append(f"{bullet}[{entry.title}]({entry.path})")
    return "\n".join(lines) + "\n"


class Links:
    """Leads the links of pages to where their targets are on the site."""

    def __init__(self, root, entries, headings):
        """`headings`: pages of the site by `path#heading` in the repository, where each heading became a page."""
        self.root, self.headings = root, headings
        self.pages = {entry.source for entry in entries if entry.source}
        self.files = set()

    def target(self, source, page, target):
        """A link of the repository's file `source`, which is the page `page` of the site."""
        if re.match(r"[a-z][a-z0-9+.-]*:|#", target):
            return target
        name, hash_, fragment = target.partition("#")
        found = os.path.normpath(os.path.join(os.path.dirname(source), name))
        at = self.headings.get(f"{found}#{fragment}")
        if at:
            hash_ = fragment = ""
        elif found in self.pages:
            at = place(found)
        else:
            at = self.file(source, found)
        return os.path.relpath(at, os.path.dirname(page) or ".") + hash_ + fragment

    def file(self, source, found):
        """A file that is no page goes along: beside the pages where it is below docs/, else below files/."""
        if not (self.root / found).is_file():
            raise Mistake(f"{source}: a link to {found}, which is not a file")
        self.files.add(found)
        return found[len("docs/"):] if found.startswith("docs/") else f"files/{found}"

    def rewrite(self, source, page, text):
        out, at = [], 0
        for offset, target in markdown.links(text):
            out += [text[at:offset], self.target(source, page, target)]
            at = offset + len(target)
        return "".join(out) + text[at:]
