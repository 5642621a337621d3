"""What a person does with rules: look at them, say which may speak, try one, hand them on, take them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..analyzers.languages import LANGUAGES, language_of
from ..analyzers.patterns import Compiled, compile
from ..learning.rules.backtest import speaks
from ..learning.rules.exchange import Exported, from_json, is_of_tokens, to_ast_grep, to_json
from ..learning.rules.revising import IMPORT, PERSON, rule_id
from ..repo.errors import UsageError
from ..repo.files import read_plain
from ..store.items import Item
from ..store.kinds import MILLION, Memory, Pattern, RuleEvent, Trust
from ..store.record import Draft, Record
from ..store.secrets import clean, redact
from . import receiving
from .changed import LARGEST, named
from .contracts import SCHEMA
from .contracts.ruling import RuleEntry, RuleImport, RulePlace, RuleResult, RulesResult, RuleStep, RuleTest
from .memories import evidence, resolve
from .state import State

MOST_PLACES = 20  # that are shown of what stands in accepted code
LEAST_HASH = 8  # characters: a hash says what was read, and fewer say little
STATES = {"accept": "active", "enable": "shadow", "disable": "retired"}


def rules(state: State, *, status: str = "") -> RulesResult:
    """All rules: those that speak first, the surest of them first."""
    here = receiving.here(state)
    entries = [_entry(state, item, here) for item in _items(state)]
    kept = [each for each in entries if not status or each["state"] == status]
    order = {name: at for at, name in enumerate(("active", "shadow", "candidate", "pulled", "retired"))}
    kept.sort(
        key=lambda each: (order.get(each["state"], 9), -each["confidence"], -each["support"], each["id"])
    )
    told: RulesResult = clean({"schema": SCHEMA, "rules": kept, "total": len(entries)})[0]
    return told


def rule_show(state: State, *, id: str) -> RuleResult:
    """One rule: what it came from, what stands against it, and its history."""
    from .teaching import tracked_files

    item, memory = _one(state, id)
    assert memory.rule is not None
    places, total = _places(memory.rule, tracked_files(state), MOST_PLACES)
    result: RuleResult = {
        "schema": SCHEMA,
        "rule": _entry(state, item, receiving.here(state)),
        "text": item.text,
        "context": memory.rule.context,
        "guards": list(memory.rule.guards),
        "holes": [{"name": h.name, "kind": h.kind, "values": ", ".join(h.values)} for h in memory.rule.holes],
        "evidence": evidence(item.evidence),
        "standing": places,
        "standing_total": total,
        "history": [_step(record) for record in _events(state, item.id)],
    }
    told: RuleResult = clean(result)[0]
    return told


def rule_decide(
    state: State, *, id: str, do: str, reason: str = "", origin: str = "cli", request: str = ""
) -> RuleResult:
    """`accept` a rule (it speaks from now on), `disable` it, or `enable` it again: a step with its reason.

    The lifecycle does not change what a person said; `enable` gives a rule of one's own back to it. One that was
    pulled is enabled by its hash, which is of what it says: another version of it is another rule.
    """
    if do not in STATES:
        raise UsageError(f"a rule is not to {do}", f"There are: {', '.join(STATES)}.")
    item, _ = _one(state, id)
    word = id.strip().lower()
    by_hash = len(word) >= LEAST_HASH and item.head.startswith(word)
    drafts = []
    to_state, by = STATES[do], PERSON
    if item.trust == "pulled" and do != "disable":
        if not by_hash:
            raise UsageError(
                f"{item.id[:12]} was pulled: it is enabled by the hash of what it says",
                f"Read it with `cortex rules show {item.id[:12]}`, then: cortex rules {do} {item.head[:16]}",
            )
        drafts.append(Draft(Trust(who=item.head, what="accepted", why=reason), origin=origin))
        to_state = "active"
    elif do == "enable":
        by = ""
    last = _last(state, item.id)
    said = {
        "accept": "accepted by a person",
        "enable": "enabled by a person",
        "disable": "disabled by a person",
    }
    step = RuleEvent(
        rule=item.id,
        from_state=last.to_state if last else "",
        to_state=to_state,
        reason=f"{said[do]}: {reason}" if reason else said[do],
        support=last.support if last else 0,
        commits=last.commits if last else 0,
        matched=last.matched if last else 0,
        stood=last.stood if last else 0,
        changed=last.changed if last else 0,
        against=last.against if last else 0,
        confidence=last.confidence if last else MILLION // 2,
        by=by,
    )
    state.journal.append([*drafts, Draft(step, origin=origin)], request)
    if do == "enable" and not by:
        from .teaching import revise_rules

        revise_rules(state)
    receiving.judge(state)
    return rule_show(state, id=item.id)


def rule_test(
    state: State,
    *,
    pattern: str,
    rewrite: str = "",
    language: str = "",
    files: Sequence[str] | None = None,
    cwd: str | None = None,
    limit: int = 100,
) -> RuleTest:
    """Where a rule (by its id) or a pattern of ast-grep matches in the work tree, and what would be written."""
    known = _find(state, pattern)
    if known is not None:
        asked = known[1].rule
        assert asked is not None
        patterns = {asked.language: asked}
    else:
        if language and language not in LANGUAGES:
            raise UsageError(
                f"there is no grammar for {language!r}", f"There are: {', '.join(sorted(LANGUAGES))}."
            )
        names = [language] if language else sorted(LANGUAGES)
        # Without a rewrite each place is shown as it stands; the marker is never printed.
        made = {
            name: Pattern(language=name, pattern=pattern, rewrite=rewrite or f"{pattern}{_MARK}")
            for name in names
        }
        patterns = {name: each for name, each in made.items() if compile(each) is not None}
        if not patterns:
            raise UsageError(
                "this is neither the id of a rule nor a pattern", "Try: cortex rules test 'f($A)'"
            )
    root = state.place.require_root()
    wanted = sorted(named(state, files or ["."], cwd or str(root)))
    texts = []
    for name in wanted:
        if language_of(name) in patterns and not state.ignored.matches(name):
            try:
                data = read_plain(root / name, LARGEST + 1)
                if len(data) <= LARGEST:
                    texts.append((name, data.decode("utf-8")))
            except (OSError, UnicodeDecodeError, UsageError):
                continue
    found: list[RulePlace] = []
    total = 0
    for asked in patterns.values():
        mine = [(name, text) for name, text in texts if language_of(name) == asked.language]
        places, number = _places(asked, mine, max(0, limit - len(found)))
        found += places
        total += number
    for each in found if known is None and not rewrite else ():
        each["after"] = ""
    return {
        "schema": SCHEMA,
        "rule": known[0].id if known else "",
        "files": len(texts),
        "places": found,
        "total": total,
    }


_MARK = " CORTEX"


def rule_export(
    state: State, *, ids: Sequence[str] = (), format: str = "json", status: str = ""
) -> Mapping[str, Any]:
    """Rules as other programs read them: all that a person's own clone holds, or those that are named."""
    if format not in ("json", "ast-grep"):
        raise UsageError(f"there is no format {format}", "The formats: json, ast-grep.")
    chosen = [_one(state, each)[0] for each in ids] if ids else _items(state)
    out = []
    for item in chosen:
        stands = _entry(state, item, {})["state"]
        memory = _memory(state, item)
        if memory is None or memory.rule is None or (status and stands != status):
            continue
        title, text, reason = (redact(each)[0] for each in (memory.title, memory.text, memory.reason))
        if clean(memory.rule.pattern + "\n" + memory.rule.rewrite)[1]:
            continue  # a secret in a pattern leaves no machine
        body = Memory(
            type="rule",
            scope=memory.scope,
            language=memory.language,
            framework=memory.framework,
            rule=memory.rule,
            title=title,
            text=text,
            reason=reason,
        )
        out.append(Exported(item.id, body, stands))
    if format == "ast-grep":
        out = [each for each in out if not is_of_tokens(each)]
    told = to_json(out) if format == "json" else to_ast_grep(out)
    return {"schema": SCHEMA, "format": format, "rules": len(out), "text": told}


