#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# lock-timeline publish --wait, when something else than an absent host is in the way: a command that runs meanwhile goes on.
set -u
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
. tests/cli/scratch.bash
"${CC:-cc}" -shared -fPIC -D_GNU_SOURCE -o shim.so "$top/tests/cli/vsock-shim.c" || exit 1
publish=("$bin/lock-timeline" publish --wait)

# with ERRNO ARGUMENTS...: publish where connecting ends so.
with() {
	LD_PRELOAD=$tmp/shim.so VSOCK_ERRNO=$1 timeout 60 "${publish[@]}" "${@:2}" >out 2>err
}

command='trap "echo killed; exit 9" TERM; sleep 5; echo whole; exit 7'
with 13 -- sh -c "$command" # EACCES
holds "the command's exit code" [ $? = 7 ]
holds "... for it has gone on to its end" [ "$(cat out)" = whole ]
holds "... and what went wrong is said once" [ "$(grep -ic 'permission denied' err)" = 1 ]
with 13
holds "without a command it ends" [ $? = 3 ]
with 105 -- sh -c "$command" # ENOBUFS
holds "no buffers: as if nobody listened" [ $? = 7 ]
holds "... without a word of an error" [ "$(grep -ic 'buffer' err)" = 0 ]
expect_end
