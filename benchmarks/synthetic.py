"""Made-up stores and repositories: corrections, notes and rules from a seed, files by git fast-import."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from measuring import git

from cortex.models import descriptions
from cortex.models.merges import Merges
from cortex.store.journal import FileJournal
from cortex.store.kinds import MILLION, Correction, Hole, Memory, Pattern, RuleEvent
from cortex.store.record import Draft

AUTHOR = "Ada Byron <ada@example.org>"
_NOUNS = """account address alarm archive asset badge basket batch bill block bridge bucket budget buffer cache
calendar carrier cart catalog channel chart claim client cluster column comment config contact contract coupon
cursor customer dataset deadline delivery device digest discount document domain draft driver email employee
endpoint event export feature feed field filter folder form frame gateway grant graph group handle header image
import index inventory invoice item journal label ledger lesson license limit list lock mailbox market matrix
message metric mirror model module monitor network node notice offer order owner package page parcel partner
password patch payment period permit person photo pipeline player pocket point policy pool price printer
product profile project queue quote range rate reader receipt record region release report request reserve
result review role route rule sample schedule schema score screen search season secret segment sensor series
server session shard shipment signal site slot snapshot socket source stage station status stock stream
subject summary survey switch symbol table tag target task team template tenant terminal ticket timer token
topic trace track trade transfer tree trigger user vector vendor version video visit voucher wallet warehouse
window worker zone"""
_VERBS = """accept add apply archive assign build cancel check claim clean close collect commit compare compute
convert copy count create decode delete deliver drop encode enter expand export extract fetch filter find flush
format freeze grant group handle hide import insert join list load lock map mark match measure merge move notify
open pack parse pause pick plan poll print process prune publish pull push queue read receive record refresh
register release remove rename render repair replace report reset resolve restore resume return review revoke
route save scan schedule search select send sign skip sort split start stop store submit sync tag test trace
track transfer trim unlock update upload validate verify visit wait warn watch write"""
NOUNS, VERBS = _NOUNS.split(), _VERBS.split()
_NAMES = [noun for noun in NOUNS if noun not in ("import", "package", "range", "switch")]  # no keyword
_MARK = re.compile("VERB|NOUN|OTHER|CALL|AT")
PLACES = ("api", "core", "jobs", "models", "services", "tests", "tools", "web")
ENDINGS = {"python": "py", "go": "go", "typescript": "ts", "javascript": "js"}
LANGUAGES = tuple(ENDINGS)
STRICT = {
    "python": "strict=True",
    "go": "Strict",
    "typescript": "{ strict: true }",
    "javascript": "{ strict: true }",
}
_SCRIPT = """
/** Handle one NOUN. */
export function VERB_NOUN_AT(NOUN, OTHER = null) {
  if (OTHER === null) {
    OTHER = settings.OTHER;
  }
  const found = CALL;
  return found.filter((each) => each.NOUN > AT);
}
"""
#: The head of a file, and one function in it.
_FORMS = {
    "python": (
        "from service import client, settings\n",
        """
def VERB_NOUN_AT(NOUN, OTHER=None):
    \"\"\"Handle one NOUN.\"\"\"
    if OTHER is None:
        OTHER = settings.OTHER
    found = CALL
    return [each for each in found if each.NOUN > AT]
""",
    ),
    "go": (
        'package service\n\nimport "example.org/service/client"\n',
        """
