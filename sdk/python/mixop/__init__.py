"""mixop, differentiable neural architecture search: the program (`mixop` on the command line), its plugins and its SDK, which lie in this
package's folder."""

import pathlib

#: The folder below which bin/mixop, include/, lib/cmake/mixop and the plugins are, as `mixop plugins prefix` prints it.
PREFIX = pathlib.Path(__file__).resolve().parent
