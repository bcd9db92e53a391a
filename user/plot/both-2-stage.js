// SPDX-License-Identifier: GPL-2.0
// What all pages share: their state, colours, where things are, and rectangles in a buffer.
//
// A page of its own has makeColours(), layout(), drawLegend(), fillList(), showDetail(), makeMini(),
// paint(), collectMarks(), drawOver(), under() and what is done with what is found there.

/* ---- state ---- */

const view = { t0: 0, t1: D.span };
// Times are doubles: within a narrower view they would no longer differ from pixel to pixel.
const MIN_SPAN = Math.max(200, D.span * 2 ** -44);
let hover = null, pointer = null, anim = 0, dirty = false, overDirty = false;
let drag = null; // what is being dragged, and from where
let band = null; // the stretch that is being dragged with Shift

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

const step = () => niceStep(view.t1 - view.t0, Math.max(2, plotW() / 110));

function eachTick(fn) {
	const s = step(), first = Math.ceil(view.t0 / s) * s;
	// Counted, so that it ends wherever adding a step to a time gives that time again.
	for (let i = 0, t = first; t <= view.t1 && i < 1000; t = first + ++i * s)
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
