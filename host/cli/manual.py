#!/usr/bin/env python3
"""The man page and the completions of bash and zsh, made of what the commands themselves say for --help.

usage: manual.py MIXOP OUT

Leaves man/man1/mixop.1, bash-completion/completions/mixop and zsh/site-functions/_mixop below the folder OUT. The build calls it.
"""
import os
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass, field

COMMAND = re.compile(r"^  (\w+) {2,}(.+)$")
OPTION = re.compile(r"^  (?:-(\w) \[ )?--([\w-]+)(?: \])?(?: (\S.*?))?(?: {2,}(.*))?$")
# What may follow the words of these places; other values are file names.
LISTED = {"--genotype": "genotypes", "--strategy": "strategies", "--space": "spaces"}


@dataclass
class Option:
    name: str
    short: str
    value: str
    about: str


@dataclass
class Command:
    name: str
    summary: str
    usage: list[str] = field(default_factory=list)
    about: list[str] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    words: list[str] = field(default_factory=list)  # what may follow it, as in plugins list|check


def said(mixop: str, *words: str) -> str:
    environment = {**os.environ, "MIXOP_PLUGIN_PATH": ""}
    return subprocess.run([mixop, *words, "--help"], check=True, capture_output=True, text=True, env=environment).stdout


def read(mixop: str) -> tuple[str, list[Command]]:
    top = said(mixop)
    commands = [Command(*match.groups()) for match in map(COMMAND.match, top.splitlines()) if match]
    for command in commands:
        fill(command, said(mixop, command.name).splitlines())
    return top, commands


def fill(command: Command, lines: list[str]) -> None:
    split = lines.index("Options:") if "Options:" in lines else len(lines)
    usage = next((i for i, line in enumerate(lines) if not line.strip()), split)
    command.usage = [line.removeprefix("Usage: ").strip() for line in lines[:usage]]
    command.about = lines[usage + 1:split]
    words = re.match(rf"mixop {command.name} ((?:\w+\|)+\w+)(?: |$)", command.usage[0])
    command.words = words[1].split("|") if words else []
    for line in lines[split + 1:]:
        match = OPTION.match(line)
        if match:
            short, name, value, about = match.groups()
            command.options.append(Option(name, short or "", value or "", (about or "").strip()))
        elif command.options and line.strip():
            command.options[-1].about = f"{command.options[-1].about} {line.strip()}".strip()


def escaped(text: str) -> str:
    """For roff: no line begins with a request, and signs stay what they are."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    return "\\&" + text if text.startswith(".") else text


def man_page(top: str, commands: list[Command]) -> str:
    title = top.splitlines()[0]
    version = title.split(":")[0]
    page = [f'.TH MIXOP 1 "" "{version}" "User Commands"', ".ad l", ".nh", ".SH NAME", f"mixop \\- {escaped(title.split(': ', 1)[1])}", ".SH SYNOPSIS", ".B mixop", ".I COMMAND ...", ".SH COMMANDS"]
    for command in commands:
        page += [f".SS {command.name}", escaped(command.summary[0].upper() + command.summary[1:] + "."), ".PP", ".nf", *map(escaped, command.usage), ".fi"]
        if command.about:
            page += [".PP", ".nf", *(escaped(line.rstrip()) if line.strip() else "" for line in command.about), ".fi"]
        for option in command.options:
            short = f"\\-{option.short}, " if option.short else ""
            page += [".TP", f"\\fB{short}\\-\\-{escaped(option.name)}\\fR \\fI{escaped(option.value)}\\fR", escaped(option.about)]
    page += [".SH EXIT STATUS", *map(escaped, top[top.index("Exit codes:"):].strip().splitlines())]
    return "\n".join(page) + "\n"


def bash_completion(commands: list[Command]) -> str:
    cases = []
    for command in commands:
        names = " ".join(f"--{option.name}" for option in command.options)
        cases.append(f"    {command.name}) options='{names} --help'; words='{' '.join(command.words)}' ;;")
    listed = "\n".join(f"    {option}) mapfile -t COMPREPLY < <(compgen -W \"$(mixop list {what} 2>/dev/null | cut -d' ' -f1)\" -- \"$word\"); return ;;"
                       for option, what in LISTED.items())
    newline = "\n"
    return f"""# bash completion of mixop, made of what its commands say for --help.
_mixop() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} options words
  COMPREPLY=()
  if [[ $COMP_CWORD == 1 ]]; then
    mapfile -t COMPREPLY < <(compgen -W '{" ".join(command.name for command in commands)} --help' -- "$word")
    return
  fi
  case ${{COMP_WORDS[1]}} in
{newline.join(cases)}
    *) return ;;
  esac
  case $before in
{listed}
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  elif [[ $COMP_CWORD == 2 && -n $words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  elif [[ $COMP_CWORD == 2 && (${{COMP_WORDS[1]}} == search || ${{COMP_WORDS[1]}} == train) ]]; then
    mapfile -t COMPREPLY < <(compgen -f -W "$(mixop list presets 2>/dev/null | cut -d' ' -f1)" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}}
complete -o filenames -F _mixop mixop
"""


def zsh_text(text: str) -> str:
    return text.replace("'", "").replace("[", "(").replace("]", ")").replace(":", " -")


def zsh_completion(commands: list[Command]) -> str:
    listed = "\n".join(f"    '{command.name}:{zsh_text(command.summary)}'" for command in commands)
    cases = []
    for command in commands:
        arguments = [f"'--{option.name}[{zsh_text(option.about)}]{':value:_files' if option.value else ''}'" for option in command.options]
        arguments += [f"'1:what:({' '.join(command.words)})'"] if command.words else []
        cases.append(f"  {command.name})\n    _arguments {' '.join(arguments)} '*:file:_files' ;;")
    newline = "\n"
    return f"""#compdef mixop
# zsh completion of mixop, made of what its commands say for --help.
local -a commands
if (( CURRENT == 2 )); then
  commands=(
{listed}
  )
  _describe 'command' commands
  return
fi
local command=$words[2]
shift words
(( CURRENT-- ))
case $command in
{newline.join(cases)}
esac
"""


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    top, commands = read(sys.argv[1])
    out = pathlib.Path(sys.argv[2])
    for name, text in (("man/man1/mixop.1", man_page(top, commands)), ("bash-completion/completions/mixop", bash_completion(commands)),
                       ("zsh/site-functions/_mixop", zsh_completion(commands))):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)


if __name__ == "__main__":
    main()
