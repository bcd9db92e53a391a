// SPDX-License-Identifier: GPL-2.0
// The page of spinlocks: its colours and rows, and the painting of rectangles.

/* ---- state ---- */

const hidden = { cls: new Array(NC).fill(false), state: new Array(NS).fill(false),
	holds: false, ticks: false, flows: false, numbers: false };
let selected = -1;
let order = []; // waits, worst first

/* ---- colours ---- */

function makeColours() {
	const k = dark ? 1 : 0, card = rgb(dark ? '#0d1117' : '#ffffff');
	const black = [0, 0, 0], white = [255, 255, 255];
	const hatch = dark ? black : white, shade = dark ? white : black;
	const holdFill = rgb(dark ? '#35496a' : '#c4d3e8');
	const holdMark = rgb(dark ? '#f07a1e' : '#c24a00');
	return {
		card: pack(card),
		cls: D.classes.map((c) => tile(rgb(c.fill[k]), hatch, c.pattern, dark ? .36 : .45)),
		pale: D.classes.map((c) => tile(mix(card, rgb(c.fill[k]), .45), hatch, 0, 0)),
		plain: D.classes.map((c) => pack(rgb(c.fill[k]))),
		css: D.classes.map((c) => c.fill[k]), ink: D.classes.map((c) => c.ink[k]),
		state: D.states.map((s) => tile(rgb(s.fill[k]), shade, s.pattern, .07)),
		strip: D.states.map((s) => pack(rgb(s.strip[k]))),
		stripCss: D.states.map((s) => s.strip[k]),
		hold: tile(holdFill, hatch, 0, 0), holdOff: tile(holdFill, holdMark, 1, 1),
		holdLine: pack(rgb(dark ? '#8aa3c6' : '#5d7391')), holdOffLine: pack(holdMark),
		holdPale: tile(mix(card, holdFill, .6), hatch, 0, 0),
		acqEdge: pack(rgb(dark ? '#5b9bff' : '#1557c0')),
		relEdge: pack(rgb(dark ? '#f2cc3a' : '#e3b100')),
		grid: shade, text: dark ? '#e6edf3' : '#17202b', dim: dark ? '#9aa6b4' : '#566273',
		line: dark ? '#30363d' : '#d5dae1', back: dark ? '#0d1117' : '#ffffff',
		try: dark ? '#ff5566' : '#d1182b', acq: dark ? '#3fce74' : '#12853d',
		accent: dark ? '#5aa7ff' : '#0b62c4', area: dark ? '#b4bfcc' : '#3c4654',
	};
}

/* ---- where things are ---- */

const waitRow = (i) => laneY(waits.lane[i]) + rows.wait + waits.level[i] * rows.waitStep;

// The rows of a lane share its height; a lane is never so low that they cannot be told apart.
function layout() {
	const levels = D.levels, least = 52 + (levels - 1) * 11;
	const fair = (height - AXIS - 4) / D.lanes.length;
	laneH = Math.round(Math.max(least, Math.min(fair, 84 + levels * 26)));
	const label = 13, strip = 5, gap = 5;
	const unit = (laneH - gap - label - strip - 7) / (15 * levels + 10 + 13);
	rows = { label: 1, wait: label, waitStep: 15 * unit, waitH: 15 * unit - 1.5 };
	rows.hold = rows.wait + levels * rows.waitStep + 2;
	rows.holdH = 10 * unit;
	rows.tick = rows.hold + rows.holdH + 3;
	rows.tickH = 13 * unit;
	rows.strip = laneH - gap - strip;
	rows.stripH = strip;
	rows.bottom = laneH - gap;
	$('spacer').style.height = AXIS + laneH * D.lanes.length + 'px';
}

const STACK = [1, 2, 4, 3, 0]; // states from the bottom of a lane up

