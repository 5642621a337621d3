"""What a generation was worth: the reward of its outcome, and the parts that it is the sum of."""

from __future__ import annotations

from dataclasses import replace

from ...store.kinds import MILLION, Outcome

#: In millionths. The difference decides; the rest says what it cannot.
TESTS = {"passed": MILLION // 10, "failed": -MILLION // 5}
REMARK = {"good": MILLION // 5, "bad": -MILLION * 3 // 10, "wrong": -MILLION * 3 // 10}
#: What waits longest for its commit costs this much; it is reached after a week, and no more after that.
_SLOW = MILLION // 20
_WEEK_MS = 7 * 86_400_000


def scored(outcome: Outcome, tests: str, remark: str) -> Outcome:
    """The outcome with its reward: `tests` is passed, failed or empty, `remark` the person's last verdict."""
    rejected = outcome.verdict == "rejected"
    diff = 0 if rejected else MILLION - outcome.distance
    tested, said = TESTS.get(tests, 0), REMARK.get(remark, 0)
    time = -(_SLOW * min(max(0, outcome.took), _WEEK_MS) // _WEEK_MS)
    reward = diff + tested + said + time + outcome.revert
    return replace(outcome, diff=diff, tests=tested, remark=said, time=time, reward=reward)
