"""Calls of what is outside the bundle: which hosts, secrets, files, channels and code they reach."""

from __future__ import annotations

import ast
import sys

from services.planner.review import addresses, filesystem, powers
from services.planner.review.arguments import Arguments
from services.planner.review.finding import Call
from services.planner.review.libraries import (
    CLIENTS,
    HTTP_MODULES,
    MODEL_CLIENTS,
    QUIET_MODULES,
    URL_FIRST,
    VERBS,
    WORKS_AT,
)
from services.planner.review.values import (
    ANYTHING,
    HOLE,
    NOTHING,
    Box,
    Ref,
    Value,
    is_whole,
    leading_secret,
    narrow,
    one,
    plain,
    secret_names,
    secret_text,
    texts,
)
from services.planner.review.world import Scope, World

_ENVIRONMENT_READS = frozenset(
    {"os.environ.get", "os.getenv", "os.environ.pop", "os.environ.setdefault", "os.environ.__getitem__"}
)
_SAVES = frozenset(
    "to_csv to_excel to_json to_parquet to_html to_markdown to_pickle to_feather savefig save write_image write_html "
    "write_png output".split()
)
# Function -> the places of the paths it writes or removes.
_WRITES: dict[str, tuple[int, ...]] = {
    "os.remove": (0,),
    "os.unlink": (0,),
    "os.rename": (0, 1),
    "os.replace": (0, 1),
    "os.makedirs": (0,),
    "os.mkdir": (0,),
    "os.rmdir": (0,),
    "os.symlink": (1,),
    "os.chmod": (0,),
    "shutil.rmtree": (0,),
    "shutil.copy": (1,),
    "shutil.copy2": (1,),
    "shutil.copyfile": (1,),
    "shutil.copytree": (1,),
    "shutil.move": (0, 1),
    "urllib.request.urlretrieve": (1,),
    "sqlite3.connect": (0,),
}
_READS: dict[str, tuple[int, ...]] = {
    "os.listdir": (0,),
    "os.scandir": (0,),
    "os.walk": (0,),
    "shutil.copy": (0,),
    "shutil.copy2": (0,),
    "shutil.copyfile": (0,),
    "shutil.copytree": (0,),
    "linecache.getline": (0,),
    "fileinput.input": (0,),
}
_TEXT_AS_CODE = frozenset({"builtins.eval", "builtins.exec", "builtins.compile"})
_MOST_DEEP = 4


def call(world: World, scope: Scope, node: ast.AST, ref: Ref, arguments: Arguments) -> Value:
    """Notes what the call reaches and gives what is known of its result."""
    _note_environment(world, scope, node, arguments)
    if ref.name in _TEXT_AS_CODE:
        return _text_as_code(world, scope, node, ref, arguments)
    if ref.name not in ("builtins.__import__", "importlib.import_module"):
        powers.note(world, scope, node, ref)
    else:
        _import_by_name(world, scope, node, ref, arguments)
    if ref.top == "agent":
        return _platform(world, scope, node, ref, arguments)
    if ref.name in _ENVIRONMENT_READS:
        default = arguments.at(1, "default")
        names = texts(arguments.at(0, "key")) or [HOLE]
        return narrow(found for name in names for found in powers.variable(world, scope, node, name, default))
    _note_special(world, scope, node, ref, arguments)
    _note_wire(world, scope, node, ref, arguments)
    _note_files(world, scope, node, ref, arguments)
    base = _note_hosts(world, scope, node, ref, arguments)
    if ref.name.rpartition(".")[2] in _SAVES:
        method_of_anything(world, scope, node, arguments)
    return one(ref.called(base))


def _note_environment(world: World, scope: Scope, node: ast.AST, arguments: Arguments) -> None:
    for value in arguments.every():
        for atom in value:
            powers.unpacked(world, scope, node, atom)


