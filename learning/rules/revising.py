"""Rules in the journal: revised as corrections come, each step a record with its reason."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...analyzers.fragments import fragments
from ...analyzers.patterns import TOKENS, compile
from ...store.kinds import MILLION, Correction, Memory, Pattern, RuleEvent
from ...store.protocols import Journal
from ...store.record import Draft
from .backtest import BackTest, Earlier, backtests, speaks
from .generalise import Candidate, generalise
from .known import Known
from .lifecycle import ACTIVE, CANDIDATE, SHADOW, Decision, Evidence, Settings, corrected, decide
from .narrowing import Where, is_kept_out, narrowed, place
from .tokens import rewrites, token_rules
from .underway import wraps

ORIGIN = "rules"
#: Who decided a step of a rule, where the lifecycle did not.
PERSON, IMPORT = "person", "import"
#: The text of a path just before a commit; None where there was no such file.
Before = Callable[[str, str], str | None]
MAX_PROVENANCE = 200
#: A rule that stays in its state is spoken of again when its counts moved by more than this share.
NOTABLY = 0.2


def revise(
    journal: Journal,
    files: Iterable[tuple[str, str]] = (),
    settings: Settings | None = None,
    *,
    recent: Collection[str] = (),
    before: Before | None = None,
) -> list[RuleEvent]:
    """Bring the rules up to date with the corrections in the journal; returns the steps that rules made.

    `files` is the accepted code (path, text); `recent` are the commits of a change that is in progress; `before`
    gives the text of a path just before a commit, so that fresh use of the old form is told from old. New
    corrections extend a rule that already rewrites them rather than making a twin. The same input again writes
    no record.
    """
    settings = settings or Settings()
    known = Known(journal)
    candidates = generalise(list(known.corrections.items()), settings.min_support)
    explained = {m for candidate in candidates for m in candidate.support}
    candidates += token_rules(list(known.corrections.items()), explained, settings.min_support)
    plans = [_narrowed(known, plan) for plan in _plans(known, candidates)]
    if not plans:
        return []
    touched = [frozenset(known.corrections[m].path for m in plan.support) for plan in plans]
    earlier = [_earlier(known, plan, before) for plan in plans]
    tests = backtests(
        [plan.pattern for plan in plans], files, list(known.corrections.values()), touched, earlier
    )
    chosen = _choose(known, plans, tests, settings, recent)
    drafts: list[Draft] = []
    steps: list[RuleEvent] = []
    for plan, test, decision in chosen:
        drafts += _memory(known, plan)
        last = known.events.get(plan.rule)
        event = _event(known, plan, test, _held(last, decision))
        if last is None or plan.narrowed or _news(last, event):
            drafts.append(Draft(event, origin=ORIGIN))
            if last is None or plan.narrowed or last.to_state != event.to_state:
                steps.append(event)
    if drafts:
        journal.append(drafts)
    return steps


def _earlier(known: Known, plan: _Plan, before: Before | None) -> Earlier | None:
    """What a file held before the first of a plan's corrections."""
    dated = [known.corrections[m] for m in plan.support]
    first = min((each for each in dated if each.commit), key=lambda each: each.committed, default=None)
    if before is None or first is None:
        return None
    commit = first.commit
    return lambda path: before(commit, path)


@dataclass(frozen=True)
class _Plan:
    """A rule as it might be from now on; `rivals` of one cluster exclude each other."""

    rule: str
    pattern: Pattern
    support: tuple[str, ...]
    title: str
    text: str
    cluster: str
    reversed_by: int = 0
    weak: bool = False
    wide: bool = False
    narrowed: str = ""  # why it holds in fewer places from now on


def _plans(known: Known, candidates: Sequence[Candidate]) -> list[_Plan]:
    """Existing rules with their support brought up to date, and candidates that are not among them."""
    plans: list[_Plan] = []
    reverse = {(c.pattern.pattern, c.pattern.rewrite): c for c in candidates}
    for rule, memory in known.rules.items():
        assert memory.rule is not None
        same = reverse.get((memory.rule.pattern, memory.rule.rewrite))
        plans.append(
            _Plan(
                rule,
                memory.rule,
                rewritten(memory.rule, known.corrections),
                memory.title,
                memory.text,
                f"={rule}",
                same.reversed_by if same else 0,
                same.weak if same else _is_weak(memory.rule),
                same.wide if same else False,
            )
        )
    held = [(plan, set(plan.support)) for plan in plans if plan.support]
    for candidate in candidates:
        support = set(candidate.support)
        # A rule that holds all of them, or nothing but some of them, is this one in another width.
        kin = next((plan for plan, other in held if other <= support or support <= other), None)
        if kin is not None and (kin.pattern.pattern, kin.pattern.rewrite) == (
            candidate.pattern.pattern,
            candidate.pattern.rewrite,
        ):
            continue
        rule = kin.rule if kin is not None else rule_id(candidate.pattern)
        if known.forgotten(candidate.support):
            continue
        plans.append(
            _Plan(
                rule,
                candidate.pattern,
                candidate.support,
                candidate.title,
                candidate.text,
                kin.cluster if kin is not None else candidate.cluster,
                candidate.reversed_by,
                candidate.weak,
                candidate.wide,
            )
        )
    return plans


