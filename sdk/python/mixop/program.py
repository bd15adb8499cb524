"""The console script `mixop`."""

import os
import sys

from mixop import PREFIX


def main() -> None:
    """Becomes the program, with the same arguments."""
    program = PREFIX / "bin" / "mixop"
    os.execv(program, [str(program), *sys.argv[1:]])
