"""Synthetic sequences of generating, editing and committing, with a truth of their own.

A file is a list of blocks, a block a list of statements, and a statement a list of versions, each with its
writer. Operations change statements, never text, and the truth is read from the statements alone: nothing here
knows how lines are compared. Every statement has words of its own, so that what was learnt can be told apart.
"""

from __future__ import annotations

import copy
import os
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cortex.learning import refs
from cortex.learning.live import learn_commits
from cortex.repo.open import open_repository
from cortex.repo.places import find
from cortex.store.blobs import Blobs
from cortex.store.journal import FileJournal
from cortex.store.kinds import Correction, Execution, Generation, Outcome
from cortex.store.layout import create

PERSON = -1
ENDINGS = {"py": ".py", "go": ".go", "js": ".js", "ts": ".ts"}
START = 1_700_000_000
HOUR = 3600
#: What may happen before a commit, and how a commit is made or rewritten; weights by how common it is.
BEFORE = {"edit": 5, "format": 3, "rename": 2, "move": 2, "split": 2, "again": 3, "told": 3, "thought": 2, "drop": 2,
          "insert": 2, "reject": 2, "more": 3, "own": 2}  # fmt: skip
AFTER = {"none": 4, "amend": 2, "amended edit": 2, "rebase": 2, "squash": 2, "forge": 2, "pick": 2, "revert": 2,
         "later": 4, "later format": 2}  # fmt: skip


@dataclass
class Version:
    """One wording of a statement: `call` is the word that an edit changes."""

    writer: int
    call: str


@dataclass
class Statement:
    """One line of code; equal ids in two snapshots are one statement."""

    id: int
    name: str
    words: tuple[str, str]
    versions: list[Version]

    @property
    def now(self) -> Version:
        return self.versions[-1]


@dataclass
class Block:
    """One function; `tidy` once a formatter went over it."""

    name: str
    statements: list[Statement]
    tidy: bool = False


Files = dict[str, list[Block]]


@dataclass
class Said:
    """One commit of the model: what it holds, and what the work tree held beside it."""

    sha: str
    files: Files
    tree: Files
    made: int = 0  # how many generations there were
    reverts: Said | None = None
    formatter: bool = False


@dataclass
class Truth:
    """What is true of one generation: `verdict` is empty while it waits for a commit."""

    verdict: str
    commit: str


