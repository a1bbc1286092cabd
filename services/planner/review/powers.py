"""Powers by name: what starts programs, runs text as code, speaks other protocols, reads secrets.

A name counts where it is used, also when it is only handed on. An import by itself is nothing yet.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from packaging.utils import canonicalize_name

from services.planner.review.finding import Kind
from services.planner.review.values import (
    ANYTHING,
    NOTHING,
    Atom,
    Class,
    Function,
    Module,
    Ref,
    Value,
    is_whole,
    narrow,
    one,
    secret_text,
    texts,
)
from services.planner.review.world import Scope, World

# Whole modules. A name of theirs in `_HARMLESS` is nothing.
_MODULES: Mapping[str, Kind] = {
    **dict.fromkeys(
        "subprocess pty pexpect sh plumbum fabric pip ensurepip webbrowser invoke pyautogui pynput keyboard".split(),
        "subprocess",
    ),
    **dict.fromkeys("ctypes _ctypes cffi".split(), "native"),
    **dict.fromkeys(
        "smtplib imaplib poplib aiosmtplib yagmail redmail imap_tools imapclient exchangelib sendgrid resend "
        "postmarker mailjet_rest smtpd mailtrap".split(),
        "mail",
    ),
    **dict.fromkeys(
        "ftplib telnetlib nntplib socketserver paramiko asyncssh pysftp scapy psycopg psycopg2 asyncpg pymysql MySQLdb "
        "mysql aiomysql mariadb pymongo motor redis aioredis cassandra elasticsearch_dsl oracledb cx_Oracle pyodbc "
        "pymssql clickhouse_driver neo4j pika kafka aiokafka confluent_kafka paho websockets websocket socketio zmq "
        "ldap3 dns grpc smbprotocol telnetlib3".split(),
        "socket",
    ),
    **dict.fromkeys(
        "pickle cPickle _pickle dill cloudpickle joblib marshal jsonpickle shelve runpy code codeop".split(),
        "dynamic_code",
    ),
    **dict.fromkeys(
        "selenium playwright pyppeteer helium splinter DrissionPage undetected_chromedriver".split(),
        "package",
    ),
}
_HARMLESS = frozenset(
    """subprocess.CalledProcessError subprocess.TimeoutExpired subprocess.SubprocessError subprocess.PIPE
    subprocess.DEVNULL subprocess.STDOUT subprocess.CompletedProcess pickle.dump pickle.dumps pickle.PickleError
    pickle.UnpicklingError pickle.HIGHEST_PROTOCOL joblib.dump joblib.Memory joblib.Parallel joblib.delayed joblib.hash
    dill.dump dill.dumps cloudpickle.dump cloudpickle.dumps marshal.dump marshal.dumps jsonpickle.encode
    smtplib.SMTPException ftplib.all_errors code.encode webbrowser.Error""".split()
)
# Name -> kind, and whether the name alone says what it does.
_NAMES: Mapping[str, tuple[Kind, bool]] = {
    **dict.fromkeys(
        "os.system os.popen os.fork os.forkpty os.startfile os.posix_spawn os.posix_spawnp os.kill os.killpg "
        "os.execl os.execle os.execlp os.execlpe os.execv os.execve os.execvp os.execvpe os.spawnl os.spawnle "
        "os.spawnlp os.spawnlpe os.spawnv os.spawnve os.spawnvp os.spawnvpe posix.system posix.fork nt.system "
        "asyncio.create_subprocess_exec asyncio.create_subprocess_shell multiprocessing.Process multiprocessing.Pool "
        "multiprocessing.get_context multiprocessing.Manager multiprocessing.pool.Pool "
        "multiprocessing.process.BaseProcess multiprocessing.set_start_method _posixsubprocess.fork_exec "
        "concurrent.futures.ProcessPoolExecutor concurrent.futures.process.ProcessPoolExecutor commands.getoutput "
        "asyncio.subprocess.create_subprocess_exec asyncio.subprocess.create_subprocess_shell".split(),
        ("subprocess", True),
    ),
    **dict.fromkeys(
        "socket.socket socket.create_connection socket.create_server socket.socketpair socket.fromfd "
        "socket.getaddrinfo socket.gethostbyname socket.gethostbyname_ex _socket.socket ssl.wrap_socket "
        "asyncio.open_connection asyncio.start_server asyncio.open_unix_connection "
        "http.server.HTTPServer http.server.ThreadingHTTPServer "
        "xmlrpc.client.ServerProxy xmlrpc.server.SimpleXMLRPCServer sqlalchemy.create_engine".split(),
        ("socket", True),
    ),
    **dict.fromkeys(
        "importlib.util.spec_from_file_location importlib.util.spec_from_loader importlib.util.module_from_spec "
        "importlib.machinery.SourceFileLoader importlib.machinery.SourcelessFileLoader "
        "importlib.machinery.ExtensionFileLoader importlib.abc.Loader zipimport.zipimporter types.FunctionType "
        "types.CodeType types.LambdaType sys._getframe gc.get_objects gc.get_referrers sys.meta_path sys.path_hooks "
        "sys.settrace sys.setprofile torch.load pandas.read_pickle sklearn.externals.joblib.load yaml.unsafe_load "
        "yaml.full_load yaml.UnsafeLoader yaml.Loader ast.NodeTransformer site.addsitedir inspect.currentframe "
        "atexit._run_exitfuncs imp.load_source imp.load_module pkgutil.get_loader operator.methodcaller".split(),
        ("dynamic_code", False),
    ),
    "agent.state": ("state", True),
    "agent.state_dir": ("state", True),
    "agent.llm": ("model", True),
}
_BY_CALL = frozenset({"builtins.eval", "builtins.exec", "builtins.compile", "builtins.__import__"})
# Attributes that lead from any value to all of Python.
_WAYS_ROUND = frozenset(
    """__subclasses__ __globals__ __builtins__ __code__ __mro__ __bases__ __base__ __getattribute__ __loader__ __spec__
    __import__ __reduce__ __reduce_ex__ f_globals f_locals f_back f_builtins gi_frame cr_frame tb_frame co_code
    __closure__ func_globals""".split()
)
_MAY_DEFINE = frozenset({"__reduce__", "__reduce_ex__", "__getattribute__"})

# Variables that a run has, or that only set up a library.
_ORDINARY_VARIABLE = re.compile(
    r"AGENT_.*|HOME|TZ|LANG|LC_.*|PATH|TMPDIR|PYTHON.*|.*_PROXY|.*_proxy|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|MPLBACKEND"
    r"|MPLCONFIGDIR|.*_LEVEL|.*_DIR|.*_FOLDER|DEBUG|VERBOSE|CI|USER|HOSTNAME|PWD|LOGLEVEL|.*_FONT|TERM|COLUMNS"
)
_SECRET_VARIABLE = re.compile(
    r"KEY|TOKEN|SECRET|PASS|PWD|WEBHOOK|CREDENTIAL|AUTH|CLIENT_ID|DSN|COOKIE|SESSION", re.I
)
_WHOLE_ENVIRONMENT = frozenset({"items", "values", "keys", "copy"})
_ENVIRONMENTS = ("os.environ", "os.environb", "posix.environ")


def note(world: World, scope: Scope, node: ast.AST, ref: Ref) -> None:
    """A name of something outside, where it is used."""
    if ref.name in _BY_CALL:
        world.found(node, scope, "dynamic_code", ref.name.partition(".")[2], certain=False)
    elif ref.name in _NAMES:
        kind, certain = _NAMES[ref.name]
        world.found(node, scope, kind, ref.name, certain=certain)
    elif not ref.is_object and ref.top in _MODULES and ref.name != ref.top and ref.name not in _HARMLESS:
        _note_module(world, scope, node, ref)
    elif ref.name.rpartition(".")[0] in _ENVIRONMENTS and ref.name.rpartition(".")[2] in _WHOLE_ENVIRONMENT:
        world.found(node, scope, "secret", "os.environ", about="environment")


def _note_module(world: World, scope: Scope, node: ast.AST, ref: Ref) -> None:
    last = ref.name.rpartition(".")[2]
    if last.endswith(("Error", "Exception")):
        return
    kind = _MODULES[ref.top]
    what = ref.top if kind == "package" else ref.name
    world.found(
        node, scope, kind, what, certain=kind != "dynamic_code", about="browser" if kind == "package" else ""
    )


def speaks_otherwise(ref: Ref) -> bool:
    """Of a library for another protocol than the web's."""
    return _MODULES.get(ref.top) in ("socket", "mail")


