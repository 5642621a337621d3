"""Row 16: what secrets are found, what is left alone, and at what cost."""

from __future__ import annotations

import json
import random
import site
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import secret_forms as forms
import secret_kinds as kinds
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex.store import secrets
from cortex.store.secret_kept import kept
from cortex.store.secret_rules import OWN, Rule
from cortex.store.secrets import Scanner, Secret, find, redact, redact_all, redact_lines, scanner

ROOT = Path(__file__).resolve().parent.parent


KINDS = [*kinds.TOKENS, *kinds.NAMED]


def test_secrets_of_many_kinds_are_found_wherever_they_stand(seed: int, tell: Any) -> None:
    chance = random.Random(seed)
    missed: Counter[str] = Counter()
    count = 10 * len(KINDS)
    assert len(KINDS) >= 25 and count >= 300
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        text, secret, place = kinds.secret_in_place(chance, kind)
        clean, taken = redact(text)
        assert redact(clean) == (clean, 0), (kind, place)
        missed[f"{kind} in {place}"] += not taken or kinds.heart(kind, secret) in clean
    lost = sum(missed.values())
    tell(f"secrets: {count - lost} of {count} found, {len(KINDS)} kinds (seed {seed})")
    assert lost <= 0.05 * count, +missed


def test_passwords_are_found_in_every_form_in_which_people_leave_them(seed: int, tell: Any) -> None:
    chance, each = random.Random(seed), 300
    missed: dict[str, list[str]] = {form: [] for form in forms.FORMS}
    for form, lost in missed.items():
        for _ in range(each):
            text, value = forms.in_form(chance, form)
            clean, taken = redact(text)
            assert redact(clean) == (clean, 0), text
            if not taken or value[:8] in clean or value[-6:] in clean:
                lost.append(text)
    count, all_lost = each * len(missed), sum(map(len, missed.values()))
    worst = max(missed, key=lambda form: len(missed[form]))
    tell(
        f"secrets: {count - all_lost} of {count} found in {len(missed)} forms; "
        f"the worst: {worst}, {100 - 100 * len(missed[worst]) / each:.1f}% (seed {seed})"
    )
    assert all_lost <= 0.05 * count
    assert len(missed[worst]) <= 0.1 * each, (worst, missed[worst])


