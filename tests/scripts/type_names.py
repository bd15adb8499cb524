#!/usr/bin/env python3
"""Fails where two files of one program define classes of one qualified name: the linker takes one's functions for both, and
the program crashes or worse. Classes of unnamed namespaces and of functions have no name outside of their file."""

import itertools
import os
import pathlib
import re
import sys
import tempfile

SUFFIXES = {".h", ".hpp", ".c", ".cpp", ".cu", ".cuh"}
TOKEN = re.compile(r'''//[^\n]*|/\*.*?\*/|R"(?P<end>[^(\s]*)\(.*?\)(?P=end)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|^[ \t]*\#(?:\\\n|[^\n])*'''
                   r'''|[A-Za-z_]\w*|::|[^\s\w]|\d(?:'?[\w.])*''', re.S | re.M)
TYPES = {"class", "struct", "union"}


def tokens_of(text):
    for match in TOKEN.finditer(text):
        token = match.group()
        if not token.startswith(("//", "/*", '"', "R\"", "'")) and not token.lstrip().startswith("#"):
            yield token


def parameters(head):
    """The words of a head without those in <...> behind 'template' and in (...)."""
    kept, round_, angle, after_template = [], 0, 0, False
    for token in head:
        if token == "template":
            after_template = True
        elif after_template and token == "<":
            angle += 1
        elif angle and token == ">":
            angle -= 1
            after_template = angle > 0
        elif not angle:
            round_ += token == "("
            if not round_:
                kept.append(token)
            round_ -= token == ")"
    return kept


def scope_of(head):
    """What a '{' behind these words opens: ('namespace', [names]), ('type', name), or None, for code and values."""
    if head[:1] == ["namespace"] or head[:2] == ["inline", "namespace"]:
        return "namespace", [word for word in head if word not in ("namespace", "inline", "::")]
    if head[:1] == ["extern"]:
        return "namespace", ["extern"]
    words = parameters(head)
    if "=" in words or "enum" in words or not TYPES & set(words):
        return None
    start = next(i for i, word in enumerate(words) if word in TYPES) + 1
    name = words[start:]
    for end, word in enumerate(name):
        if word == ":":
            name = name[:end]
            break
    name = [word for word in name if word not in ("final", "alignas")]
    return ("type", "".join(name)) if name and re.match(r"[A-Za-z_]", name[0]) and "(" not in head[-1:] else None


def types_of(text):
    """Qualified names of the classes that a file defines for others to see."""
    stack, head = [], []
    for token in tokens_of(text):
        if token == "{":
            opened = scope_of(head)
            if opened and all(stack):
                if opened[0] == "namespace":
                    names = [] if opened[1] == ["extern"] else opened[1] or [""]
                    stack.append(("namespace", names))
                else:
                    name = "::".join(itertools.chain(*(names for _, names in stack), [opened[1]]))
                    if "" not in itertools.chain(*(names for _, names in stack)):
                        yield name
                    stack.append(("type", [opened[1]]))
            else:
                stack.append(None)
            head = []
        elif token == "}":
            if stack:
                stack.pop()
            head = []
        elif token == ";" or (token == ":" and head in (["public"], ["private"], ["protected"])):
            head = []
        else:
            head.append(token)


def programs_of(root, files):
    """Lists of files that are linked together, by name: the tests have all but the plugins, of which each is apart. A plugin of an
    earlier ABI has headers of its own, and no others."""
    def below(*folders):
        return [file for file in files if file.relative_to(root).as_posix().startswith(tuple(folder + "/" for folder in folders))]

    sdk, host = below("sdk"), below("sdk", "host")
    apart = sorted({folder for folder in (root / "tests").rglob("fixtures") if folder.is_dir()} |
                   {folder for folder in (root / "tests" / "attack").glob("*") if folder.is_dir()})
    earlier = sorted(folder for folder in (root / "tests/sdk/abi").glob("*") if folder.is_dir())
    tests = [file for file in below("tests") if not any(folder in file.parents for folder in [*apart, *earlier])]
    programs = {"tests": host + tests}
    for folder in earlier:
        programs[folder.relative_to(root).as_posix()] = below(folder.relative_to(root).as_posix())
    for folder in sorted((root / "plugins").glob("*/*")):
        programs[folder.relative_to(root).as_posix()] = sdk + below(folder.relative_to(root).as_posix())
    for file in (file for folder in apart for file in below(folder.relative_to(root).as_posix())):
        programs[file.relative_to(root).as_posix()] = (host if "attack" in file.parts else sdk) + [file]
    return programs