function paintStack(lane, s) {
	let sum = 0;
	for (let k = 0; k < NS; k++)
		sum += s.ns[k];
	s.open = false;
	if (!sum)
		return;
	const y0 = top(lane, 0), y1 = top(lane, rows.strip), y2 = top(lane, rows.bottom);
	let a = y1, b = y2, part = 0;
	for (const k of STACK) {
		part += s.ns[k] / sum;
		const a1 = y1 - Math.round((y1 - y0) * part);
		const b1 = y2 - Math.round((y2 - y1) * part);
		if (!hidden.state[k]) {
			fillTile(s.x0, s.x1, a1, a, colours.state[k]);
			fillPlain(s.x0, s.x1, b1, b, colours.strip[k]);
		}
		a = a1;
		b = b1;
	}
	s.ns.fill(0);
}

// A stretch of less than two pixels is stacked with its neighbours.
function paintStates(lane) {
	const y0 = top(lane, 0), y1 = top(lane, rows.strip), y2 = top(lane, rows.bottom);
	const s = { ns: new Float64Array(NS), open: false, x0: 0, x1: 0 };
	const end = segs.first[lane + 1];
	fillTile(0, W, y0, y2, colours.state[0]);
	for (let i = firstFrom(segs, lane, view.t0); i < end && segs.from[i] < view.t1; i++) {
		const x0 = px(segs.from[i]), x1 = px(segs.to[i]), k = segs.state[i];
		if (k !== MIXED && x1 - x0 >= 2) {
			paintStack(lane, s);
			if (!hidden.state[k]) {
				fillTile(x0, x1, y0, y1, colours.state[k]);
				fillPlain(x0, x1, y1, y2, colours.strip[k]);
			}
			continue;
		}
		if (s.open && (x0 - s.x1 > 2 || s.x1 - s.x0 >= 2))
			paintStack(lane, s);
		if (!s.open)
			s.x0 = x0;
		s.open = true;
		s.x1 = Math.max(x1, x0 + 1);
		for (let j = 0; k === MIXED && j < NS; j++)
			s.ns[j] += segs.ns[i * NS + j];
		if (k !== MIXED)
			s.ns[k] += segs.to[i] - segs.from[i];
	}
	paintStack(lane, s);
}

// Items of one column of pixels, until the next one begins.
class Column {
	constructor(paint) {
		this.paint = paint;
		this.x = -1;
		this.n = 0;
		this.w = new Float64Array(NC);
	}
	add(x, cls, weight, n) {
		if (x !== this.x)
			this.end();
		this.x = x;
		this.w[cls] += weight;
		this.n += n;
	}
	end() {
		if (!this.n)
			return;
		let best = 0;
		for (let c = 1; c < NC; c++)
			if (this.w[c] > this.w[best])
				best = c;
		this.paint(this.x, best, this.n);
		this.w.fill(0);
		this.n = 0;
	}
}

function paintTicks(lane) {
	const y1 = top(lane, rows.tick + rows.tickH), h = rows.tickH * dpr;
	const thick = Math.max(1, Math.round(dpr)), end = ples.first[lane + 1];
	const tall = (n) => Math.max(.12, Math.min(1, .5 + Math.log2(n) / 14));
	const col = new Column((x, c, n) =>
		fillPlain(x, x + thick, y1 - Math.round(h * tall(n)), y1, colours.plain[c]));
	for (let i = firstFrom(ples, lane, view.t0); i < end && ples.from[i] < view.t1; i++) {
		const c = ples.cls[i];
		if (hidden.cls[c])
			continue;
		const x0 = px(ples.from[i]), x1 = px(ples.to[i]);
		const part = ples.count[i] / (x1 - x0 + 1);
		for (let x = x0; x <= x1; x++)
			col.add(x, c, part, part);
	}
	col.end();
}