def note_name(world: World, scope: Scope, node: ast.AST, name: str) -> None:
    if name in _WAYS_ROUND:
        world.found(node, scope, "dynamic_code", name, certain=False)


def note_attribute(world: World, scope: Scope, node: ast.Attribute) -> None:
    own_super = (
        isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == "super"
    )
    if not (own_super and node.attr in _MAY_DEFINE):
        note_name(world, scope, node, node.attr)


def item(world: World, scope: Scope, node: ast.AST, owner: Ref, keys: Value) -> Value:
    """`owner[key]` for something outside: variables, modules and globals by name."""
    if owner.name in _ENVIRONMENTS:
        return narrow(found for key in texts(keys) for found in variable(world, scope, node, key))
    if owner.name in ("builtins.globals()", "builtins.locals()", "builtins.vars()"):
        return _named(world, scope, node, owner, keys)
    if owner.name == "sys.modules":
        names = texts(keys)
        if not all(map(is_whole, names)):
            world.found(node, scope, "dynamic_code", "sys.modules", certain=False)
        return (
            frozenset(world.find_module(name) or Ref(name) for name in names if is_whole(name))
            or world.missing
        )
    if not owner.is_object:
        if "." not in owner.name and not all(map(is_whole, texts(keys))):
            world.found(node, scope, "dynamic_code", owner.name, certain=False)
        return frozenset(owner.dot(name) for name in texts(keys) if is_whole(name)) or world.missing
    return one(owner.dot("item()"))


