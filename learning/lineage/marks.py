"""Which commits an agent wrote, and which lines of them: author marks, trailers, git-ai's notes."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import pygit2

NOTES = "refs/notes/ai"
Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Mark:
    """What a commit says of its writer: `agent` is empty for a person's commit and for a plain bot's.

    `lines` holds, for each path, the agent's line ranges where a note gives them; None: the whole commit.
    """

    agent: str = ""
    how: str = ""  # author, trailer, checkpoint, note
    bot: bool = False
    lines: Mapping[str, Ranges] | None = None

    def wrote(self, path: str, line: int) -> bool:
        """Whether the agent wrote this line (from 1) of the commit's version of `path`."""
        if not self.agent:
            return False
        if self.lines is None:
            return True
        return any(first <= line <= last for first, last in self.lines.get(path, ()))

    def touched(self, path: str) -> bool:
        """Whether the agent wrote anything in the commit's version of `path`."""
        return bool(self.agent) and (self.lines is None or path in self.lines)


PERSON = Mark()

#: Lines, as a note counts them: no other digits than these, and no number that takes long to read.
_SPAN = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")

#: Who the author or committer is, as "Name <email>". A bare "Claude" is also a person's name: the address
#: decides, or a name that no person has. Source: what the tools' own commits and settings say.
_AUTHORS = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("aider", r"\(aider\)|aider@aider\.chat|noreply@aider\.chat"),
        ("claude-code", r"noreply@anthropic\.com|\bclaude\[bot\]|^claude code <"),
        ("copilot", r"copilot-swe-agent|^copilot(\[bot\])? <|\+copilot@users\.noreply\.github\.com"),
        ("cursor", r"cursoragent|^cursor agent <"),
        ("devin", r"devin-ai-integration"),
        ("openhands", r"openhands@all-hands\.dev|^openhands <"),
        ("codex", r"noreply@openai\.com|codex@openai\.com"),
        ("jules", r"google-labs-jules"),
        ("roo-code", r"roomote@roocode\.com"),
    )
)
_TRAILERS = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("aider", r"noreply@aider\.chat|^aider\b"),
        ("claude-code", r"noreply@anthropic\.com|^claude( code)?( (opus|sonnet|haiku|\d)[^<]*)? <"),
        ("copilot", r"\bcopilot@users\.noreply\.github\.com|copilot-swe-agent|^(github )?copilot <"),
        ("cursor", r"cursoragent@cursor\.com|^cursor <"),
        ("codex", r"@openai\.com|^codex\b"),
        ("gemini", r"^gemini\b|gemini-code-assist|gemini-cli"),
        ("devin", r"devin-ai-integration"),
        ("openhands", r"openhands@all-hands\.dev|^openhands\b"),
        ("amp", r"amp@ampcode\.com|^amp <"),
        ("roo-code", r"roomote@roocode\.com"),
    )
)
_CO_AUTHOR = re.compile(r"^co-authored-by:[ \t]*(.+?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_CHECKPOINT = re.compile(r"^Entire-Checkpoint:[ \t]*[0-9A-Za-z]{12,26}[ \t]*$", re.MULTILINE)
_GENERATED = re.compile(r"generated with \[?claude code", re.IGNORECASE)
_CRUSH = re.compile(
    r"^(?:assisted|generated)-by:.*\bcrush\b|generated with crush", re.IGNORECASE | re.MULTILINE
)
_BOT = re.compile(
    r"\[bot\]|\bdependabot\b|\brenovate\b|pre-commit-ci|semantic-release|github-actions|autofix-ci"
    r"|weblate|transifex",
    re.IGNORECASE,
)


def mark(author: str, committer: str, message: str) -> Mark:
    """The mark by a commit's own words; `author` and `committer` as "Name <email>"."""
    for name, pattern in _AUTHORS:
        if pattern.search(author) or pattern.search(committer):
            return Mark(name, "author")
    for person in _CO_AUTHOR.findall(message):
        for name, pattern in _TRAILERS:
            if pattern.search(person):
                return Mark(name, "trailer")
    if _GENERATED.search(message):
        return Mark("claude-code", "trailer")
    if _CRUSH.search(message):
        return Mark("crush", "trailer")
    if _CHECKPOINT.search(message):
        return Mark("agent", "checkpoint")
    return Mark(bot=True) if _BOT.search(author) else PERSON


def read_note(text: str) -> Mark | None:
    """The mark that a git-ai authorship note makes; None when it cannot be read.

    Source: git-ai's authorship standard 3.0.0. Lines under no key are untracked, which is not "human".
    """
    above, split, below = text.partition("\n---\n")
    if not split:
        above, split, below = ("", "---", text[4:]) if text.startswith("---\n") else (text, "", "")
    try:
        facts = json.loads(below) if below.strip() else {}
    except (ValueError, RecursionError):
        return None
    if not split or not isinstance(facts, dict):
        return None
    path, agent = "", ""
    lines: dict[str, list[tuple[int, int]]] = {}
    for row in above.splitlines():
        if not row.strip():
            continue
        if not row.startswith((" ", "\t")):
            path = row.strip().strip('"')
            continue
        key, _, spans = row.strip().partition(" ")
        if key.startswith("h_") or not path:
            continue
        agent = agent or _tool(facts, key.partition("::")[0])
        lines.setdefault(path, []).extend(_ranges(spans))
    if not agent:
        return Mark(how="note")
    return Mark(agent, "note", lines={path: tuple(each) for path, each in lines.items()})


def _tool(facts: Mapping[str, object], key: str) -> str:
    for group in ("sessions", "prompts"):
        entries = facts.get(group)
        entry = entries.get(key) if isinstance(entries, dict) else None
        ident = entry.get("agent_id") if isinstance(entry, dict) else None
        tool = ident.get("tool") if isinstance(ident, dict) else None
        if isinstance(tool, str) and tool:
            return "claude-code" if tool == "claude" else tool
    return "agent"


def _ranges(spans: str) -> list[tuple[int, int]]:
    found = (_SPAN.fullmatch(span.strip()) for span in spans.split(","))
    return [(int(each[1]), int(each[2] or each[1])) for each in found if each]


def signature(who: pygit2.Signature) -> str:
    """ "Name <email>", whatever bytes the commit holds."""
    name = (who.raw_name or b"").decode("utf-8", "replace")
    return f"{name} <{(who.raw_email or b'').decode('utf-8', 'replace')}>"


def message(commit: pygit2.Commit) -> str:
    """The commit's message, whatever bytes it holds."""
    return commit.raw_message.decode("utf-8", "replace")


class Marks:
    """The marks of one repository's commits, remembered for the latest few thousand."""

    def __init__(self, repository: pygit2.Repository, keep: int = 4096) -> None:
        self._repository = repository
        self._keep = keep
        self._known: OrderedDict[bytes, Mark] = OrderedDict()
        self._notes = NOTES in repository.references

    def of(self, commit: pygit2.Commit) -> Mark:
        """The mark of one commit; a note, where there is one, says it most exactly."""
        key = commit.id.raw
        found = self._known.get(key)
        if found is None:
            found = self._note(commit) or mark(
                signature(commit.author), signature(commit.committer), message(commit)
            )
            self._known[key] = found
            if len(self._known) > self._keep:
                self._known.popitem(last=False)
        return found

    def _note(self, commit: pygit2.Commit) -> Mark | None:
        if not self._notes:
            return None
        try:
            note = self._repository.lookup_note(str(commit.id), NOTES)
        except (KeyError, pygit2.GitError):
            return None
        blob = self._repository.get(note.id)
        return read_note(blob.data.decode("utf-8", "replace")) if isinstance(blob, pygit2.Blob) else None
