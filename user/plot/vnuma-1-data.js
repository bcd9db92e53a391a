// SPDX-License-Identifier: GPL-2.0
// The page of virtual NUMA, first part: the decoding of its scene.

const NK = D.kinds.length, MIXED = NK, LAST_NODE = 8, NOWHERE = 9;

const segs = table(0, D.segs, [['kind', U8], ['node', Int8Array], ['ns', F64, NK]], (t, i, r) => {
	t.kind[i] = r.next();
	t.node[i] = r.next() - 1;
	if (t.kind[i] !== MIXED)
		return;
	const mask = r.next();
	for (let k = 0; k < NK; k++)
		if (mask >> k & 1)
			t.ns[i * NK + k] = r.next();
});

// Items that belong to no lane, in the order of their times.
function list(base64, n, read) {
	const r = new Rows(base64), out = [];
	let last = 0;
	for (let i = 0; i < n; i++) {
		const from = last += r.signed();
		out.push({ from, to: from + r.next(), ...read(r) });
	}
	return out;
}

const moves = list(D.moves, D.nmoves, (r) => ({ a: r.next() - 1, b: r.next() - 1, by: r.next(),
	count: r.next(), task: r.next() })).sort((p, q) => p.from - q.from);
const cases = list(D.cases, D.ncases, (r) => {
	const c = { lane: r.next(), other: r.next() - 1 }, f = r.next();
	return { ...c, overloaded: f & 1, why: f >> 1, cost: r.next(), task: r.next(),
		cpu: r.next(), third: r.next() };
});
const wastes = list(D.wastes, D.nwastes, (r) => ({ ns: r.next() }));

// Does a stretch of this kind lie away from the lane's home? As vs_away() in vnuma_scene.h.
function isAway(lane, kind, node) {
	const home = D.lanes[lane].home;
	if (home < 0 || kind > LAST_NODE)
		return false;
	return node >= 0 ? node !== home : kind === LAST_NODE ? home < LAST_NODE : kind !== home;
}
