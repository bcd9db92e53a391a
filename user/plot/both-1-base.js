// SPDX-License-Identifier: GPL-2.0
// What all pages share, first part: numbers for people, and the decoding of a scene.
//
// A page's script is both-*.js and then its own files, put together inside one function by embed.
// Everything that is a rectangle is painted into a buffer of pixels, whose cost depends on the
// size of the window and not on the number of items; text and lines go on a canvas above it.
// Strings come from guests: they reach the page through textContent only.

const $ = (id) => document.getElementById(id);
const D = JSON.parse($('data').textContent);

/* ---- numbers for people ---- */

const UNITS = [[1e9, 's'], [1e6, 'ms'], [1e3, 'us'], [1, 'ns']];
const fmtCount = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');

function fmtTime(ns) {
	if (ns < 1000)
		return Math.round(ns) + ' ns';
	const [size, name] = UNITS.find((u) => ns * 1.0005 >= u[0]);
	const v = ns / size;
	return v.toFixed(v < 9.995 ? 2 : v < 99.95 ? 1 : 0) + ' ' + name;
}

// Since the picture's begin; what began before it has a minus.
const fmtAt = (ns) => (ns < 0 ? '-' : '+') + fmtTime(Math.abs(ns));

function fmtTick(ns, step) {
	if (!Math.round(ns))
		return '0';
	const [size, name] = UNITS.find((u) => Math.abs(ns) >= u[0]) || UNITS[3];
	const digits = Math.max(0, Math.ceil(Math.log10(size / step) - 1e-9));
	return (ns / size).toFixed(digits) + ' ' + name;
}

function niceStep(span, most) {
	for (let pow = 1; ; pow *= 10)
		for (const k of [1, 2, 5])
			if (span / (pow * k) <= most)
				return pow * k;
}

// Nanoseconds since the host's boot as seconds, exact beyond a double's digits.
function fmtAbsolute(rel) {
	const t = BigInt(D.t0) + BigInt(Math.round(rel)), s = t / 1000000000n;
	return s + '.' + String(t % 1000000000n).padStart(9, '0') + ' s';
}

const percent = (part, whole) => (whole ? 100 * part / whole : 0).toFixed(1) + ' %';

/* ---- decoding: rows of LEB128 numbers, see html_data.h ---- */

class Rows {
	constructor(base64) {
		const s = atob(base64);
		this.b = new Uint8Array(s.length);
		for (let i = 0; i < s.length; i++)
			this.b[i] = s.charCodeAt(i);
		this.at = 0;
	}
	next() {
		let v = 0, mul = 1, c;
		do {
			c = this.b[this.at++];
			v += (c & 127) * mul;
			mul *= 128;
		} while (c > 127);
		return v;
	}
	signed() {
		const v = this.next();
		return v % 2 ? -(v + 1) / 2 : v / 2;
	}
	shares(into, at) {
		const mask = this.next();
		for (let c = 0; c < NV; c++)
			if (mask >> c & 1)
				into[at + c] = this.next();
	}
}

// Columns of one kind; first[lane] .. first[lane + 1] is a lane's part.
function table(which, base64, columns, read) {
	const r = new Rows(base64), first = [0];
	for (const l of D.lanes)
		first.push(first[first.length - 1] + l.n[which]);
	const n = first[first.length - 1];
	const t = { n, first, from: new Float64Array(n), to: new Float64Array(n),
		reach: new Float64Array(n), lane: new Uint16Array(n) };
	for (const [name, type, width] of columns)
		t[name] = new type(n * (width || 1));
	for (let lane = 0; lane < D.lanes.length; lane++) {
		let last = 0, reach = -Infinity;
		for (let i = first[lane]; i < first[lane + 1]; i++) {
			t.from[i] = last += r.signed();
			t.to[i] = last + r.next();
			t.reach[i] = reach = Math.max(reach, t.to[i]);
			t.lane[i] = lane;
			read(t, i, r);
		}
	}
	return t;
}

const U8 = Uint8Array, U32 = Uint32Array, F64 = Float64Array;

// The first item of a lane that ends behind t: reach grows, so it can be searched.
function firstFrom(t, lane, time) {
	let a = t.first[lane], b = t.first[lane + 1];
	while (a < b) {
		const m = (a + b) >> 1;
		if (t.reach[m] < time)
			a = m + 1;
		else
			b = m;
	}
	return a;
}
