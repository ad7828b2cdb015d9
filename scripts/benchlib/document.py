"""Tables between the markers of docs/performance.md.

`<!-- NAME -->` and `<!-- /NAME -->` on lines of their own; what stands between them is written anew.
"""

from .common import PROJECT, fail, say

PAGE = PROJECT / "docs/performance.md"


def add_options(parser):
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    group.add_argument("--write-docs", action="store_true", help="write them into docs/performance.md")


def place(sections, options):
    """Prints sections of Markdown by name, or writes them into the page, as the options say."""
    if options.write_docs:
        page = PAGE.read_text(encoding="utf-8")
        for name, text in sections.items():
            page = replaced(page, name, text)
        PAGE.write_text(page, encoding="utf-8")
        say(f"written to {PAGE.relative_to(PROJECT)}: {', '.join(sections)}")
    elif options.markdown:
        for name, text in sections.items():
            say(f"<!-- {name} -->\n\n{text.strip()}\n\n<!-- /{name} -->\n")


def replaced(page, name, text):
    opening, closing = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    if page.count(opening) != 1 or page.count(closing) != 1:
        fail(f"{PAGE} has no place for `{name}`: it needs the lines {opening.strip()} and {closing.strip()}, each once")
    before, rest = page.split(opening)
    after = rest.split(closing)[1]
    return f"{before}{opening}\n{text.strip()}\n\n{closing}{after}"