def test_a_token_over_several_lines_is_taken_out_whole(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(50):
        text, last = forms.split_token(chance)
        assert last not in redact(text)[0] and "port: 80" in redact(text)[0]
        assert redact_lines(text).count("\n") == text.count("\n")
    key = kinds.private_key(chance)
    for written in (json.dumps({"key": key}), f"KEY={key!r}", key.replace("\n", "\n      ")):
        assert kinds.heart("private key", key)[:40] not in redact(written)[0].replace("\n", "")


def test_what_is_a_secret_in_one_text_is_taken_out_of_all(seed: int) -> None:
    value = forms.passphrase(random.Random(seed))
    texts = [
        f"Connect with {value}",
        "pass" + f'word = "{value}"',
        f"conf/{value}.ini",
        f"x{value}",
        "plain",
    ]
    clean, count = redact_all(texts)
    assert clean[0] == "Connect with [redacted:password]" and clean[2] == "conf/[redacted:password].ini"
    assert clean[3:] == texts[3:] and count == 3
    assert redact_all(clean) == (clean, 0)
    assert redact_all(["Connect with " + value], [value]) == (["Connect with [redacted:secret]"], 1)


def test_clean_code_is_left_alone(seed: int, tell: Any) -> None:
    chance = random.Random(seed)
    packages = Path(site.getsitepackages()[0])
    files = [
        path
        for folder in ("cli", "daemon", "learning", "repo", "store")
        for path in (ROOT / folder).glob("*.py")
    ]
    files += sorted(packages.glob("*/**/*.py"))
    wanted, lines, wrong = 4000, 0, []
    for path in chance.sample(files, len(files)):
        text = path.read_bytes()[:100_000].decode("utf-8", "replace")
        lines += text.count("\n")
        wrong += [f"{path.name}: {each.rule}" for each in find(text)]
        if lines >= wanted:
            break
    tell(f"secrets: {len(wrong)} false positives in {lines} lines of code (seed {seed})")
    assert lines >= 2000 and len(wrong) <= 0.005 * lines, wrong


HEX40 = "da39a3ee5e6b4b0d" + "3255bfef95601890afd80709"


@pytest.mark.parametrize(
    "text",
    [
        'password = "changeme"',
        'password = "${DB_PASSWORD}"',
        "password = os.environ['PASSWORD']",
        'api_key = "<your-api-key>"',
        'token = "xxxxxxxxxxxxxxxxxxxxxxxx"',
        'SECRET_KEY = "your-secret-key-here-1"',
        "password: {{ vault_password_1 }}",
        "postgres://user:password@localhost/db",
        "https://user:${TOKEN}@acme.dev/x",
        f'commit = "{HEX40}"',
        f"Fixed in {HEX40}.",
        f'token_hash = "{HEX40}"',
        '"integrity": "sha512-' + "Ab3/" * 21 + 'Ag=="',
        "resolved sha256:" + "0a1b" * 16,
        'id = "550e8400-' + 'e29b-41d4-a716-446655440000"',
        "token = self.next_token2()",
        'token_type = "urn:ietf:params:oauth:token-type:jwt"',
        "for token in tokens: print(token.text, token.pos_2)",
        'key = "access_token_v2"',
        'if header.startswith("-----BEGIN RSA PRIVATE' + ' KEY-----"):',
        "AKIA" + "IOSFODNN7EXAMPLE",
        "The password is checked by validate_password_v2.",
        "[redacted:secret]",
        "token = get_token()",
        "token = self.session.access_token",
        'secret = "my-app-secret-name"',
        "secretKeyRef:\n  name: argocd-repo-credentials\n  key: sshPrivateKey",
        "secret_name = next_secret_name",
        "password = getpass.getpass()",
        'api_key = os.getenv("API_KEY", "changeme")',
        'api_key = os.environ["OPENAI_API_KEY"]',
        'token: str = "<token>"',
        "token=xxx",
        "const token = process.env.AUTH_TOKEN || '';",
        "curl -u $USER:$PASSWORD https://acme.dev",
        "docker run -u 1000:1000 -p 8080:8080 acme/app",
        "docker login -u robot -p $TOKEN registry.acme.dev",
        "deploy --token <token> --password-stdin",
        "Basic authentication and bearer tokens are both understood.",
        "//registry.acme.dev/:_authToken=${NPM_TOKEN}",
        "machine acme.dev login robot password ${PASSWORD}",
        "<password>${env.PASSWORD}</password>",
        "Server=db;User Id=app;Password={password};",
        '"version": "1.2.3", "resolved": "https://packages.acme.dev/a/-/a-1.2.3.tgz"',
        'password = "[redacted:password]"',
        "password",
        "",
    ],
)
def test_what_stands_for_a_secret_is_none(text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('password = "' + "hunter2" + '"', 'password = "[redacted:password]"'),
        ("DB_PASSWORD=" + "s3cr3t-Pa55!" + "\nPORT=1", "DB_PASSWORD=[redacted:password]\nPORT=1"),
        ("postgres://app:" + "Tr0ub4dor" + "@db/app", "postgres://app:[redacted:connection-string]@db/app"),
        ("key " + "gh" + "p_" + "a1B2c3" * 6 + ".", "key [redacted:github-token]."),
        ('{\\"token\\": \\"' + "q8Zr" + "2Lm9Xv4Kd7Wp" + '\\"}', '{\\"token\\": \\"[redacted:secret]\\"}'),
    ],
)
def test_only_the_secret_is_replaced(text: str, clean: str) -> None:
    assert redact(text) == (clean, 1)


def test_offsets_count_characters_whatever_they_are() -> None:
    token = "gh" + "p_" + "Zk3xQ9" * 6
    text = f"é😀\udce9 {token} ü"
    assert find(text) == [Secret("github-token", 4, 4 + len(token))]
    assert redact(text) == ("é😀\udce9 [redacted:github-token] ü", 1)


