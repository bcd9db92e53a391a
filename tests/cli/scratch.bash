# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For scripts that try the tools on files, from the project's folder: goes to one of its own, which is gone at the end.

. tests/cli/expect.bash
bin=$PWD/build/bin
sim=$PWD/build/tests/sim
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
