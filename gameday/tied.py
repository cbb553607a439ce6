"""``python -m gameday.tied PARENT MODULE ARGUMENT...``: run a module that does not outlive process PARENT.

The load looks after its parent by itself, but only when it has loaded, measured the network and made its
sessions. A parent that was killed before that would leave a load behind that nobody watches. So SIGTERM is
asked for before anything is loaded, which the kernel sends when the parent's spawning thread ends (Linux;
elsewhere, the load is alone with its own look).
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(words: list[str]) -> None:
    """Become the module, unless the parent has gone already."""
    parent, module = int(words[0]), words[1]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit("the process that asked for this one has already ended")
    sys.argv = [module, *words[2:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
