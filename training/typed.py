"""More of what people type to assistants, hand-written: short, cut off, told as a wish, a complaint or a fact."""

from __future__ import annotations

import random

FRAMES = {
    "bug fix": """\
{a} swallows exceptions
{a} returns success even though it failed
wrong total on the receipt, tax is counted two times
umlauts arrive as question marks
the second click does nothing
{a} silently skips rows with quotes in them
since the upgrade to {p} {a} runs every job two times
KeyError: 'name' in {a}
TypeError: cannot read properties of undefined (reading 'map')
it says permission denied but I am admin
dates shift by an hour in winter
{a} never releases the lock
the modal stays open after submit
after logout the back button still shows the page
{a} picks up the wrong file when two have the same name
cancel doesn't cancel
works on my machine, on the server it's a 502
I merged it and now {a} is dead, no output at all
two requests at the same time and one of them is lost
the list is sorted by string so 10 comes before 2
{a} must not retry when the answer was 404, right now it does
we leak goroutines in {a}
data race reported by -race in {a}
index out of range when the input is empty
users with an apostrophe in their name can't register
the migration ran halfway and now the table is in a weird state, repair it
{a} gives me yesterday's data
uploads over 10 MB end with connection reset
rounding: 0.1 + 0.2 shows as 0.30000000000000004 in the ui
the tooltip is cut off on small screens
hydration mismatch warning in the console
unclosed socket warning at shutdown, find where it comes from and close it
this is the wrong sign, revenue can't be below zero
your change made it worse, now both are gone
nope, still the same error
it happens only the first time after a deploy
the numbers in the report and in {a} differ
focus jumps to the top when I press tab
the cron didn't fire on the 31st
{a} treats null and empty the same, that is not correct
sql injection in the search, parameters are concatenated
someone can see the orders of another account, close this
AttributeError: 'NoneType' object has no attribute 'split', happens with every second file
exit code is 0 although there were errors
file handles pile up until the process dies
why did {a} stop sending mails? get it going again
clicking very fast creates it two times
the regex also matches commas, it should match dots only
when the disk is full {a} writes half a record and then can't start
""",
    "feature": """\
sort by price
csv download for the report
login with google
a progress bar for long uploads
list view and grid view, remember which one was chosen
{a} should also accept yaml
{a}: new flag --quiet
--output json for every command
support several accounts per user
email the owner if {a} has been down for five minutes
users get a reminder a day before
a subcommand that shows what is pending
undo for the last action
an admin should be able to block a user
store who did what and when
make the color configurable
let me pick the time zone
offline mode
paginate the list, 50 per page, with next and previous
drag items into another order
the table needs a filter by status
show a warning before the session ends
warn people three times before their plan runs out
endpoint for the mobile app that gives the last ten messages
POST /items/batch, up to 500 at once
I want it to keep my draft when I close the tab
an sdk function that waits until the job is done
write a parser for this format: key, colon, value, comments start with a semicolon
function that takes a list of numbers and gives the moving average
class for a ring buffer with push and iteration
a small tool that renames photos by date
cli that converts markdown into slides
web page with a form for feedback, saves into a table
integrate slack, post a message for each new order
connect to s3 as another storage
plugin for {p}
now also for the other two providers
do step two as discussed
go on with the next item of the list
would love to have tags on notes
there is no way at the moment to export everything, people ask for it every week
respect the system's language
metrics endpoint with requests and errors
audit log for all changes
colored output when it is a terminal
validate: the end must be after the start, the code has six digits
it is only possible to upload one file, several would be good
as a teacher I want to copy a course so that I don't start from zero
keep the last five versions so that one can go back
{a} for {p}
shortcut keys for next and previous
soft delete with a trash that is emptied after 30 days
""",
    "refactor": """\
this file is a mess, sort it by topic
break {a} into smaller pieces
flatten the nesting in {a}
pull the parsing out of {a}
{a} and {b} share most of their code, one base for both
turn these flags into an enum
constants instead of strings for the states
replace the long if chain by a lookup table
inheritance is a bad fit here, use composition
dependency injection in place of the module level client
decouple {a} from {b}
hide {b} behind an interface
names are inconsistent, pick one style
call it account instead of user everywhere in the code
one function does five things, make five
less code please, same result
more idiomatic
make it pythonic
this could be a comprehension
early return instead of else
list of arguments is too long, group them
{a} reaches into the internals of {b}, stop that
remove what nobody calls
drop the commented out code
delete the feature flag, it has been on for a year
no more wildcard imports
named exports only
annotate {a} with types
strict types for the api layer, no behaviour change
move helpers that only one module uses into that module
put all the sql into one place
circular import between {a} and {b}, resolve it by moving the shared part
too clever, write it so that a beginner can read it
same logic copied four times, share it
the function is 300 lines
promise chain to async await in this function
from class to functions in this component, nothing else
use pathlib in this script rather than string joins
make the private things private
tidy the folder structure, imports must keep working
reduce the indentation
swap the manual loop for map
let the caller pass the clock in
kill the singleton
collapse these three dataclasses into one
""",
    "test": """\
tests for {a}
{a} has no tests
more tests, especially for the error paths
test with an empty file, a broken file and a very large file
make sure {a} is tested on bad input
end to end: sign up, confirm, log in
raise the coverage of {a} to 90
the test for {a} fails now and then, make it stable
test_export sleeps two seconds, use a fake clock
unit test that shows the bug
a failing test for the case from the report
the assertions are too weak, check the content too
mock the network
use factories rather than json fixtures
update the snapshots
tests are order dependent
split the test file by feature
property based test for encode and decode
test it against a real {p} in a container
contract test between the two implementations
the suite needs cleanup, many tests check nothing
add cases for leap years
let the tests run without the database
characterization tests before we change anything
check in a test that no route is without auth
parametrized test for all the formats
test double for the mailer
benchmarks exist, correctness tests do not
the old tests still expect the old message, adapt them
fake server for the tests of the client
""",
    "docs": """\
readme is out of date
docstring for {a}
docstrings everywhere in this module
comments so that a junior understands it
explain the flags in the readme
a page about {a} for new colleagues
architecture decision record for choosing {p}
how to install it on a mac is missing from the docs
godoc comments for the exported functions
jsdoc for {a}
examples in the api reference
changelog entry for this
write the upgrade notes
the link in the docs goes nowhere
typo in the heading
the documented default is wrong, it is 10
document the environment variables
a table of all options with their defaults
translate the guide to english
troubleshooting section
diagram of the data flow in the docs
docs for the public api
the comment says the opposite of what the code does, change the comment
help text for the new flag
describe the release process somewhere
contribution guide
""",
    "performance": """\
{a} takes 20 seconds for 100k rows
this loop needs a minute, can that be vectorized
below 100 ms please
too many round trips to the database in {a}
one query instead of a query per row
bundle is too big
page load is terrible on a phone
startup takes 3 seconds, most of it imports
use all cores for {a}
run these requests concurrently
memory grows to 4 GB with large files, read it in chunks
don't load everything into memory
scrolling lags with many items
typing is slow in the editor
cache the result, it is computed on every request
{a} is called a million times, make it cheap
quadratic, should be linear
fewer allocations in {a}
the index build takes all night
cold start of the function is too long
reuse the connection instead of opening one each time
render only what is visible
add an index so that the query is not a full scan
ci time is fine, but {a} itself is slow
we poll too often, cpu at 40% when idle
compress the responses
p95 went from 80 ms to 400 ms, bring it back
lighthouse score is low
avoid copying the buffer
precompute the table at build time, lookup must be instant
the export blocks for half an hour, shrink that
""",
    "build": """\
dockerfile, small, non root
makefile with lint, test, run
terraform for staging
release on tag
run the linter in ci
tests on three versions of python in ci
cache the dependencies in the pipeline
the workflow fails with no space left on device
cannot install, dependency conflict between {p} and {q}
two lock files, keep one
bump {p} to the latest
security update of all dependencies
drop unused dependencies
publish the package
binaries for linux, mac and windows
goreleaser config
wheels for arm
helm chart for {a}
kubernetes manifests
docker compose with a database for development
pre-commit with formatter and linter
upgrade the linter and adapt its config
ruff instead of flake8 in the config
nightly build
deploy to staging when main changes
sign the artifacts
the tarball contains the tests, exclude them
pin the actions by hash
vendored copy is outdated, refresh it
make the release script also create the tag
image is 2 GB, use a slim base
github action that labels prs
turn warnings into errors in the build
""",
    "migration": """\
{p} to {q}
{p} -> {q}
{p} → {q}, all packages
{p} is dead, get us on {q}
we leave {p}, go to {q}
{p} must go, {q} instead
{q} style everywhere, no more {p}
replace {p} by {q} in all packages
use {q} where we use {p} today
we are on {p}, support ends this year, go to {q}
rewrite {a} in {q}
step by step from {p} to {q}, both have to work in between
move the data of {a} from {p} to {q} without losing anything
port all {p} tests to {q}
{p} tests should become {q} tests
convert everything from {p} to {q}
upgrade {p} to the next major and fix what breaks
bring the code base to {q}
the whole app off {p}
finish the move to {q}, half of the modules still use {p}
{p} code should be {q} code in the end
deprecated {p} calls everywhere, new api is {q}
schema change: split the name column in two and fill the new ones from the old
""",
    "question": """\
difference between {a} and {b}
difference {p} vs {q}?
{p} or {q}?
compare {p} and {q} for our case
is {p} worth it
list all places that read {a}
only list them, do not change anything
which of these is used in production
is this safe when two threads call it
are we affected by this vulnerability
am I right that {a} is never called?
could this be done without {b}?
what would you do first
is there an edge case that I miss
review this function
review my change, no edits
thoughts on {a}?
does that make sense
trace a request through {a} for me
help me understand this type
i don't get why {a} is needed
what is this line for
meaning of this warning?
when do I use {p} and when {q}
why {p}?
any reason that {a} is not async
has {a} been changed recently
who wrote {a}
since when do we have {b}
how big can {a} get
where do I start if I want to change {a}
just explain, don't edit
tell me what you changed
did you run the tests
what did the last commit do
I see {a} and {b}, which is the right one?
summary of the architecture
main parts of the system and how they talk to each other
question about {a}: is order guaranteed
what happens on timeout
how do people usually do this in {p}
can {p} do this out of the box
is it ok to call {a} twice
what's left to do
rough idea of the cost
what is the default for this option
which version do we use
""",
}
_EACH = 8


def typed(chance: random.Random, things: list[str], places: list[str]) -> list[tuple[str, str]]:
    """(text, label) pairs: every frame, filled by chance; once where there is nothing to fill."""
    out = []
    for label, frames in FRAMES.items():
        for frame in frames.splitlines():
            for _ in range(_EACH if "{" in frame else 3):
                a, b = chance.sample(things, 2)
                p, q = chance.sample(places, 2)
                out.append((frame.format(a=a, b=b, p=p, q=q), label))
    return out
