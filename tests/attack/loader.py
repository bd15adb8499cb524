#!/usr/bin/env python3
"""A zoo of broken plugins, one defect each, is shown to the program: every one is refused at the check that its defect
belongs to, with a message, with exit code 4 and without a crash, and none runs code of its own before that check is due.
Each plugin's constructor leaves a file as its trace. Prints a line a plugin and two figures."""

import concurrent.futures
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

MIXOP = os.environ["MIXOP"]
ZOO = pathlib.Path(os.environ["MIXOP_BUILD_DIR"]) / "tests/zoo"
HANGS_AFTER = "5"


def copied(name):
    """A plugin that is broken as it was built."""
    def make(folder):
        return shutil.copy(ZOO / f"{name}.so", folder)
    return make


def changed(name, change):
    """A sound plugin whose bytes `change` breaks."""
    def make(folder):
        file = folder / f"{name}.so"
        file.write_bytes(change(bytearray((ZOO / "good.so").read_bytes())))
        return file
    return make


def field(offset, form, value):
    def change(data):
        struct.pack_into(form, data, offset, value)
        return data
    return change


def without_filter(data):
    """Clears the filter of the symbol hash table, which the loader asks first: it finds no symbol then."""
    sections, = struct.unpack_from("<Q", data, 40)
    size, count, _ = struct.unpack_from("<HHH", data, 58)
    for at in range(sections, sections + size * count, size):
        kind, offset = struct.unpack_from("<I", data, at + 4)[0], struct.unpack_from("<Q", data, at + 24)[0]
        if kind == 0x6ffffff6:
            words, = struct.unpack_from("<I", data, offset + 8)
            data[offset + 16:offset + 16 + 8 * words] = bytes(8 * words)
            return data
    sys.exit("loader: good.so has no GNU symbol hash table")


def pipe(folder):
    os.mkfifo(folder / "pipe.so")
    return folder / "pipe.so"


def for_everybody(folder):
    file = pathlib.Path(shutil.copy(ZOO / "good.so", folder / "for_everybody.so"))
    file.chmod(0o666)
    return file


def open_folder(folder):
    inner = folder / "open"
    inner.mkdir()
    inner.chmod(0o777)
    return inner


def in_open_folder(folder):
    return shutil.copy(ZOO / "good.so", open_folder(folder) / "in_open_folder.so")


def below_open_folder(folder):
    own = open_folder(folder) / "own"
    own.mkdir()
    return shutil.copy(ZOO / "good.so", own / "below_open_folder.so")


def behind_open_link(folder):
    link = open_folder(folder) / "behind_open_link.so"
    link.symlink_to(shutil.copy(ZOO / "good.so", folder))
    return link


def link_into_open_folder(folder):
    (folder / "link_into_open_folder.so").symlink_to(in_open_folder(folder))
    return folder / "link_into_open_folder.so"


