"""Secrets made up at random, as their issuers shape them, and the places where people leave them.

They are put together from parts, so that no file here holds what a hosting service would take for a secret.
"""

from __future__ import annotations

import base64
import json
import random
import string
import textwrap
import uuid
from collections.abc import Callable, Mapping

Make = Callable[[random.Random], str]

LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
ALNUM = string.ascii_letters + string.digits
URL = ALNUM + "-_"
B64 = ALNUM + "+/"
HEX = "0123456789abcdef"


def text(chance: random.Random, letters: str, size: int) -> str:
    return "".join(chance.choice(letters) for _ in range(size))


def shaped(*parts: str | tuple[str, int]) -> Make:
    """Fixed parts as they are, and `(letters, size)` at random."""
    return lambda chance: "".join(each if isinstance(each, str) else text(chance, *each) for each in parts)


def one_of(*makes: Make) -> Make:
    return lambda chance: chance.choice(makes)(chance)


def jwt(chance: random.Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    body = {"sub": text(chance, string.digits, 10), "iat": chance.randrange(1_600_000_000, 1_700_000_000)}
    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(body)}.{text(chance, URL, 43)}"


def private_key(chance: random.Random) -> str:
    kind = chance.choice(["RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED ", "DSA "]) + "PRIVATE" + " KEY"
    size = chance.randrange(120, 1600)
    body = "\n".join(textwrap.wrap(text(chance, B64, size) + "==", 64))
    return f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----"


def password(chance: random.Random) -> str:
    return (
        text(chance, ALNUM, chance.randrange(10, 24))
        + chance.choice("!%*^~")
        + text(chance, string.digits, 2)
    )