def test_lines_keep_their_numbers() -> None:
    text = "a\n" + kinds.private_key(random.Random(1)) + "\nb\n"
    assert redact_lines(text).count("\n") == text.count("\n")
    assert redact_lines(text).replace("\n", "") == "a[redacted:private-key]b"


@given(
    st.text(st.sampled_from("akey=:'\"\\ \n-_./@AKIA0129ghp_sécret[]redacted:"), max_size=200),
    st.integers(0, 2**32),
)
@settings(max_examples=300, deadline=None)
def test_redacting_twice_changes_nothing(noise: str, seed: int) -> None:
    chance = random.Random(seed)
    text, _, _ = kinds.secret_in_place(chance, chance.choice(KINDS))
    cut = chance.randrange(len(text) + 1)
    once, _ = redact(noise + text[:cut] + noise + text[cut:])
    assert redact(once) == (once, 0)


def test_values_of_json_are_redacted_and_ids_stay() -> None:
    token = "gl" + "pat-" + "Xy7_" * 5
    cleaned, count = secrets.clean({"a": [token, HEX40, 1, None], "b": {"c": f"{token} {token}"}})
    assert count == 3 and cleaned["a"][1:] == [HEX40, 1, None]
    assert token not in json.dumps(cleaned)


def test_all_rules_compile_and_the_kept_ones_are_there() -> None:
    names = {rule.name for rule in kept()}
    assert scanner().unread == []
    assert len(names) >= 12 and {"aws-access-key", "slack-token", "stripe-access-key"} <= names
    assert len({rule.name for rule in OWN} | names) >= 60


def test_a_rule_that_is_not_in_the_syntax_of_re2_is_left_out_and_named() -> None:
    made = Scanner([Rule("look-behind", r"(?<=a)b"), Rule("plain", "abc[0-9]{12}")])
    assert made.unread == ["look-behind"] and [rule.name for rule in made.rules] == ["plain"]


class Counting:
    """An expression that counts how often, and over how many bytes, it is asked."""

    def __init__(self, expression: Any) -> None:
        self._expression = expression
        self.calls = self.bytes = 0

    def search(self, data: bytes, place: int) -> Any:
        match = self._expression.search(data, place)
        self.calls += 1
        self.bytes += (match.end() if match else len(data)) - place
        return match


def work(text: str) -> tuple[int, int]:
    """How many searches a text costs, and how many bytes these go through."""
    made = Scanner([*OWN, *kept()])
    counted = {number: Counting(made.expression(number)) for number in range(len(made.rules))}
    made._expressions = dict(counted)
    made.find(text)
    return sum(each.calls for each in counted.values()), sum(each.bytes for each in counted.values())


def test_prose_without_any_keyword_runs_few_rules() -> None:
    text = ("Times are stored in UTC, and shown as the reader's clock has them. " * 400)[: 20 * 1024]
    calls, _ = work(text)
    assert calls <= 12


@pytest.mark.parametrize(
    "piece",
    [
        "password=",
        "password = 'aaaaaaaa' ",
        "token: aaaaaaaaaaaa1 ",
        'secret,"password","token",',
        "xsk-",
        "eyJ",
        "-----BEGIN RSA PRIVATE" + " KEY-----",
        "aws key aws key ",
        "://a:b",
        "SG.aaaaaaaaaaaaaaaaaaaaaa.",
        "M.aaaaaa.",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ],
)
def test_hostile_text_costs_work_in_proportion_to_its_length(piece: str) -> None:
    small, large = (piece * (size // len(piece)) for size in (8_000, 32_000))
    (calls, size), (more_calls, more_size) = work(small), work(large)
    assert more_calls <= 5 * calls + 50 and more_size <= 5 * size + 50_000
    assert more_size <= 120 * len(large)


def test_importing_costs_nothing_until_it_is_used() -> None:
    code = (
        "import sys; import cortex.store.secrets as s\n"
        "assert not {'re2', 'detect_secrets', 'requests'} & set(sys.modules)\n"
        "s.find('some longer text'); assert 're2' in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)
