"""Files a run made, opened in a real browser: shown or saved, and nothing in them runs, reads or asks."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Error

from tests.e2e.conftest import Visit
from tests.flows.house import House
from tests.flows.imports import live_run

# What the script would do if it ran: say so in its title, and look for the page's key.
SCRIPT = "document.title = 'RAN'; fetch('/api/v1/me').then(() => { document.title = 'ASKED' })"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PAGE = f"<title>kept</title><script>{SCRIPT}</script>"
PICTURE = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>{SCRIPT}</script></svg>'
MAIN = f"""
import base64
agent.output("a.svg").write_text({PICTURE!r})
agent.output("b.html").write_text({PAGE!r})
agent.output("c.txt").write_text({PAGE!r})
agent.output("d.png").write_bytes(base64.b64decode({PNG!r}))
agent.deliver("inbox", "files")
"""
LOADS = """(url) => new Promise(done => {
  const picture = new Image();
  picture.onload = () => done([picture.naturalWidth, null]);
  picture.onerror = () => done([0, "blocked"]);
  picture.src = url;
})"""
LISTED = """async path => {
  const key = localStorage.getItem("ab-key");
  return (await (await fetch(path, {headers: {"X-AB-Key": key}})).json()).items;
}"""
REACHES = """() => { try { return document.cookie } catch (error) { return error.name } }"""
READS = "(url) => fetch(url).then(() => 'read', () => 'refused')"


def test_a_file_with_a_script_runs_nothing_wherever_it_is_opened(visit: Visit, house: House) -> None:
    run = live_run(house.person(), MAIN)
    assert run["outcome"] == "delivered", run["reason"]
    visitor = visit()
    visitor.sign_in()
    page = visitor.page
    items = page.evaluate(LISTED, f"/api/v1/runs/{run['id']}/artifacts")
    found = {item["name"]: item for item in items}
    assert {name.rsplit(".")[-1] for name in found} == {"svg", "html", "txt", "png"}
    assert visitor.address not in json.dumps(found)

    # Opened by itself: saved, or shown as what cannot run.
    other = page.context.new_page()
    other.goto(found["c.txt"]["url"])
    assert other.title() != "RAN"
    assert "<script>" in other.locator("body").inner_text()
    assert other.evaluate("self.origin") == "null"  # not even the files' own origin
    assert other.evaluate(REACHES) == "SecurityError"
    for name in ("a.svg", "b.html"):
        with other.expect_download() as download, pytest.raises(Error, match="Download is starting"):
            other.goto(found[name]["url"])
        assert download.value.suggested_filename == name
    other.close()

    # In the page itself: a picture is shown, nothing can be read across.
    assert page.evaluate(LOADS, found["d.png"]["url"])[0] == 1
    before = len(visitor.errors)
    assert page.evaluate(READS, found["b.html"]["url"]) == "refused"
    assert page.title() not in ("RAN", "ASKED")
    del visitor.errors[before:]  # the browser notes by itself what the page's policy refused
    assert visitor.errors == []