def rule_import(
    state: State, *, text: str, name: str = "", origin: str = "import", request: str = ""
) -> RuleImport:
    """Take rules in from `cortex rules export`: silent (in shadow) until corrections or a person confirm them."""
    given = from_json(text)
    view = state.view()
    drafts: list[Draft] = []
    taken: list[str] = []
    known = 0
    for each in given:
        assert each.body.rule is not None
        m = each.id
        current = view.current(m)
        body = current.decoded() if current else None
        if current is not None and not (isinstance(body, Memory) and body.rule == each.body.rule):
            m = rule_id(each.body.rule)
            current = view.current(m)
        if current is not None or m in taken:
            known += 1
            continue
        parents = tuple(record.id for record in view.heads(m))
        drafts.append(Draft(each.body, m=m, parents=parents, origin=origin))
        why = f"imported from {name}" if name else "imported"
        step = RuleEvent(rule=m, to_state="shadow", reason=why, confidence=MILLION // 2, by=IMPORT)
        drafts.append(Draft(step, origin=origin))
        taken.append(m)
    before = state.journal.redactions
    if drafts:
        state.journal.append(drafts, request)
    return {
        "schema": SCHEMA,
        "imported": taken,
        "known": known,
        "redacted": state.journal.redactions - before,
    }


def _items(state: State) -> list[Item]:
    return [item for item in state.items() if item.kind == "rule"]


def _memory(state: State, item: Item) -> Memory | None:
    current = state.view().current(item.id)
    body = current.decoded() if current else None
    return body if isinstance(body, Memory) and body.rule is not None else None


def _find(state: State, word: str) -> tuple[Item, Memory] | None:
    """The rule whose id, or whose hash, begins so; None for none or several."""
    asked = word.strip().lower()
    if len(asked) < 4 or any(letter not in "0123456789abcdef" for letter in asked):
        return None
    found = [
        item
        for item in _items(state)
        if item.id.startswith(asked) or (len(asked) >= LEAST_HASH and item.head.startswith(asked))
    ]
    memory = _memory(state, found[0]) if len(found) == 1 else None
    return (found[0], memory) if memory is not None else None


def _one(state: State, word: str) -> tuple[Item, Memory]:
    found = _find(state, word)
    if found is None:
        m = resolve(state, word)  # says what is wrong with it
        raise UsageError(f"{m[:12]} is no rule", "List the rules with `cortex rules list`.")
    return found


def _entry(state: State, item: Item, here: Mapping[str, str]) -> RuleEntry:
    memory, last = _memory(state, item), _last(state, item.id)
    pattern = memory.rule if memory is not None and memory.rule is not None else Pattern()
    pulled = item.trust == "pulled"
    return {
        "id": item.id,
        "hash": item.head,
        "title": item.title,
        "language": item.language,
        "scope": item.scope,
        "state": "pulled" if pulled else item.status,
        "by": last.by if last and not pulled else "",
        "trust": item.trust,
        "author": item.author,
        "created": item.created,
        "pattern": pattern.pattern,
        "rewrite": pattern.rewrite,
        "support": last.support if last else item.support,
        "commits": last.commits if last else 0,
        "against": item.against,
        "good": max(0, item.support - last.support) if last else 0,
        "confidence": last.confidence / MILLION if last else 0.0,
        "reason": last.reason if last else "",
        "here": here.get(item.id, ""),
    }


def _places(pattern: Pattern, texts: Any, limit: int) -> tuple[list[RulePlace], int]:
    """The first places of a pattern in texts (path, text), and how many there are."""
    out: list[RulePlace] = []
    total = 0
    ready: dict[str, Compiled | None] = {}
    for path, text in texts:
        language = language_of(path) or ""
        if language not in ready:
            ready[language] = compile(pattern, language) if speaks(pattern, language) else None
        compiled = ready[language]
        for match in compiled.find(text, path=path) if compiled else ():
            total += 1
            if len(out) < limit:
                out.append(
                    {
                        "path": path,
                        "line": match.line,
                        "column": match.column,
                        "before": match.text,
                        "after": match.rewrite,
                    }
                )
    return out, total


def _events(state: State, rule: str) -> list[Record]:
    return [each for each in state.view().of_kind(RuleEvent.KIND) if each.body.get("rule") == rule]


def _last(state: State, rule: str) -> RuleEvent | None:
    """The last step that was made here, else the last that others made."""
    events = _events(state, rule)
    own = [record for record in events if record.w == state.journal.writer]
    body = (own or events)[-1].decoded() if events else None
    return body if isinstance(body, RuleEvent) else None


def _step(record: Record) -> RuleStep:
    event = record.decoded()
    assert isinstance(event, RuleEvent)
    return {
        "time": record.t,
        "from": event.from_state,
        "to": event.to_state,
        "by": event.by,
        "reason": event.reason,
        "support": event.support,
        "commits": event.commits,
        "matched": event.matched,
        "stood": event.stood,
        "changed": event.changed,
        "confidence": event.confidence / MILLION,
    }
