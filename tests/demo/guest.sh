# SPDX-License-Identifier: GPL-2.0
# In the guest: record the spinlocks of threads that share one file table. It boots with one CPU and
# gets the others once the probes are in place: patching code that four CPUs run costs the
# emulator many times the effort.
set -e
cd /kvmsched
cat >/tmp/work <<'END'
. /lab/lib.sh
for cpu in /sys/devices/system/cpu/cpu[1-9]*; do echo 1 >"$cpu/online"; done
lab_log "attached, $(nproc) CPUs"; lab_signal attached
lab_await go 200
exec build/tests/contend --threads 2 --pin --seconds 6
END
build/bin/lock-timeline record -q -o "$LAB_OUT/guest.kvs" -- bash /tmp/work
