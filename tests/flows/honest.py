"""An honest agent that handles whatever a seed says: no run of it may ever be taken for a thief's."""

from __future__ import annotations

from tests.fakes.upstream import Upstream
from tests.flows.imports import agent_zip, allowed, local
from tests.flows.person import Json, Person

# Everything an honest program does with things that look like secrets: tokens, digests, blobs, archives.
_CODE = """
import agent
if agent.mode == "rehearsal":
    agent.deliver("inbox", "rehearsed")
    raise SystemExit(0)
import base64, gzip, hashlib, io, json, os, random, sys, urllib.parse, urllib.request, uuid, zipfile
chance = random.Random(agent.input)
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"

def token(size=32, letters=LETTERS):
    return "".join(chance.choice(letters) for _ in range(size))

def words(size):
    return " ".join(chance.choice(["머그컵", "원두", "shirt", "39,000원", token(24), "new"]) for _ in range(size))

def blob(size):
    return chance.randbytes(size)

def texts():
    picture = "![c](https://shop.example.com/" + token() + ".png)"
    agent.output("report.md").write_text("# Report\\n" + picture + "\\n" + words(3000))
    print(words(2000))

def blobs():
    agent.output("picture.png").write_bytes(b"\\x89PNG" + blob(chance.randint(1, 900_000)))
    print(base64.b64encode(blob(60_000)).decode())

def environment():
    print({n: v for n, v in os.environ.items() if n in ("PATH", "HOME", "LANG", "TZ", "HTTPS_PROXY", "SSL_CERT_FILE")})
    print(sorted(os.environ), os.listdir("."))

def archives():
    with zipfile.ZipFile(agent.output("all.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(5):
            archive.writestr(token(8) + ".txt", words(500))
            archive.writestr("b" + str(n), blob(20_000))
    agent.output("page.html.gz").write_bytes(gzip.compress(words(900).encode()))

def digests():
    for n in range(200):
        data = blob(40)
        print(hashlib.sha256(data).hexdigest(), base64.b32encode(data).decode().lower(), uuid.UUID(bytes=data[:16]))

def remembering():
    agent.state["seen"] = [token(24) for _ in range(500)]
    agent.state["last"] = base64.b64encode(blob(3000)).decode()

def sending():
    bodies = [blob(chance.randint(1, 1_500_000)), json.dumps({"token": token(), "text": words(300)}).encode(),
              gzip.compress(words(800).encode()), urllib.parse.urlencode({"q": words(30)}).encode()]
    headers = {"X-Request-Id": token(), "Cookie": "session=" + token(64), "User-Agent": "Mozilla/5.0 " + token(8),
               "Authorization": "Basic " + base64.b64encode(("me:" + token()).encode()).decode()}
    url = "BASE/x/" + urllib.parse.quote(words(3)) + "?" + urllib.parse.urlencode({"id": token(), "q": words(4)})
    with urllib.request.urlopen(urllib.request.Request(url, data=chance.choice(bodies), headers=headers)) as answer:
        answer.read()

def noise():
    for n in range(300):
        sys.stdout.write(words(chance.randint(1, 5)))
        sys.stdout.flush()
        sys.stderr.write(token(chance.randint(1, 40)))

jobs = [texts, blobs, environment, archives, digests, remembering, sending, noise]
for job in chance.sample(jobs, 3):
    agent.step(job.__name__ + " " + token(24))
    job()
agent.deliver("inbox", words(200))
"""


def honest_agent(person: Person, sink: Upstream) -> str:
    code = _CODE.replace("BASE", f"http://127.0.0.1:{sink.port}")
    rules = [local(sink.port, effect="write")]
    agent_id: str = allowed(person, agent_zip(code, hosts=rules, state=True))["agent_id"]
    return agent_id


def honest_run(person: Person, agent_id: str, seed: int) -> Json:
    """Raises: AssertionError unless it was let do all it did."""
    run_id = person.call("POST", f"/api/v1/agents/{agent_id}/runs", {"input": seed})["id"]
    run = person.run(run_id)
    assert (run["status"], run["outcome"]) == ("succeeded", "delivered"), run["reason"]
    assert person.call("GET", f"/api/v1/agents/{agent_id}")["quarantine"] is None
    return run
