"""`python -m tests.prove.composed [PORT]`: one flow through compose.yaml's containers, over the API as a person has it.

Start them with AB_OWNER_TOKEN set, and give this the same. The shops are the practice ones: no site need be there.
"""

from __future__ import annotations

import os
import sys
import time

from tests.flows.person import Person

_PATIENCE_S = 1800  # until a job has shown what its sandbox holds to; before that everything is refused
_SAYS = "매일 아침 9시에 연습 가게 세 곳의 새 상품을 정리해서 앱의 받은 보고서로 알려 줘"


def main(port: str = "8080") -> int:
    person = Person(int(port), os.environ["AB_OWNER_TOKEN"], patience_s=_PATIENCE_S)
    began = time.monotonic()

    def done(what: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {what}", flush=True)

    person.wait("/api/v1/me", lambda me: me["sandbox"]["ok"])
    done("a job has shown what its sandbox holds to")
    proposed = person.says(_SAYS)
    assert proposed["state"] == "proposed", proposed
    done("a plan is proposed")
    ready = person.allows(proposed)
    assert ready["state"] == "ready", ready["problem"]
    done("its rehearsal has ended well")
    person.switches(ready["agent_id"], True)
    for count in range(2):
        run = person.runs(ready["agent_id"])
        assert (run["status"], run["outcome"]) == ("succeeded", "delivered"), run
        done(f"run {count + 1} is delivered: {run['deliveries'][0]['text'][:60]!r}")
    agent = person.wait(f"/api/v1/agents/{ready['agent_id']}", lambda a: a["next_at"] is not None)
    done(f"the scheduler has heard the tick: next at {agent['next_at']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