# Name, how it is made, the check that refuses it, what the message says, whether its code has run by then.
SPECIMENS = [
    ("pipe", pipe, "path", "expected a regular file", False),
    ("for_everybody", for_everybody, "owner and mode", "is writable by everybody (mode 0666). Run: chmod o-w '", False),
    ("in_open_folder", in_open_folder, "owner and mode", "is writable by everybody (mode 0777)", False),
    ("below_open_folder", below_open_folder, "owner and mode", "is writable by everybody (mode 0777)", False),
    ("behind_open_link", behind_open_link, "owner and mode", "is writable by everybody (mode 0777)", False),
    ("link_into_open_folder", link_into_open_folder, "owner and mode", "is writable by everybody (mode 0777)", False),
    ("text", changed("text", lambda data: b"#!/bin/sh\n"), "elf", "expected an ELF shared library, found another", False),
    ("32_bit", changed("32_bit", field(4, "B", 1)), "elf", "expected a 64-bit little-endian ELF file", False),
    ("other_machine", changed("other_machine", field(18, "<H", 243)), "elf", "found 243", False),
    ("object_file", changed("object_file", field(16, "<H", 1)), "elf", "(ELF type 3), found type 1", False),
    ("truncated", changed("truncated", lambda data: data[:1024]), "elf", "ends outside a file of", False),
    ("cut_in_header", changed("cut_in_header", lambda data: data[:40]), "elf", "past the end of a file of 40", False),
    ("runpath_elsewhere", copied("runpath_elsewhere"), "runpath", "RUNPATH '/opt/lib' searches '/opt/lib'", False),
    ("runpath_climbs", copied("runpath_climbs"), "runpath", "searches '$ORIGIN/../../../../tmp'", False),
    ("needed_with_folder", copied("needed_with_folder"), "runpath", "needs the library './libzoo.so'", False),
    ("auxiliary", copied("auxiliary_with_folder"), "runpath", "is a filter of the library '/tmp/libzoo.so'", False),
    ("filter", copied("filter_with_folder"), "runpath", "is a filter of the library '/tmp/libzoo.so'", False),
    ("no_note", copied("no_note"), "note", "has no .note.mixop note", False),
    ("two_notes", copied("two_notes"), "note", "has more than one .note.mixop note", False),
    ("reserved_words", copied("reserved_words"), "note", "reserved words that are not zero", False),
    ("wrong_major", copied("wrong_major"), "abi", "was built for plugin ABI 2.", False),
    ("newer_minor", copied("newer_minor"), "abi", "may lack what the plugin needs", False),
    ("other_libtorch", copied("other_libtorch"), "libtorch", "is of tier native and was built for LibTorch 1.2.3", False),
    ("newer_libtorch", copied("newer_libtorch"), "libtorch", "is of tier stable and needs LibTorch 99.0.0", False),
    ("other_cuda", copied("other_cuda"), "libtorch", "was built with CUDA 99.0", False),
    ("other_revision", copied("other_revision"), "native revision", "of the C++ types that it shares with the host", False),
    ("sanitized", copied("sanitized"), "flags", "address sanitizer, thread sanitizer; this mixop with: ", False),
    ("debug_library", copied("debug_library"), "flags", "was compiled with: cxx11 abi, debug standard library", False),
    ("no_symbol", copied("no_symbol"), "exports", "exports nothing; expected the function mixop_plugin_v1", False),
    ("symbol_is_data", copied("symbol_is_data"), "exports", "expected the function mixop_plugin_v1 alone", False),
    ("extra_export", copied("extra_export"), "exports", "exports 'zoo_extra_export'; expected the function", False),
    ("not_locked", copied("not_locked"), "lock file", ", or accept this one with `mixop plugins lock`", False),
    ("changed_since", changed("good", lambda data: data + b"\0"), "lock file", "; for zoo.good 1.0.0 (good.so) it", False),
    ("unresolved", copied("unresolved"), "load", "undefined symbol: zoo_needed", False),
    ("missing_library", copied("missing_library"), "load", "libzoo_that_is_nowhere.so: cannot open shared", False),
    ("changes_itself", copied("changes_itself"), "load", "changed after it was checked: its SHA-256 was ", True),
    ("hidden_symbol", changed("hidden_symbol", without_filter), "symbol", "the loader does not find mixop_plugin", True),
    ("entry_throws", copied("entry_throws"), "symbol", "mixop_plugin_v1() failed: out of patience", True),
    ("null_descriptor", copied("null_descriptor"), "descriptor", "mixop_plugin_v1() returned NULL", True),
    ("short_descriptor", copied("short_descriptor"), "descriptor", "the descriptor has size 16; expected at least", True),
    ("two_versions", copied("two_versions"), "descriptor", "the descriptor names ABI 2.", True),
    ("same_id", changed("same_id", lambda data: data + b"\0"), "descriptor", "its id 'zoo.good' is taken by ", True),
    ("unknown_interface", copied("unknown_interface"), "components", "did you mean 'mixop.dataset/1'?", True),
    ("missing_function", copied("missing_function"), "components", "'read' is NULL; expected a function", True),
    ("twins", copied("twins"), "components", "the dataset 'zoo.twins' is declared twice", True),
    ("init_fails", copied("init_fails"), "init", "init failed: no licence", True),
    ("init_throws", copied("init_throws"), "init", "init failed: out of patience", True),
    ("factory_throws", copied("factory_throws"), "factory", "'zoo.factory_throws' failed: out of patience", True),
    ("factory_null", copied("factory_null"), "factory", "creating the stopper 'zoo.factory_null' returned NULL", True),
    ("constructor_crashes", copied("constructor_crashes"), "self-test", "crashed with signal 11", True),
    ("init_crashes", copied("init_crashes"), "self-test", "crashed with signal 11", True),
    ("init_aborts", copied("init_aborts"), "self-test", "crashed with signal 6", True),
    ("init_exits", copied("init_exits"), "self-test", "ended early with exit status 0 while it was loaded", True),
    ("open_fails", copied("open_fails"), "self-test", "the open that fails", True),
    ("open_hangs", copied("open_hangs"), "self-test", "the self-test did not end within", True),
]
LOCKED = {"not_locked", "changed_since"}
# A second plugin shows what one alone cannot; a hanging one would take the time that a first use gives it.
ONLY_LISTED, ONLY_CHECKED = {"same_id"}, {"open_hangs"}


def mixop(*arguments, **environment):
    own = {name: value for name, value in os.environ.items() if name != "MIXOP_PLUGIN_PATH"}
    return subprocess.run([MIXOP, "plugins", *map(str, arguments)], capture_output=True, text=True, timeout=300,
                          env={**own, **{name: str(value) for name, value in environment.items()}})