def _narrowed(known: Known, plan: _Plan) -> _Plan:
    """The plan kept from the places that people left as they were, where something tells those from its examples.

    What a person said of a rule they said of it as it reads: that one is left alone.
    """
    left = known.places.get((plan.rule, "left"), [])
    last = known.events.get(plan.rule)
    if not left or (last is not None and last.by == PERSON):
        return plan
    kept = [place(known.corrections[m]) for m in plan.support] + known.places.get((plan.rule, "taken"), [])
    found = narrowed(plan.pattern, kept, left) if kept else None
    return plan if found is None else replace(plan, pattern=found[0], narrowed=found[1])


def rule_id(pattern: Pattern) -> str:
    """The memory id of a rule: of its text, so that two clones that learn the same rule have one rule."""
    said = "\0".join((pattern.language, pattern.pattern, pattern.rewrite, pattern.selector))
    return hashlib.sha256(b"cortex rule\0" + said.encode("utf-8", "replace")).hexdigest()[:32]


def _is_weak(pattern: Pattern) -> bool:
    return not any(word.isidentifier() for word in pattern.words)


def rewritten(pattern: Pattern, corrections: Mapping[str, Correction]) -> tuple[str, ...]:
    """The corrections that the pattern matches before, and whose after its rewrite gives."""
    out = []
    for m, correction in sorted(corrections.items()):
        if not speaks(pattern, correction.language) or not all(w in correction.before for w in pattern.words):
            continue
        if pattern.selector == TOKENS:
            out += [m] if rewrites(pattern, correction) else []
            continue
        compiled = compile(pattern, correction.language)
        sides = fragments(correction.before, correction.after, correction.language)
        if compiled is None or sides is None:
            continue
        after = sides[1].program
        for match in compiled.find(sides[0].program, path=correction.path, piece=True):
            done = sides[0].program[: match.start] + match.rewrite + sides[0].program[match.end :]
            if _alike(done, after) or (match.rewrite in after and match.text not in after):
                out.append(m)
                break
    return tuple(out)


def _alike(one: str, other: str) -> bool:
    return "".join(one.split()).replace("'", '"') == "".join(other.split()).replace("'", '"')


def _choose(
    known: Known,
    plans: Sequence[_Plan],
    tests: Sequence[BackTest],
    settings: Settings,
    recent: Collection[str],
) -> list[tuple[_Plan, BackTest, Decision]]:
    """Of each cluster the first plan that may warn, else the surest; of one rule, the widest plan."""
    clusters: defaultdict[str, list[tuple[_Plan, BackTest, Decision]]] = defaultdict(list)
    for plan, test in zip(plans, tests, strict=True):
        decision = decide(_evidence(known, plan, settings, recent), test, settings)
        clusters[plan.cluster].append((plan, test, decision))
    chosen = []
    for cluster, rivals in clusters.items():
        if cluster.startswith("=") and (own := _as_it_reads(known, rivals)):
            pick = own
        elif cluster.startswith("="):
            # A known rule changes its pattern for one that may warn where it may not, or that holds more.
            pick = max(rivals, key=lambda each: (each[2].state == ACTIVE, len(each[0].support)))
        else:
            # The widest comes first while its change is under way: else it may not warn.
            ordered = sorted(rivals, key=lambda each: not each[0].wide)
            active = next((each for each in ordered if each[2].state == ACTIVE), None)
            pick = active or max(rivals, key=lambda each: (not each[0].wide, each[2].confidence))
        if pick[0].rule in known.rules or _worth_keeping(known, pick):
            chosen.append(pick)
    return _without_twins(chosen, known)


def _as_it_reads(
    known: Known, rivals: Sequence[tuple[_Plan, BackTest, Decision]]
) -> tuple[_Plan, BackTest, Decision] | None:
    """The plan that leaves a rule as it is, where a person spoke of it as it reads or brought it in."""
    rule = rivals[0][0].rule
    last = known.events.get(rule)
    if last is None or not last.by or rule not in known.rules:
        return None
    return next((each for each in rivals if each[0].pattern == known.rules[rule].rule), None)


def _worth_keeping(known: Known, chosen: tuple[_Plan, BackTest, Decision]) -> bool:
    """Whether a new rule is written down at all: not one that is wrong at birth, and of those that wait for
    more corrections only what was seen live; the past is full of them.
    """
    plan, _, decision = chosen
    if decision.state == CANDIDATE:
        return any(known.records[m].origin != "history" for m in plan.support)
    return decision.state in (SHADOW, ACTIVE)


