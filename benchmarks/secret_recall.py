"""How many secrets are found in whole files, of another generator than the tests' own; in code, how many wrongly.

    python benchmarks/secret_recall.py [--seed N] [--each N] [REPOSITORY …]

The files are of formats that the tests' forms do not copy, the values of other kinds: pronounceable words, words
with numbers and signs, what `openssl rand` and `uuidgen` print. `docs/benchmarks.md` says when the rules were
first shown these.
"""

from __future__ import annotations

import argparse
import base64
import random
import statistics
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from cortex.store.secrets import find, redact

Made = Callable[[random.Random], str]
KIB20 = 20 * 1024


def _pronounced(chance: random.Random, least: int = 4) -> str:
    pairs = [
        chance.choice("bcdfghjklmnprstvwz") + chance.choice("aeiou") for _ in range(chance.randint(2, 4))
    ]
    word = "".join(pairs) + chance.choice(["", "n", "r", "s", "l"])
    return word if len(word) >= least else word + "ta"


def pronounceable(chance: random.Random) -> str:
    """Four words that mean nothing, as some managers of passwords offer."""
    return "-".join(_pronounced(chance) for _ in range(4))


def words_and_number(chance: random.Random) -> str:
    """Words that mean nothing, with capitals, and a number."""
    mark = chance.choice("-._")
    return f"{mark.join(_pronounced(chance).capitalize() for _ in range(3))}{mark}{chance.randint(10, 9999)}"


def typed(chance: random.Random) -> str:
    """A word with a sign and a number, as rules for passwords ask for."""
    return (
        _pronounced(chance).capitalize()
        + chance.choice(["!", "@", "#", "$", "&", "*", "?"])
        + str(chance.randint(100, 99999))
        + chance.choice(["x", "Q", "!", "zz"])
    )


def openssl_hex(chance: random.Random) -> str:
    """What `openssl rand -hex` prints."""
    return chance.randbytes(chance.choice([12, 16, 20, 32])).hex()


def openssl_base64(chance: random.Random) -> str:
    """What `openssl rand -base64` prints."""
    return base64.b64encode(chance.randbytes(chance.choice([18, 24, 32, 48]))).decode()


def urlsafe(chance: random.Random) -> str:
    """What Python's `secrets.token_urlsafe` gives."""
    return base64.urlsafe_b64encode(chance.randbytes(chance.choice([16, 24, 32]))).decode().rstrip("=")


def bare_uuid(chance: random.Random) -> str:
    """A UUID without its hyphens."""
    return uuid.UUID(int=chance.getrandbits(128), version=4).hex


ANY: tuple[Made, ...] = (
    *(pronounceable, words_and_number, typed, openssl_hex, openssl_base64, urlsafe, bare_uuid),
)
PLAIN: tuple[Made, ...] = (pronounceable, words_and_number, openssl_hex, urlsafe, bare_uuid)

