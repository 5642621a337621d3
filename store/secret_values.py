"""Whether a value is a secret: how random it is, and what tells it from a word, a name, a digest or a placeholder."""

from __future__ import annotations

import itertools
import math
import string
from collections import Counter

_HEX = frozenset(string.hexdigits)
#: A value with one of these stands for a secret, and is none.
_STANDS_FOR = ("example", "placeholder", "changeme", "change_me", "change-me", "redacted", "dummy", "replace")
_STANDS_FOR_TOKEN = (*_STANDS_FOR, "xxxxx", "your_", "your-", "....", "1234567890", "0000000000")
_STANDS_FOR_VALUE = (
    *_STANDS_FOR,
    *("sample", "insert", "default", "undefined", "1234567", "abcdef12", "abcdefg", "qwerty", "foobar"),
    *("...", "***", "${", "{{", "}}", "%(", "#{", "$(", "://", "\\", "<"),
)
#: The same, where it is not by chance in a long one.
_SHORT_WORDS = ("test", "fake", "todo", "your", "xxxx", "%s", "mock")
_CHANCE = 32
_WELL_KNOWN = frozenset(
    """
    password passwd pass pwd secret token admin root guest user username postgres postgresql mysql redis
    rabbitmq mongo mypassword mysecret foo bar none null nil true false string str value key empty optional
    hidden
    """.split()  # noqa: SIM905 - read as prose
)
#: Words that names of code are made of. A value with one of them is a name; people's passphrases have others.
_OF_CODE = frozenset(
    """
    access account action add address admin agent algorithm alias all api app application apps arg argocd args
    array artifact async attr attribute audience auth authentication authorization authorizer aws azure
    backend bar base basic baz bearer binding bot branch bucket build builder cache call callback cert
    certificate check ci class cli client cloud cluster code command component conf config configuration
    connection consumer container content context controller cookie core count create cred credential
    credentials creds csrf current custom data database date db debug default delete demo deploy deployment
    dev device digest dir disabled docker domain dynamic edit element email empty enabled encoded encryption
    endpoint engine entity entry env environment error event events example expired expires expiry external
    factory false field file filter flag flow foo form format from func function generated generator get git
    github gitlab global google grant group handler has hash header headers helper hidden history hook host
    hosts http https id identifier identity ids image import index info init input instance int internal
    invalid is item items java job jobs json jwt key keys kind kube kubernetes label language lib library
    limit line link list load loader local location log login main manager manual map match message meta
    metadata method middleware missing mode model module my name names namespace network new next node none
    not npm null number oauth object of oidc old open operator option optional options org output owner
    package page param parameter params parent parse parser pass passphrase passwd password path pattern
    payload pem permission pipeline pkg plain plugin plugins policy pool port prefix private prod production
    profile project property provider proxy public publish pwd query queue read redis ref reference refresh
    region registry release remote repo repository req request required res reset resolver resource response
    result return role root route router rule run runner runtime sa saml sample schema scheme scope script sdk
    search secret secrets select self server service session set setting settings sha shared signature signing
    size slack some source spec sql src ssh ssl stage staging start state static status step storage store str
    stream string sub subject submit suffix sync system tab table tag target task temp template tenant test
    testing tests text the this time timeout tls to token tokens tool trigger true type types unknown update
    upload uri url use used user username users util utils uuid valid validate validation validator value
    values var variable vault version view volume web webhook webhooks widget with worker workflow workspace
    write wrong xml yaml your
    """.split()  # noqa: SIM905 - read as prose
)
#: A name with one of these beside a value: the value is a digest, or it is public.
_NO_SECRET = (
    *("hash", "sha1", "sha2", "sha5", "md5", "digest", "checksum", "integrity", "fingerprint", "etag"),
    *(
        "public",
        "commit",
        "revision",
        "_uri",
        "_url",
        "endpoint",
        "regex",
        "pattern",
        "tokenizer",
        "next_token",
    ),
)
#: People put them into a password; a name has none.
_SIGNS = frozenset("!@#$%^&*+~?")
_JOINS = str.maketrans(dict.fromkeys("-./:,;=|+@!?*& ", "_"))


def entropy(value: str) -> float:
    """Shannon's entropy, in bits a character."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values()) if size else 0.0


def stands_for_token(value: str) -> bool:
    """Whether a value with a token's prefix only shows what a token looks like."""
    low = value.lower()
    return any(word in low for word in _STANDS_FOR_TOKEN)


