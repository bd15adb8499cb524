#!/usr/bin/env python3
"""A class that is not what its interface id says does not compile where it is registered as a component, and the compiler's
message says what it must be. Right classes compile. Takes the compiler and the include folders as headers.py does."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

from headers import PLUGIN_DEFINITIONS, build_of_the_sdk

PRELUDE = """
#include "mixop/plugin.hpp"
#include "mixop/space.hpp"
#include "mixop/strategy.hpp"
using namespace mixop;
struct Spaces : SearchSpace {
  std::string summary() const override { return ""; }
  SpaceDefaults defaults() const override { return {}; }
  NetworkGraph search(const SpaceConfig&) const override { return {}; }
  NetworkGraph network(const SpaceConfig&, const Genotype&) const override { return {}; }
  const std::vector<NamedGenotype>& genotypes() const override { throw 0; }
};
struct Stops : Stopper {
  std::string reason_to_stop(const EpochReport&) override { return ""; }
};
"""
# What is registered, and what the compiler must say; nothing where it compiles.
CASES = [
    ("struct A : Spaces { explicit A(const Options&) {} }; auto a = space<A>(\"a\");", None),
    ("struct A : Stops { explicit A(const Options&) {} }; auto a = strategy_part<A>(\"a\");", None),
    # A class of its own that borrows the id.
    ("struct A { using Interface = A; static constexpr const char* interface_id = \"mixop.space/1\"; "
     "explicit A(const Options&) {} }; auto a = space<A>(\"a\");", "a space derives from mixop::SearchSpace"),
    ("struct A { using Interface = A; static constexpr const StrategySlot& slot = slot_named(\"stopper\"); "
     "explicit A(const Options&) {} }; auto a = strategy_part<A>(\"a\");",
     "a part derives from an interface of mixop/strategy.hpp"),
    ("struct A : StrategyPart { using Interface = A; static constexpr const StrategySlot& slot = slot_named(\"stopper\"); "
     "explicit A(const Options&) {} }; auto a = strategy_part<A>(\"a\");",
     "a part derives from an interface of mixop/strategy.hpp"),
    # One that names another's interface.
    ("struct A : Stops { using Interface = Deriver; explicit A(const Options&) {} }; auto a = strategy_part<A>(\"a\");",
     "a part derives from the interface that it names"),
    ("struct A : StrategyPart { explicit A(const Options&) {} }; auto a = strategy_part<A>(\"a\");",
     "a part derives from an interface of mixop/strategy.hpp"),
    # The other kind.
    ("struct A : Stops { explicit A(const Options&) {} }; auto a = space<A>(\"a\");",
     "a space derives from mixop::SearchSpace"),
    ("struct A : Spaces { explicit A(const Options&) {} }; auto a = strategy_part<A>(\"a\");",
     "a part derives from an interface of mixop/strategy.hpp"),
    # What cannot be made.
    ("struct A : Stopper { explicit A(const Options&) {} }; auto a = strategy_part<A>(\"a\");",
     "a component defines every pure function of its interface"),
    ("struct A : Stops { explicit A(int) {} }; auto a = strategy_part<A>(\"a\");",
     "a component is constructible from const Options&"),
    ("struct A : Stopper { static constexpr const StrategySlot& other = slot_named(\"stoper\"); };", "no such slot"),
]


def problem(compiler, flags, code, expected):
    """None, or how the compiler did otherwise than expected."""
    command = [compiler, "-x", "c++", "-std=c++20", "-fsyntax-only", *flags, *PLUGIN_DEFINITIONS, "-"]
    run = subprocess.run(command, input=PRELUDE + code, capture_output=True, text=True)
    if expected is None:
        return f"{code}\n  does not compile: {run.stderr[:1000]}" if run.returncode else None
    if run.returncode == 0:
        return f"{code}\n  compiles; expected: {expected}"
    return None if expected in run.stderr else f"{code}\n  expected: {expected}\n  found: {run.stderr[:1000]}"


def main():
    compiler, flags = build_of_the_sdk(pathlib.Path(os.environ["MIXOP_BUILD_DIR"]))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [line for line in pool.map(lambda case: problem(compiler, flags, *case), CASES) if line]
    print("\n".join(found))
    print(f"{len(CASES)} registrations, {len(found)} otherwise than expected")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