#: By the name of a format: how it reads with `@` for the secret, and what may stand there.
FILES: dict[str, tuple[str, tuple[Made, ...]]] = {
    "docker-compose": (
        "services:\n  db:\n    image: postgres:16\n    environment:\n      POSTGRES_USER: shop\n"
        "      POSTGRES_PASSWORD: @\n    ports: ['5432:5432']\n",
        ANY,
    ),
    "compose, list": ("    environment:\n      - TZ=UTC\n      - MQTT_PASSWORD=@\n      - LEVEL=info\n", ANY),
    "dockerfile": ("FROM alpine:3\nENV API_TOKEN=@\nRUN apk add curl\n", ANY),
    "terraform": ('resource "db" "main" {\n  username = "shop"\n  password = "@"\n  size     = 20\n}\n', ANY),
    "terraform variable": ('variable "db_password" {\n  type    = string\n  default = "@"\n}\n', ANY),
    "github workflow": (
        "    - run: make publish\n      env:\n        PUBLISH_TOKEN: @\n        CI: 1\n",
        ANY,
    ),
    "kubernetes": (
        "  template:\n    env:\n    - name: SMTP_PASSWORD\n      value: @\n    - name: PORT\n",
        ANY,
    ),
    "kubernetes secret": ("kind: Secret\nstringData:\n  username: shop\n  password: @\n", ANY),
    "ansible": ("- hosts: all\n  vars:\n    ansible_become_pass: @\n    http_port: 80\n", ANY),
    "java properties": ("server.port=80\nspring.mail.password=@\nlogging.level=info\n", ANY),
    "maven settings": (
        "<server>\n  <id>central</id>\n  <username>ci</username>\n  <password>@</password>\n</server>\n",
        ANY,
    ),
    "gradle": ("org.gradle.daemon=true\nsigning.password=@\nossrhToken=@\n", PLAIN),
    "appsettings": ('{\n  "Smtp": {\n    "Host": "mail",\n    "Password": "@"\n  }\n}\n', ANY),
    "ado connection": (
        '"Main": "Data Source=db;Initial Catalog=shop;User ID=app;Password=@;Pooling=true"\n',
        PLAIN,
    ),
    "pypirc": ("[pypi]\nrepository = https://packages.acme.dev\nusername = ci\npassword = @\n", ANY),
    "npmrc": ("registry=https://npm.acme.dev/\n//npm.acme.dev/:_authToken=@\n", PLAIN),
    "pip.conf": ("[global]\nextra-index-url = https://ci:@@packages.acme.dev/simple\n", PLAIN),
    "netrc": ("machine git.acme.dev\nlogin ci\npassword @\n", ANY),
    "git remote": ('[remote "origin"]\n\turl = https://ci:@@git.acme.dev/shop.git\n', PLAIN),
    "redis url": ("CACHE=redis://default:@@cache.acme.dev:6379/1\n", PLAIN),
    "mongo url": ('uri: "mongodb+srv://shop:@@cluster0.acme.net/?retryWrites=true"\n', PLAIN),
    "php": ("define( 'DB_USER', 'shop' );\ndefine( 'DB_PASSWORD', '@' );\n", ANY),
    "laravel": ("'key' => env('APP_KEY'),\n'secret' => env('AWS_SECRET', '@'),\n", PLAIN),
    "rails": ("production:\n  adapter: mysql2\n  password: <%= ENV['DB_PASSWORD'] || '@' %>\n", PLAIN),
    "ruby": ("Acme.configure do |c|\n  c.api_key = '@'\nend\n", ANY),
    "python default": ('import os\nsecret = os.getenv("JWT_SECRET", "@")\n', ANY),
    "python keyword": ("db = connect(host='db', user='shop', password='@', port=3306)\n", ANY),
    "python annotated": ('class Settings:\n    api_token: str = "@"\n    retries: int = 3\n', ANY),
    "javascript default": ("const secret = process.env.SESSION_SECRET || '@';\n", ANY),
    "javascript object": ("module.exports = {\n  user: 'shop',\n  accessToken: '@',\n};\n", ANY),
    "go": ('cfg := Config{\n\tUser:     "shop",\n\tPassword: "@",\n}\n', ANY),
    "rust": ('const API_TOKEN: &str = "@";\n', ANY),
    "kotlin": ('val clientSecret: String = "@"\n', ANY),
    "swift": ('    private let apiKey = "@"\n', ANY),
    "c#": ('var client = new Client { ApiKey = "@", Retries = 3 };\n', ANY),
    "java": ('    private static final String SECRET_KEY = "@";\n', ANY),
    "powershell": ("$env:DEPLOY_TOKEN = '@'\n", ANY),
    "batch": ("set AUTH_TOKEN=@\r\n", PLAIN),
    "shell": ("#!/bin/sh\nexport DB_PASSWORD='@'\nexec run\n", ANY),
    "curl, user": ("curl --silent -u ci:'@' https://acme.dev/build\n", PLAIN),
    "curl, user, bare": ("curl --fail --user deploy:@ -X POST https://acme.dev/build\n", PLAIN),
    "curl, header": ("curl -H 'Authorization: Bearer @' https://acme.dev/v1/me\n", PLAIN),
    "http file": ("GET /v1/me HTTP/1.1\nHost: acme.dev\nAuthorization: Bearer @\nAccept: */*\n", PLAIN),
    "request, header": ('headers = {"X-Api-Key": "@", "Accept": "text/html"}\n', ANY),
    "mysql": ("mysqldump -u shop -p@ shop > dump.sql\n", PLAIN),
    "docker login": ("docker login ghcr.io -u ci --password @\n", PLAIN),
    "option": ("vault login --token @ --no-store\n", PLAIN),
    "option, list": ('    args: ["serve", "--admin-password", "@"]\n', PLAIN),
    "helm": ("helm upgrade shop ./shop --set db.password=@ --wait\n", PLAIN),
    "yaml, folded": ("client_secret: >-\n  @\nredirect: /home\n", PLAIN),
    "query": ("GET https://acme.dev/report?from=1&access_token=@&to=2\n", PLAIN),
    "log": ('time=12:00 level=debug msg="login" user=shop password=@ took=3ms\n', PLAIN),
    "prose": (
        "The staging password is @ and it changes each month.\n",
        (typed, openssl_hex, urlsafe, bare_uuid),
    ),
}


