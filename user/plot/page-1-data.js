// SPDX-License-Identifier: GPL-2.0
// The page of spinlocks, first part: the decoding of its scene.

const NC = D.classes.length, NV = 7, NS = D.states.length, MIXED = 6;
const UNKNOWN = 6, LHP = 1, BUSY = 2, HALTED = 3, LWP = 4;
const LINK_HOLD = 1, LINK_WAIT = 2;

const waits = table(0, D.waits, [['verdict', U8], ['level', U8], ['acquired', U8], ['partial', U8],
	['linkKind', U8], ['link', U32], ['lock', U32], ['ip', U32], ['task', U32], ['ctx', U8],
	['ple', U32], ['blame', U32], ['blameClass', U8], ['blameIp', U32], ['blameTask', U32],
	['blameOff', F64], ['share', F64, NV], ['ples', F64, NV]], (t, i, r) => {
	const f = r.next();
	t.verdict[i] = f & 7;
	t.level[i] = f >> 3 & 3;
	t.acquired[i] = f >> 5 & 1;
	t.linkKind[i] = f >> 6 & 3;
	t.partial[i] = f >> 8;
	for (const k of ['lock', 'ip', 'task', 'ctx', 'ple', 'link', 'blame', 'blameClass',
		'blameIp', 'blameTask', 'blameOff'])
		t[k][i] = r.next();
	r.shares(t.share, i * NV);
	r.shares(t.ples, i * NV);
});
const holds = table(1, D.holds, [['level', U8], ['waiters', U8], ['lock', U32], ['ip', U32],
	['task', U32], ['off', F64]], (t, i, r) => {
	const f = r.next();
	t.level[i] = f & 3;
	t.waiters[i] = f >> 2;
	for (const k of ['lock', 'ip', 'task', 'off'])
		t[k][i] = r.next();
});
const segs = table(2, D.segs, [['state', U8], ['pcpu', Int32Array], ['ns', F64, NS]], (t, i, r) => {
	t.state[i] = r.next();
	t.pcpu[i] = r.next() - 1;
	for (let k = 0; t.state[i] === MIXED && k < NS; k++)
		t.ns[i * NS + k] = r.next();
});
const ples = table(3, D.ples, [['cls', U8], ['count', F64], ['ip', U32]], (t, i, r) => {
	t.cls[i] = r.next();
	t.count[i] = r.next();
	t.ip[i] = r.next();
});
const readCell = (t, i, r) => {
	t.count[i] = r.next();
	t.ple[i] = r.next();
	r.shares(t.ns, i * NV);
};
const cellColumns = [['count', U32], ['ple', F64], ['ns', F64, NV]];
const wcells = table(4, D.wcells, cellColumns, readCell);
const hcells = table(5, D.hcells, cellColumns, readCell);

const lenOf = (i) => waits.to[i] - waits.from[i];
const shareOf = (i, c) => waits.share[i * NV + c];
const blamedNs = (i) => shareOf(i, LHP) + shareOf(i, LWP) + shareOf(i, HALTED);
