"""The lines in which people leave passwords and tokens that have no shape of their own: options, headers, defaults.

Each form is a place and the values that are put there; what is made for a form holds the value once.
"""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable, Mapping, Sequence

Make = Callable[[random.Random], str]

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
_WORDS = """
    amber anchor apple arrow autumn badge bamboo basket battery beacon bishop blanket blossom bottle breeze
    bridge bronze button cactus camel candle canyon carpet castle cedar cherry circle clover cobalt comet
    copper coral correct cotton crater cricket crimson crystal dancer desert diamond dolphin dragon eagle
    ember falcon feather ferret fiddle forest fossil garden ginger glacier granite guitar hammer harbor hazel
    helmet hollow horse hunter iceberg island ivory jacket jaguar jungle kettle kitten ladder lagoon lantern
    laurel lemon lilac lizard magnet maple marble meadow mellow mirror monkey mountain mustard nectar needle
    nickel oyster paddle panda pepper pillow planet plaza pocket pumpkin puzzle quartz rabbit raven ribbon
    river rocket saddle salmon shadow silver sparrow spider staple stone summer sunset teapot thunder tiger
    timber tunnel turtle velvet violet walnut walrus whale willow window winter wizard zebra
""".split()  # noqa: SIM905 - read as prose
_LEET = str.maketrans("aeiost", "431057")


def passphrase(chance: random.Random) -> str:
    """Words as people join them, with small numbers among them."""
    mark = chance.choice("-_.-")
    words = chance.sample(_WORDS, chance.choice([3, 4, 4, 5]))
    if chance.random() < 0.3:
        words = [word.capitalize() for word in words]
    if chance.random() < 0.6:
        words.insert(chance.randrange(1, len(words) + 1), str(chance.randrange(1, 9999)))
    return mark.join(words)


def typed(chance: random.Random) -> str:
    """A word that was made harder: `Tr0ub4dor&3`."""
    word = "".join(chance.choice([c, c.translate(_LEET)]) for c in chance.choice(_WORDS)) + chance.choice(
        _WORDS
    )
    word = word if chance.random() < 0.5 else word.capitalize()
    return word[:12] + chance.choice("&!#*%+@?") + str(chance.randrange(1, 999))


def generated(chance: random.Random) -> str:
    """What a program makes up."""
    letters, least, most = chance.choice([(ALNUM, 14, 40), (HEX, 32, 64), (ALNUM + "-_", 20, 44)])
    return _some(chance, letters, chance.randrange(least, most + 1))


def hexadecimal(chance: random.Random) -> str:
    return _some(chance, HEX, chance.choice([32, 40, 64]))


def any_value(chance: random.Random) -> str:
    return chance.choice([passphrase, typed, generated])(chance)


def basic(chance: random.Random) -> str:
    pair = f"{chance.choice(_WORDS)}:{any_value(chance)}"
    return base64.b64encode(pair.encode()).decode()


def _some(chance: random.Random, letters: str, size: int) -> str:
    return "".join(chance.choice(letters) for _ in range(size))


