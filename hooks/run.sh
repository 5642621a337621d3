#!/bin/sh
# Cortex's hook shim: it spools what happened and exits 0. It waits for an answer, with a deadline, only where one
# matters: before a commit (the guard) and for a coding agent. `cortex init` copies it to <git-dir>/cortex/hooks/run.
#   run git <hook> [arguments]      what git gives a hook, post-rewrite's standard input too
#   run agent <name>                the agent's own JSON on standard input
cr=1
[ "$cr" = 1 ] || exit 0 # line ends with carriage returns: nothing below would parse
code=0
trap 'exit "$code"' 0
trap : USR1
exec 2>/dev/null
[ -z "${CORTEX_INSIDE_HOOK:-}" ] || exit 0 # what a hook of ours starts must not start it again
CORTEX_INSIDE_HOOK=1
PATH="${PATH:+$PATH:}/usr/bin:/bin"
export CORTEX_INSIDE_HOOK PATH
unset PYTHONPATH PYTHONHOME # a project's own modules would stand in for ours, and run
umask 077

program=@PROGRAM@
# Where the program's own Python is known, it is started without `site`, which takes as long as the answer; it
# becomes the program where no daemon answers.
python=@PYTHON@
quick=@QUICK@
here=${0%/*}
case $here in
/*) ;;
*) here=$PWD/$here ;; # the daemon, which is told the file's name, works elsewhere
esac
spool=$here/../spool
newline='
'
kind=${1:-} name=${2:-}
case $kind.$name in
git.pre-commit | git.post-commit | git.post-rewrite | git.post-merge | git.post-checkout) ;;
agent.*[!a-z0-9-]* | agent.) exit 0 ;;
agent.*) ;;
*) exit 0 ;;
esac
shift 2
[ -d "$spool" ] || exit 0

# A name that no other process has: from the kernel without starting a program, else from the usual devices.
id=
read -r id </proc/sys/kernel/random/uuid || id=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
id=${id:-$(date +%s)}-$$
draft=$spool/.$id.draft
spooled=$spool/$id.$kind.$name
told=$spool/.$id.answer

text=
note() { # key, value: one line; what holds a line end is left out
    case $2 in
    '' | *"$newline"*) ;;
    *) text=$text$1=$2$newline ;;
    esac
}

describe() { # what git says to its hooks; no program is started
    text="v=1${newline}hook=$name$newline"
    note cwd "$PWD"
    note git_dir "${GIT_DIR:-}"
    note index "${GIT_INDEX_FILE:-}"
    ref='' head=''
    read -r ref <"${GIT_DIR:-.git}/HEAD"
    case $ref in
    'ref: '*)
        ref=${ref#ref: }
        note ref "$ref"
        read -r head <"$here/../../$ref"
        ;;
    *) head=$ref ;;
    esac
    note head "$head"
    for argument in "$@"; do note arg "$argument"; done
    [ "$name" != post-rewrite ] || text=$text$newline$(head -c 1048576)$newline
    printf '%s' "$text"
}

ask() { # arguments of the program: its answer is in $told, its exit status in $status
    if [ -x "$python" ] && [ -f "$quick" ]; then
        set -- "$python" -I -S "$quick" "$program" "$seconds" "$@"
    else
        set -- "$program" "$@"
    fi
    "$@" <&4 >"$told" 2>/dev/null 4<&- &
    worker=$!
    (
        # $! is the worker until there is a sleep, and the sleep from then on: no moment in which it is not known. A
        # TERM would be lost on a child that has not yet become `sleep`.
        trap '[ "$!" = "$worker" ] || kill -9 "$!"; exit 0' TERM
        sleep "$seconds" &
        wait "$!"
        kill -9 "$worker"
        kill -USR1 "$$" # ends the wait below even where the worker cannot die
    ) </dev/null >/dev/null 2>&1 4<&- &
    watcher=$!
    wait "$worker"
    status=$?
    kill "$watcher"
}

case $kind in
git) describe "$@" >"$draft" ;;
agent) cat >"$draft" ;;
esac || {
    rm -f "$draft"
    exit 0
}
case $kind.$name in
git.pre-commit) seconds=@DEADLINE@ ;;
agent.*) seconds=3 ;;
*)
    mv -f "$draft" "$spooled" || rm -f "$draft"
    exit 0
    ;;
esac

# The program reads the event from this descriptor: the daemon may have taken the file by then.
exec 4<"$draft"
mv -f "$draft" "$spooled" || {
    rm -f "$draft"
    exit 0
}
if [ ! -x "$program" ]; then
    [ "$kind" = agent ] || printf 'cortex: %s is gone: nothing was checked; install it again and run `cortex init`\n' "$program"
    exit 0
fi
ask hook "$kind" "$name" --spooled "$spooled"
if [ "$status" -eq 0 ] || { [ "$status" -eq 1 ] && [ "$kind" = git ]; }; then
    if [ -s "$told" ]; then
        cat "$told"
        code=$status
    fi
elif [ "$status" -gt 128 ] && [ "$kind" = git ]; then
    printf 'cortex: no answer within %s s: nothing was checked\n' "$seconds"
fi
rm -f "$told"
exit "$code"
