// SPDX-License-Identifier: GPL-2.0
// The page of virtual NUMA: its colours, the painting of lanes, arrows and marks.

const hidden = { kind: new Array(NK).fill(false), by: new Array(D.causes.length).fill(false),
	passed: false, overloaded: false, away: false };
let selected = -1;
let order = []; // cases that are shown, the dearest first

function makeColours() {
	const k = dark ? 1 : 0, ink = dark ? [255, 255, 255] : [0, 0, 0];
	const hatched = (fill) => tile(mix(fill, ink, .16), ink, 2, .6);
	return {
		card: pack(rgb(dark ? '#0d1117' : '#ffffff')),
		kind: D.kinds.map((c) => tile(rgb(c.fill[k]), ink, c.pattern, .07)),
		away: D.kinds.map((c) => hatched(rgb(c.fill[k]))),
		by: D.causes.map((c) => c.line[k]),
		passed: dark ? '#ff5566' : '#d1182b', overloaded: dark ? '#ffb03a' : '#b35900',
		grid: ink, text: dark ? '#e6edf3' : '#17202b', dim: dark ? '#9aa6b4' : '#566273',
		line: dark ? '#30363d' : '#d5dae1', back: dark ? '#0d1117' : '#ffffff',
		accent: dark ? '#5aa7ff' : '#0b62c4', area: dark ? '#ff5566' : '#d1182b',
	};
}

function layout() {
	const fair = (height - AXIS - 4) / D.lanes.length;
	laneH = Math.round(Math.max(46, Math.min(fair, 96)));
	rows = { state: 2, bottom: laneH - 5, mark: laneH - 12 };
	$('spacer').style.height = AXIS + laneH * D.lanes.length + 'px';
}

/* ---- lanes ---- */

// Kinds from the bottom of a lane up: at home, away, not running.
function stackOf(lane) {
	const home = D.lanes[lane].home, kinds = [...Array(NK).keys()];
	return home < 0 || home >= LAST_NODE ? kinds : [home, ...kinds.filter((k) => k !== home)];
}

const tileOf = (lane, kind, node) =>
	(isAway(lane, kind, node) && !hidden.away ? colours.away : colours.kind)[kind];

function paintStack(lane, s) {
	const sum = s.ns.reduce((a, b) => a + b, 0), y0 = top(lane, rows.state);
	const y1 = top(lane, rows.bottom);
	let y = y1, part = 0;
	s.open = false;
	for (const k of sum ? s.order : []) {
		part += s.ns[k] / sum;
		const up = y1 - Math.round((y1 - y0) * part);
		if (!hidden.kind[k])
			fillTile(s.x0, s.x1, up, y, tileOf(lane, k, -1));
		y = up;
	}
	s.ns.fill(0);
}

// A stretch of less than two pixels is stacked with its neighbours.
function paintStates(lane) {
	const y0 = top(lane, rows.state), y1 = top(lane, rows.bottom);
	const s = { ns: new Float64Array(NK), open: false, x0: 0, x1: 0, order: stackOf(lane) };
	const end = segs.first[lane + 1];
	fillTile(0, W, y0, y1, colours.kind[NK - 1]);
	for (let i = firstFrom(segs, lane, view.t0); i < end && segs.from[i] < view.t1; i++) {
		const x0 = px(segs.from[i]), x1 = px(segs.to[i]), k = segs.kind[i];
		if (k !== MIXED && x1 - x0 >= 2) {
			paintStack(lane, s);
			if (!hidden.kind[k])
				fillTile(x0, x1, y0, y1, tileOf(lane, k, segs.node[i]));
			continue;
		}
		if (s.open && (x0 - s.x1 > 2 || s.x1 - s.x0 >= 2))
			paintStack(lane, s);
		if (!s.open)
			s.x0 = x0;
		s.open = true;
		s.x1 = Math.max(x1, x0 + 1);
		for (let j = 0; k === MIXED && j < NK; j++)
			s.ns[j] += segs.ns[i * NK + j];
		if (k !== MIXED)
			s.ns[k] += segs.to[i] - segs.from[i];
	}
	paintStack(lane, s);
}

function paint() {
	const [a, b] = visibleLanes();
	pxPerNs = W / (view.t1 - view.t0);
	fb.fill(colours.card);
	for (let lane = a; lane < b; lane++)
		paintStates(lane);
	paintGrid();
	baseCtx.putImageData(image, Math.round(GUTTER * dpr), Math.round(AXIS * dpr));
}

/* ---- arrows ---- */

const MAX_ARROWS = 800;
const middle = (lane) => laneY(lane) + (rows.state + rows.bottom) / 2;

// What is closer than a few pixels is one arrow, until they are few enough.
function mergeMoves(found) {
	let cell = 4 * (view.t1 - view.t0) / plotW(), out;
	do {
		const by = new Map();
		for (const m of found) {
			const key = [Math.floor(m.from / cell), m.a, m.b, m.by].join();
			const e = by.get(key);
			if (!e)
				by.set(key, { ...m });
			else
				Object.assign(e, { to: m.to, task: m.task, count: e.count + m.count });
		}
		out = [...by.values()];
		cell *= 2;
	} while (out.length > MAX_ARROWS && cell < D.span);
	return out.slice(0, MAX_ARROWS);
}

function collectMarks() {
	const inView = (m) => m.to >= view.t0 && m.from <= view.t1;
	return {
		moves: mergeMoves(moves.filter((m) => !hidden.by[m.by] && inView(m))),
		cases: order.filter((i) => inView(cases[i])).slice(0, MAX_ARROWS / 2),
	};
}