def in_file(chance: random.Random, name: str) -> tuple[str, str]:
    """A file of this format, and the secret in it."""
    form, makes = FILES[name]
    value = chance.choice(makes)(chance)
    # `@@` is the secret before the sign of a URL.
    return form.replace("@@", "@\0").replace("@", value).replace("\0", "@"), value


def recall(chance: random.Random, each: int) -> dict[str, list[str]]:
    """Of each format, the files in which the secret was left."""
    missed: dict[str, list[str]] = {}
    for name in FILES:
        missed[name] = []
        for _ in range(each):
            text, value = in_file(chance, name)
            clean, _ = redact(text)
            if value in clean or value[: len(value) // 2] in clean:
                missed[name].append(text)
    return missed


def wrong(repository: Path) -> tuple[int, int, int, float, list[str]]:
    """Found in the files of HEAD: how many, in how many lines and bytes, in how many seconds; and where."""
    git = ["git", "-C", str(repository)]
    names = subprocess.run(
        [*git, "ls-tree", "-r", "-z", "--name-only", "HEAD"], capture_output=True, check=True
    )
    found, lines, size, seconds, places = 0, 0, 0, 0.0, []
    for name in names.stdout.decode("utf-8", "surrogateescape").split("\0"):
        data = subprocess.run([*git, "show", f"HEAD:{name}"], capture_output=True, check=False).stdout
        if not name or b"\0" in data or len(data) > 150_000:
            continue
        text = data.decode("utf-8", "replace")
        start = time.process_time()
        here = find(text)
        seconds += time.process_time() - start
        found, lines, size = found + len(here), lines + text.count("\n"), size + len(data)
        places += [f"{name}:{text.count(chr(10), 0, each.start) + 1}: {each.rule}" for each in here]
    return found, lines, size, seconds, places


def main() -> int:
    """Print recall for each format, and what was found in the repositories."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options.add_argument("--each", type=int, default=200, help="files of each format")
    options.add_argument("repositories", nargs="*", type=Path)
    given = options.parse_args()
    missed = recall(random.Random(given.seed), given.each)
    shares = {name: 1 - len(lost) / given.each for name, lost in missed.items()}
    print(f"seed {given.seed}, {given.each} files of each of {len(FILES)} formats")
    print(
        f"found: {statistics.fmean(shares.values()):.1%}; formats below 90%: {sum(s < 0.9 for s in shares.values())}"
    )
    for name, share in sorted(shares.items(), key=lambda pair: pair[1]):
        print(f"{share:7.1%}  {name}" + (f"   {missed[name][0]!r}" if missed[name] else ""))
    for repository in given.repositories:
        found, lines, size, seconds, places = wrong(repository)
        print(
            f"{repository}: {found} in {lines:,} lines, {seconds / max(1, size) * KIB20 * 1000:.2f} ms for 20 KiB"
        )
        print("".join(f"  {place}\n" for place in places), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