def refusal_of(run, check, words, file):
    """What is wrong with how the program refused the plugin, or None."""
    if run.returncode != 4:
        return f"exit code {run.returncode} instead of 4"
    if run.stderr.count("mixop: error:") != 1:
        return "not one error message"
    message = run.stderr.split("mixop: error:")[1]
    for part in (f"plugin {file} is refused ({check}): ", words):
        if part not in message:
            return f"the message lacks '{part}'"
    return None


def show(specimen, folder, lock):
    """None, or what went wrong."""
    name, make, check, words, runs = specimen
    file, trace = pathlib.Path(make(folder)), folder / "trace"
    environment = {"XDG_STATE_HOME": folder / "state", "MIXOP_ZOO_TRACE": trace, "MIXOP_ZOO_FILE": file}
    locked = [f"--locked={lock}"] if name in LOCKED else []
    commands = []
    if name not in ONLY_LISTED:
        commands.append(["check", file, "--timeout", HANGS_AFTER if name == "open_hangs" else "120", *locked])
    if name not in ONLY_CHECKED:
        first = ["--plugin-dir", ZOO / "good.so"] if name in ONLY_LISTED else []
        commands.append(["list", *locked, *first, "--plugin-dir", file])
    for command in commands:
        trace.unlink(missing_ok=True)
        run = mixop(*command, **environment)
        problem = refusal_of(run, check, words, file)
        if command[0] == "check" and f"FAILED  {check}\n" not in run.stdout:
            problem = problem or "plugins check does not name the check"
        if trace.exists() != runs:
            problem = problem or ("no trace of its code" if runs else "code of its own ran")
        if problem:
            return f"{problem}: mixop plugins {' '.join(map(str, command))}\n{run.stdout}{run.stderr}"
    return None


def sound_plugins(folder):
    """The sound plugin passes and leaves its trace; returns the lock file that lists it, and the checks there are."""
    trace, lock = folder / "trace", folder / "plugins.lock"
    environment = {"XDG_STATE_HOME": folder / "state", "MIXOP_ZOO_TRACE": trace}
    run = mixop("lock", "--out", lock, "--plugin-dir", ZOO / "good.so", **environment)
    if run.returncode != 0:
        sys.exit(f"loader: no lock file: {run.stderr}")
    trace.unlink()
    run = mixop("check", ZOO / "good.so", f"--locked={lock}", **environment)
    if run.returncode != 0 or not trace.exists():
        sys.exit(f"loader: the sound plugin is refused, or leaves no trace: {run.stdout}{run.stderr}")
    lines = run.stdout.split("ok      self-test\n")[0].splitlines()
    return lock, {line.removeprefix("ok      ") for line in lines} | {"self-test"}


def whole_folder(folder):
    """Those that are refused by their files lie in one folder: each is a warning, and the program lists the sound one."""
    together = folder / "together"
    together.mkdir(mode=0o700)
    count = 0
    for name, make, _, _, runs in SPECIMENS:
        if make.__name__ == "make" and name not in LOCKED and not runs:
            make(together)
            count += 1
    shutil.copy(ZOO / "good.so", together / "good.so")
    run = mixop("list", "--plugin-dir", together, XDG_STATE_HOME=folder / "state")
    warned = run.stderr.count("mixop: warning: plugin ")
    if run.returncode != 0 or warned != count or "zoo.good 1.0.0" not in run.stdout:
        return f"a folder of {count} broken plugins: exit code {run.returncode}, {warned} warnings\n{run.stderr}"
    return None


def main():
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        root = pathlib.Path(name).resolve()
        lock, checks = sound_plugins(root)
        together = pool.submit(whole_folder, root)
        jobs = []
        for specimen in SPECIMENS:
            (root / specimen[0]).mkdir(mode=0o700)
            jobs.append((specimen, pool.submit(show, specimen, root / specimen[0], lock)))
        failures, refused, before = [], 0, 0
        for (name, _, check, words, runs), job in jobs:
            problem = job.result()
            print(f"{name:22} {check:15} {'code ran' if runs else 'no code ran':12} {'FAILED' if problem else words}")
            if problem:
                failures.append(f"{name}: {problem}")
            else:
                refused += 1
                before += not runs
        if together.result():
            failures.append(together.result())
    missing = checks - {specimen[2] for specimen in SPECIMENS}
    if missing:
        failures.append(f"no plugin of the zoo reaches the checks {sorted(missing)}")
    for failure in failures:
        print(failure)
    print(f"figure: broken plugins refused {refused} of {len(SPECIMENS)} at the expected check; {before} before any code of "
          "theirs ran")
    print(f"figure: checks that a broken plugin reaches {len(checks) - len(missing)} of {len(checks)}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
