"""Rules from three corrections of a kind, in each language."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cortex.analyzers.patterns import apply, compile
from cortex.learning.corrections.extraction import corrections
from cortex.learning.rules.generalise import Candidate, generalise
from cortex.store.kinds import Correction

Pairs = Sequence[tuple[str, str]]

EXTENSIONS = {"python": "py", "go": "go", "javascript": "js", "typescript": "ts", "tsx": "tsx"}


def program(language: str, statement: str) -> str:
    return f"package p\n\nfunc f() {{\n\t{statement}\n}}\n" if language == "go" else statement + "\n"


def corrected(language: str, pairs: Pairs) -> list[tuple[str, Correction]]:
    """One correction for each pair of statements, each in its own file and commit."""
    out = []
    for n, (before, after) in enumerate(pairs):
        found = corrections(
            program(language, before),
            program(language, after),
            f"src/m{n}.{EXTENSIONS[language]}",
            commit=f"c{n}",
        )
        out += [(f"{n:02}{k}", each) for k, each in enumerate(found)]
    return out


def swap(old: str, new: str, *statements: str) -> list[tuple[str, str]]:
    return [(each, each.replace(old, new)) for each in statements]


LESSONS: list[tuple[str, Pairs, str, str]] = [
    (
        "python",
        [
            ("x = requests.get(url)", "x = requests.get(url, timeout=10)"),
            ('r = requests.get(base + "/u")', 'r = requests.get(base + "/u", timeout=10)'),
            ("return_(requests.get(self.endpoint))", "return_(requests.get(self.endpoint, timeout=10))"),
        ],
        "zz = requests.get(host)",
        "zz = requests.get(host, timeout=10)",
    ),
    (
        "python",
        [
            ("x = requests.get(url)", "x = requests.get(url, timeout=10)"),
            ("r = requests.get(b, headers=h)", "r = requests.get(b, headers=h, timeout=10)"),
            ("y = requests.get(self.e)", "y = requests.get(self.e, timeout=10)"),
        ],
        "zz = requests.get(host, params=p)",
        "zz = requests.get(host, params=p, timeout=10)",
    ),
    (
        "python",
        [
            ("f = open(p)", 'f = open(p, encoding="utf-8")'),
            ("with open(path) as g:\n    a()", 'with open(path, encoding="utf-8") as g:\n    a()'),
            ('h = open(a / "x")', 'h = open(a / "x", encoding="utf-8")'),
        ],
        "zz = open(name)",
        'zz = open(name, encoding="utf-8")',
    ),
    (
        "python",
        [
            ("d = json.loads(f.read())", "d = json.load(f)"),
            ("e = json.loads(handle.read())", "e = json.load(handle)"),
            ("g(json.loads(self.file.read()))", "g(json.load(self.file))"),
        ],
        "zz = json.loads(fh.read())",
        "zz = json.load(fh)",
    ),
    (
        "python",
        swap(
            "datetime.utcnow()",
            "datetime.now(timezone.utc)",
            "a = datetime.utcnow()",
            "b = f(datetime.utcnow())",
            "c = datetime.utcnow() - x",
        ),
        "zz = datetime.utcnow()",
        "zz = datetime.now(timezone.utc)",
    ),
    (
        "python",
        [
            ("try:\n    a()\nexcept:\n    pass", "try:\n    a()\nexcept Exception:\n    pass"),
            ("try:\n    b()\nexcept:\n    c()", "try:\n    b()\nexcept Exception:\n    c()"),
            ("try:\n    d(1)\nexcept:\n    e = 2", "try:\n    d(1)\nexcept Exception:\n    e = 2"),
        ],
        "try:\n    zz()\nexcept:\n    y()\n    z()",
        "try:\n    zz()\nexcept Exception:\n    y()\n    z()",
    ),
    (
        "python",
        [
            ("subprocess.run(cmd, shell=True)", "subprocess.run(shlex.split(cmd))"),
            ("subprocess.run(a + b, shell=True)", "subprocess.run(shlex.split(a + b))"),
            ("r = subprocess.run(line, shell=True)", "r = subprocess.run(shlex.split(line))"),
        ],
        "subprocess.run(zz, shell=True)",
        "subprocess.run(shlex.split(zz))",
    ),
    (
        "python",
        swap(
            "yaml.load",
            "yaml.safe_load",
            "a = yaml.load(x)",
            "b = yaml.load(f.read())",
            "c = yaml.load(text)",
        ),
        "zz = yaml.load(blob)",
        "zz = yaml.safe_load(blob)",
    ),
    (
        "python",
        swap("print(", "logger.info(", 'print(f"a {x}")', 'print(f"bb {y} {z}")', 'print(f"{q} done")'),
        'print(f"zz {k}")',
        'logger.info(f"zz {k}")',
    ),
    (
        "go",
        swap(
            "ioutil.ReadAll",
            "io.ReadAll",
            "b, err := ioutil.ReadAll(r)",
            "data, _ := ioutil.ReadAll(resp.Body)",
            "x, err := ioutil.ReadAll(f)",
        ),
        "zz, err := ioutil.ReadAll(body)",
        "zz, err := io.ReadAll(body)",
    ),
    (
        "go",
        [(each, "_ = " + each) for each in ("x.Close()", "resp.Body.Close()", "file.Close()")],
        "conn.Close()",
        "_ = conn.Close()",
    ),
    (
        "go",
        swap(
            "0644",
            "0600",
            "os.WriteFile(p, d, 0644)",
            "err := os.WriteFile(path, []byte(s), 0644)",
            "if err := os.WriteFile(n, buf.Bytes(), 0644); err != nil { return }",
        ),
        "os.WriteFile(out, data, 0644)",
        "os.WriteFile(out, data, 0600)",
    ),
    (
        "go",
        [
            ('return errors.New(fmt.Sprintf("a %s", b))', 'return fmt.Errorf("a %s", b)'),
            ('return errors.New(fmt.Sprintf("x %d %d", c, d))', 'return fmt.Errorf("x %d %d", c, d)'),
            ('err := errors.New(fmt.Sprintf("q"))', 'err := fmt.Errorf("q")'),
        ],
        'return errors.New(fmt.Sprintf("zz %v", k))',
        'return fmt.Errorf("zz %v", k)',
    ),
    (
        "go",
        [
            ('c := exec.Command("git", args)', 'c := exec.CommandContext(ctx, "git", args)'),
            ("cmd := exec.Command(name)", "cmd := exec.CommandContext(ctx, name)"),
            ('k := exec.Command("a", "b", c)', 'k := exec.CommandContext(ctx, "a", "b", c)'),
        ],
        'zz := exec.Command("ls", dir)',
        'zz := exec.CommandContext(ctx, "ls", dir)',
    ),
    (
        "javascript",
        [
            ("const r = await axios.get(u);", "const r = await axios.get(u, { timeout: 5000 });"),
            ('g(axios.get(base + "/x"));', 'g(axios.get(base + "/x", { timeout: 5000 }));'),
            ("let q = axios.get(`${a}/b`);", "let q = axios.get(`${a}/b`, { timeout: 5000 });"),
        ],
        "const zz = await axios.get(`${host}/y`);",
        "const zz = await axios.get(`${host}/y`, { timeout: 5000 });",
    ),
    (
        "typescript",
        [
            ("const c = JSON.parse(JSON.stringify(x));", "const c = structuredClone(x);"),
            ("let d = JSON.parse(JSON.stringify(this.state));", "let d = structuredClone(this.state);"),
            ("f(JSON.parse(JSON.stringify(a.b)));", "f(structuredClone(a.b));"),
        ],
        "const zz = JSON.parse(JSON.stringify(tree.root));",
        "const zz = structuredClone(tree.root);",
    ),
    (
        "typescript",
        swap("!.bar", "?.bar", "const a = foo!.bar;", "let z = other!.bar;", "use(this.x!.bar);"),
        "const zz = user!.bar;",
        "const zz = user?.bar;",
    ),
    (
        "tsx",
        [
            (
                "const a = <div>{JSON.parse(JSON.stringify(x))}</div>;",
                "const a = <div>{structuredClone(x)}</div>;",
            ),
            ("const b = JSON.parse(JSON.stringify(y));", "const b = structuredClone(y);"),
            (
                "const c = <A b={JSON.parse(JSON.stringify(z.q))} />;",
                "const c = <A b={structuredClone(z.q)} />;",
            ),
        ],
        "const zz = <B>{JSON.parse(JSON.stringify(props))}</B>;",
        "const zz = <B>{structuredClone(props)}</B>;",
    ),
]


def fixed(candidate: Candidate, language: str, text: str) -> str:
    compiled = compile(candidate.pattern, language)
    assert compiled is not None
    return apply(text, compiled.find(text, path="src/new.x"))


@pytest.mark.parametrize(("language", "pairs", "fourth", "wanted"), LESSONS, ids=lambda each: str(each)[:24])
def test_three_of_a_kind_make_a_rule_that_mends_the_fourth(
    language: str, pairs: Pairs, fourth: str, wanted: str
) -> None:
    first = generalise(corrected(language, pairs))[0]
    assert len(first.support) == 3
    assert not first.weak
    for before, after in pairs:
        assert fixed(first, language, program(language, before)) == program(language, after)
        assert fixed(first, language, program(language, after)) == program(language, after)
    assert fixed(first, language, program(language, fourth)) == program(language, wanted)


@pytest.mark.parametrize(
    ("language", "pairs", "fourth", "wanted"), LESSONS[:4], ids=lambda each: str(each)[:24]
)
def test_one_or_two_make_none(language: str, pairs: Pairs, fourth: str, wanted: str) -> None:
    assert generalise(corrected(language, pairs[:1])) == []
    assert generalise(corrected(language, pairs[:2])) == []


def test_the_same_text_in_the_same_place_is_the_same_hole() -> None:
    pairs = [(f"x = combine({a}, {b}, {a})", f"x = join({a}, {b})") for a, b in ("pq", "rs", "tu")]
    pattern = generalise(corrected("python", pairs))[0].pattern
    assert pattern.pattern == "combine($A, $B, $A)"
    assert pattern.rewrite == "join($A, $B)"
    assert pattern.words == ("combine",)


def test_anchor_words_stay_concrete_and_are_the_prefilter() -> None:
    pattern = generalise(corrected("python", LESSONS[0][1]))[0].pattern
    assert pattern.pattern == "requests.get($A)"
    assert pattern.words == ("requests", "get")


def test_equal_arguments_by_chance_do_not_narrow() -> None:
    pairs = [(f"{n} = open(path)", f'{n} = open(path, encoding="utf-8")') for n in "fgh"]
    assert generalise(corrected("python", pairs))[0].pattern.pattern == "open($A)"


@pytest.mark.parametrize(
    ("language", "pairs"),
    [
        ("javascript", [(f"var {n} = 1;", f"let {n} = 1;") for n in "abc"]),  # keywords are a linter's
        ("python", [(f"x = {n}(1)", f"x = other{n}(2)") for n in "abc"]),  # nothing in common
        ("python", [(f"x = {n}", f"y = {n}2") for n in "abc"]),
        ("python", [("f(a)", f"f(a, {n})") for n in "uvw"]),  # the rewrite needs what nothing binds
    ],
)
def test_what_cannot_be_said_is_abstained_from(language: str, pairs: Pairs) -> None:
    assert generalise(corrected(language, pairs)) == []


def test_an_operator_alone_makes_a_weak_candidate() -> None:
    pairs = [
        ("q(a == b);", "q(a === b);"),
        ("y = c.d == 3;", "y = c.d === 3;"),
        ('r(z == "s");', 'r(z === "s");'),
    ]
    (candidate, *_) = generalise(corrected("javascript", pairs))
    assert candidate.pattern.pattern == "$A == $B"
    assert candidate.weak


def test_a_renamed_member_stays_in_its_folder() -> None:
    pairs = [(f"{n}.fetch_all(1)", f"{n}.list_all(1)") for n in ("a", "b.c", "d()")]
    candidate = generalise(corrected("python", pairs))[0]
    assert candidate.pattern.guards == ("path:src/*",)


def test_corrections_the_other_way_round_are_counted() -> None:
    there = swap("moment(", "dayjs(", "a = moment(x)", "b = moment(y.z)", "c = moment(1)")
    back = [(after, before) for before, after in there[:2]]
    found = generalise(corrected("python", [*there, *back]))
    assert {each.pattern.pattern: each.reversed_by for each in found}["moment($A)"] == 2


def test_the_order_of_the_corrections_does_not_matter() -> None:
    given = corrected("python", LESSONS[0][1]) + [("9" + m, c) for m, c in corrected("python", LESSONS[3][1])]
    assert generalise(given) == generalise(given[::-1])


def test_broken_code_is_passed_over() -> None:
    broken = [(str(n), Correction(before=f"f((({n}", after=f"g({n}", language="python")) for n in range(4)]
    assert generalise([*broken, ("x", Correction(before="a", after="b", language="cobol"))]) == []


def test_a_variable_alone_holds_a_pattern_weakly_and_a_call_well() -> None:
    compared = [(f"{x} == app", f"{x} is app") for x in ("one", "two.b", "three()")]
    called = [(f"{x} == get_app()", f"{x} is get_app()") for x in ("one", "two.b", "three()")]
    assert all(each.weak for each in generalise(corrected("python", compared)))
    assert not any(each.weak for each in generalise(corrected("python", called)) if not each.wide)


def test_what_only_puts_in_brackets_is_not_its_own_reverse() -> None:
    found = generalise(corrected("javascript", [(f"{x}.ok;", f"{x}.ok()") for x in ("a.be", "b.to.be", "c")]))
    assert found and all(each.reversed_by == 0 for each in found)


def test_parameters_are_read_as_parameters_but_a_rename_without_its_body_is_no_rule() -> None:
    fewer = [(f"({x}, params)", f"({x})") for x in ("req", "res", "next")]
    (candidate, *_) = generalise(corrected("javascript", fewer))
    assert (candidate.pattern.pattern, candidate.pattern.selector) == ("($A, params)", "formal_parameters")
    renamed = [(f"({x}, fn)", f"({x}, callback)") for x in ("req", "res", "next")]
    assert generalise(corrected("javascript", renamed)) == []
    methods = [(f"(self, {x})", f"(self, ctx, {x})") for x in ("one", "two", "three")]
    assert {each.pattern.selector for each in generalise(corrected("python", methods))} <= {"parameters"}


def test_the_widest_form_is_offered_beside_the_one_that_stays() -> None:
    pairs = [(f"app.use(body.raw({x}))", f"app.use(express.raw({x}))") for x in ("one", "two", "three")]
    found = generalise(corrected("javascript", pairs))
    told = {each.pattern.pattern: each.wide for each in found}
    assert len(told) == len(found) and list(told.values()) == sorted(told.values())
    assert not found[0].wide