def _without_twins(
    chosen: list[tuple[_Plan, BackTest, Decision]], known: Known
) -> list[tuple[_Plan, BackTest, Decision]]:
    """New rules whose corrections another rule rewrites already say nothing new."""
    out: list[tuple[_Plan, BackTest, Decision]] = []
    order = sorted(
        chosen, key=lambda each: (each[0].rule not in known.rules, -len(each[0].support), each[0].rule)
    )
    for each in order:
        support = set(each[0].support)
        if each[0].rule in known.rules or not any(support <= set(other[0].support) for other in out):
            out.append(each)
    return out


def _evidence(known: Known, plan: _Plan, settings: Settings, recent: Collection[str]) -> Evidence:
    supporting = [known.corrections[m] for m in plan.support]
    commits = {correction.commit or m for m, correction in zip(plan.support, supporting, strict=True)}
    live = any(
        known.records[m].origin != "history" and known.corrections[m].hand in ("person", "directed")
        for m in plan.support
    )
    good = known.good[plan.rule] + sum(known.good[m] > 0 for m in plan.support)
    return Evidence(
        support=len(supporting),
        weight=sum(correction.weight for correction in supporting) / MILLION,
        commits=len(commits),
        confirmed=live or good > 0,
        in_progress=sum(correction.commit in recent for correction in supporting) >= settings.min_support,
        wrong=known.wrong[plan.rule],
        good=known.good[plan.rule],
        reversed_by=plan.reversed_by,
        weak=plan.weak,
        shown_left=sum(not is_kept_out(plan.pattern, each) for each in _places(known, plan, "left")),
        shown_taken=len(_places(known, plan, "taken")),
        wraps=wraps(plan.pattern),
        wide=plan.wide,
        habit=sum(bool(correction.agent) for correction in supporting) / max(1, len(supporting)),
    )


def _places(known: Known, plan: _Plan, verdict: str) -> Sequence[Where]:
    return known.places.get((plan.rule, verdict), [])


def _memory(known: Known, plan: _Plan) -> list[Draft]:
    """The rule's memory, where it is new or says something new."""
    provenance = tuple(sorted(plan.support))[:MAX_PROVENANCE]
    old = known.rules.get(plan.rule)
    if old is not None and not plan.support:
        return []
    first = known.corrections[plan.support[0]]
    body = replace(
        old or Memory(type="rule", scope="project"),
        title=plan.title,
        text=plan.text,
        language=plan.pattern.language,
        framework=first.framework if len({known.corrections[m].framework for m in plan.support}) == 1 else "",
        reason=_reason([known.corrections[m] for m in plan.support]),
        provenance=provenance,
        rule=plan.pattern,
    )
    if body == old:
        return []
    parents = tuple(record.id for record in known.view.heads(plan.rule))
    return [Draft(body, m=plan.rule, parents=parents, origin=ORIGIN)]


def _reason(supporting: Sequence[Correction]) -> str:
    """Why, as the commits that corrected said it: their subjects, each once."""
    subjects = dict.fromkeys(
        correction.subject.strip() for correction in supporting if correction.subject.strip()
    )
    return "; ".join(list(subjects)[:3])


def _held(last: RuleEvent | None, decision: Decision) -> Decision:
    """The decision as far as it is open: a person's word stands, and what was imported does not fall below shadow."""
    if last is not None and last.by == PERSON:
        return replace(decision, state=last.to_state, reason="as a person said")
    if last is not None and last.by == IMPORT and decision.state == CANDIDATE:
        return replace(decision, state=SHADOW, reason="imported; silent until corrections confirm it")
    return decision


def _event(known: Known, plan: _Plan, test: BackTest, decision: Decision) -> RuleEvent:
    last = known.events.get(plan.rule)
    commits = {known.corrections[m].commit or m for m in plan.support}
    return RuleEvent(
        rule=plan.rule,
        from_state=last.to_state if last else "",
        to_state=decision.state,
        reason=f"{plan.narrowed}; {decision.reason}"
        if plan.narrowed
        else _still(last, decision, len(plan.support), len(commits))
        if last is not None and last.to_state == decision.state
        else decision.reason,
        support=len(plan.support),
        commits=len(commits),
        matched=test.matched,
        stood=test.stood,
        changed=test.changed,
        against=test.stood + plan.reversed_by,
        confidence=round(decision.confidence * MILLION),
        by=last.by if last is not None and last.to_state == decision.state else "",
    )


def _still(last: RuleEvent, decision: Decision, support: int, commits: int) -> str:
    """The reason of a step that leaves a rule in its state: what there is more of, or less."""
    now = corrected(support, commits)
    before = corrected(last.support, last.commits).partition(" ")[2]
    what = (
        f"{now}, before {before}" if (support, commits) != (last.support, last.commits) else "surer or less"
    )
    return f"still {decision.state}, {what}; {decision.reason}"


def _news(last: RuleEvent, event: RuleEvent) -> bool:
    """Whether the new step says more than the last: another state, or counts that moved notably."""
    if last.to_state != event.to_state:
        return True
    pairs = ((last.support, event.support), (last.commits, event.commits))
    if any(abs(new - old) > NOTABLY * old for old, new in pairs):
        return True
    return abs(last.confidence - event.confidence) > MILLION // 20
