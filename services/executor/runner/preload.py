"""What a waiting sandbox does before it is told whose run it will be: import what the code will import.

Package code runs here: nothing of a run is known yet, the way out answers nothing but no, and whatever a
package does to this process it does to its own run alone.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any


class Preloaded:
    def __init__(self, told: dict[str, Any]) -> None:
        import gc
        import os

        self._home = os.getcwd()
        self._bundle = f"{told['scratch']}/ca.pem"
        app = told["app"]
        sys.modules["__main__"].__dict__["__file__"] = sys.argv[0]
        # Without the code's own folder: its modules belong to runs.
        sys.path.remove(app)
        for name, parts in [("agent", []), *told["preload"]]:
            try:
                __import__(name, fromlist=parts)
            except BaseException:  # noqa: BLE001, S112 - the run meets it again, and there it is told
                continue
        sys.path.insert(1, app)
        self._code = self._compiled()
        tls = sys.modules.get("ssl")
        # Made while importing, they looked for certificates when there were none yet.
        self._contexts = [
            found for found in gc.get_objects() if tls and tls.SSLContext in type(found).__mro__
        ]

    def _compiled(self) -> CodeType | None:
        try:
            with open(sys.argv[0], "rb") as file:
                return compile(file.read(), sys.argv[0], "exec", dont_inherit=True)
        except (OSError, SyntaxError, ValueError):
            return None

    def bind(self) -> CodeType | None:
        """The code, compiled ahead; None when it does not compile (trying again says why)."""
        import os

        os.chdir(self._home)
        for context in self._contexts:
            try:
                context.load_verify_locations(self._bundle)
            except OSError:
                continue  # a run without a certificate of its own
        return self._code