def duplicates(root):
    """Lines 'name: file and file', and the number of names read."""
    files = sorted(file for folder in ("sdk", "host", "plugins", "tests") for file in (root / folder).rglob("*") if file.suffix in SUFFIXES)
    types = {file: set(types_of(file.read_text(encoding="utf-8"))) for file in files}
    found = set()
    for program in programs_of(root, files).values():
        places = {}
        for file in program:
            for name in types[file]:
                places.setdefault(name, []).append(file.relative_to(root).as_posix())
        found |= {f"{name}: {' and '.join(where)}" for name, where in places.items() if len(where) > 1}
    return sorted(found), sum(map(len, types.values()))


def finds(text_by_path, expected):
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, text in text_by_path.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        found, _ = duplicates(root)
        if found != expected:
            sys.exit(f"{text_by_path}: expected {expected}, found {found}")


def prove():
    """The check itself, on small trees."""
    one = "namespace a { struct Kept { int x; }; }"
    two = "namespace a { namespace b { class Other final : public Base<int> {}; } template <class T> struct Kept : T {}; }"
    both = ["a::Kept: host/x/one.cpp and host/y/two.cpp"]
    finds({"host/x/one.cpp": one, "host/y/two.cpp": two}, both)
    finds({"host/x/one.cpp": "#define X {\n// {\n" + one, "host/y/two.cpp": 'auto s = R"x(})x"; auto t = "{"; ' + two}, both)
    finds({"host/x/one.cpp": one, "host/y/two.cpp": "namespace a { namespace { struct Kept {}; } }"}, [])
    finds({"host/x/one.cpp": one, "host/y/two.cpp": "namespace a { void f() { struct Kept {}; } struct Kept; struct Kept* g(); }"}, [])
    finds({"host/x/one.cpp": one, "host/y/two.cpp": "namespace a { template <> struct Kept<int> {}; struct Holds { struct Kept {}; }; }"}, [])
    finds({"host/x/one.cpp": one, "plugins/ops/p/p.cpp": one, "plugins/ops/q/q.cpp": one, "tests/x/fixtures/f.cpp": one}, [])
    finds({"sdk/x/one.cpp": one, "plugins/ops/p/p.cpp": one}, ["a::Kept: sdk/x/one.cpp and plugins/ops/p/p.cpp"])
    finds({"sdk/x/one.h": one, "tests/sdk/abi/1.0/one.h": one, "tests/sdk/abi/2.0/one.h": one}, [])
    finds({"tests/sdk/abi/1.0/one.h": one, "tests/sdk/abi/1.0/two.c": one},
          ["a::Kept: tests/sdk/abi/1.0/one.h and tests/sdk/abi/1.0/two.c"])
    finds({"sdk/x/one.h": one, "tests/sdk/abi/x_test.cpp": one}, ["a::Kept: sdk/x/one.h and tests/sdk/abi/x_test.cpp"])
    finds({"host/x/one.cpp": one, "tests/x/x_test.cpp": one}, ["a::Kept: host/x/one.cpp and tests/x/x_test.cpp"])


def main():
    prove()
    found, count = duplicates(pathlib.Path(os.environ["MIXOP_SOURCE_DIR"]))
    if count < 200:
        sys.exit(f"only {count} classes were found; is MIXOP_SOURCE_DIR the source tree?")
    print(f"figure: names of {count} classes, {len(found)} of them twice in one program")
    if found:
        sys.exit("\n".join(found) + "\na class of one file belongs into an unnamed namespace; one of several, into a header")


if __name__ == "__main__":
    main()
