// SPDX-License-Identifier: GPL-2.0
// State, colours, where things are, and the painting of rectangles.

/* ---- state ---- */

const view = { t0: 0, t1: D.span };
const hidden = { cls: new Array(NC).fill(false), state: new Array(NS).fill(false),
	holds: false, ticks: false, flows: false, numbers: false };
const MIN_SPAN = 200;
let selected = -1, hover = null, pointer = null, anim = 0, dirty = false, overDirty = false;
let drag = null; // what is being dragged, and from where
let band = null; // the stretch that is being dragged with Shift
let order = []; // waits, worst first

/* ---- colours ---- */

let dark = false, themeChoice = 'auto', dpr = 1, colours = null;
const systemDark = matchMedia('(prefers-color-scheme: dark)');
const lessMotion = matchMedia('(prefers-reduced-motion: reduce)');

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const pack = (c) => (255 << 24 | c[2] << 16 | c[1] << 8 | c[0]) >>> 0;
const mix = (a, b, k) => a.map((v, i) => Math.round(v + (b[i] - v) * k));

// Whether pixel x, y of a tile of 8 carries the pattern; numbers as in palette.h.
const PATTERNS = [
	() => false,
	(x, y) => (x + y) % 8 < 3,
	(x, y) => (x - y + 8) % 8 < 3,
	(x) => x % 4 === 1,
	(x, y) => y % 4 === 1,
	(x, y) => (x % 8 < 2 && y % 8 < 2) || ((x + 4) % 8 < 2 && (y + 4) % 8 < 2),
	(x, y) => (x + y) % 8 === 0 || (x - y + 8) % 8 === 0,
];

// A square of pixels, size 8 or 16 (on screens with small pixels), as one Uint32Array.
function tile(fill, mark, pattern, strength) {
	const size = dpr >= 1.5 ? 16 : 8, t = new Uint32Array(size * size), scale = size / 8;
	const plain = pack(fill), marked = pack(mix(fill, mark, strength));
	for (let y = 0; y < size; y++)
		for (let x = 0; x < size; x++)
			t[y * size + x] = PATTERNS[pattern](x / scale | 0, y / scale | 0) ?
				marked : plain;
	t.solid = pattern === 0;
	return t;
}

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

function setTheme(choice) {
	themeChoice = choice;
	dark = choice === 'dark' || (choice === 'auto' && systemDark.matches);
	document.documentElement.toggleAttribute('data-dark', dark);
	$('theme').textContent = { auto: 'Auto', light: 'Light', dark: 'Dark' }[choice];
	colours = makeColours();
	drawLegend();
	fillList();
	showDetail();
	resize();
}

/* ---- where things are ---- */

const GUTTER = 132, AXIS = 24, RIGHT = 8;
const stage = $('stage'), scroller = $('scroller');
const base = $('base'), over = $('over'), mini = $('mini');
const baseCtx = base.getContext('2d'), overCtx = over.getContext('2d');
const miniCtx = mini.getContext('2d');
let width = 0, height = 0; // of the stage, CSS pixels
let image = null, fb = null, W = 0, H = 0; // the buffer, device pixels
let rows = null, laneH = 0, miniImage = null;

const plotW = () => width - GUTTER - RIGHT;
const xOf = (t) => GUTTER + (t - view.t0) / (view.t1 - view.t0) * plotW();
const tOf = (x) => view.t0 + (x - GUTTER) / plotW() * (view.t1 - view.t0);
// scroller.scrollTop as of the frame: to read it may cost a layout of the page.
let scrolled = 0;
const laneY = (lane) => AXIS + lane * laneH - scrolled;
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

function fit(canvas, w, h) {
	canvas.width = Math.max(1, Math.round(w * dpr));
	canvas.height = Math.max(1, Math.round(h * dpr));
	canvas.style.width = w + 'px';
	canvas.style.height = h + 'px';
}

function resize() {
	const ratio = Math.min(3, window.devicePixelRatio || 1);
	if (ratio !== dpr) {
		dpr = ratio;
		colours = makeColours();
	}
	width = stage.clientWidth;
	height = stage.clientHeight;
	fit(base, width, height);
	fit(over, width, height);
	layout();
	W = Math.max(1, Math.round(plotW() * dpr));
	H = Math.max(1, Math.round((height - AXIS) * dpr));
	image = new ImageData(W, H);
	fb = new Uint32Array(image.data.buffer);
	const r = mini.getBoundingClientRect();
	mini.width = Math.max(1, Math.round(r.width * dpr));
	mini.height = Math.max(1, Math.round(r.height * dpr));
	miniImage = null;
	redraw();
}

/* ---- painting into the buffer; x and y in its pixels ---- */

// Most stretches are narrow: a loop is faster for them than fill(), which is for the others.
function fillPlain(x0, x1, y0, y1, c) {
	x0 = Math.max(0, x0);
	x1 = Math.min(W, x1);
	y0 = Math.max(0, y0);
	y1 = Math.min(H, y1);
	for (let y = y0, row = y0 * W; y < y1 && x0 < x1; y++, row += W) {
		if (x1 - x0 > 24)
			fb.fill(c, row + x0, row + x1);
		else
			for (let at = row + x0; at < row + x1; at++)
				fb[at] = c;
	}
}

function fillTile(x0, x1, y0, y1, t) {
	if (t.solid) {
		fillPlain(x0, x1, y0, y1, t[0]);
		return;
	}
	const size = t.length === 64 ? 8 : 16, mask = size - 1;
	x0 = Math.max(0, x0);
	x1 = Math.min(W, x1);
	y0 = Math.max(0, y0);
	y1 = Math.min(H, y1);
	for (let y = y0, row = y0 * W; y < y1; y++, row += W) {
		const ty = (y & mask) * size;
		for (let x = x0; x < x1; x++)
			fb[row + x] = t[ty + (x & mask)];
	}
}

let pxPerNs = 1;
const px = (t) => Math.max(-8, Math.min(W + 8, Math.round((t - view.t0) * pxPerNs)));
const top = (lane, row) => Math.round((laneY(lane) - AXIS + row) * dpr);
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

const step = () => niceStep(view.t1 - view.t0, Math.max(2, plotW() / 110));

function eachTick(fn) {
	const s = step();
	for (let t = Math.ceil(view.t0 / s) * s; t <= view.t1; t += s)
		fn(t, s);
}

function paintGrid() {
	const ink = colours.grid[0], k = dark ? .13 : .09;
	eachTick((t) => {
		const x = px(t);
		if (x < 0 || x >= W)
			return;
		for (let at = x * 4; at < image.data.length; at += W * 4)
			for (let j = 0; j < 3; j++)
				image.data[at + j] += (ink - image.data[at + j]) * k;
	});
}

function visibleLanes() {
	const a = Math.max(0, Math.floor(scrolled / laneH));
	const b = Math.min(D.lanes.length, Math.ceil((scrolled + height - AXIS) / laneH));
	return [a, b];
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
