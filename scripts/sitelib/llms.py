"""llms.txt: what language models read of the site, in the form of https://llmstxt.org."""

from . import markdown

# Of no use to somebody who uses the program.
OPTIONAL = "Project"


def text(entries, texts, address):
    """The file. `address`: where the site is, or empty for links from the file."""
    lines = [
        "# git-lane", "", f"> {markdown.paragraph(texts['index.md'])}", "",
        "The program is run as `git lane`. Exit codes: 0 pass, 1 refused, 2 could not decide. All commands that report take `--format json`. "
        "An agent that was refused finds the next command in the message itself, and the rule's page by `git lane rule ID`.",
    ]
    part = None
    for entry in entries:
        if not entry.part:
            continue
        if entry.part != part:
            part = entry.part
            lines += ["", f"## {'Optional' if part == OPTIONAL else part}", ""]
        lines.append(f"- [{entry.title}]({address}{plain(entry.path)}): {markdown.summary(texts[entry.path])}")
    return "\n".join(lines) + "\n"


def plain(path):
    """Where the Markdown of a page is: below the page's own address."""
    return f"{path[:-len('.md')]}.html.md"