function drawArrow(ctx, m) {
	const x = xOf((m.from + m.to) / 2), w = Math.min(3.2, 1.1 + .35 * Math.log2(m.count));
	const y0 = m.a < 0 ? laneY(m.b) - 2 : middle(m.a);
	const y1 = m.b < 0 ? laneY(m.a) + laneH : middle(m.b), dir = y1 > y0 ? 1 : -1;
	for (const [style, wide, dashes] of [[colours.back, w + 2.4, ''],
		[colours.by[m.by], w, D.causes[m.by].dashes]]) {
		ctx.strokeStyle = style;
		ctx.lineWidth = wide;
		ctx.setLineDash(dashes ? dashes.split(' ').map(Number) : []);
		ctx.beginPath();
		ctx.moveTo(x, y0);
		ctx.lineTo(x, y1 - dir * 4);
		ctx.stroke();
	}
	ctx.setLineDash([]);
	ctx.fillStyle = colours.by[m.by];
	ctx.beginPath();
	ctx.moveTo(x, y1);
	ctx.lineTo(x - 3.6, y1 - dir * 6.5);
	ctx.lineTo(x + 3.6, y1 - dir * 6.5);
	ctx.fill();
}

function drawCase(ctx, i) {
	const c = cases[i], x0 = xOf(c.from), x1 = Math.max(xOf(c.to), x0 + 1);
	const y = laneY(c.lane) + rows.mark, colour = c.overloaded ? colours.overloaded : colours.passed;
	ctx.fillStyle = ctx.strokeStyle = colour;
	if (c.other >= 0 && c.other !== c.lane) {
		ctx.lineWidth = 1;
		ctx.setLineDash([2, 2]);
		ctx.beginPath();
		ctx.moveTo(x0, y);
		ctx.lineTo(x0, middle(c.other));
		ctx.stroke();
		ctx.setLineDash([]);
	}
	ctx.fillRect(x0, y + 3, x1 - x0, 4);
	ctx.beginPath();
	ctx.moveTo(x0, c.overloaded ? y + 4 : y - 5);
	ctx.lineTo(x0 - 4, c.overloaded ? y - 5 : y + 4);
	ctx.lineTo(x0 + 4, c.overloaded ? y - 5 : y + 4);
	ctx.fill();
	if (i !== selected)
		return;
	ctx.strokeStyle = colours.accent;
	ctx.lineWidth = 2.5;
	ctx.strokeRect(x0 - 5, y - 7, x1 - x0 + 8, 16);
}

/* ---- labels ---- */

function drawLabels(ctx, a, b) {
	ctx.save();
	ctx.beginPath();
	ctx.rect(0, AXIS, GUTTER - 4, height);
	ctx.clip();
	ctx.textAlign = 'left';
	for (let lane = a; lane < b; lane++) {
		const l = D.lanes[lane], y = laneY(lane) + 13;
		ctx.fillStyle = colours.text;
		ctx.font = '650 12px ' + FONT;
		ctx.fillText('vCPU ' + l.id + (l.cpu >= 0 ? ' · CPU ' + l.cpu : ''), 10, y);
		ctx.fillStyle = colours.dim;
		ctx.font = '11px ' + FONT;
		ctx.fillText(l.believed < 0 ? 'node not known' : 'guest node ' + l.believed +
			(l.home < 0 ? '' : ': host ' + l.home), 10, y + 13);
		if (l.home >= 0)
			ctx.fillText('away ' + fmtTime(l.away), 10, y + 26);
	}
	ctx.restore();
}

// A line above the first lane of each of the guest's nodes.
function drawGroups(ctx, a, b) {
	ctx.fillStyle = colours.dim;
	for (let lane = Math.max(1, a); lane < b; lane++)
		if (D.lanes[lane].group !== D.lanes[lane - 1].group)
			ctx.fillRect(0, laneY(lane) - 2, width, 2);
}

function drawOver() {
	const ctx = overCtx, [a, b] = visibleLanes();
	ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
	ctx.clearRect(0, 0, width, height);
	ctx.save();
	ctx.beginPath();
	ctx.rect(GUTTER - 3, AXIS, plotW() + 6, height);
	ctx.clip();
	for (const m of marks.moves)
		drawArrow(ctx, m);
	for (const i of [...marks.cases].reverse())
		drawCase(ctx, i);
	ctx.restore();
	drawGroups(ctx, a, b);
	drawLabels(ctx, a, b);
	drawAxis(ctx);
	drawPointer(ctx);
}

function makeMini() {
	const w = mini.width, h = mini.height, n = new Float64Array(w), k = w / D.span;
	for (const s of wastes) {
		const a = s.from * k, b = Math.max(s.to * k, a + 1e-9);
		for (let x = Math.floor(a); x < Math.min(w, b); x++)
			n[x] += s.ns * (Math.min(b, x + 1) - Math.max(a, x)) / (b - a);
	}
	const max = n.reduce((a, b) => Math.max(a, b), 1);
	miniImage = document.createElement('canvas');
	miniImage.width = w;
	miniImage.height = h;
	const ctx = miniImage.getContext('2d');
	ctx.fillStyle = colours.area;
	for (let x = 0; x < w; x++)
		ctx.fillRect(x, h - n[x] / max * (h - 4 * dpr), 1, h);
}
