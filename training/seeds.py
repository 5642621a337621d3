"""Hand-written frames for the types of task that commit subjects seldom show: questions and migrations."""

from __future__ import annotations

import random

from asked import requests

THINGS = """\
the router
the auth middleware
the config loader
the scheduler
this function
the cache layer
the parser
the session store
the CLI
the worker queue
the API client
the test runner
the build script
the database layer
this class
the error handling
the event loop
the plugin system
the retry logic
the upload handler
the index
the logger
the template engine
the payment service
the state machine
this module
the type checker
the hook
the search endpoint
the serializer
this regex
the connection pool
the daemon
the login form
the store
""".splitlines()
_QUESTIONS = """\
how does {a} work?
how do I use {a}?
what does {a} do?
why does {a} need {b}?
why is {a} so complicated?
where is {a} defined?
where do we call {a}?
what is the difference between {a} and {b}?
which is better, {a} or {b}?
is {a} thread safe?
does {a} support unicode?
should we use {a} or {b}?
what happens when {a} fails?
explain {a}
explain how {a} works
describe what {a} does
tell me about {a}
walk me through {a}
summarize {a}
can you explain {a}?
could you tell me why {a} uses {b}?
what are the options for {a}?
who calls {a}?
when is {a} called?
how is {a} connected to {b}?
how can I tell whether {a} is running?
show me where {a} is used
what would happen if {a} was removed?
is there a way to turn off {a}?
why was {a} written like this
do we have something like {a}?
are there any problems with {a}?
I don't understand {a}, what is it for?
help me understand {a}
what's the purpose of {a}
how many places use {a}?
give me an overview of {a}
""".splitlines()
PLACES = """\
Python 2
Python 3.12
Java
Kotlin
Vue 2
Vue 3
React 17
React 18
webpack
Vite
Jest
Vitest
MySQL
PostgreSQL
REST
GraphQL
JavaScript
TypeScript
Django 3
Django 5
Flask
FastAPI
Redux
Zustand
callbacks
async/await
unittest
pytest
setup.py
pyproject.toml
Travis
GitHub Actions
SQLite
MongoDB
ESM
CommonJS
class components
hooks
the old API
the new API
v1
v2
Go modules
log
slog
Angular 12
Angular 17
Bootstrap
Tailwind
requests
httpx
npm
pnpm
moment
dayjs
Express
Fastify
Node 16
Node 22
AWS SDK v2
AWS SDK v3
os.path
pathlib
""".splitlines()
_MIGRATIONS = """\
migrate from {p} to {q}
migrate {a} from {p} to {q}
migrate {a} to {q}
migrate to {q}
port {a} to {q}
port {a} from {p} to {q}
upgrade {a} from {p} to {q}
upgrade the project to {q}
switch from {p} to {q}
switch {a} to {q}
convert {a} from {p} to {q}
convert the code base to {q}
move {a} from {p} to {q}
move the whole project to {q}
replace {p} with {q} everywhere
replace all deprecated {p} calls with {q}
we are still on {p}, bring us to {q}
get rid of {p} and use {q} instead everywhere
plan and do the migration from {p} to {q}
write a database migration for {a}
convert all {p} files to {q}
drop {p} in favor of {q}
adopt {q} in place of {p}
transition {a} to {q}
""".splitlines()
_EACH = 30


def seeds(chance: random.Random) -> list[tuple[str, str]]:
    """(text, label) pairs: every frame, filled some times by chance."""
    out = []
    for frames, label in ((_QUESTIONS, "question"), (_MIGRATIONS, "migration")):
        for frame in frames:
            for _ in range(_EACH):
                a, b = chance.sample(THINGS, 2)
                p, q = chance.sample(PLACES, 2)
                out.append((frame.format(a=a, b=b, p=p, q=q), label))
    return out + requests(chance, THINGS)