def _text_as_code(world: World, scope: Scope, node: ast.AST, ref: Ref, arguments: Arguments) -> Value:
    """Known text is read like the rest of the file; what was decoded or fetched before is refused."""
    name = ref.name.partition(".")[2]
    given = arguments.at(0, "source")
    whole = [atom for atom in given if isinstance(atom, str) and is_whole(atom)]
    whole += [atom.decode("utf-8", "replace") for atom in given if isinstance(atom, bytes)]
    hidden = any(text in world.decoded for text in whole) or any(
        isinstance(atom, Ref) and (atom.top in _DECODERS or atom.top in HTTP_MODULES) for atom in given
    )
    told = bool(whole) and len(whole) == len(given)
    for text in whole:
        _read_too(world, scope, node, text)
    compiled = any(isinstance(atom, Ref) and atom.name == "builtins.compile()" for atom in given)
    world.found(
        node, scope, "dynamic_code", name, certain=told and not compiled, about="decoded" if hidden else ""
    )
    return one(Ref("builtins.compile()")) if name == "compile" else ANYTHING


_DECODERS = frozenset(
    {"base64", "binascii", "zlib", "codecs", "marshal", "gzip", "bz2", "lzma", "cryptography", "Crypto"}
)


def _read_too(world: World, scope: Scope, node: ast.AST, text: str) -> None:
    key = f"{scope.number}:{text}"
    if key in world.fragments or len(world.fragments) > 50 or len(text) > 20_000:
        return
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for inner in ast.walk(tree):
        if hasattr(inner, "lineno"):
            inner.lineno = getattr(node, "lineno", 1)
    world.fragments[key] = (scope, tree)
    world.changed = True


def _import_by_name(world: World, scope: Scope, node: ast.AST, ref: Ref, arguments: Arguments) -> None:
    if not all(map(is_whole, texts(arguments.at(0, "name")) or [HOLE])):
        what = "__import__" if ref.top == "builtins" else ref.name
        world.found(node, scope, "dynamic_code", what, certain=False)


def _platform(world: World, scope: Scope, node: ast.AST, ref: Ref, arguments: Arguments) -> Value:
    """The agent library."""
    if ref.name == "agent.secret":
        names = texts(arguments.at(0, "name")) or [HOLE]
        for name in names:
            world.found(node, scope, "secret", name if is_whole(name) else "", certain=is_whole(name))
        return frozenset(secret_text(name) if is_whole(name) else HOLE for name in names)
    if ref.name == "agent.deliver":
        for name in texts(arguments.at(0, "channel")) or [HOLE]:
            world.found(node, scope, "channel", name if is_whole(name) else "", certain=is_whole(name))
    return ANYTHING


def _note_special(world: World, scope: Scope, node: ast.AST, ref: Ref, arguments: Arguments) -> None:
    if ref.top in MODEL_CLIENTS and ref.name.rpartition(".")[2] in MODEL_CLIENTS[ref.top]:
        world.found(node, scope, "model", ref.top)
    if ref.name == "numpy.load" and True in arguments.at(-1, "allow_pickle"):
        world.found(node, scope, "dynamic_code", "numpy.load", certain=False)
    if ref.name == "yaml.load" and not _is_safe(arguments.at(1, "Loader")):
        world.found(node, scope, "dynamic_code", "yaml.load", certain=False)
    if ref.name in ("operator.attrgetter()", "operator.methodcaller()") and _has_module(arguments):
        world.found(node, scope, "dynamic_code", "operator.attrgetter", certain=False)
    if ref.name in ("sys.path.append", "sys.path.insert", "sys.path.extend"):
        for path in texts(arguments.positional[-1] if arguments.positional else NOTHING):
            if not is_whole(path) or path.startswith(("/", "outputs", "state", "~")):
                world.found(node, scope, "dynamic_code", "sys.path", certain=False)
    if ref.name == "builtins.setattr" and _has_module(arguments):
        world.found(node, scope, "dynamic_code", "setattr", certain=False, about="changed")


def _note_wire(world: World, scope: Scope, node: ast.AST, ref: Ref, arguments: Arguments) -> None:
    """The host that a connection of another protocol is opened to."""
    if ref.name in ("socket.create_connection", "socket.socket().connect", "socket.socket().connect_ex"):
        places = [world.heap.get(atom, 0) for atom in arguments.at(0) if isinstance(atom, Box)]
    elif powers.speaks_otherwise(ref) or ref.name in (
        "asyncio.open_connection",
        "ssl.get_server_certificate",
    ):
        places = [arguments.at(0 if ref.name in _HOST_FIRST else -1, "host", "hostname", "dsn", "url")]
    else:
        return
    for place in places:
        for text in texts(place):
            bare = "://" not in text and "." in text and "/" not in text and " " not in text
            if bare or "://" in text:
                _reach(world, scope, node, f"tcp://{text}" if bare else text, Call(), arguments)


