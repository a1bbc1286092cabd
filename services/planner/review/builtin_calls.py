"""What functions of Python and its library give that only work on values: paths, decoding, json, getattr."""

from __future__ import annotations

import ast
import base64
import binascii

from services.planner.review import datafiles, decoding, folding, paths, powers
from services.planner.review.arguments import Arguments
from services.planner.review.decoding import Known
from services.planner.review.objects import attribute, items_of
from services.planner.review.values import (
    ANYTHING,
    HOLE,
    Atom,
    Box,
    Class,
    Ref,
    Unknown,
    Value,
    as_text,
    combine,
    is_whole,
    narrow,
    one,
    texts,
)
from services.planner.review.world import Scope, World


def call(world: World, scope: Scope, node: ast.AST, ref: Ref, arguments: Arguments) -> Value | None:
    """None: not one of these."""
    known = _KNOWN.get(ref.name)
    return known(world, scope, node, arguments) if known is not None else None


def _text(_world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    given = arguments.at(0)
    return narrow(as_text(atom) if not isinstance(atom, bytes) else HOLE for atom in given) or one("")


def _same(world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    return arguments.at(0) or world.missing


def _listed(world: World, scope: Scope, node: ast.AST, arguments: Arguments) -> Value:
    """list, tuple, set, sorted, reversed, iter: the same elements. Text becomes a list of its letters."""
    value = arguments.at(0)
    found: set[Atom] = set()
    for atom in value:
        letters = folding.letters(atom)
        if letters is None:
            found.add(atom)
            if isinstance(atom, Box) and atom.kind == "dict":
                found.discard(atom)
                found |= datafiles.rows(world, f"keys:{atom.site}", sorted(texts(world.heap.keys(atom))))
            continue
        box = Box(f"letters:{scope.site(node)}", "list")
        for index, letter in enumerate(letters[:1500]):
            world.heap.put(box, index, letter)
        found.add(box)
    return frozenset(found) or world.missing


def _reversed(world: World, scope: Scope, node: ast.AST, arguments: Arguments) -> Value:
    (whole, step) = (one(None), one(-1))
    return folding.sliced(world, _listed(world, scope, node, arguments), [whole, whole, step])


def _zipped(world: World, scope: Scope, node: ast.AST, arguments: Arguments) -> Value:
    where = f"zip:{scope.site(node)}"
    pair, listed = Box(f"{where}:pair", "list"), Box(where, "list")
    for index, value in enumerate(arguments.positional):
        world.heap.put(pair, index, items_of(world, value))
    world.heap.put(listed, None, one(pair))
    return one(listed)


def _numbered(world: World, scope: Scope, node: ast.AST, arguments: Arguments) -> Value:
    counted = Arguments((ANYTHING, arguments.at(0)))
    return _zipped(world, scope, node, counted)


def _next(world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    return narrow(items_of(world, arguments.at(0)) | arguments.at(1, "default")) or world.missing


def _made_dict(world: World, scope: Scope, node: ast.AST, arguments: Arguments) -> Value:
    box = Box(f"dict:{scope.site(node)}", "dict")
    world.heap.boxes.setdefault(box.site, {})
    for name, value in arguments.keywords.items():
        world.heap.put(box, name, value)
    for atom in arguments.at(0):
        if isinstance(atom, Box) and atom.kind == "dict":
            for key, held in list(world.heap.boxes.get(atom.site, {}).items()):
                world.heap.put(box, key, held)
        elif isinstance(atom, Box):
            for pair in world.heap.get(atom, None):
                if isinstance(pair, Box):
                    for key_atom in world.heap.get(pair, 0):
                        key = key_atom if isinstance(key_atom, str | int) else None
                        world.heap.put(box, key, world.heap.get(pair, 1))
    return one(box)


def _attribute(world: World, scope: Scope, node: ast.AST, arguments: Arguments) -> Value:
    """getattr: an attribute whose name is known; on a module or builtins an unknown one is noted."""
    value: Value = arguments.at(2)
    for owner in arguments.at(0):
        for name in arguments.at(1) or world.missing:
            if isinstance(name, str) and is_whole(name):
                powers.note_name(world, scope, node, name)
                found = attribute(world, owner, name)
                for atom in found:
                    if isinstance(atom, Ref):
                        powers.note(world, scope, node, atom)
                value |= found
            elif isinstance(owner, Ref) and not owner.is_object:
                world.found(node, scope, "dynamic_code", "getattr", certain=False)
                value |= ANYTHING
            elif isinstance(owner, Box | Class):
                value |= world.heap.get(owner, None) if isinstance(owner, Box) else ANYTHING
    return narrow(value) or world.missing


def _path(_world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    value: Value = arguments.at(0) or one(".")
    for part in arguments.positional[1:]:
        value = folding.joined_path(value, part)
    return value if all(isinstance(atom, str) for atom in value) else frozenset(texts(value))


def _folder(_world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    return narrow(found for path in texts(arguments.at(0)) for found in paths.text_property(path, "parent"))


def _open(world: World, scope: Scope, node: ast.AST, arguments: Arguments) -> Value:
    return paths.opened(world, scope, node, arguments.at(0, "file", "filename"), arguments.at(1, "mode"))


def _output(world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    return combine(one("outputs/"), arguments.at(0) or world.unclear)


def _temporary(_world: World, _scope: Scope, _node: ast.AST, _arguments: Arguments) -> Value:
    return one(f"/tmp/{HOLE}")  # noqa: S108


def _globbed(world: World, scope: Scope, node: ast.AST, arguments: Arguments) -> Value:
    found = []
    for pattern in texts(arguments.at(0, "pathname")):
        start = pattern.partition("*")[0].partition("?")[0]
        found.append(start + HOLE)
        for name in paths.text_property(pattern, "parent"):
            paths.opened(world, scope, node, one(name), one("r"))
    return datafiles.rows(world, f"glob:{scope.site(node)}", found)


def _reads(form: str) -> Known:
    def known(world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
        return datafiles.parsed(world, form, arguments.at(0))

    return known


def _opened_text(world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    """StringIO and BytesIO of known text: their lines; of other things an object that is no address."""
    whole = [atom for atom in arguments.at(0) if isinstance(atom, str) and is_whole(atom)]
    if not whole:
        return one(Ref("io.StringIO()"))
    return datafiles.rows(world, f"text:{hash(whole[0])}", whole[0].splitlines())


def _module(world: World, _scope: Scope, _node: ast.AST, arguments: Arguments) -> Value:
    """importlib.import_module and __import__ with a known name."""
    found: set[Atom] = set()
    for name in texts(arguments.at(0, "name")):
        inside = world.find_module(name) if is_whole(name) else None
        found.add(inside or (Ref(name) if is_whole(name) else Unknown()))
    return frozenset(found)


_B64 = decoding.decoded("base64.b64decode", base64.b64decode)
_HEX = decoding.decoded("binascii.unhexlify", binascii.unhexlify)
_KNOWN: dict[str, Known] = {
    "builtins.str": _text,
    "builtins.chr": decoding.letter_of,
    "builtins.ord": decoding.number_of,
    "builtins.int": decoding.whole_number,
    "builtins.bytes": decoding.bytes_of,
    "builtins.bytearray": decoding.bytes_of,
    "builtins.list": _listed,
    "builtins.tuple": _listed,
    "builtins.set": _listed,
    "builtins.frozenset": _listed,
    "builtins.sorted": _listed,
    "builtins.iter": _same,
    "builtins.reversed": _reversed,
    "builtins.zip": _zipped,
    "builtins.enumerate": _numbered,
    "builtins.next": _next,
    "builtins.dict": _made_dict,
    "builtins.getattr": _attribute,
    "builtins.open": _open,
    "builtins.__import__": _module,
    "builtins.bytes.fromhex": _HEX,
    "builtins.bytearray.fromhex": _HEX,
    "importlib.import_module": _module,
    "collections.OrderedDict": _made_dict,
    "types.SimpleNamespace": _made_dict,
    "collections.deque": _listed,
    "itertools.chain": _listed,
    "itertools.cycle": _same,
    "itertools.islice": _same,
    "random.choice": _next,
    "random.shuffle": _same,
    "copy.copy": _same,
    "copy.deepcopy": _same,
    "tqdm.tqdm": _same,
    "io.open": _open,
    "codecs.open": _open,
    "gzip.open": _open,
    "bz2.open": _open,
    "lzma.open": _open,
    "aiofiles.open": _open,
    "io.StringIO": _opened_text,
    "io.BytesIO": _opened_text,
    "pathlib.Path": _path,
    "pathlib.PurePath": _path,
    "pathlib.PosixPath": _path,
    "pathlib.Path.home": lambda *_: one("~"),
    "pathlib.Path.cwd": lambda *_: one("."),
    "os.getcwd": lambda *_: one("."),
    "os.path.join": _path,
    "os.path.abspath": _same,
    "os.path.realpath": _same,
    "os.path.normpath": _same,
    "os.path.expanduser": _same,
    "os.path.dirname": _folder,
    "os.fspath": _same,
    "glob.glob": _globbed,
    "glob.iglob": _globbed,
    "tempfile.mkdtemp": _temporary,
    "tempfile.mktemp": _temporary,
    "tempfile.gettempdir": _temporary,
    "tempfile.TemporaryDirectory": _temporary,
    "agent.output": _output,
    "json.load": _reads("json"),
    "json.loads": _reads("json"),
    "orjson.loads": _reads("json"),
    "tomllib.load": _reads("toml"),
    "tomllib.loads": _reads("toml"),
    "yaml.safe_load": _reads("words"),
    "yaml.load": _reads("words"),
    "csv.reader": _reads("words"),
    "csv.DictReader": _reads("words"),
    "urllib.parse.urljoin": decoding.joined_address,
    "requests.compat.urljoin": decoding.joined_address,
    "urllib.parse.quote": decoding.quoted,
    "urllib.parse.quote_plus": decoding.quoted,
    "urllib.parse.unquote": decoding.unquoted,
    "urllib.parse.urlsplit": decoding.parts,
    "urllib.parse.urlparse": decoding.parts,
    "urllib.parse.urlunsplit": decoding.from_parts,
    "urllib.parse.urlunparse": decoding.from_parts,
    "httpx.URL": _same,
    "yarl.URL": _same,
    "base64.b64decode": _B64,
    "base64.standard_b64decode": _B64,
    "base64.urlsafe_b64decode": decoding.decoded("base64.b64decode", base64.urlsafe_b64decode),
    "base64.b32decode": decoding.decoded("base64.b32decode", base64.b32decode),
    "base64.b16decode": _HEX,
    "base64.b85decode": decoding.decoded("base64.b85decode", base64.b85decode),
    "base64.decodebytes": _B64,
    "binascii.a2b_base64": _B64,
    "binascii.unhexlify": _HEX,
    "codecs.decode": decoding.codec,
}
