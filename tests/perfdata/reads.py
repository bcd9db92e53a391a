# SPDX-License-Identifier: GPL-2.0
"""What perf's commands print, as numbers; and what recordings and reports say, for comparison."""
import collections
import json
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BIN = os.path.join(TOP, "build", "bin")
VM_TIDS = 10000000
SCALE = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9}


class Failed(Exception):
    pass


def perfs():
    """The perfs that there are, each as the beginning of a command line."""
    out = subprocess.run([os.path.join(HERE, "perfs")], capture_output=True, text=True, check=True)
    return [line.split() for line in out.stdout.splitlines()]


def run(perf, *args, out_only=False):
    """A perf command's output, and what it says beside it. It must succeed, and complain of nothing in the file."""
    env = dict(os.environ, PAGER="cat", LC_ALL="C", DEBUGINFOD_URLS="")
    done = subprocess.run([*perf, *args], capture_output=True, text=True, env=env, errors="replace")
    what = "perf " + " ".join(args)
    if done.returncode:
        raise Failed(f"{what}: exit code {done.returncode}: {done.stderr.strip()[-200:]}")
    for word in ("out of order", "unordered", "orrupt", "not enough", "failed", "bad event"):
        for line in (done.stderr + done.stdout).splitlines():
            if word in line and not line.startswith("addr2line"):
                raise Failed(f"{what}: {line}")
    return done.stdout if out_only else done.stdout + done.stderr


def kvm_stat(perf, data, pid, vcpu):
    """{exit name: samples} of one vCPU."""
    out = run(perf, "kvm", "-i", data, "stat", "report", "-p", str(pid), "--vcpu", str(vcpu))
    found = re.findall(r"^\s*(\S.*?)\s+(\d+)\s+[\d.]+%\s+[\d.]+%\s+[\d.]+us", out, re.M)
    return {name: int(n) for name, n in found}


def sched_latency(perf, data):
    """{tid: (comm, run time ns, count)}."""
    out = run(perf, "sched", "-i", data, "latency", "-p")
    found = re.findall(r"^\s*(\S.*?):(\d+)\s*\|\s*([\d.]+) ms \|\s*(\d+) \|", out, re.M)
    if "TOTAL:" not in out:
        raise Failed("perf sched latency prints no total")
    return {int(tid): (comm, float(ms) * 1e6, int(n)) for comm, tid, ms, n in found}


def timehist(perf, data):
    """{tid: (comm, times scheduled in, run time ns)}."""
    out = run(perf, "sched", "-i", data, "timehist", "-s")
    found = re.findall(r"^\s*(\S.*?)\[(\d+)(?:/\d+)?\]\s+\S+\s+(\d+)\s+([\d.]+)\s", out, re.M)
    return {int(tid): (comm, int(n), float(ms) * 1e6) for comm, tid, n, ms in found}


def sched_map(perf, data):
    """The threads that perf sched map gives letters to."""
    out = run(perf, "sched", "-i", data, "map")
    return set(re.findall(r"=> (\S.*?):\d+\s*$", out, re.M)), len(out.splitlines())


def duration(text, unit):
    return float(text) * SCALE[unit]


def contention(perf, data):
    """{caller: (contended, total ns)}, summed up."""
    out = run(perf, "lock", "-i", data, "contention", "-E", "100000")
    rows = collections.defaultdict(lambda: (0, 0))
    for line in re.findall(r"^\s*(\d+)\s+([\d.]+) (\S+)\s+[\d.]+ \S+\s+[\d.]+ \S+\s+(\S+)\s+(.*)$", out, re.M):
        n, ns, kind = int(line[0]), duration(line[1], line[2]), line[3]
        if kind != "spinlock":
            raise Failed(f"perf lock contention: a lock of type {kind}")
        old = rows[line[4].strip()]
        rows[line[4].strip()] = (old[0] + n, old[1] + ns)
    return dict(rows)


def lock_report(perf, data):
    """[(name, acquired, contended, total ns)]."""
    out = run(perf, "lock", "-i", data, "report")
    found = re.findall(r"^\s*(\S+)\s+(\d+)\s+(\d+)\s+[\d.]+ \S+\s+([\d.]+) (\S+)\s", out, re.M)
    return [(name, int(a), int(c), duration(t, u)) for name, a, c, t, u in found]


LINE = re.compile(r"^(?:VM:\s*(\d+)\s+VCPU:(\d+))?\s*(.*?)\s+(\d+|-1) \[(\d+)\]\s+(\d+\.\d+):\s+(\S+):(?: (.*))?$")


def script(perf, data):
    """Every sample: (VM's pid or 0, vCPU, comm, tid, event, fields)."""
    out = run(perf, "script", "-i", data, "--ns", "-F", "comm,tid,cpu,time,event,trace,machine_pid,vcpu",
              out_only=True)
    last = 0.0
    for line in out.splitlines():
        found = LINE.match(line)
        if not found:
            raise Failed(f"perf script: {line}")
        vm, vcpu, comm, tid, _, time, event, fields = found.groups()
        if float(time) < last:
            raise Failed(f"perf script: time runs backwards: {line}")
        last = float(time)
        yield int(vm or 0), int(vcpu or 0), comm, int(tid), event, fields


def tool(*args):
    done = subprocess.run([os.path.join(BIN, args[0]), *args[1:]], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(args)}: {done.stderr.strip()}")
    return done


def records(traces):
    """The records of recordings on the host's clock, and what is lost, as trace-export tells them."""
    for line in tool("trace-export", "--rows", "record,loss", "--json", "-", *traces).stdout.splitlines():
        yield json.loads(line)


def report(traces):
    return json.loads(tool("lock-timeline", "report", "--json", *traces).stdout)["traces"][0]


def counts(trace):
    """The metadata of a recording, and how many records of each type are in it."""
    done = subprocess.run([os.path.join(TOP, "build", "tests", "kvs-count"), trace], capture_output=True, text=True)
    if done.returncode:
        raise Failed(done.stderr.strip())
    return json.loads(done.stdout)