_HOST_FIRST = frozenset({"asyncio.open_connection", "paramiko.SSHClient().connect", "redis.Redis"})


def _is_safe(loader: Value) -> bool:
    names = [atom.name for atom in loader if isinstance(atom, Ref)]
    return bool(names) and all("Safe" in name or "BaseLoader" in name for name in names)


def _has_module(arguments: Arguments) -> bool:
    return any(isinstance(atom, Ref) and not atom.is_object for atom in arguments.at(0))


def _note_files(world: World, scope: Scope, node: ast.AST, ref: Ref, arguments: Arguments) -> None:
    for places, writes in ((_WRITES.get(ref.name, ()), True), (_READS.get(ref.name, ()), False)):
        for place in places:
            for path in texts(arguments.at(place)):
                if path != ":memory:" and is_path(path):
                    filesystem.used(world, scope, node, path, writes=writes)
    if ref.name == "os.open":
        for path in texts(arguments.at(0, "path")):
            filesystem.used(world, scope, node, path, writes=True)


def is_path(text: str) -> bool:
    return "://" not in text and not text.startswith(HOLE)


def method_of_anything(world: World, scope: Scope, node: ast.AST, arguments: Arguments) -> None:
    """`something.to_csv(path)`, `something.post("https://…")`: these have the same names in most libraries."""
    function = getattr(node, "func", None)
    if not isinstance(function, ast.Attribute):
        return
    if function.attr in _SAVES:
        for path in texts(arguments.at(0, "path_or_buf", "fname", "excel_writer", "path", "fp", "filename")):
            if is_path(path) and is_whole(path.partition(HOLE)[0]) and ("/" in path or "." in path):
                filesystem.used(world, scope, node, path, writes=True)
    elif function.attr in VERBS or function.attr in ("request", "stream", "fetch", "open", "goto"):
        place = 1 if function.attr in ("request", "stream") else 0
        for text in texts(arguments.at(place, "url")):
            if "://" in text.partition(HOLE)[0]:
                how = Call(method=VERBS.get(function.attr, ""), insecure=_is_insecure(arguments), path="")
                _reach(world, scope, node, text, how, arguments)


def _note_hosts(world: World, scope: Scope, node: ast.AST, ref: Ref, arguments: Arguments) -> str:
    """Gives the address that later calls of a client object start from."""
    last = ref.name.rpartition(".")[2]
    for host, certain in WORKS_AT.get(ref.top, ()):
        if not ref.is_object:
            world.found(node, scope, "host", host, certain=certain, about="library")
    if ref.name in CLIENTS:
        return _client(world, scope, node, ref, arguments)
    if ref.top in HTTP_MODULES and last in VERBS:
        _request(world, scope, node, ref, arguments.at(0, "url", "URL"), VERBS[last], arguments)
    elif ref.top in HTTP_MODULES - {"httplib2"} and last in (
        "request",
        "stream",
        "Request",
        "putrequest",
        "build_request",
    ):
        methods = texts(arguments.at(0, "method")) or [""]
        for method in methods:
            _request(world, scope, node, ref, arguments.at(1, "url"), method.upper(), arguments)
    elif ref.name in URL_FIRST or (ref.top, last) in URL_FIRST:
        _first_argument(world, scope, node, ref, arguments)
    elif ref.top not in QUIET_MODULES and not _is_library(ref.top):
        _any_address(world, scope, node, ref, arguments)
    return ref.base


def _is_library(top: str) -> bool:
    return top in sys.stdlib_module_names


def _client(world: World, scope: Scope, node: ast.AST, ref: Ref, arguments: Arguments) -> str:
    """A client made with an address or a host name of its own."""
    form, names = CLIENTS[ref.name]
    given = texts(arguments.at(0 if form != "named" else -1, *names))
    bases = [
        text if "://" in text or not text or text.startswith((HOLE, "\ue002")) else f"{form}://{text}"
        for text in given
    ]
    for base in bases:
        if base and base != "None":
            _reach(world, scope, node, base, Call(insecure=_is_insecure(arguments)), arguments)
    whole = [base for base in bases if is_whole(base) and base != "None"]
    return whole[0] if len(whole) == 1 else ""


