"""What may happen to generated code before a commit, and to commits after they were made."""

from __future__ import annotations

import copy

from pairing_model import PERSON, Block, Statement, Version
from pairing_world import World

#: What may happen before a commit, and how a commit is made or rewritten; weights by how common it is.
BEFORE = {"edit": 5, "format": 3, "rename": 2, "move": 2, "split": 2, "again": 3, "told": 3, "thought": 2, "drop": 2,
          "insert": 2, "reject": 2, "more": 3, "own": 2}  # fmt: skip
AFTER = {"none": 4, "amend": 2, "amended edit": 2, "rebase": 2, "squash": 2, "forge": 2, "pick": 2, "revert": 2,
         "later": 4, "later format": 2}  # fmt: skip


class Operations(World):
    """Each by its name; False where there was nothing to do it to."""

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
            self.picks[self.head()] = copy.deepcopy(self.files)
            self.learn()
            self.git("checkout", "--quiet", "main")
        self.learn()
        return True