#: What a form is called, where its value stands (`{v}`; `{w}` is some word), and how the value is made.
FORMS: Mapping[str, tuple[Sequence[str], Make]] = {
    "passphrase by a token's name": (
        (
            "token={v}",
            "secret={v}",
            "access_token={v}\n",
            "AUTH_TOKEN={v}\nPORT=80",
            "api_key: {v}",
            'token = "{v}"',
            "secret: '{v}'",
            '"api_key": "{v}",',
            "export AUTH_TOKEN={v}",
            'const accessToken = "{v}";',
        ),
        passphrase,
    ),
    "typed password by a token's name": (
        (
            "token={v}",
            "secret={v}",
            "access_token={v}\n",
            'AUTH_TOKEN="{v}"',
            "api_key: {v}",
            "clientSecret: '{v}'",
        ),
        typed,
    ),
    "passphrase by a password's name": (
        ("password={v}", "DB_PASSWORD={v}\n", 'password = "{v}"', "password: {v}", "'passwd': '{v}',"),
        any_value,
    ),
    "bearer": (
        (
            "Authorization: Bearer {v}",
            '-H "Authorization: Bearer {v}"',
            "headers = {{'Authorization': 'Bearer {v}'}}",
            "authorization: bearer {v}\n",
            "Authorization: token {v}",
        ),
        lambda chance: chance.choice([hexadecimal, hexadecimal, generated])(chance),
    ),
    "basic": (("Authorization: Basic {v}", "'Authorization': 'Basic {v}'", 'auth := "Basic {v}"'), basic),
    "default of a variable": (
        (
            'password = os.getenv("DB_PASSWORD", "{v}")',
            "TOKEN = os.environ.get('AUTH_TOKEN', '{v}')",
            'const p = process.env.PASSWORD || "{v}";',
            "secret: process.env.JWT_SECRET ?? '{v}',",
            'api_key = os.environ.get("API_KEY") or "{v}"',
            "password: ${{DB_PASSWORD:-{v}}}",
            "spring.datasource.password=${{DB_PASSWORD:{v}}}",
            'String s = System.getenv().getOrDefault("APP_SECRET", "{v}");',
            "$password = getenv('DB_PASSWORD') ?: '{v}';",
            'token = ENV.fetch("ACCESS_TOKEN") {{ "{v}" }}',
            'SECRET_KEY = env("SECRET_KEY", default="{v}")',
        ),
        any_value,
    ),
    "user of a command": (
        (
            "curl -u admin:{v} https://{w}.dev/x",
            "curl -s --user {w}:{v} https://{w}.dev",
            'curl -X POST -u "admin:{v}" https://{w}.dev',
            "http -a {w}:{v} GET {w}.dev/x",
        ),
        any_value,
    ),
    "option of a command": (
        (
            "docker login --username {w} --password {v}",
            "deploy --token {v} --verbose",
            "deploy --password={v}",
            "mysql -h db -u {w} -p{v} {w}",
            "docker login -u {w} -p {v} registry.{w}.dev",
            "sshpass -p '{v}' ssh {w}@host",
            "redis-cli -a {v} ping",
            '["--api-key", "{v}"]',
            "wget --http-password={v} https://{w}.dev",
        ),
        any_value,
    ),
    "url": (
        (
            "https://{w}:{v}@{w}.dev/a.git",
            "git clone https://oauth2:{v}@{w}.dev/a.git",
            "postgres://{w}:{v}@db.{w}.net:5432/app",
            "--index-url https://{w}:{v}@index.{w}.dev/simple",
            "redis://:{v}@cache:6379/0",
            "https://{v}@{w}.dev/a.git",
        ),
        lambda chance: (
            generated(chance) if chance.random() < 0.5 else passphrase(chance) + str(chance.randrange(10, 99))
        ),
    ),
    "netrc": (
        (
            "machine api.{w}.dev login {w} password {v}\n",
            "machine api.{w}.dev\n  login {w}\n  password {v}\n",
            "default login {w} password {v}",
        ),
        any_value,
    ),
    "connection string": (
        (
            "Server=db;Database=app;User Id={w};Password={v};Encrypt=True",
            '"Server=db;User Id={w};Pwd={v}"',
            'conn = "host=db user={w} password={v} dbname=app"',
            "Endpoint=sb://{w}.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={v};",
            "jdbc:mysql://db/app?user={w}&password={v}&ssl=true",
        ),
        lambda chance: chance.choice([generated, passphrase])(chance),
    ),
    "package registry": (
        (
            "//registry.{w}.dev/:_authToken={v}",
            "npm config set //registry.{w}.dev/:_authToken {v}",
            "npmAuthToken: {v}",
            'npmAuthToken: "{v}"',
            "[repo]\nusername = {w}\npassword = {v}\n",
        ),
        lambda chance: chance.choice([hexadecimal, generated])(chance),
    ),
    "package registry, base64": (
        ("//registry.{w}.dev/:_auth={v}", "_auth = {v}", "//registry.{w}.dev/:_password={v}"),
        basic,
    ),
    "docker config": (
        (
            '{{"auths": {{"registry.{w}.dev": {{"auth": "{v}"}}}}}}',
            '"registry.{w}.dev": {{\n  "auth": "{v}"\n}}',
        ),
        basic,
    ),
    "yaml block": (
        (
            "token: >-\n  {v}\nport: 80\n",
            "api_key: |\n    {v}\n",
            "password: |-\n  {v}\nuser: {w}\n",
            "- name: AUTH_TOKEN\n  value: {v}\n",
            '- name: DB_PASSWORD\n  value: "{v}"\n',
        ),
        any_value,
    ),
    "xml": (
        ("<password>{v}</password>", '<add key="ApiKey" value="{v}" />', "<apiToken>{v}</apiToken>"),
        generated,
    ),
    "prose": (
        (
            "The password is {v}",
            'the token is "{v}", see the wiki',
            "Use the secret {v} when you log in",
            "api key: {v}",
        ),
        lambda chance: chance.choice([typed, generated])(chance),
    ),
    "named over two lines": (
        ('token = (\n    "{v}"\n)', 'password =\n    "{v}";', 'api_key = \\\n    "{v}"'),
        any_value,
    ),
}


def in_form(chance: random.Random, form: str) -> tuple[str, str]:
    """A line of this form, and the value that must not be left of it."""
    places, make = FORMS[form]
    value = make(chance)
    word = chance.choice([each for each in _WORDS if each not in value.lower()])
    return chance.choice(list(places)).format(v=value, w=word), value


def split_token(chance: random.Random) -> tuple[str, str]:
    """A token over several lines, in YAML's folded form; the first of its lines must be gone."""
    lines = [_some(chance, ALNUM + "-_", 40) for _ in range(chance.choice([2, 3]))]
    return "client:\n  token: >-\n" + "".join(f"    {line}\n" for line in lines) + "  port: 80\n", lines[-1]