def _named(world: World, scope: Scope, node: ast.AST, owner: Ref, keys: Value) -> Value:
    value: Value = NOTHING
    for name in texts(keys):
        if is_whole(name):
            value |= world.look_up(scope, name)
        else:
            world.found(
                node, scope, "dynamic_code", owner.name.split(".")[1].removesuffix("()"), certain=False
            )
    for atom in value:
        if isinstance(atom, Ref):
            note(world, scope, node, atom)
    return value or world.missing


def variable(world: World, scope: Scope, node: ast.AST, name: str, default: Value = NOTHING) -> Value:
    """A variable of the environment: a secret unless it is an ordinary one."""
    if not is_whole(name):
        world.found(node, scope, "secret", "", certain=False)
        return ANYTHING
    if (
        name in world.secrets
        or _SECRET_VARIABLE.search(name)
        or not (_ORDINARY_VARIABLE.fullmatch(name) or default)
    ):
        world.found(node, scope, "secret", name)
        return one(secret_text(name)) | default
    return ANYTHING | default


def unpacked(world: World, scope: Scope, node: ast.AST, atom: Atom) -> None:
    """`**something`: of the environment that is all of it."""
    if isinstance(atom, Ref) and atom.name in _ENVIRONMENTS:
        world.found(node, scope, "secret", "os.environ", about="environment")


def changed(world: World, scope: Scope, node: ast.AST, owner: Ref | Module | Class, value: Value) -> None:
    """An attribute of a module outside is given a new value: other code then does something else."""
    attribute = node.attr if isinstance(node, ast.Attribute) else ""
    if isinstance(owner, Class):
        world.bind(world.scopes[owner.scope], attribute, value)
    elif isinstance(owner, Module):
        world.bind(world.modules[owner.file], attribute, value)
    elif not owner.is_object and _is_code(value):
        world.found(node, scope, "dynamic_code", f"{owner.name}.{attribute}", certain=False, about="changed")


def _is_code(value: Value) -> bool:
    return any(isinstance(atom, Function | Class) for atom in value)


# Packages whose very import is worth a sentence: nothing of them works in a sandbox.
_BY_IMPORT = frozenset(name for name, kind in _MODULES.items() if kind == "package")


def imported(world: World, scope: Scope, node: ast.AST, top: str) -> None:
    if top in _BY_IMPORT:
        world.found(node, scope, "package", top, about="browser")
    elif canonicalize_name(top) in MINERS:
        world.found(node, scope, "package", top, about="miner")


MINERS = frozenset(
    "pyrx randomx pyrandomx cryptonight pycryptonight xmrig pyxmr-miner minerd pymine nicehash cpuminer".split()
)

# Packages made for what has no place here, by the names they are installed under.
PACKAGES = frozenset(
    "paramiko fabric asyncssh pysftp psycopg psycopg2 psycopg2-binary asyncpg pymysql mysqlclient aiomysql "
    "pymongo motor redis oracledb pyodbc scapy selenium playwright pyppeteer undetected-chromedriver splinter helium "
    "pyautogui pynput keyboard mouse pexpect pika aiokafka confluent-kafka paho-mqtt docker "
    "kubernetes ldap3 yagmail".split()
)
