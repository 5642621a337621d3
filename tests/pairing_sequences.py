"""Synthetic sequences of generating, editing and committing, with a truth of their own.

The truth is read from statements alone (`pairing_model`), and knows nothing of how lines are compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pairing_model import PERSON, Files, Result, Said, Statement, Truth, by_id
from pairing_operations import AFTER, BEFORE, Operations

from cortex.learning.live.commits import learn_commits
from cortex.store.kinds import Correction, Outcome

__all__ = ["Result", "Sequence", "Truth"]


class Sequence(Operations):
    """Plays operations by chance, and compares what was learnt with what is true."""

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
            there = by_id(said.files)
            homes = self._homes(me, said)
            touched = any(self._text(said.files, path) != self._text(before, path) for path in homes)
            waits = any(
                n in known and n not in there and any(v.writer == me for v in each.versions)
                for n, each in by_id(said.tree).items()
            )
            if said.reverts is not None:
                if found.verdict and found.commit == said.reverts.sha:
                    found = Truth(self._verdict(me, there), said.sha)
            elif not found.verdict and touched and not waits and me < said.made:
                found = Truth(self._verdict(me, there), said.sha)
            elif found.verdict and found.verdict != "rejected" and not said.formatter:
                old = by_id(before)
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
            truth = self.truth(n)
            picked = self.picks.get(got.commit)
            # A commit and its pick to another branch hold the same: learnt at once, either may be named.
            if picked is not None and got.verdict == truth.verdict == self._verdict(n, by_id(picked)):
                truth = got
            self.result.told.append((truth, got))
        self._corrections([r.decoded() for r in view.of_kind("correction")])  # type: ignore[misc]
        found_thoughts = sum(each.second_thoughts for bodies in outcomes.values() for each in bodies)
        decided = {n for n, (truth, _) in enumerate(self.result.told) if truth.verdict}
        self.result.thoughts = (len(decided & self.thoughts), found_thoughts)

    def _corrections(self, found: list[Correction]) -> None:
        wanted: dict[tuple[str, str], str] = {}
        seen = [*self.history, *(self.aside if self.often else [])]
        for said in seen:
            for each in by_id(said.files).values():
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
            yield list(by_id(said.files).values())

    def _odd(self) -> set[str]:
        """Calls of statements that a person put in or took out: an edit of these may be learnt or not."""
        there = set(by_id(self.history[-1].files))
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
