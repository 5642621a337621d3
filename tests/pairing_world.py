"""A repository with an assistant and a person, which writes down what a model of statements says.

Operations change statements, never text: nothing here knows how lines are compared.
"""

from __future__ import annotations

import copy
import os
import random
import subprocess
from pathlib import Path

from pairing_model import PERSON, Block, Files, Result, Said, Statement, Version

from cortex.learning.live.commits import learn_commits
from cortex.learning.past import refs
from cortex.repo.open import open_repository
from cortex.repo.places import find
from cortex.store.blobs import Blobs
from cortex.store.journal import FileJournal
from cortex.store.kinds import Execution, Generation
from cortex.store.layout import create

ENDINGS = {"py": ".py", "go": ".go", "js": ".js", "ts": ".ts"}
START = 1_700_000_000
HOUR = 3600


class World:
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
        self.picks: dict[str, Files] = {}  # commits that were picked to another branch
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

    def render_all(self, files: Files) -> dict[str, str]:
        return {path: self.render(blocks) for path, blocks in files.items()}