#: What has a shape of its own, wherever it stands.
TOKENS: Mapping[str, Make] = {
    "aws access key": one_of(shaped("AK", "IA", (UPPER, 16)), shaped("AS", "IA", (UPPER, 16))),
    "github": one_of(*(shaped("gh", kind, "_", (ALNUM, 36)) for kind in "pousr")),
    "github fine-grained": shaped("github", "_pat_", (ALNUM, 22), "_", (ALNUM, 59)),
    "gitlab": one_of(
        shaped("gl", "pat-", (URL, 20)), shaped("gl", "dt-", (URL, 20)), shaped("glr", "t-", (URL, 20))
    ),
    "slack": one_of(
        shaped("xo", "xb-", (string.digits, 12), "-", (string.digits, 13), "-", (ALNUM, 24)),
        shaped(
            "xo",
            "xp-",
            (string.digits, 11),
            "-",
            (string.digits, 11),
            "-",
            (string.digits, 12),
            "-",
            (HEX, 32),
        ),
        shaped("xa", "pp-1-", (UPPER, 11), "-", (string.digits, 13), "-", (HEX, 64)),
    ),
    "slack webhook": shaped(
        "https://hooks.", "slack.com/services/T", (UPPER, 10), "/B", (UPPER, 10), "/", (ALNUM, 24)
    ),
    "stripe": one_of(
        shaped("sk_", "live_", (ALNUM, 24)),
        shaped("rk_", "live_", (ALNUM, 99)),
        shaped("sk_", "test_", (ALNUM, 24)),
    ),
    "stripe webhook": shaped("wh", "sec_", (ALNUM, 32)),
    "google api key": shaped("AI", "za", (URL, 35)),
    "google oauth": shaped("GOC", "SPX-", (URL, 28)),
    "openai": one_of(
        shaped("sk-", (ALNUM, 20), "T3Blbk", "FJ", (ALNUM, 20)),
        shaped("sk-", "proj-", (URL, 74), "T3Blbk", "FJ", (URL, 74)),
    ),
    "anthropic": shaped("sk-", "ant-", "api03-", (URL, 93), "AA"),
    "npm": shaped("np", "m_", (ALNUM, 36)),
    "pypi": shaped("py", "pi-", "AgEIcHlwaS5vcmc", (URL, 120)),
    "json web token": jwt,
    "private key": private_key,
    "azure client secret": shaped((ALNUM, 3), "8", "Q~", (ALNUM + "_.~-", 34)),
    "sendgrid": shaped("S", "G.", (URL, 22), ".", (URL, 43)),
    "twilio": one_of(shaped("A", "C", (HEX, 32)), shaped("S", "K", (HEX, 32))),
    "hugging face": shaped("h", "f_", (string.ascii_letters, 34)),
    "digitalocean": shaped("do", "p_v1_", (HEX, 64)),
    "telegram": shaped((string.digits[1:], 10), ":A", "A", (URL, 33)),
    "discord bot": shaped("M", (ALNUM, 25), ".", (URL, 6), ".", (URL, 38)),
    "discord webhook": shaped(
        "https://discord", ".com/api/webhooks/", (string.digits[1:], 18), "/", (URL, 68)
    ),
    "shopify": one_of(shaped("shp", "at_", (HEX, 32)), shaped("shp", "ss_", (HEX, 32))),
    "postman": shaped("PM", "AK-", (HEX, 24), "-", (HEX, 34)),
    "linear": shaped("lin", "_api_", (ALNUM, 40)),
    "databricks": shaped("da", "pi", (HEX, 32)),
    "mailchimp": shaped((HEX, 32), "-u", "s12"),
    "square": shaped("sq0", "csp-", (URL, 43)),
    "vault": shaped("hv", "s.", (ALNUM, 24)),
    "docker": shaped("dck", "r_pat_", (URL, 27)),
    "rubygems": shaped("ruby", "gems_", (HEX, 48)),
    "pulumi": shaped("pu", "l-", (HEX, 40)),
    "grafana": shaped("gl", "sa_", (ALNUM, 32), "_", (HEX, 8)),
    "supabase": shaped("sb", "p_", (HEX, 40)),
    "age key": shaped("AGE-SEC", "RET-KEY-1", ("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
    "connection string": lambda chance: (
        f"{chance.choice(['postgres', 'mysql', 'amqp', 'redis', 'mongodb+srv', 'https'])}://"
        f"{text(chance, LOWER, 6)}:{text(chance, ALNUM, 14)}@db.{text(chance, LOWER, 8)}.net:5432/app"
    ),
    "azure storage": lambda chance: (
        "DefaultEndpointsProtocol=https;AccountName=store;Account" + f"Key={text(chance, B64, 86)}=="
        ";EndpointSuffix=core.windows.net"
    ),
}

#: What is a secret by the name beside it: the name, and the value.
NAMED: Mapping[str, tuple[tuple[str, ...], Make]] = {
    "aws secret key": (("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key"), shaped((B64, 40))),
    "password": (("password", "DB_PASSWORD", "smtp_passwd", "adminPassword", "pwd"), password),
    "secret": (
        ("client_secret", "SECRET_KEY", "secret", "appSecret"),
        one_of(shaped((ALNUM, 32)), shaped((HEX, 64))),
    ),
    "api key": (
        ("api_key", "API_KEY", "apiKey", "datadog-api-key"),
        one_of(shaped((HEX, 32)), shaped((ALNUM, 24))),
    ),
    "token": (
        ("access_token", "AUTH_TOKEN", "token", "refreshToken"),
        one_of(shaped((URL, 40)), shaped((LOWER, 28))),
    ),
}

#: Where a value stands. `{n}` is its name.
PLACES: Mapping[str, str] = {
    "python": 'import os\n\n{n} = "{v}"\nclient = connect({n})\n',
    "python call": "client = Client(region, {n}='{v}', timeout=10)\n",
    "python dict": "SETTINGS = {{'debug': False, '{n}': '{v}'}}\n",
    "javascript": "const {n} = `{v}`;\nexport default {n};\n",
    "typescript": 'export const settings = {{ retries: 3, {n}: "{v}" }};\n',
    "go": 'var {n} = "{v}" // for the client\n',
    "json": '{{"name": "app", "{n}": "{v}", "port": 80}}\n',
    "yaml": "service:\n  name: app\n  {n}: {v}\n  port: 80\n",
    "env": "PORT=80\n{n}={v}\nDEBUG=0\n",
    "ini": "[app]\n{n} = {v}\n",
    "shell": "export {n}='{v}'\n./deploy.sh\n",
    "command": 'curl -H "Authorization: Bearer {v}" https://api.acme.dev/v1 # {n}\n',
    "prose": "Please use the {n} {v} when you call the service.",
    "prose, quoted": 'The {n} is "{v}", and it must not leave the machine.',
}
#: A value that only its name makes a secret has to stand beside it.
NAMED_PLACES = [place for place in PLACES if place != "command"]


def secret_in_place(chance: random.Random, kind: str) -> tuple[str, str, str]:
    """A secret of this kind in some place: the text, the secret, and the place's name."""
    if kind in TOKENS:
        value, name = TOKENS[kind](chance), chance.choice(["KEY", "token", "apiKey", "url", "x", "value"])
        place = chance.choice(list(PLACES))
    else:
        names, make = NAMED[kind]
        value, name, place = make(chance), chance.choice(names), chance.choice(NAMED_PLACES)
    shown = (
        value.replace("\n", "\\n") if "\n" in value and place in ("json", "go", "env", "python") else value
    )
    written = PLACES[place].format(n=name, v=shown)
    if chance.random() < 0.2:
        written = json.dumps({"content": written, "id": str(uuid.UUID(int=chance.getrandbits(128)))})
        shown = json.dumps(shown)[1:-1]
    return written, shown, place


def heart(kind: str, shown: str) -> str:
    """The part of a secret that must not be left: not the host beside a password, not the marks of a key."""
    if kind == "connection string":
        return shown.rpartition("@")[0].rpartition(":")[2]
    if kind == "azure storage":
        return shown.partition("AccountKey=")[2].partition(";")[0]
    if kind == "private key":
        return shown[len(shown) // 3 : len(shown) // 2]
    return shown.rpartition("/")[2] if "webhook" in kind and "/" in shown else shown