function paintHold(i, x0, x1, lane) {
	const inset = Math.round(1.5 * dpr) * holds.level[i], one = Math.max(1, Math.round(dpr));
	const y0 = top(lane, rows.hold) + inset, y1 = top(lane, rows.hold + rows.holdH) - inset;
	const off = holds.off[i] > 0, edge = x1 - x0 >= 8 * dpr ? 2 * one : x1 - x0 >= 3 ? 1 : 0;
	const line = off ? colours.holdOffLine : colours.holdLine;
	fillTile(x0, x1, y0, y1, off ? colours.holdOff : colours.hold);
	fillPlain(x0, x1, y0, y0 + one, line);
	fillPlain(x0, x1, y1 - one, y1, line);
	fillPlain(x0, x0 + edge, y0, y1, colours.acqEdge);
	fillPlain(x1 - edge, x1, y0, y1, colours.relEdge);
}

function paintHolds(lane) {
	const y0 = top(lane, rows.hold), y1 = top(lane, rows.hold + rows.holdH);
	let last = -1;
	for (let i = firstFrom(hcells, lane, view.t0);
		i < hcells.first[lane + 1] && hcells.from[i] < view.t1; i++) {
		const x0 = px(hcells.from[i]);
		fillTile(x0, Math.max(px(hcells.to[i]), x0 + 1), y0, y1, colours.holdPale);
	}
	for (let i = firstFrom(holds, lane, view.t0);
		i < holds.first[lane + 1] && holds.from[i] < view.t1; i++) {
		const x0 = px(holds.from[i]), x1 = px(holds.to[i]);
		if (x1 - x0 >= 2)
			paintHold(i, x0, x1, lane);
		else if (x0 !== last)
			fillPlain(x0, x0 + 1, y0, y1, colours.holdLine);
		last = x0;
	}
}

function paintCells(lane) {
	const y0 = top(lane, rows.wait), y1 = top(lane, rows.wait + rows.waitH);
	for (let i = firstFrom(wcells, lane, view.t0);
		i < wcells.first[lane + 1] && wcells.from[i] < view.t1; i++) {
		const x0 = px(wcells.from[i]), x1 = Math.max(px(wcells.to[i]), x0 + 1);
		let best = UNKNOWN;
		for (let c = 0; c < NV; c++)
			if (wcells.ns[i * NV + c] > wcells.ns[i * NV + best])
				best = c;
		if (!hidden.cls[best])
			fillTile(x0, x1, y0, y1, colours.pale[best]);
	}
}

function paintWaits(lane) {
	const y = [], h = Math.round(rows.waitH * dpr), cols = [];
	for (let l = 0; l < D.levels; l++) {
		y.push(top(lane, rows.wait + l * rows.waitStep));
		cols.push(new Column((x, c) =>
			fillPlain(x, x + 1, y[l], y[l] + h, colours.plain[c])));
	}
	paintCells(lane);
	for (let i = firstFrom(waits, lane, view.t0);
		i < waits.first[lane + 1] && waits.from[i] < view.t1; i++) {
		const c = waits.verdict[i], l = waits.level[i];
		if (hidden.cls[c])
			continue;
		const x0 = px(waits.from[i]), x1 = px(waits.to[i]);
		if (x1 - x0 >= 2)
			fillTile(x0, x1, y[l], y[l] + h, colours.cls[c]);
		else
			cols[l].add(x0, c, waits.to[i] - waits.from[i] + 1, 1);
	}
	for (const col of cols)
		col.end();
}

function paint() {
	const [a, b] = visibleLanes();
	pxPerNs = W / (view.t1 - view.t0);
	fb.fill(colours.card);
	for (let lane = a; lane < b; lane++)
		paintStates(lane);
	paintGrid();
	for (let lane = a; lane < b; lane++) {
		if (!hidden.ticks)
			paintTicks(lane);
		if (!hidden.holds)
			paintHolds(lane);
		paintWaits(lane);
	}
	baseCtx.putImageData(image, Math.round(GUTTER * dpr), Math.round(AXIS * dpr));
}
