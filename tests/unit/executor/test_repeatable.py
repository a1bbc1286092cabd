"""With the same seed a program meets the same chance; with another, or in a forked child, another."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

RUNNER = Path(__file__).parents[3] / "services" / "executor" / "runner" / "repeatable.py"
BEGIN = """
import json, sys
names = {"__name__": "repeatable"}
exec(compile(open(sys.argv[1]).read(), "repeatable", "exec"), names)
names["install"]()
@EARLY@
names["begin"](bytes.fromhex(sys.argv[2]))
"""
PROGRAM = """
import os, random, secrets, tempfile, threading, time, uuid
from concurrent.futures import ThreadPoolExecutor
found = [random.random(), random.Random().random(), str(uuid.uuid4()), str(uuid.uuid1())[14:], secrets.token_hex(4)]
found += [os.urandom(3).hex(), os.getrandom(3).hex(), tempfile.mktemp(), random.SystemRandom().random()]
random.seed(); found.append(random.random())
def slow(n):
    time.sleep((7 * n % 5) / 200)
    return str(uuid.uuid4())
with ThreadPoolExecutor(3) as pool:
    found += list(pool.map(slow, range(6)))
mine = {}
threads = [threading.Thread(target=lambda n=n: mine.setdefault(n, slow(4 - n))) for n in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
found += [mine[n] for n in range(4)]
found.append(len(os.urandom(100_000)))
print(json.dumps(found))
"""
FORK = """
import os, random
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, json.dumps([os.urandom(8).hex(), random.random()]).encode())
    os._exit(0)
os.wait()
print(json.dumps([json.loads(os.read(read, 1000)), [os.urandom(8).hex(), random.random()]]))
"""


def run(seed: str, program: str = PROGRAM, early: str = "") -> Any:
    code = BEGIN.replace("@EARLY@", early) + program
    command = [sys.executable, "-S", "-c", code, str(RUNNER), seed * 32]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_chance_is_the_same_for_the_same_seed_and_different_for_another() -> None:
    first, again, other = run("01"), run("01"), run("02")

    assert first == again
    assert all(one != another for one, another in zip(first[:-1], other[:-1], strict=True))
    assert first[-1] == 100_000


def test_no_two_draws_are_alike() -> None:
    drawn = [one for one in run("01") if isinstance(one, str) and len(one) == 36]

    assert len(drawn) == len(set(drawn)) == 11


def test_what_was_imported_while_waiting_begins_anew_with_the_seed() -> None:
    early = "import random, uuid, secrets, tempfile, concurrent.futures.thread; random.random()"

    assert run("01", early=early) == run("01")
    first = "import os\nfirst = os.urandom(5).hex()\n" + PROGRAM.replace(
        "print(json.dumps(found))", "print(json.dumps([first, *found]))"
    )
    assert run("01", first, early=early) == run("01", first)


def test_a_forked_child_does_not_repeat_its_parent() -> None:
    child, parent = run("01", FORK)

    assert child[0] != parent[0]
    assert child[1] != parent[1]


def test_urandom_takes_what_the_real_one_takes() -> None:
    program = """
import os
found = [len(os.urandom(0)), len(os.urandom(True))]
for wrong in (-1, "x", 1.5):
    try:
        os.urandom(wrong)
    except (ValueError, TypeError, AttributeError) as error:
        found.append(type(error).__name__)
print(json.dumps(found))
"""
    assert run("01", program)[:3] == [0, 1, "ValueError"]