def is_placeholder(value: str) -> bool:
    """Whether a value stands for a secret: a variable, a template, a word such as `changeme`."""
    low = value.lower()
    return (
        low.strip("[](){}<>") in _WELL_KNOWN
        or any(word in low for word in _STANDS_FOR_VALUE)
        or (len(low) < _CHANCE and any(word in low for word in _SHORT_WORDS))
        or low[0] in "$%{<[(@&)]}>:"
        or ("{" in low and "}" in low)
        or any(c.isspace() for c in low)
        or low.startswith(("./", "~/", "os.", "self.", "process.", "env.", "env:"))
        or (low.startswith("0x") and set(low[2:]) <= _HEX)
    )


def is_digest(data: bytes, start: int, value: str) -> bool:
    """Whether the value is a digest and says so: `sha512-…` in a lock file, `sha256:…` of an image."""
    before = data[max(0, start - 8) : start].lower()
    return value.lower().startswith(("sha1", "sha2", "sha3", "sha5", "md5")) or any(
        each in before for each in (b"sha1", b"sha256", b"sha384", b"sha512", b"md5")
    )


def says_public(name: str) -> bool:
    """Whether the name beside a value says that it is a digest, or public."""
    low = name.lower()
    return any(word in low for word in _NO_SECRET)


def is_made(value: str) -> bool:
    """Whether a value was made to be a secret by a person or a program: not a word, not a name."""
    return is_mixed(value) and not is_words(value)


def is_mixed(value: str) -> bool:
    """Letters and digits, or letters and signs, or capitals anywhere: what a program makes up, not a word."""
    if not any(c.isalpha() for c in value):
        return False
    return any(c.isdigit() or c in "!@#$%^&*+=~?" for c in value) or (
        len(value) >= 14
        and value.isalpha()
        and len(value) < (2.6 if len(value) >= 20 else 1.8) * _runs(value, capitals=True)
    )


def is_typed(value: str) -> bool:
    """Letters, digits and a sign, and short enough to be typed: `Tr0ub4dor&3`."""
    return (
        8 <= len(value) <= 24
        and any(c.isdigit() for c in value)
        and any(c.isalpha() for c in value)
        and 1 <= sum(c in _SIGNS for c in value) <= 4
        and not set(value) & set("/:=,;|")
    )


def is_passphrase(value: str, least: int) -> bool:
    """At least so many words that no name is made of, joined by `-`, `_` or `.`; a number of two digits or more
    counts as a word: `correct-horse-battery-staple`.
    """
    parts = value.replace("_", "-").replace(".", "-").split("-")
    words = [part.strip(string.digits) for part in parts]
    if len(value) < 14 or len(parts) > 8 or len({c for c in value if c in "-_."}) > 1:
        return False
    spoken = [word.lower() for word in words if len(word) >= 3]
    numbers = sum(2 <= len(part) <= 6 for part, word in zip(parts, words, strict=True) if not word)
    return (
        len(spoken) >= 2
        and len(spoken) + numbers >= least
        and len(spoken) == sum(bool(word) for word in words)
        and all(word.isascii() and (word.isalpha() or not word) for word in words)
        and all(word.islower() or word.istitle() for word in words if word)
        and not _OF_CODE.intersection(spoken)
        and sum(not word for word in words) <= 2
    )


def is_words(value: str) -> bool:
    """Whether a value is made of words and small numbers: `access_token_v2`, `utf-8`, `py3-none-any`."""
    return all(_is_word(part) for part in value.translate(_JOINS).split("_"))


def is_uuid(value: str) -> bool:
    """Whether a value is a UUID, which names something."""
    parts = value.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and set("".join(parts)) <= _HEX


def _is_word(part: str) -> bool:
    letters = part.strip(string.digits)
    if len(part) <= 3:
        return True  # `k8s`, `s3`
    if len(part) - len(letters) <= 5 and not any(c.isdigit() for c in letters):
        # Capitals begin words, or all are: `someLongName`, not `aXbQz`.
        return letters.isupper() or sum(c.isupper() for c in letters) <= 1 + len(letters) // 4
    if part.islower() or part.isupper() or len(part) < 3.9 * _runs(part):
        return False
    # A long one at random has as few runs, but more capitals than begin words, or fewer vowels than words have.
    spoken = [c for c in part if c.isalpha()]
    return len(part) < 20 or (
        sum(c.isupper() for c in spoken) <= 0.4 * len(spoken)
        and sum(c in "aeiouyAEIOUY" for c in spoken) >= 0.24 * len(spoken)
    )


def _runs(part: str, capitals: bool = False) -> int:
    """Into how many runs of small letters, capitals or digits a word falls.

    `Ed25519PrivateKey` has four, seven where a capital is a run of its own.
    """
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" for c in part]
    return 1 + sum(
        one != other and (capitals or (one, other) != ("u", "l")) for one, other in itertools.pairwise(kinds)
    )
