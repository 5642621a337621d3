"""`cortex graph`: what a memory, a file, a symbol or a commit is tied to."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import click

from ..store.neighbourhood import RELATIONS
from . import render
from .frame import command, json_option, repo_option, session, show

#: How a relation is read along the edge, and against it.
_READ = {
    "causes": ("causes", "caused by"),
    "fixed_by": ("fixed by", "fixes"),
    "imports": ("imports", "imported by"),
    "learnt_from": ("learnt from", "taught"),
    "requires": ("requires", "required by"),
    "seen_in": ("seen in", "holds"),
    "similar_to": ("similar to", "similar to"),
    "supersedes": ("supersedes", "superseded by"),
}
_STYLES = {"file": "cyan", "symbol": "cyan", "commit": "yellow", "module": "dim", "conversation": "green"}
_LONGEST = 88


@command(
    "graph",
    examples="""
cortex graph 3f2a91c0                    # a memory: where it was seen, what it supersedes
cortex graph src/client.py --depth 2     # a file: what it imports, and the memories around it
cortex graph Client.get --relation imports --relation seen_in
cortex graph HEAD --dot | dot -Tsvg > graph.svg
""",
    codes=(4,),
)
@click.argument("what")
@click.option("--depth", type=click.IntRange(1, 4), default=1, show_default=True, help="Steps from it.")
@click.option(
    "--relation", "relations", type=click.Choice(RELATIONS), multiple=True, help="Only this relation."
)
@click.option("--dot", is_flag=True, help="Print it for Graphviz.")
@json_option
@repo_option
def graph(what: str, depth: int, relations: tuple[str, ...], dot: bool, as_json: bool, repo: str) -> None:
    """Show what lies around WHAT: a memory's id, a path, a symbol, a commit or a conversation.

    A symbol is a name (`Client.get`), or PATH#NAME where several have it. What is too much to read is left out, and
    counted.
    """
    with session(repo) as opened:
        result = opened.call("graph", what=what, depth=depth, relations=list(relations), cwd=os.getcwd())
    if dot and not as_json:
        render.say(as_dot(result))
    else:
        show(result, as_json, tree)


def tree(result: Mapping[str, Any], paint: render.Paint) -> str:
    """The neighbourhood as a tree: each node once, below the one that led to it."""
    nodes = {each["id"]: each for each in result["nodes"]}
    below: dict[str, list[tuple[str, str]]] = {}
    placed, shown = {result["root"]}, 0
    for edge in result["edges"]:
        for near, far, way in ((edge["from"], edge["to"], 0), (edge["to"], edge["from"], 1)):
            if far not in placed and near in nodes and nodes[far]["depth"] == nodes[near]["depth"] + 1:
                below.setdefault(near, []).append((_READ[edge["relation"]][way], far))
                placed.add(far)
                shown += 1
                break
    lines = [_label(nodes[result["root"]], paint, root=True)]
    _branches(result["root"], nodes, below, paint, "", lines)
    more = len(result["edges"]) - shown
    if len(nodes) == 1 and not result["left_out"]:
        lines.append(paint("dim", "nothing is tied to it"))
    said = [render.count(len(nodes) - 1, "neighbour")] if len(nodes) > 1 else []
    said += [f"{render.count(more, 'tie')} between them in --json and --dot"] if more > 0 else []
    said += [f"{result['left_out']:,} left out"] if result["left_out"] else []
    lines += [paint("dim", "; ".join(said))] if said else []
    return "\n".join(lines + [paint("yellow", f"note: {render.safe(each)}") for each in result["notes"]])


def _branches(
    node: str,
    nodes: Mapping[str, Any],
    below: Mapping[str, list[tuple[str, str]]],
    paint: render.Paint,
    indent: str,
    lines: list[str],
) -> None:
    held = below.get(node, [])
    left = nodes[node]["left_out"]
    for number, (relation, far) in enumerate(held):
        last = number == len(held) - 1 and not left
        mark = f"{indent}{'└─ ' if last else '├─ '}{relation} "
        lines.append(f"{paint('dim', mark)}{_label(nodes[far], paint)}")
        _branches(far, nodes, below, paint, indent + ("   " if last else "│  "), lines)
    if left:
        lines.append(paint("dim", f"{indent}└─ … {left:,} more"))


def _label(node: Mapping[str, Any], paint: render.Paint, root: bool = False) -> str:
    title = " ".join(render.safe(node["title"]).split())
    title = title if len(title) <= _LONGEST else title[: _LONGEST - 1].rstrip() + "…"
    known = node["kind"] in _STYLES
    style = _STYLES.get(node["kind"], "bold")
    told = paint("bold" if root else style, title)
    extra = "" if known else f"  {paint('dim', node['kind'] + ' ' + node['id'][:12])}"
    if node.get("cyclomatic"):
        figures = f"complexity {node['cyclomatic']}, cognitive {node['cognitive']}"
        extra = f"  {paint('dim', figures)}"
    return told + extra


def as_dot(result: Mapping[str, Any]) -> str:
    """The neighbourhood for Graphviz."""
    lines = ["digraph cortex {", "  rankdir=LR;", "  node [shape=box, style=rounded, fontname=sans];"]
    for node in result["nodes"]:
        label = f"{node['kind']}\n{render.safe(node['title'])[:_LONGEST]}"
        lines.append(f"  {_quoted(node['id'])} [label={_quoted(label)}];")
    for edge in result["edges"]:
        relation = _quoted(edge["relation"].replace("_", " "))
        lines.append(f"  {_quoted(edge['from'])} -> {_quoted(edge['to'])} [label={relation}];")
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    # Graphviz knows \" and \n, and takes any other backslash for an escape of its own.
    return json.dumps(render.safe(text).replace("\\", "/"), ensure_ascii=False)
