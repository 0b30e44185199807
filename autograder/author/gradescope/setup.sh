#!/usr/bin/env bash
# Runs once, as root, when Gradescope builds its image: installs Python and what the course needs.
set -euo pipefail
source="${AUTOGRADER:-/autograder}/source"
target="${COURSE_ENV:-/opt/course}"
apt-get update -qq
python="$(command -v python3.14 || command -v python3.13 || command -v python3.12 || command -v python3.11 || true)"
if [ -z "$python" ]; then
  apt-get install -y -qq python3.11
  python=python3.11
fi
apt-get install -y -qq libseccomp2 "$(basename "$python")-venv"
"$python" -m venv "$target"
torch="$(grep '^torch==' "$source/course/constraints.txt")"
"$target/bin/python" -m pip install --quiet "$torch" --index-url https://download.pytorch.org/whl/cpu  # a third of the size
"$target/bin/python" -m pip install --quiet -c "$source/course/constraints.txt" -e "$source/course[grade]"
chmod -R go= "$source"  # guests run as another user: what judges them is not theirs to read
