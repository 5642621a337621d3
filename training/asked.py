"""Hand-written frames of what people type to assistants, for the types that also occur in histories."""

from __future__ import annotations

import random

FRAMES = {
    "bug fix": """\
{a} crashes when {b} is empty
{a} doesn't work any more since the last release
{a} is broken
{a} throws an exception after a restart
{a} returns the wrong result for negative values
{a} hangs forever if {b} is not there
I get an error from {a}, what's going on
getting this error in {a}: ValueError: invalid literal for int()
got a TypeError in {a} today, please look into it
it fails with undefined is not a function
{a} ignores the option that I pass
why does {a} fail on windows? it should work there too
{a} shows old data until I reload
sometimes {a} is called twice, it should only be once
{a} leaks file descriptors
deadlock between {a} and {b}
nothing happens when I click on it
{a} should not accept an empty name but it does
expected 5 but got 4 from {a}
{a} loses the last line of every file
there is a bug in {a}, find it
after the upgrade {a} stopped working
exit status 1 from {a} and no message at all
{a} writes to the wrong folder
the order of the results from {a} is wrong
customers complain that {a} doesn't load
{a} used to work yesterday
{a} is not escaped properly
the value disappears when I save it twice
Error: connect ECONNREFUSED 127.0.0.1:5432
""",
    "feature": """\
add an option to {a}
add support for websockets to {a}
I want {a} to also handle archives
{a} should be able to read from a pipe
let users choose the language in {a}
it would be great if {a} could remember the last choice
we need a way to turn off {a}
make it possible to configure {a} by file
create a page that lists all orders
write a function that returns the median of a list
write a small script that backs up {a}
build a simple chat app
implement {a} with a heap
can you add a button that copies the link
new command that prints the status of {a}
send an email when {a} is done
users want to filter by date
show how many items are selected
provide a hook that runs before {a}
generate thumbnails for the uploaded pictures
when {a} is done also notify {b}
integrate stripe payments
add validation to the form
limit how often {a} may be called
""",
    "refactor": """\
{a} is too long, split it up
clean up {a}
simplify {a}, nobody can read it
move {a} to its own file
rename {a} to something clearer
remove the dead code in {a}
merge {a} and {b}, they do the same
too many parameters in {a}, use an options object
untangle {a} from {b}
use early returns in {a}
make {a} more readable
this code is ugly, rewrite it in a cleaner way, same behaviour
extract the common parts of {a} and {b}
{a} should not know about {b}, separate them
get rid of the singleton in {a}
""",
    "test": """\
write tests for {a}
add a test for {a} with an empty list
cover {a} with unit tests
there are no tests for {a}
the tests of {a} are flaky
test {a} against bad input
make the tests of {a} faster and independent of the network
add a regression test for that
we need integration tests between {a} and {b}
mock {b} in the tests
improve the coverage of {a}
""",
    "docs": """\
document {a}
add comments to {a}
write the docs for {a}
the readme does not say how to install it
update the documentation of {a}
write a guide on how to use {a}
add an example for {a} to the docs
fix the typos in the guide
describe the parameters of {a} in the docstring
the docs for {a} are out of date
""",
    "performance": """\
{a} is slow
{a} takes ten seconds, make it faster
speed up {a}
{a} uses too much memory, reduce it
optimize {a} for large inputs
{a} eats 100% cpu
avoid reading the file again and again in {a}
why is {a} so slow? make it fast
cache what {a} computes
too many queries in {a}
{a} lags with many rows
do {a} in parallel to save time
""",
    "build": """\
set up ci for this repo
add a dockerfile
the build fails on github actions
update all dependencies
bump the version and release
the pipeline is red, fix the workflow
configure eslint and prettier
add a linter to the pipeline
publish to pypi on tags
make the docker image smaller
deploy this with kubernetes
pin the versions in the lock file
npm install fails because of peer dependencies
""",
}
_EACH = 12


def requests(chance: random.Random, things: list[str]) -> list[tuple[str, str]]:
    """(text, label) pairs: every frame, filled by chance; once where there is nothing to fill."""
    out = []
    for label, frames in FRAMES.items():
        for frame in frames.splitlines():
            for _ in range(_EACH if "{" in frame else 3):
                a, b = chance.sample(things, 2)
                out.append((frame.format(a=a, b=b), label))
    return out
