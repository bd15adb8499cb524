#!/usr/bin/env bash
# ./quickstart and ./check explain themselves, and refuse what they do not know before any work.
set -euo pipefail

fail() { echo "command_lines: $1" >&2; exit 1; }
cd "$MIXOP_SOURCE_DIR"

for script in quickstart check; do
  "./$script" --help | grep -q "^usage: ./$script" || fail "./$script --help prints no usage"
done
status=0
message=$(./quickstart --dta x 2>&1) || status=$?
[[ $status == 2 && $message == *"unknown argument '--dta'"* ]] || fail "an unknown argument gives $status: $message"
status=0
message=$(./quickstart --data /nowhere/at/all 2>&1) || status=$?
[[ $status == 2 && $message == *"'/nowhere/at/all' is no folder"* ]] || fail "a missing folder gives $status: $message"
status=0
message=$(./quickstart --data docs 2>&1) || status=$?
[[ $status == 2 && $message == *"holds neither cifar-10-batches-bin nor"* ]] || fail "a folder without CIFAR-10 gives $status: $message"
status=0
message=$(./quickstart --data 2>&1) || status=$?
[[ $status == 2 && $message == *"--data expects a folder"* ]] || fail "--data alone gives $status: $message"
echo "command lines: all well"
