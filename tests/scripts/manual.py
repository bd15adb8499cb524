#!/usr/bin/env python3
"""The man page and the completions know every command and option, the page is sound roff, and bash completes words as users type them."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["MIXOP_SOURCE_DIR"], "tests", "support"))
from program import MIXOP, answer, check

SHARE = pathlib.Path(os.environ["MIXOP_BUILD_DIR"]) / "share"
PAGE, BASH, ZSH = SHARE / "man/man1/mixop.1", SHARE / "bash-completion/completions/mixop", SHARE / "zsh/site-functions/_mixop"


def completed(*words):
    """What bash offers for the last of the words."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mixop; printf "%s\\n" "${COMPREPLY[@]}"')
    environment = {**os.environ, "PATH": f"{pathlib.Path(MIXOP).parent}:{os.environ['PATH']}"}
    run = subprocess.run(["bash", "-c", script, "bash", BASH, *words], capture_output=True, text=True, env=environment, check=True)
    check(not run.stderr, run.stderr)
    return run.stdout.split()


def main():
    page, bash, zsh = (file.read_text() for file in (PAGE, BASH, ZSH))
    commands = re.findall(r"^  (\w+) {2,}", answer("--help").stdout, re.M)
    check(len(commands) > 15, commands)
    for command in commands:
        options = re.findall(r"^  (?:-\w \[ )?--([\w-]+)", answer(command, "--help").stdout, re.M)
        check(f".SS {command}\n" in page and f"    {command}) " in bash and f"'{command}:" in zsh, command)
        for option in options:
            check(f"--{option}".replace("-", "\\-") in page, f"the page lacks --{option} of {command}")
            check(f"--{option}" in bash and f"'--{option}[" in zsh, f"the completions lack --{option} of {command}")
    if shutil.which("groff"):
        run = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-rLL=200n", PAGE], capture_output=True, text=True, check=True)
        check(not run.stderr, f"groff: {run.stderr[:1000]}")
        check("mixop train --genotype" in re.sub("\x1b\\[[0-9;]*m", "", run.stdout), "the page as it is shown")
    check(completed("mixop", "tr") == ["train"], completed("mixop", "tr"))
    check(set(commands) < set(completed("mixop", "")), "the commands")
    check(completed("mixop", "train", "--weig") == ["--weights"], completed("mixop", "train", "--weig"))
    check(completed("mixop", "plugins", "ch") == ["check"], completed("mixop", "plugins", "ch"))
    check("darts_cnn/DARTS_V2" in completed("mixop", "train", "--genotype", "darts_cnn/"), "genotypes")
    check("darts-cifar10-train" in completed("mixop", "train", "darts-ci"), "presets")
    print(f"figure: {len(commands)} commands in the man page and the completions")


if __name__ == "__main__":
    main()
