"""The one exception of mixop's own."""


class Error(Exception):
    """What the program or the reader refuses, or why a run ended: `str(error)` is the program's message.

    `exit_code` is the program's: 1 the run failed, 2 usage or configuration, 3 bad input data or archive, 4 a plugin was refused, 128 + N ended by
    signal N; 127 where the program cannot be started.
    """

    __module__ = "mixop"

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message, exit_code)
        self.exit_code = exit_code

    def __str__(self) -> str:
        return str(self.args[0])
