"""Agents of which reading cannot tell what they will do."""

from __future__ import annotations

from tests.unit.planner.review.samples.sample import Sample, plan

ANY_HOST = ("host", "")
SHOP = ("host", "shop.example.com")

DYNAMIC = (
    Sample(
        "links as they are found",
        """
        import requests
        from bs4 import BeautifulSoup
        page = requests.get("https://shop.example.com/new", timeout=5).text
        for tag in BeautifulSoup(page, "html.parser").select("a"):
            requests.get(tag["href"], timeout=5)
        """,
        plan("shop.example.com"),
        found=(SHOP,),
        cannot=(ANY_HOST,),
    ),
    Sample(
        "links joined to their page",
        """
        from urllib.parse import urljoin
        import requests
        from bs4 import BeautifulSoup
        START = "https://shop.example.com/new"
        soup = BeautifulSoup(requests.get(START, timeout=5).text, "html.parser")
        for tag in soup.select("a"):
            requests.get(urljoin(START, tag["href"]), timeout=5)
        """,
        plan("shop.example.com"),
        found=(SHOP,),
        cannot=(SHOP,),
    ),
    Sample(
        "an address from the input",
        """
        import agent
        import httpx
        httpx.get(agent.input["url"])
        """,
        plan(packages=("httpx",)),
        cannot=(ANY_HOST,),
    ),
    Sample(
        "a host put together from data",
        """
        import agent
        import requests
        for shop in agent.input["shops"]:
            requests.get(f"https://{shop}.example.com/new", timeout=5)
        """,
        plan("shop.example.com"),
        cannot=(ANY_HOST,),
    ),
    Sample(
        "the rest of a host from data",
        """
        import agent
        import requests
        requests.get("https://shop.example.com" + agent.input["tail"], timeout=5)
        """,
        plan("shop.example.com"),
        cannot=(SHOP,),
    ),
    Sample(
        "eval of a cell",
        """
        import csv
        with open("rules.csv", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                print(eval(row["rule"]))
        """,
        plan(packages=()),
        cannot=(("dynamic_code", "eval"),),
        more={"rules.csv": "rule\n1 + 1\n"},
    ),
    Sample(
        "exec of what was remembered",
        """
        import agent
        code = agent.state.get("code", "")
        run = exec
        run(code)
        """,
        plan(packages=(), state=True),
        found=(("state", "agent.state"),),
        cannot=(("dynamic_code", "exec"),),
    ),
    Sample(
        "code that was fetched",
        """
        import requests
        program = requests.get("https://shop.example.com/new.py", timeout=5).text
        exec(compile(program, "new.py", "exec"))
        """,
        plan("shop.example.com"),
        found=(SHOP,),
        cannot=(("dynamic_code", "exec"), ("dynamic_code", "compile")),
        refused=True,
    ),
    Sample(
        "code that was encoded",
        """
        import base64, zlib
        packed = open("data.bin", "rb").read()
        exec(zlib.decompress(base64.b64decode(packed)))
        """,
        plan(packages=()),
        cannot=(("dynamic_code", "exec"),),
        refused=True,
        more={"data.bin": "eJzLSM3JyQcABiwCFQ=="},
    ),
    Sample(
        "a module named by the input",
        """
        import importlib
        import agent
        plugin = importlib.import_module(agent.input["plugin"])
        plugin.main()
        """,
        plan(packages=()),
        cannot=(("dynamic_code", "importlib.import_module"),),
    ),
    Sample(
        "a function named by the input",
        """
        import os
        import agent
        getattr(os, agent.input["name"])(agent.input["value"])
        """,
        plan(packages=()),
        cannot=(("dynamic_code", "getattr"),),
    ),
    Sample(
        "pickles",
        """
        import pickle
        from pathlib import Path
        import joblib
        memory = pickle.loads(Path("state/memory.pkl").read_bytes())
        model = joblib.load("model.bin")
        """,
        plan(packages=("joblib",), state=True),
        cannot=(("dynamic_code", "pickle.loads"), ("dynamic_code", "joblib.load")),
    ),
    Sample(
        "the way round through classes",
        """
        for found in ().__class__.__base__.__subclasses__():
            print(found.__name__)
        """,
        plan(packages=()),
        cannot=(("dynamic_code", "__base__"), ("dynamic_code", "__subclasses__")),
    ),
    Sample(
        "globals and builtins by name",
        """
        import agent
        globals()[agent.input["step"]]()
        __builtins__.__dict__[agent.input["tool"]]("1")
        """,
        plan(packages=()),
        cannot=(("dynamic_code", "globals"), ("dynamic_code", "builtins")),
    ),
    Sample(
        "a secret, a channel and a file by name",
        """
        import agent
        key = agent.secret(agent.input["key"])
        with open(agent.input["file"], encoding="utf-8") as file:
            agent.deliver(agent.input["channel"], file.read())
        """,
        plan(packages=()),
        cannot=(("secret", ""), ("file", ""), ("channel", "")),
    ),
)
