"""What turns a fresh clone into a running, tested one. Needs Python 3.11 and its standard library only.

Everything here but `inside`'s guests and `docs` runs before any package is installed.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older Python is exactly who reads this
    sys.exit(
        "Agent Builder needs Python 3.11 or newer and this is {}.{}: "
        "name a newer one, for example PYTHON=python3.12 make run".format(*sys.version_info[:2])
    )
