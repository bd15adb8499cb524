"""What tests of the program from outside share."""
import json
import os
import subprocess
import sys

MIXOP = os.environ["MIXOP"]


def check(holds, message):
    if not holds:
        sys.exit(f"{os.path.basename(sys.argv[0])}: {message}")


def mixop(*arguments, **environment):
    return subprocess.run([MIXOP, *map(str, arguments)], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "MIXOP_DATA": "", **environment})


def answer(*arguments):
    """The finished run of a command that must succeed."""
    run = mixop(*arguments)
    check(run.returncode == 0, f"mixop {' '.join(map(str, arguments))}: {run.stderr}")
    return run


def asked(*arguments):
    """What such a command answers to --json."""
    return json.loads(answer(*arguments, "--json").stdout)


def refusal(status, words, *arguments):
    """The run of a command that must exit with `status` and say `words`."""
    run = mixop(*arguments)
    check(run.returncode == status, f"mixop {arguments}: exit code {run.returncode} instead of {status}: {run.stderr}")
    check(words in run.stderr, f"mixop {arguments}: the message lacks '{words}': {run.stderr}")
    return run


def differences(first, second, beside=("/provenance",)):
    """The paths in which two archives differ, but for those below `beside`."""
    rows = json.loads(mixop("compare", first, second, "--json").stdout)["differences"]
    return [row["path"] for row in rows if not row["path"].startswith(tuple(beside))]
