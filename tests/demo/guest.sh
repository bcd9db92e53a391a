# SPDX-License-Identifier: GPL-2.0
# In the guest: record the spinlocks of threads that share one file table.
set -e
cd /kvmsched
cat >/tmp/work <<'END'
. /lab/lib.sh
lab_signal attached
lab_await go 200
exec build/tests/contend --threads 4 --pin --seconds 3
END
build/bin/lock-timeline record -q -o "$LAB_OUT/guest.kvs" -- bash /tmp/work
