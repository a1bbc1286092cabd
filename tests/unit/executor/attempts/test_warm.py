"""What is worth keeping ready: nothing before two runs, one then, more in a burst, never over the cap."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from services.executor.attempts.warm import Plan, WarmPolicy, WarmRules
from services.executor.ports import Waiting

MB = 1 << 20
_RULES = WarmRules()


def _one(id: str, key: str = "a1", memory: int = 10 * MB) -> Waiting:
    return Waiting(id, key, ready=True, memory_bytes=memory)


def test_nothing_waits_before_an_agent_has_run_twice_in_ten_minutes() -> None:
    policy = WarmPolicy()
    policy.ran("a1", "a", 0)
    assert policy.plan([], 1).begin is None
    policy.ran("a1", "a", 601)
    assert policy.plan([], 602).begin is None
    policy.ran("a1", "a", 1200)
    assert policy.plan([], 1203).begin == "a1"


def test_one_waits_when_it_is_worth_it_and_no_second_is_begun() -> None:
    policy = WarmPolicy()
    policy.ran("a1", "a", 0)
    policy.ran("a1", "a", 100)

    assert policy.plan([], 103).begin == "a1"
    assert policy.plan([_one("w1")], 104) == Plan(look_again_s=100 + _RULES.idle_s - 104)


def test_the_next_is_made_a_moment_after_a_run_began_so_that_it_does_not_slow_it() -> None:
    policy = WarmPolicy()
    policy.ran("a1", "a", 0)
    policy.ran("a1", "a", 10)

    now = policy.plan([], 10.0)

    assert now.begin is None
    assert now.look_again_s is not None
    assert policy.plan([], 10.0 + now.look_again_s).begin == "a1"


def test_nothing_is_made_while_runs_of_others_begin_faster_than_one_can_be_made() -> None:
    policy = WarmPolicy()
    for at in (0.0, 10.0):
        policy.ran("a1", "a", at)
    now = 10.0
    for number in range(20):
        now += _RULES.refill_s / 2
        policy.ran(f"other{number}", f"other{number}", now)
        assert policy.plan([], now).begin is None

    assert policy.plan([], now + _RULES.refill_s).begin == "a1"


def test_it_takes_a_longer_pause_to_make_one_while_all_processors_have_work() -> None:
    policy = WarmPolicy()
    for at in (0.0, 10.0):
        policy.ran("a1", "a", at)

    assert policy.plan([], 10 + _RULES.refill_s, busy=True).begin is None
    later = policy.plan([], 10 + _RULES.busy_s - 0.1, busy=True)
    assert later.begin is None
    assert later.look_again_s is not None
    assert policy.plan([], 10 + _RULES.busy_s, busy=True).begin == "a1"


def test_up_to_three_wait_while_runs_come_in_a_burst_and_one_afterwards() -> None:
    policy = WarmPolicy()
    for number in range(6):
        policy.ran("a1", "a", number / 10)

    waiting: list[Waiting] = []
    now = 0.6
    while policy.plan(waiting, now).begin == "a1":
        waiting.append(_one(f"w{len(waiting)}"))
        assert policy.plan(waiting, now).begin is None  # one after the other
        now += _RULES.refill_s
    assert len(waiting) == 3
    three = [_one(f"w{number}") for number in range(3)]
    assert policy.plan(three, 0.6).end == ()
    assert policy.plan(three, 60).end == ("w1", "w2")


def test_what_waits_goes_when_its_agent_has_not_run_for_ten_minutes() -> None:
    policy = WarmPolicy()
    policy.ran("a1", "a", 0)
    policy.ran("a1", "a", 10)

    assert policy.plan([_one("w1")], 609).end == ()
    assert policy.plan([_one("w1")], 610) == Plan(end=("w1",))
    assert not policy.knows("a1")


def test_what_waits_goes_at_once_when_another_version_of_the_agent_runs() -> None:
    policy = WarmPolicy()
    policy.ran("a1", "a", 0)
    policy.ran("a1", "a", 10)
    policy.ran("a2", "a", 20)

    plan = policy.plan([_one("w1", "a1")], 21)

    assert plan.end == ("w1",)
    assert plan.begin is None  # the new version has to earn its own


def test_what_waits_goes_at_once_when_the_agent_changed() -> None:
    policy = WarmPolicy()
    for at in (0, 10):
        policy.ran("a1", "a", at)
        policy.ran("b1", "b", at)

    policy.useless("a")

    assert policy.plan([_one("w1", "a1"), _one("w2", "b1")], 21).end == ("w1",)


def test_a_spoilt_key_is_never_warmed_again_however_often_it_runs() -> None:
    policy = WarmPolicy()
    policy.ran("a1", "a", 0)
    policy.ran("a1", "a", 10)
    policy.spoil("a1", 11)

    assert policy.is_spoilt("a1")
    assert policy.plan([_one("w1")], 12) == Plan(end=("w1",))


def test_the_least_recently_used_go_first_when_memory_is_short() -> None:
    policy = WarmPolicy(WarmRules(memory_bytes=100 * MB))
    for key in ("old", "new"):
        policy.ran(key, key, 0)
    policy.ran("old", "old", 10)
    policy.ran("new", "new", 20)

    plan = policy.plan([_one("w1", "old", 60 * MB), _one("w2", "new", 60 * MB)], 30)

    assert plan.end == ("w1",)
    assert policy.plan([_one("w2", "new", 60 * MB)], 31).begin is None  # what it took is remembered


def test_a_newer_key_is_given_the_place_of_an_older_one_when_there_is_no_more() -> None:
    policy = WarmPolicy(WarmRules(most=1))
    for key, last in (("old", 10), ("new", 20)):
        policy.ran(key, key, 0)
        policy.ran(key, key, last)

    plan = policy.plan([_one("w1", "old")], 30)

    assert (plan.begin, plan.end) == ("new", ("w1",))


_KEYS = st.sampled_from(["a1", "a2", "b1", "c1"])
_STEP = st.one_of(
    st.tuples(st.just("ran"), _KEYS),
    st.tuples(st.just("spoil"), _KEYS),
    st.tuples(st.just("useless"), st.sampled_from("abc")),
    st.tuples(st.just("take"), _KEYS),
    st.tuples(st.just("later"), st.floats(0, 700)),
)


@settings(deadline=None)
@given(
    steps=st.lists(_STEP, max_size=40),
    sizes=st.lists(st.integers(0, 80 * MB), min_size=1, max_size=5),
    cap=st.integers(0, 200 * MB),
)
def test_whatever_happens_caps_hold_and_nothing_waits_that_should_not(
    steps: list[tuple[str, str | float]], sizes: list[int], cap: int
) -> None:
    rules = WarmRules(memory_bytes=cap, most=5)
    policy, waiting, now, made = WarmPolicy(rules), list[Waiting](), 0.0, 0
    ran: dict[str, list[float]] = {}
    spoilt: set[str] = set()
    for what, value in steps:
        now += 0.06
        match what, value:
            case "ran", str(key):
                if key not in spoilt:
                    policy.ran(key, key[0], now)
                    ran.setdefault(key, []).append(now)
            case "spoil", str(key):
                policy.spoil(key, now)
                spoilt.add(key)
            case "useless", str(agent):
                policy.useless(agent)
                ran = {key: [] if key[0] == agent else times for key, times in ran.items()}
            case "take", str(key):
                taken = next((one for one in waiting if one.key == key), None)
                waiting = [one for one in waiting if one is not taken]
            case "later", float(by):
                now += by
        plan = policy.plan(waiting, now)
        waiting = [one for one in waiting if one.id not in plan.end]
        assert sum(one.memory_bytes or rules.guess_bytes for one in waiting) <= cap
        for key in filter(None, [plan.begin]):
            recent = [at for at in ran[key] if now - at < 2 * rules.within_s]
            assert len(recent) >= rules.runs
            assert key not in spoilt
            made += 1
            waiting.append(Waiting(f"w{made}", key, ready=True, memory_bytes=sizes[made % len(sizes)]))
        assert len(waiting) <= rules.most
        assert all(sum(one.key == key for one in waiting) <= rules.most_per_key for key in ran)
        agents = {one.key[0]: {two.key for two in waiting if two.key[0] == one.key[0]} for one in waiting}
        assert all(len(keys) == 1 for keys in agents.values())
