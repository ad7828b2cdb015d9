"""The pages that the program writes: its rules, the keys of the policy, the help of its commands."""

import json
import os
import re
import subprocess
import tempfile

RULES, REFERENCE, HELP = "rules/index.md", "policy-reference.md", "help.md"


class Program:
    """The git-lane whose pages these are."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder

    def run(self, *args):
        env = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "LANE_"))}
        # In no repository: nothing of a policy of its own is among the rules.
        env.update(NO_COLOR="1", COLUMNS="100", GIT_CEILING_DIRECTORIES=os.path.dirname(self.folder), PAGER="cat")
        return subprocess.run([self.binary, *args], cwd=self.folder, env=env, capture_output=True, text=True, check=True).stdout

    def json(self, *args):
        return json.loads(self.run(*args))

    def commands(self):
        """The names of all commands, from the names of their manual pages."""
        with tempfile.TemporaryDirectory() as pages:
            self.run("mangen", pages)
            names = {re.sub(r"^git-lane-?|\.1$", "", name) for name in os.listdir(pages)}
        names.discard("")
        # `policy-check` is below `policy`; a name with a dash that is below nothing stays as it is.
        return sorted(name.replace("-", " ", 1) if name.split("-")[0] in names else name for name in names)


def rules(program):
    return program.json("rule", "--format", "json")


def binds(rule):
    return "agents and maintainers" if rule["binds_maintainers"] else "agents"


def rules_page(all_rules):
    lines = [
        "# Rules", "",
        "Each finding names a rule. `git lane rule ID` shows its page; the policy's `rules:` gives it another level: `error` refuses, "
        "`warn` tells, `observe` tells and notes what would be refused, `off` looks at nothing.", "",
        "| rule | finds | level | binds |", "| --- | --- | --- | --- |",
    ]
    for rule in all_rules:
        lines.append(f"| [`{rule['id']}`]({rule['id']}.md) | {rule['summary']} | {rule['level']} | {binds(rule)} |")
    return "\n".join(lines) + "\n"


def rule_page(rule, mentions):
    """`mentions`: (title, path) of the pages that speak of it."""
    facts = [f"level: {rule['level']}", f"binds {binds(rule)}", f"judged at: {', '.join(rule['at'])}"]
    listed = "".join(f"<li>{fact}</li>" for fact in facts)
    summary = rule["summary"][0].upper() + rule["summary"][1:]
    text = f"# {rule['id']}\n\n{summary}.\n\n<ul class=\"facts\">{listed}</ul>\n\n{rule['docs'].strip()}\n"
    if mentions:
        text += "\n## More\n\n" + "".join(f"- [{title}]({os.path.relpath(path, 'rules')})\n" for title, path in mentions)
    return text


class Schema:
    """The policy's JSON Schema, as rows of a table."""

    def __init__(self, schema):
        self.schema = schema

    def resolved(self, node):
        """A node with what it refers to; what is written beside the reference comes first."""
        while "$ref" in node or len(node.get("allOf", [])) == 1:
            other = node["allOf"][0] if "allOf" in node else self.pointed(node["$ref"])
            beside = {key: value for key, value in node.items() if key not in ("$ref", "allOf")}
            node = {**other, **beside}
        return node

    def pointed(self, reference):
        node = self.schema
        for part in reference[2:].split("/"):
            node = node[part]
        return node

    def choices(self, node):
        """The kinds of value that may stand here."""
        node = self.resolved(node)
        options = node.get("anyOf") or node.get("oneOf")
        if not options:
            return [node]
        return [kind for option in options for kind in self.choices(option)]

    def words(self, node):
        """The kinds of value in a few words."""
        found = []
        for kind in self.choices(node):
            if "const" in kind:
                found.append(f"`{kind['const']}`")
            elif "enum" in kind:
                found += [f"`{word}`" for word in kind["enum"] if word is not None]
            else:
                types = kind.get("type", "object")
                for word in [types] if isinstance(types, str) else types:
                    found.append(self.kind(word, kind))
        return ", ".join(dict.fromkeys(word for word in found if word != "null"))

    def kind(self, word, node):
        if word == "array":
            items = self.words(node.get("items", {}))
            return "list" if not items or items == "map" else f"list of: {items}"
        if word == "object":
            values = node.get("additionalProperties")
            return f"map to: {self.words(values)}" if isinstance(values, dict) and "map" not in self.words(values) else "map"
        return {"string": "text", "integer": "number", "boolean": "`true`, `false`"}.get(word, word)

    def meaning(self, node):
        """What it is for, and each of its words."""
        node = self.resolved(node)
        text = node.get("description", "")
        each = [f"`{kind['const']}`: {kind['description'].rstrip('.')}" for kind in self.choices(node) if "const" in kind and kind.get("description")]
        return f"{text} {'; '.join(each)}." if len(each) > 1 else text

    def rows(self, path, node, seen=()):
        """(key, kinds, meaning) of all that stands below a node."""
        rows = []
        for kind in self.choices(node):
            for key, below in kind.get("properties", {}).items():
                name = f"{path}.{key}".lstrip(".")
                mark = " (required)" if key in kind.get("required", []) else ""
                rows.append((name, self.words(below) + mark, self.meaning(below)))
                rows += self.rows(name, below, seen)
            items, values = kind.get("items"), kind.get("additionalProperties")
            if isinstance(items, dict):
                rows += self.rows(f"{path}[]", items, seen)
            if isinstance(values, dict):
                rows += self.rows(f"{path}.<name>", values, seen)
        return rows


def reference_page(schema):
    known = Schema(schema)
    lines = [
        "# Every key of the policy", "",
        "Written from the [JSON Schema](policy.schema.json) of `policy.yaml`, which `git lane policy schema` prints. `[]` stands for each entry of a list, `<name>` for each key of a map. "
        "Durations are written as `90s`, `5m`, `2h` or `3d`, sizes as `100kB` or `4GB`.", "",
    ]
    for key, node in schema["properties"].items():
        lines += [f"## {key}", "", known.meaning(node), "", f"Value: {known.words(node)}.", ""]
        rows = known.rows(key, node)
        if rows:
            lines += ["| key | value | what it says |", "| --- | --- | --- |"]
            lines += [f"| `{name}` | {cell(kinds)} | {cell(meaning)} |" for name, kinds, meaning in rows] + [""]
    return "\n".join(lines)


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def help_page(program):
    lines = ["# Options of each command", "", "What `git lane help COMMAND` prints, for every command.", ""]
    for name in program.commands():
        # What is the same for all stands on the page of commands.
        text = program.run("help", *name.split()).rstrip()
        lines += [f"## git lane {name}", "", "```text", text, "```", ""]
    return "\n".join(lines)
