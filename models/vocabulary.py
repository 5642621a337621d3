"""Which words speak of what: of speed, of tests, of failures, of a technology; by their stems."""

from __future__ import annotations

#: A stem stands here where it stands in a development prompt, or where three histories or more have it, half as
#: often again under the type of its class as in all; negations, and the words of wishing and asking, are simply listed.
_STEMS = {
    "speed": """\
alloc batch benchmark bottleneck bundl cach concurrent cor cpu efficient fast gc heavy hot index instant
lag latency lazi lazy lighthous memoiz memory minut ms n+1 optimiz parallel paralleliz perf performanc
pprof prefetch preload profil queri quick roundtrip second slow spe startup stream throughput vectoriz""",
    "test": """\
assert conftest coverag cypres e2e fixtur flaky fuzz golden hypothesi jest karma mocha mock parametriz
playwright pytest regress snapshot spec stub test testcas testdata unittest vitest""",
    "docs": """\
adr changelog comment contribut doc docstr document exampl faq glossary godoc grammar guid handbook jsdoc
mkdoc pros quickstart readm spell sphinx swagg tsdoc tutorial typo wiki word""",
    "build": """\
act apt artifact audit bump bundl cach ci contain cron dep dependabot dependenci dependency deploy
deployment dock dockerfil eslint golangci goreleas homebrew imag k8s kubernet lint lock lockfil mak
makefil night nix npm packag pin pipelin pre-commit precommit pretti publish pypi pyproject releas renovat
rollup ruff sbom secret setup stag terraform travi vers webpack wheel workflow""",
    "fail": """\
blank break brok broken bug buggy corrupt crash cut deadlock disappear doubl duplicat empty error except
fail flick freez garbl glitch hang ignor inconsistent incorrect infinit invalid leak los lost misbehav
mismatch miss nan nev nil non noth null off overflow panic rac rais refus regress segfault stacktrac stal
stuck throw thrown tim timeout traceback truncat twic undefin underflow unexpect unexpected vulnerability
vulnerabl wrong xss""",
    "neg": """\
aren't can't cannot cant didn't didnt doesn't doesnt don't dont instead isn't isnt nev no not noth
shouldn't wasn't without won't wont""",
    "restructure": """\
abstract break clean cleanup consistent consolidat constant dead decoupl dedup deduplicat duplic enum
extract flatten global help idiomatic interfac lay merg mes nam nest pull pythonic readability readabl
redundant refactor renam reorganis reorganiz responsibility restructur rework rewrit simplify singleton
split splitt tidy typ ugly unify unus""",
    "create": """\
ability abl add allow build button command configurabl creat custom display download enabl endpoint export
expos featur field filt flag form generat implement import integrat introduc let let' new notify off opt
pag possibl provid search send sett show sort subcommand support upload user users validat want""",
    "ask": """\
advic best bett clarify compar con curiou describ differenc estimat explain how list mean opin overview
pro purpos reason recommend review saf summaris summariz summary tell thought trac trade-off tradeoff
understand versu vs what when wher wheth which who whos why wond wonder""",
    "migrate": """\
convert deprec deprecat drop dropp everywher leav legacy migr migrat mov port replac switch upgrad""",
}
#: Names of languages, libraries and services. Two of them in one text are often a move from one to the other.
_TECHNOLOGIES = """\
aiohttp alembic angular angularjs ansible antd argparse async attrs await aws axios azure babel backbone
biome black bootstrap boto boto3 bottle bun callbacks cassandra celery chakra chi circleci cjs click
clickhouse cobra commonjs conda cra css cypress date-fns dayjs deno django docker drizzle dynamodb echo ecs
elasticsearch ember ent enzyme esbuild eslint esm express fastapi fastify fetch fiber flake8 flask flow
gatsby gcp gin ginkgo gitlab glog golang golangci gorilla gorm graphql grpc grunt gulp hapi helm heroku hono
hooks httpx ioutil isort jasmine java javascript jenkins jest jotai jquery js json kafka karma knex koa
kotlin kubernetes lambda lerna less lodash logrus loguru luxon mariadb marshmallow memcached mobx mocha
moment mongo mongodb mongoose mssql mui mux mypy mysql nats nest nestjs next nextjs node nodejs npm nuxt nx
opensearch optparse oracle parcel peewee perl php pinia pino pip pipenv playwright pnpm podman poetry
postgres postgresql preact prettier prisma promises protobuf pulumi py2 py3 pydantic pylint pyramid pyright
pytest python python2 python3 rabbitmq ramda react recoil redis redux remix requests rest rollup rq ruby
ruff rust rxjs sanic sass scala selenium sequelize setuptools signals slog soap solr sqlalchemy sqlc sqlite
sqs starlette storybook svelte swc swift tailwind terraform testify thrift toml tornado travis ts tslint
turborepo typeorm typer typescript unittest urllib3 uv viper vite vitest vue vue2 vue3 vuex webpack winston
wire xml yaml yarn zap zerolog zustand"""
TECHNOLOGIES = frozenset(_TECHNOLOGIES.split())

#: The classes of each stem.
CLASSES: dict[str, tuple[str, ...]] = {}
for _class, _stems in _STEMS.items():
    for _stem in _stems.split():
        CLASSES[_stem] = (*CLASSES.get(_stem, ()), _class)