// VERB_NOUN_AT handles one NOUN.
func VERB_NOUN_AT(NOUN, OTHER *Value) ([]Item, error) {
	found, err := CALL
	if err != nil {
		return nil, fmt.Errorf("NOUN: %w", err)
	}
	return found[AT:], nil
}
""",
    ),
    "javascript": ('import { client, settings } from "service";\n', _SCRIPT),
    "typescript": (
        'import { client, settings } from "service";\n',
        _SCRIPT.replace("(NOUN, OTHER = null)", "(NOUN: Value, OTHER: Value | null = null): Item[]"),
    ),
}


def memories(store: Path, count: int, rules: int = 50, seed: int = 1) -> None:
    """Write `count` memories through the journal: corrections and notes, and `rules` active rules."""
    journal = FileJournal(store, AUTHOR)
    chance = random.Random(seed)
    waiting: list[Draft] = []
    for number in range(count):
        if number < rules:
            waiting += rule(number)
        else:
            waiting.append(Draft(lesson(chance, number), origin="history"))
        if len(waiting) >= 2_000:
            journal.append(waiting)
            waiting = []
    if waiting:
        journal.append(waiting)
    journal.seal()


@lru_cache(maxsize=1)
def vocabulary() -> tuple[list[str], list[float]]:
    """The 6,000 commonest words of the token counter's vocabulary, and their weights, which follow Zipf's law."""
    known = Merges(descriptions.read(descriptions.COUNTER)).tokenizer().get_vocab()
    common = sorted(known, key=known.__getitem__)
    words = [word[1:] for word in common if re.fullmatch("Ġ[a-z]{4,12}", word)][:6_000]
    return words, list(itertools.accumulate(1 / (rank + 10) for rank in range(len(words))))


def words(chance: random.Random, count: int) -> list[str]:
    """So many words, common ones more often."""
    known, weights = vocabulary()
    return chance.choices(known, cum_weights=weights, k=count)


@lru_cache(maxsize=1)
def names() -> tuple[list[str], list[float]]:
    """20,000 identifiers of two words, as a large project has them, and their weights."""
    chance = random.Random(20)
    found = list(dict.fromkeys("_".join(words(chance, 2)) for _ in range(40_000)))[:20_000]
    return found, list(itertools.accumulate(1 / (rank + 10) for rank in range(len(found))))


def lesson(chance: random.Random, number: int) -> Correction | Memory:
    """One lesson: four in five are corrections, the others are notes."""
    known, weights = names()
    call, target, argument, where = chance.choices(known, cum_weights=weights, k=4)
    verb, noun, other = words(chance, 3)
    language = chance.choice(tuple(ENDINGS))
    path = f"src/{chance.choice(PLACES)}/{where}.{ENDINGS[language]}"
    if number % 5 == 0:
        return Memory(
            title=f"{verb.capitalize()} the {noun} before the {other}",
            text=f"In {path} the {argument} must be there when we {verb} the {noun}; else the {other} is stale.",
            language=language,
            path=path,
        )
    return Correction(
        before=f"{target} = {call}({argument}, {noun})",
        after=f"{target} = {call}({argument}, {noun}=settings.{noun}, limit={number % 97})",
        path=path,
        line=1 + number % 400,
        language=language,
        category="bug",
        hand="people",
        commit=f"{number:040x}",
        committed=1_700_000_000_000 + number,
        author=AUTHOR,
        subject=f"{verb.capitalize()} {noun}s with their {other}",
        enclosing=f"{verb}_{where}",
        imports=(noun, other),
    )


def questions(count: int, seed: int = 7) -> list[str]:
    """Questions as people put them, about things that the stores know."""
    chance = random.Random(seed)
    out = []
    known, weights = names()
    for _ in range(count):
        verb, noun, other = words(chance, 3)
        name = chance.choices(known, cum_weights=weights)[0]
        out.append(
            chance.choice(
                (
                    f"how do we {verb} the {noun} of a {other}?",
                    f"add a function that does {verb} each {noun} with its {other}",
                    f"{name}({noun}, {other})",
                )
            )
        )
    return out


def rule(number: int) -> list[Draft]:
    """An active rule on the calls of one of four languages: `fetch_account(X)` should say that it is strict.

    From the 50th on, every fifth holds words that many files hold, and matches in none of them.
    """
    language = LANGUAGES[number % len(LANGUAGES)]
    name = _call(number)
    words: tuple[str, ...] = (name,)
    if number >= 50 and number % 5 == 0:
        noun, other = _NAMES[number % len(_NAMES)], _NAMES[number * 7 % len(_NAMES)]
        name, words = f"client.{noun}.{other}", ("client", noun, other)
    pattern = Pattern(
        language=language,
        pattern=f"{name}($A)",
        rewrite=f"{name}($A, {STRICT[language]})",
        context=f"package p\nfunc f() {{ {name}($A) }}" if language == "go" else "",
        selector="call_expression" if language == "go" else "",
        holes=(Hole("A", "identifier"),),
        words=words,
    )
    m = f"{number:032x}"
    event = RuleEvent(
        rule=m, to_state="active", support=3, commits=3, matched=3, changed=3, confidence=MILLION * 9 // 10
    )
    memory = Memory(type="rule", title=f"Call {name} strictly", text="It is lax otherwise.", rule=pattern)
    return [Draft(memory, m=m, origin="history"), Draft(event, origin="history")]


def _call(number: int) -> str:
    return f"{VERBS[number % len(VERBS)]}_{NOUNS[number % len(NOUNS)]}"


def module(number: int, functions: int = 20, calls: int = 2, language: str = "python") -> str:
    """A file of about eight lines a function; `calls` of them break a rule that the first 48 hold."""
    chance = random.Random(number)
    head, function = _FORMS[language]
    out = [head]
    for at in range(functions):
        noun, other = chance.sample(_NAMES, 2)
        rule = (number + at) % 12 * len(LANGUAGES) + LANGUAGES.index(language)
        call = f"{_call(rule)}({noun})" if at < calls else f"client.{noun}({other}, {at})"
        given = {"VERB": chance.choice(VERBS), "NOUN": noun, "OTHER": other, "CALL": call, "AT": str(at)}
        out.append(_MARK.sub(lambda found, given=given: given[found[0]], function))
    return "\n".join(out)


def repository(path: Path, files: int) -> Path:
    """A git repository of `files` small tracked files on `main`, made by git fast-import and checked out."""
    path.mkdir(parents=True)
    git(path, "init", "--quiet")
    git(path, "fast-import", "--quiet", data=b"".join(_stream(files)))
    git(path, "reset", "--quiet", "--hard", "main")
    return path


def _stream(files: int) -> Iterator[bytes]:
    yield b"commit refs/heads/main\ncommitter Ada Byron <ada@example.org> 1700000000 +0000\ndata 5\nBegin\n"
    for number in range(files):
        text = f"def item_{number}(value):\n    return value + {number}\n".encode()
        folder = f"src/part{number // 100:04d}"
        yield f"M 100644 inline {folder}/item_{number:06d}.py\ndata {len(text)}\n".encode() + text + b"\n"