@dataclass
class Result:
    """One sequence: what was true and what was found, generation by generation; what of corrections was wrong."""

    seed: int
    operations: list[str]
    told: list[tuple[Truth, Truth]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    true_corrections: int = 0
    kinds: Counter[str] = field(default_factory=Counter)  # of hand, of the true ones
    thoughts: tuple[int, int] = (0, 0)  # true, found
    again: int = 0  # records written when the same commits were learnt once more


class Sequence:
    """One repository, one assistant, one person; every choice comes from the seed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.result = Result(seed, [])
        self.repo = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.now = START
        self.place = find(folder)
        create(self.place.store)
        self.journal = FileJournal(
            self.place.store, "Ada Byron <ada@example.org>", clock=lambda: self.now * 1000
        )
        self.blobs = Blobs(self.place)
        self.language = self.chance.choice(list(ENDINGS))
        self.files: Files = {}
        self.history: list[Said] = []
        self.aside: list[Said] = []  # observed, and no longer on any branch
        self.generations: list[tuple[str, str]] = []  # (record, path)
        self.tasks: dict[int, tuple[str, str]] = {}  # generation -> (conversation, execution)
        self.inserted: dict[int, int] = {}  # statements that a person put between those of a generation
        self.dropped: set[str] = set()  # calls of statements that a person took out
        self.wrote: dict[int, set[int]] = {}  # generation -> statements of which it wrote a version
        self.number = 0
        self.learnt: list[str] = []
        self.thoughts: set[int] = set()  # the generations that are second thoughts
        self.conversation = "c0"
        self.often = self.chance.random() < 0.7  # learn at each commit, or once at the end

    # What is written where.

    def word(self) -> str:
        """A word that no other statement has."""
        self.number += 1
        syllables = "".join(
            self.chance.choice("bdfgklmnprstvz") + self.chance.choice("aeiou") for _ in range(3)
        )
        return f"{syllables}{self.number}"

    def statement(self, writer: int) -> Statement:
        self.number += 1
        return Statement(self.number, self.word(), (self.word(), self.word()), [Version(writer, self.word())])

    def block(self, writer: int) -> Block:
        return Block(self.word(), [self.statement(writer) for _ in range(self.chance.randint(2, 5))])

    def render(self, blocks: list[Block]) -> str:
        return "\n\n".join(self._function(block) for block in blocks) + "\n" if blocks else ""

    def _function(self, block: Block) -> str:
        rows = [self._line(each, block.tidy) for each in block.statements]
        if self.language == "py":
            return "\n".join([f"def {block.name}(a, b):", *(f"    {row}" for row in rows)])
        if self.language == "go":
            step = "\t" if block.tidy else "    "
            lines = [line for row in rows for line in row.split("\n")]
            return "\n".join([f"func {block.name}(a, b int) {{", *(step + line for line in lines), "}"])
        head = f"function {block.name}(a, b) {{" if block.tidy else f"function {block.name}(a,b){{"
        return "\n".join([head, *(f"  {row}" for row in rows), "}"])

    def _line(self, each: Statement, tidy: bool) -> str:
        call, (first, second) = each.now.call, each.words
        if self.language == "py":
            if tidy:
                return f'{each.name} = {call}(\n        a,\n        {first},\n        "{second}",\n    )'
            return f"{each.name} = {call}(a, {first}, '{second}')"
        if self.language == "go":
            return f'{each.name} := {call}(a, {first}, "{second}")'
        if tidy:
            return f'const {each.name} = {call}(a, {first}, "{second}");'
        return f"const {each.name} = {call}(a,{first},'{second}')"

    def path(self) -> str:
        return self.chance.choice(["", "lib/", "src/"]) + self.word() + ENDINGS[self.language]

    def lay(self) -> None:
        """Write the work tree as the model has it."""
        listed = self.git("ls-files", "--others", "--cached").splitlines()
        for name in listed:
            if name not in self.files and (self.repo / name).exists():
                (self.repo / name).unlink()
        for name, blocks in self.files.items():
            (self.repo / name).parent.mkdir(exist_ok=True, parents=True)
            (self.repo / name).write_text(self.render(blocks))

    def git(self, *words: str, check: bool = True) -> str:
        stamp = f"{getattr(self, 'now', START)} +0000"
        done = subprocess.run(
            ["git", "-c", "user.name=Ada Byron", "-c", "user.email=ada@example.org", "-c", "gc.auto=0", *words],
            cwd=self.repo,
            env={**os.environ, "GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"seed {self.result.seed}: git {words}: {done.stderr}")
        return done.stdout.strip()

    def wait(self, hours: float) -> None:
        self.now += int(hours * HOUR) + 1

    # The assistant.

    def generate(self, path: str, change: str, mode: str = "fresh") -> None:
        """One generation; `mode` says to what it belongs: a fresh task, a new prompt, or the same task."""
        self.wait(self.chance.random())
        me = len(self.generations)
        if mode == "fresh":
            self.conversation = f"c{me}"
        last = self.tasks.get(me - 1)
        if mode == "thought" and last is not None:
            task = last
        else:
            body = Execution(
                task=f"task {me}", agent="claude-code", conversation=self.conversation, prompt=f"p{me}"
            )
            task = (self.conversation, self.journal.put(body).m)
        before = self.render(self.files[path]).encode() if path in self.files else None
        mine: set[int] = set()
        if change == "new":
            self.files[path] = [self.block(me) for _ in range(self.chance.randint(1, 3))]
            mine = {each.id for block in self.files[path] for each in block.statements}
        elif change == "more":
            block = self.block(me)
            self.files[path].append(block)
            mine = {each.id for each in block.statements}
        else:  # rework statements that stand
            standing = [each for block in self.files[path] for each in block.statements]
            if mode == "fresh":
                chosen = [each for each in standing if each.now.writer == PERSON]
            else:
                chosen = [each for each in standing if each.now.writer == me - 1]
            chosen = self.chance.sample(chosen, min(len(chosen), self.chance.randint(1, 2)))
            if not chosen:
                return
            for each in chosen:
                each.versions.append(Version(me, self.word()))
                mine.add(each.id)
            if mode == "thought":
                self.thoughts.add(me)
        self.lay()
        body2 = Generation(
            execution=task[1],
            path=path,
            before=self.blobs.keep(before) if before is not None else "",
            after=self.blobs.keep(self.render(self.files[path]).encode()),
            tool="Write",
            head=self.head(),
        )
        self.generations.append((self.journal.put(body2).m, path))
        self.tasks[me] = task
        self.wrote[me] = mine

    # The person.

    def generated(self) -> list[tuple[str, Block, Statement]]:
        """The statements whose last word was the assistant's."""
        return [
            (path, block, each)
            for path, blocks in self.files.items()
            for block in blocks
            for each in block.statements
            if each.now.writer != PERSON
        ]

    def operate(self, name: str) -> bool:
        """One operation in the work tree; False where there was nothing to do it to."""
        mine = self.generated()
        chance = self.chance
        if name == "edit":
            if not mine:
                return False
            for _, _, each in chance.sample(mine, min(len(mine), chance.randint(1, 3))):
                each.versions.append(Version(PERSON, self.word()))
        elif name == "format":
            blocks = [block for _, block, _ in mine if not block.tidy]
            if not blocks:
                return False
            for block in blocks:
                block.tidy = True
        elif name == "rename":
            if not self.files:
                return False
            old = chance.choice(sorted(self.files))
            self.files[self.path()] = self.files.pop(old)
        elif name in ("move", "split"):
            homes = sorted(path for path, blocks in self.files.items() if len(blocks) > 1)
            if not homes or (name == "move" and len(self.files) < 2):
                return False
            home = chance.choice(homes)
            block = self.files[home].pop(chance.randrange(len(self.files[home])))
            if name == "split":
                self.files[self.path()] = [block]
            else:
                self.files[chance.choice(sorted(set(self.files) - {home}))].append(block)
        elif name == "drop":
            whole = [(block, each) for _, block, each in mine if len(block.statements) > 2]
            if not whole:
                return False
            block, each = chance.choice(whole)
            block.statements.remove(each)
            self.dropped.update(version.call for version in each.versions)
        elif name == "insert":
            gaps = [
                (block, n + 1)
                for blocks in self.files.values()
                for block in blocks
                for n, (one, two) in enumerate(zip(block.statements, block.statements[1:], strict=False))
                if one.now.writer == two.now.writer != PERSON
            ]
            if not gaps:
                return False
            block, at = chance.choice(gaps)
            fresh = self.statement(PERSON)
            self.inserted[fresh.id] = block.statements[at].now.writer
            block.statements.insert(at, fresh)
        elif name == "reject":
            writers = sorted({each.now.writer for _, _, each in mine})
            if not writers:
                return False
            gone = self.wrote[chance.choice(writers)]
            self.dropped.update(v.call for _, _, each in mine if each.id in gone for v in each.versions)
            for path in list(self.files):
                for block in self.files[path]:
                    block.statements = [each for each in block.statements if each.id not in gone]
                self.files[path] = [block for block in self.files[path] if block.statements]
                if not self.files[path]:
                    del self.files[path]
        elif name == "own":
            if not self.files:
                return False
            self.files[chance.choice(sorted(self.files))].insert(0, self.block(PERSON))
        elif name == "more":
            if not self.files or not self.generations:
                return False
            self.generate(chance.choice(sorted(self.files)), "more")
        else:  # again, told, thought
            last = len(self.generations) - 1
            paths = sorted(
                {path for path, _, each in mine if each.now.writer == last}
                if name != "again"
                else {
                    path
                    for path, blocks in self.files.items()
                    for block in blocks
                    for each in block.statements
                    if each.now.writer == PERSON
                }
            )
            if not paths or last < 0:
                return False
            mode = {"again": "fresh", "told": "told", "thought": "thought"}[name]
            self.generate(chance.choice(paths), "rework", mode)
        self.lay()
        return True

    # Commits.

    def commit(self, *, part: bool = False, formatter: bool = False, amend: bool = False) -> None:
        """Commit the work tree, or a part of it as `git add -p` would."""
        self.wait(self.chance.choice([0.2, 2, 30, 70]))
        chosen = copy.deepcopy(self.files)
        if part:
            last = self.history[-1].files if self.history else {}
            there = {block.name for blocks in last.values() for block in blocks}
            fresh = [(path, b) for path, blocks in chosen.items() for b in blocks if b.name not in there]
            if len(fresh) > 1:
                path, held = self.chance.choice(fresh)
                chosen[path].remove(held)
                if not chosen[path]:
                    del chosen[path]
        self.git("read-tree", "--empty")
        for name, blocks in chosen.items():
            blob = subprocess.run(
                ["git", "hash-object", "-w", "--stdin"],
                cwd=self.repo,
                input=self.render(blocks).encode(),
                capture_output=True,
                check=True,
            ).stdout.decode().strip()  # fmt: skip
            self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
        more = ["--amend"] if amend else []
        self.git("commit", "--quiet", "--allow-empty", "-m", f"Work {self.number}", *more)
        said = Said(self.head(), chosen, copy.deepcopy(self.files), len(self.generations), None, formatter)
        if amend:
            self.aside.append(self.history.pop())
        self.history.append(said)
        self.learn()

    def said(self, reverts: Said | None = None) -> Said:
        """The commit that is checked out, with all of the work tree in it."""
        files = copy.deepcopy(self.files)
        return Said(self.head(), files, files, len(self.generations), reverts)

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def learn(self, last: bool = False) -> None:
        if not (self.often or last):
            return
        repository = open_repository(self.place)
        seen = self.place.store / "index" / "refs.json"
        found = refs.scan(repository, seen)
        commits = list(found.commits)
        self.wait(0.1)
        learn_commits(self.place, self.journal, self.blobs, commits, now=self.now * 1000)
        refs.remember(seen, found)
        self.learnt += commits

    def rewrite(self, name: str) -> bool:
        """What happens to the commits after they were made."""
        if name == "none":
            return True
        if name == "amend":
            self.commit(amend=True)
            return True
        if name == "amended edit":
            if not self.operate("edit"):
                return False
            self.commit(amend=True)
            return True
        if name == "later":
            if not self.operate("edit"):
                return False
            self.commit()
            return True
        if name == "later format":
            if not self.operate("format"):
                return False
            self.commit(formatter=True)
            return True
        dirty = self.render_all(self.files) != self.render_all(self.history[-1].files)
        if dirty:
            self.commit()
        self.git("reset", "--quiet", "--hard")
        if name == "revert":
            if len(self.history) < 2:
                return False
            gone = self.history[-1]
            self.wait(1)
            self.git("revert", "--no-edit", "HEAD", check=False)
            if self.head() == gone.sha:
                return False  # an empty commit cannot be taken back
            self.files = copy.deepcopy(self.history[-2].files)
            self.lay()
            self.history.append(self.said(reverts=gone))
        elif name == "squash":
            if len(self.history) < 3:
                return False
            count = self.chance.randint(2, min(3, len(self.history) - 1))
            self.git("reset", "--quiet", "--soft", f"HEAD~{count}")
            self.wait(1)
            self.git("commit", "--quiet", "--allow-empty", "-m", "Squashed")
            self.aside += self.history[-count:]
            self.history[-count:] = [self.said()]
        elif name == "forge":
            if len(self.history) < 3:
                return False
            count = self.chance.randint(1, min(3, len(self.history) - 1))
            self.git("branch", "--force", "side")
            self.git("checkout", "--quiet", "--detach", f"HEAD~{count}")
            self.git("branch", "--force", "main")
            self.git("checkout", "--quiet", "main")
            self.wait(5)
            self.git("merge", "--quiet", "--squash", "side")
            self.git("commit", "--quiet", "--allow-empty", "-m", "Add it (#7)")
            self.git("branch", "-D", "side")
            self.aside += self.history[-count:]
            self.history[-count:] = [self.said()]
        elif name == "rebase":
            if len(self.history) < 2:
                return False
            count = self.chance.randint(1, min(3, len(self.history) - 1))
            self.git("checkout", "--quiet", "--detach", f"HEAD~{count}")
            notes = self.word() + ".txt"
            (self.repo / notes).write_text("notes\n")
            self.git("add", notes)
            self.git("commit", "--quiet", "-m", "Meanwhile")
            onto = self.head()
            self.wait(2)
            self.git("rebase", "--quiet", "--onto", onto, f"main~{count}", "main")
            shas = self.git("rev-list", "--reverse", f"HEAD~{count}..HEAD").split()
            self.aside += [copy.copy(each) for each in self.history[-count:]]
            for said, sha in zip(self.history[-count:], shas, strict=True):
                said.sha = sha
            (self.repo / notes).unlink()
            self.git("checkout", "--quiet", "--", notes)
        elif name == "pick":
            if len(self.history) < 2:
                return False
            picked = self.head()
            self.git("checkout", "--quiet", "-b", "release" + self.word(), "HEAD~1")
            (self.repo / "release.txt").write_text(self.word() + "\n")
            self.git("add", "release.txt")
            self.git("commit", "--quiet", "-m", "Prepare")
            self.wait(1)
            self.git("cherry-pick", "--allow-empty", picked)
            self.learn()
            self.git("checkout", "--quiet", "main")
        self.learn()
        return True

    def render_all(self, files: Files) -> dict[str, str]:
        return {path: self.render(blocks) for path, blocks in files.items()}

    # The whole of it, and the truth.

    def run(self) -> Result:
        """Play the sequence and compare."""
        chance, done = self.chance, self.result.operations
        self.learn(last=True)  # as `cortex init` looks at the branches once
        self.files = {self.path(): [self.block(PERSON) for _ in range(chance.randint(1, 3))]}
        if chance.random() < 0.5:
            self.files[self.path()] = [self.block(PERSON) for _ in range(2)]
        self.lay()
        self.commit()
        for _ in range(chance.randint(1, 3)):
            fresh = chance.random() < 0.5 or not self.files
            path = self.path() if fresh else chance.choice(sorted(self.files))
            if chance.random() < 0.3 and self.operate("own"):
                done.append("own")
                path = path if path in self.files or fresh else sorted(self.files)[0]
            self.generate(path, "new" if fresh else chance.choice(["more", "more", "rework"]))
            done.append("generate")
            for name in chance.choices(list(BEFORE), list(BEFORE.values()), k=chance.randint(0, 4)):
                if self.operate(name):
                    done.append(name)
            if chance.random() < 0.2:
                self.commit(part=True)
                done.append("part")
            self.commit()
            name = chance.choices(list(AFTER), list(AFTER.values()))[0]
            if self.rewrite(name):
                done.append(name)
        self.learn(last=True)
        self.compare()
        count = sum(1 for _ in self.journal.records())
        self.wait(0.1)
        learn_commits(
            self.place, self.journal, self.blobs,
            [each.sha for each in self.history], now=self.now * 1000,
        )  # fmt: skip
        self.result.again = sum(1 for _ in self.journal.records()) - count
        return self.result

    def truth(self, me: int) -> Truth:
        """The fate of one generation by the commits that are on the branch in the end."""
        found = Truth("", "")
        known = self.wrote[me]
        before: Files = {}
        for said in self.history:
            there = _by_id(said.files)
            homes = self._homes(me, said)
            touched = any(self._text(said.files, path) != self._text(before, path) for path in homes)
            waits = any(
                n in known and n not in there and any(v.writer == me for v in each.versions)
                for n, each in _by_id(said.tree).items()
            )
            if said.reverts is not None:
                if found.verdict and found.commit == said.reverts.sha:
                    found = Truth(self._verdict(me, there), said.sha)
            elif not found.verdict and touched and not waits and me < said.made:
                found = Truth(self._verdict(me, there), said.sha)
            elif found.verdict and found.verdict != "rejected" and not said.formatter:
                old = _by_id(before)
                if any(
                    n in old
                    and n in there
                    and old[n].now.writer == me
                    and self._hand(me, there[n].now.writer)
                    for n in known
                ):
                    found = Truth(self._verdict(me, there), said.sha)
            before = said.files
        return found

    def _homes(self, me: int, said: Said) -> set[str]:
        """The files that hold, or held, what the generation wrote."""
        homes = {self.generations[me][1]}
        for files in (said.files, said.tree):
            for path, blocks in files.items():
                if any(each.id in self.wrote[me] for block in blocks for each in block.statements):
                    homes.add(path)
        return homes

    def _text(self, files: Files, path: str) -> str:
        return self.render(files.get(path, []))

    def _verdict(self, me: int, there: dict[int, Statement]) -> str:
        kept = changed = gone = 0
        for n in self.wrote[me]:
            each = there.get(n)
            if each is None or all(v.writer != me for v in each.versions):
                gone += 1
            elif each.now.writer == me:
                kept += 1
            else:
                changed += 1
        if not kept and not changed:
            return "rejected"
        return "edited" if changed or gone or self._has_insert(me, there) else "accepted"

    def _has_insert(self, me: int, there: dict[int, Statement]) -> bool:
        return any(writer == me and n in there for n, writer in self.inserted.items())

    def compare(self) -> None:
        """Fill the result."""
        view = self.journal.view()
        outcomes: dict[str, list[Outcome]] = {}
        for record in view.of_kind("outcome"):
            body = record.decoded()
            assert isinstance(body, Outcome)
            outcomes.setdefault(body.generation, []).append(body)
        for n, (m, _) in enumerate(self.generations):
            found = outcomes.get(m, [])
            assert len(found) <= 1
            got = Truth(found[0].verdict, found[0].commit) if found else Truth("", "")
            self.result.told.append((self.truth(n), got))
        self._corrections([r.decoded() for r in view.of_kind("correction")])  # type: ignore[misc]
        found_thoughts = sum(each.second_thoughts for bodies in outcomes.values() for each in bodies)
        decided = {n for n, (truth, _) in enumerate(self.result.told) if truth.verdict}
        self.result.thoughts = (len(decided & self.thoughts), found_thoughts)

    def _corrections(self, found: list[Correction]) -> None:
        wanted: dict[tuple[str, str], str] = {}
        seen = [*self.history, *(self.aside if self.often else [])]
        for said in seen:
            for each in _by_id(said.files).values():
                for old, new in zip(each.versions, each.versions[1:], strict=False):
                    if old.writer == PERSON:
                        continue
                    if new is not each.now:
                        continue
                    hand = self._hand(old.writer, new.writer)
                    if hand:
                        wanted[(old.call, new.call)] = hand
        covered: Counter[tuple[str, str]] = Counter()
        for body in found:
            pairs = [
                pair
                for pair, hand in wanted.items()
                if hand == body.hand and pair[0] in body.before and pair[1] in body.after
            ]
            covered.update(pairs)
            known = any(pair[0] in body.before and pair[1] in body.after for pair in wanted)
            odd = any(word in body.before + body.after for word in self._odd())
            if not pairs and body.category != "evolution" and (known or not odd):
                self.result.invented.append(f"{body.hand}: {body.before!r} -> {body.after!r}")
        self.result.true_corrections = len(wanted)
        self.result.kinds.update(wanted.values())
        self.result.missed += [f"{hand}: {pair}" for pair, hand in wanted.items() if not covered[pair]]
        self.result.twice += [f"{pair} × {count}" for pair, count in covered.items() if count > 1]

    def everything(self) -> Iterator[list[Statement]]:
        for said in (*self.history, *self.aside):
            yield list(_by_id(said.files).values())

    def _odd(self) -> set[str]:
        """Calls of statements that a person put in or took out: an edit of these may be learnt or not."""
        there = set(_by_id(self.history[-1].files))
        out = set()
        for statements in self.everything():
            for each in statements:
                if each.id in self.inserted or each.id not in there:
                    out.update(version.call for version in each.versions)
        return out | self.dropped

    def _hand(self, old: int, new: int) -> str:
        if new == PERSON:
            return "person"
        if new == old:
            return ""
        if self.tasks[old][0] == self.tasks[new][0] and self.tasks[old][1] != self.tasks[new][1]:
            return "directed"
        return ""


def _by_id(files: Files) -> dict[int, Statement]:
    return {each.id: each for blocks in files.values() for block in blocks for each in block.statements}
