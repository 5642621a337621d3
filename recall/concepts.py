"""What words of code and of questions are about: a small table of concepts that share few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from ..store.words import stem, terms

Concepts = frozenset[str]

#: Concept → words that speak of it, in questions or as parts of identifiers. Words with many meanings
#: ("get", "set", "key") are left out: they would tie everything to everything.
TABLE: Mapping[str, str] = {
    "http": """
        http https request requests response url uri fetch axios rest api download webhook curl
        httpx urllib endpoint
    """,
    "web server": """
        server serve listen listenandserve port express fastapi flask gin endpoint route router
        handler
    """,
    "timeout": "timeout deadline hang cancel cancelled cancellation withtimeout abort",
    "subprocess": """
        subprocess popen exec execfile spawn shell command cmd child process shlex execcommand
        commandcontext
    """,
    "files": """
        file files path pathlib directory folder disk readfile writefile open fs mkdir makedirs
        filename unlink upload
    """,
    "temporary": "temp tmp temporary tempfile mkdtemp mkstemp scratch intermediate",
    "permissions": """
        permission permissions chmod mode 0o600 0600 0644 0o644 0755 credential credentials
    """,
    "secrets": """
        secret secrets password token credential credentials vault apikey passwd login session
        auth authentication
    """,
    "randomness": "random rand secrets urandom token uuid nonce salt identifier",
    "identifiers": "uuid id identifier unique guid primary",
    "hashing": "hash hashlib md5 sha1 sha256 digest checksum fingerprint",
    "dates": """
        date datetime time timestamp utc utcnow timezone moment clock now today calendar
        strftime
    """,
    "waiting": """
        sleep wait delay pause asyncio timer backoff retry retries attempt attempts interval
        tenacity
    """,
    "retry": "retry retries backoff attempt tenacity resilient robust",
    "async": "async await asyncio coroutine promise promises eventloop event",
    "concurrency": """
        goroutine goroutines parallel concurrent concurrently thread threads worker workers pool
        errgroup waitgroup mutex lock unlock atomic race semaphore promises gather
    """,
    "errors": """
        error errors err exception exceptions except catch raise throw panic failure fail fails
        failed failures wrap errorf oserror recover rejected
    """,
    "logging": """
        log logs logger logging slog printf println print console debug debugging message
        messages status report progress trace stderr
    """,
    "sql": """
        sql query queries select insert cursor execute database db table tables row rows orm
        sqlalchemy psycopg norows column columns schema alembic migration migrations objects
    """,
    "schema": "schema migration migrations alembic column columns table tables ddl alter",
    "strings": """
        string strings str text concatenate concatenation join format builder fstring substring
        interpolate
    """,
    "numbers": "int integer number parseint atoi float decimal round numeric radix count counter",
    "money": """
        price prices money amount currency cost total tax invoice billing decimal payment cart
        sum
    """,
    "types": """
        type types typing isinstance any unknown interface annotation generic cast instanceof
        heterogeneous
    """,
    "data classes": """
        dataclass dataclasses class struct field fields frozen record namedtuple value object
        init
    """,
    "defaults": """
        default defaults argument arguments parameter parameters optional kwargs constructor
        init mutable
    """,
    "parsing": """
        parse parser parsing json yaml toml xml load loads unmarshal decode decoder deserialise
        deserialize
    """,
    "json": "json unmarshal marshal payload body decode encode stringify parse",
    "yaml": "yaml yml safeload",
    "xml": "xml soap feed elementtree etree lxml defusedxml",
    "configuration": """
        config configuration configure configurable settings setting env environ environment
        option options flag flags
    """,
    "feature flags": "flag flags feature experimental rollout roll gradually toggle enabled",
    "tests": """
        test tests testing unittest pytest jest assert assertequal assertion expect require
        testify fixture fixtures mock expected actual conftest fatalf
    """,
    "equality": "equal equals equality compare compared comparison same eq eqeqeq identical",
    "lists": """
        list lists array arrays slice slices append push element elements item items collection
        map loop
    """,
    "iteration": """
        loop loops iterate iteration enumerate range position positions index foreach each
    """,
    "containment": "contains includes membership search holds",
    "state": "state store redux reducer mutate mutation immutable setstate dispatch",
    "components": """
        component components react jsx tsx render row rows hook hooks useeffect usestate props
        widget mount mounts dashboard
    """,
    "rendering lists": "key keys render row rows map table display",
    "html": """
        html dom innerhtml textcontent div button form click clickable onclick submit page label
        input
    """,
    "forms": "form submit button input save field onsubmit onclick click clickable",
    "translation": "i18n translation translations locale label message text catalogue welcome",
    "access": "nested property optional undefined null chaining missing",
    "storage in the browser": "localstorage sessionstorage cookie browser remember signing login",
    "enums": "enum enums constant constants states literal named",
    "caching": "cache cached caching redis memoise memoize memory expensive",
    "paging": "page paging pagination paginate cursor offset limit endpoints results search",
    "reading": "read readall reader readlines bytes contents body buffer stream ioutil",
    "writing": "write writefile save dump persist store",
    "closing": "close closes closed defer release resource cleanup with context",
    "cleaning": "cleanup purge delete deleting remove removing unlink old temporary",
    "releases": "release releases publish version tag hotfix branch branches cut deploy",
    "review": "review reviewer reviewers reviews approval approvals merge merging pull",
    "monitoring": """
        metric metrics prometheus monitor histogram counter duration grafana job background
    """,
    "mail": "mail email smtp imap notification deliver",
    "data frames": "pandas dataframe df frame append record",
    "accessibility": "accessibility aria alt image photo alternative label",
    "validation": "validate validation invalid untrusted sanitise sanitize reject",
    "web views": "view views django objects detail details lookup 404 primary",
}


@lru_cache(maxsize=1)
def _by_stem() -> Mapping[str, Concepts]:
    out: dict[str, set[str]] = {}
    for concept, words in TABLE.items():
        for word in words.split():
            out.setdefault(stem(word), set()).add(concept)
    return {word: frozenset(concepts) for word, concepts in out.items()}


def concepts_of(words: Iterable[str]) -> Concepts:
    """The concepts that any of these stems speaks of."""
    table = _by_stem()
    return frozenset().union(*(table[each] for each in table.keys() & words))


@lru_cache(maxsize=4_096)
def stems_of(concepts: Concepts) -> frozenset[str]:
    """The stems that speak of any of these concepts."""
    return frozenset(word for word, of in _by_stem().items() if not of.isdisjoint(concepts))


@lru_cache(maxsize=32_768)
def words_of(text: str) -> tuple[str, ...]:
    """The different stems of a memory's text, kept since the same memories are candidates again and again.

    As a tuple: a set would take ten times the memory, and a question looks for a few words only.
    """
    return tuple(dict.fromkeys(terms(text)))


@lru_cache(maxsize=32_768)
def concepts_in(text: str) -> Concepts:
    """The concepts that a memory's text speaks of."""
    return _once(concepts_of(words_of(text)))


@lru_cache(maxsize=4_096)
def _once(concepts: Concepts) -> Concepts:
    """One object for equal sets: thousands of memories speak of the same few."""
    return concepts
