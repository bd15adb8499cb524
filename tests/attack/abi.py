#!/usr/bin/env python3
"""The C ABI is the one that was approved: tests/sdk/abi/abi-MAJOR.MINOR.xml, which abidw wrote. Of older minor versions of
the same major one, structs may only have gained fields at their end. Every field has its assertion in abi_layout_test.cpp.

  python3 tests/attack/abi.py --approve    writes the file of the version that note.h names
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "sdk/include"
BASELINES = ROOT / "tests/sdk/abi"
APPROVE = "python3 tests/attack/abi.py --approve"
# What has no size of its own, and what its readers take whole: it stays as it is within a major version.
FROZEN = {"MixopError", "MixopNote", "MixopOptionValue"}
# A change of a header, and whether it only appends.
CHANGES = [
    ("plugin.h", "  const char* summary; /* one sentence */", "  const char* summary;\n  const char* licence;", False),
    ("factory.h", "  const char* summary;  ", "  const char* source;\n  const char* summary;  ", False),
    ("factory.h", "one sentence with its source */\n", "one sentence */\n  const char* source;\n", True),
    ("factory.h", "  const char* part; ", "  const char* component; ", False),
    ("option.h", "  const char* value; ", "  uint32_t length;\n  const char* value; ", False),
    ("option.h", "allowed values */\n", "allowed values */\n  const char* unit;\n", True),
    ("note.h", "  uint32_t reserved[4];", "  uint32_t reserved[5];", False),
    ("factory.h", "  void (*destroy)(void* object);", "  int (*destroy)(void* object);", False),
    ("operator.h", "  int64_t stride;", "  int32_t stride;", False),
    ("operator.h", "  const void* (*get_extension)(const char* id);\n", "", False),
    ("ext/cost.h", "  uint32_t reserved;\n  int64_t parameters;", "  int64_t parameters;", False),
    ("ext/structure.h", "momentum) * running + momentum * batch */\n",
     "momentum) * running + momentum * batch */\n  double added;\n", True),
    ("ext/structure.h", "  const int32_t* inputs;", "  const int64_t* inputs;", False),
    ("ext/log.h", "  void (*log)(int32_t level,", "  void (*log)(int64_t level,", False),
    ("plugin.h", "  uint32_t component_count;\n  uint32_t reserved;", "  uint64_t component_count;", False),
    ("error.h", "char message[504];", "char message[500];", False),
]


def run(*command):
    try:
        return subprocess.run(list(map(str, command)), capture_output=True, text=True)
    except FileNotFoundError:
        sys.exit(f"abi: {command[0]} is missing; install the package abigail-tools")


def compiler():
    cache = pathlib.Path(os.environ.get("MIXOP_BUILD_DIR", ROOT / "build/release")) / "CMakeCache.txt"
    found = re.search(r"^CMAKE_C_COMPILER:\w+=(.+)$", cache.read_text(), re.MULTILINE)
    return found[1] if found else sys.exit(f"abi: {cache} names no CMAKE_C_COMPILER")


def dump(include, folder):
    """The file that describes the ABI of the headers in `include`."""
    library, description = folder / "libabi.so", folder / "abi.xml"
    built = run(compiler(), "-std=c11", "-g", "-O0", "-shared", "-fPIC", f"-ffile-prefix-map={ROOT}/=", "-I", include, "-o",
                library, BASELINES / "abi_surface.c")
    if built.returncode != 0:
        sys.exit(f"abi: abi_surface.c does not compile: {built.stderr}")
    dumped = run("abidw", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-architecture", "--no-elf-needed",
                 "--no-parameter-names", "--type-id-style", "hash", "--out-file", description, library)
    if dumped.returncode != 0:
        sys.exit(f"abi: abidw failed: {dumped.stdout}{dumped.stderr}")
    return description


def difference(old, new):
    """What abidiff says, or nothing."""
    compared = run("abidiff", "--harmless", old, new)
    return f"exit code {compared.returncode}\n{compared.stdout}{compared.stderr}" if compared.returncode else ""


class Structs:
    """The structs of a description: of each its size in bits and its fields as (offset in bits, type, name)."""

    def __init__(self, description):
        tree = xml.etree.ElementTree.parse(description)
        self.types = {node.get("id"): node for node in tree.iter() if node.get("id")}
        self.all = {}
        for node in tree.iter("class-decl"):
            if node.get("is-declaration-only") != "yes":
                members = [(int(member.get("layout-offset-in-bits")), member.find("var-decl"))
                           for member in node.findall("data-member")]
                self.all[node.get("name")] = (int(node.get("size-in-bits")),
                                              [(offset, self.text(field.get("type-id")), field.get("name"))
                                               for offset, field in members])

    def text(self, key):
        node = self.types[key]
        inner = node.get("type-id")
        if node.tag == "typedef-decl":
            return self.text(inner)
        if node.tag == "pointer-type-def":
            return self.text(inner) + "*"
        if node.tag == "qualified-type-def":
            return "const " + self.text(inner)
        if node.tag == "array-type-def":
            return self.text(inner) + "".join(f"[{bound.get('length')}]" for bound in node.findall("subrange"))
        if node.tag == "function-type":
            answer, given = node.find("return"), node.findall("parameter")
            return f"{self.text(answer.get('type-id'))}({', '.join(self.text(part.get('type-id')) for part in given)})"
        return node.get("name")


def not_appended(old, new):
    """How `new` does more to the structs of `old` than appending fields, a line each."""
    found = []
    for name, (size, fields) in old.all.items():
        if name not in new.all:
            found.append(f"{name} is gone")
            continue
        new_size, new_fields = new.all[name]
        if name in FROZEN and new_size != size:
            found.append(f"{name} has {new_size // 8} bytes; it keeps {size // 8} within a major version")
        for field, now in zip(fields, new_fields + [None] * len(fields)):
            if field != now:
                found.append(f"{name}.{field[2]}: expected {field[1]} at {field[0] // 8}, found "
                             + (f"{now[2]}, {now[1]} at {now[0] // 8}" if now else "nothing"))
    return found


def unasserted(structs):
    """Structs and fields that abi_layout_test.cpp says nothing of."""
    test = (BASELINES / "abi_layout_test.cpp").read_text()
    opened = set(re.findall(r"OPENS\((\w+),", test))  # those that begin with size and reserved
    sizes = opened | set(re.findall(r"SIZE\((\w+),", test))
    fields = set(re.findall(r"FIELD\((\w+), (\w+),", test)) | {(name, field) for name in opened for field in ("size", "reserved")}
    count = len(structs.all) + sum(len(of) for _, of in structs.all.values())
    missing = [name for name in structs.all if name not in sizes]
    missing += [f"{name}.{field[2]}" for name, (_, of) in structs.all.items() for field in of
                if (name, field[2]) not in fields]
    return count, missing


def unnoticed(description, folder):
    """The changes of CHANGES that the comparison overlooks, a line each."""
    found = []
    for number, (header, old, new, appends) in enumerate(CHANGES):
        place = folder / str(number)
        shutil.copytree(INCLUDE / "mixop/abi", place / "mixop/abi")
        file = place / "mixop/abi" / header
        text = file.read_text()
        if text.count(old) != 1:
            sys.exit(f"abi: {header}: expected one '{old}', found {text.count(old)}; update CHANGES")
        file.write_text(text.replace(old, new))
        changed = dump(place, place)
        appended = not not_appended(Structs(description), Structs(changed))
        if not difference(description, changed) or appended != appends:
            found.append(f"{header}: '{old}' as '{new}' is not noticed for what it is")
    return found


def version():
    note = (INCLUDE / "mixop/abi/note.h").read_text()
    return tuple(int(re.search(rf"define MIXOP_ABI_{part} (\d+)", note)[1]) for part in ("MAJOR", "MINOR"))


def check(description, folder):
    major, minor = version()
    baseline = BASELINES / f"abi-{major}.{minor}.xml"
    if not baseline.exists():
        sys.exit(f"abi: {baseline.name} is missing; once the new version is right, run: {APPROVE}")
    failures = []
    told = difference(baseline, description)
    if told:
        failures.append(f"the ABI is not that of {baseline.name}: {told}"
                        f"See 'Adding a field' of docs/plugin-abi.md; then run: {APPROVE}")
    structs = Structs(description)
    older = [BASELINES / f"abi-{major}.{number}.xml" for number in range(minor)]
    for file in older:
        failures += [f"{file.name}: {line}" for line in not_appended(Structs(file), structs)]
    count, missing = unasserted(structs)
    failures += [f"{name} has no assertion in abi_layout_test.cpp" for name in missing]
    overlooked = unnoticed(description, folder)
    for line in failures + overlooked:
        print(line)
    print(f"figure: ABI {major}.{minor}: {count - len(missing)} of {count} structs and fields asserted, "
          f"{'differs from' if told else 'equal to'} its approved description, {len(older)} older ones kept")
    print(f"figure: changes of ABI headers noticed {len(CHANGES) - len(overlooked)} of {len(CHANGES)}")
    return not failures and not overlooked


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        description = dump(INCLUDE, folder)
        if sys.argv[1:] == ["--approve"]:
            baseline = BASELINES / "abi-{}.{}.xml".format(*version())
            shutil.copyfile(description, baseline)
            print(f"wrote {baseline}")
        elif sys.argv[1:]:
            sys.exit(f"usage: {APPROVE}")
        elif not check(description, folder):
            sys.exit(1)


if __name__ == "__main__":
    main()