def _first_argument(world: World, scope: Scope, node: ast.AST, ref: Ref, arguments: Arguments) -> None:
    """Functions that open an address, and those that open an address or a file."""
    kind = URL_FIRST.get(ref.name) or URL_FIRST.get((ref.top, ref.name.rpartition(".")[2])) or "url"
    given = arguments.at(0, *_URL_NAMES)
    sends = arguments.at(1, "data") - {None} if ref.name.startswith("urllib.request.") else NOTHING
    wanted = [text for text in texts(arguments.at(-1, "method")) if text and text != "None"]
    methods = wanted or (["POST"] if sends and "urlretrieve" not in ref.name else ["GET"])
    for atom in given:
        if isinstance(atom, Box):
            held = world.heap.get(atom, None)
            _request(world, scope, node, ref, held, methods[0], arguments)
        elif isinstance(atom, Ref) and atom.name.endswith(("Request()", "StringIO()")):
            continue
        elif kind == "url" or not isinstance(atom, str) or "://" in atom or atom.startswith((HOLE, "\ue002")):
            if not (kind == "either" and isinstance(atom, Ref)):
                _request(world, scope, node, ref, one(atom), methods[0], arguments)
        else:
            filesystem.used(world, scope, node, atom, writes=False)


_URL_NAMES = ("url", "url_list", "fullurl", "filepath_or_buffer", "path_or_buffer", "io", "uri")


def _any_address(world: World, scope: Scope, node: ast.AST, ref: Ref, arguments: Arguments) -> None:
    """A library nothing is known about: an address it is given is one it may open."""
    for value in (*arguments.positional, *arguments.keywords.values()):
        for atom in value:
            if isinstance(atom, str) and atom.startswith(
                ("http://", "https://", "ws://", "wss://", "ftp://")
            ):
                _reach(world, scope, node, atom, Call(), arguments)


def _request(
    world: World, scope: Scope, node: ast.AST, ref: Ref, url: Value, method: str, arguments: Arguments
) -> None:
    for text in texts(url - {None}) or [HOLE]:
        how = Call(method=method if is_whole(method) else "", insecure=_is_insecure(arguments), path="")
        _reach(world, scope, node, _from_base(ref.base, text), how, arguments)


def _from_base(base: str, text: str) -> str:
    """A client with an address of its own takes paths."""
    if not base or text.startswith("http"):
        return text
    return f"{base.rstrip('/')}/{text.lstrip('/')}"


def _reach(world: World, scope: Scope, node: ast.AST, text: str, how: Call, arguments: Arguments) -> None:
    travelling = frozenset(name for value in arguments.every() for name in _secrets_in(world, value, 0))
    owner = leading_secret(text)
    found = addresses.parse(plain(text))
    if owner is not None and not found.host:
        # The value is an address of its own: it goes where the plan binds it.
        host = world.secret_hosts.get(owner, "")
        world.found(
            node, scope, "host", host, certain=bool(host), call=Call(method=how.method, insecure=how.insecure)
        )
        return
    if found is addresses.NO_ADDRESS:
        return
    call = Call(
        found.scheme,
        found.port,
        found.path if how.path is not None else None,
        how.method,
        travelling,
        how.insecure,
        found.linked,
    )
    world.found(node, scope, "host", found.host, certain=found.certain, call=call)


def _secrets_in(world: World, value: Value, depth: int) -> set[str]:
    names: set[str] = set()
    for atom in value:
        if isinstance(atom, str):
            names |= secret_names(atom)
        elif isinstance(atom, Box) and depth < _MOST_DEEP:
            for held in list(world.heap.boxes.get(atom.site, {}).values()):
                names |= _secrets_in(world, held, depth + 1)
    return names


def _is_insecure(arguments: Arguments) -> bool:
    return any(
        False in arguments.keywords.get(name, NOTHING)
        for name in ("verify", "verify_ssl", "ssl", "check_hostname")
    )
