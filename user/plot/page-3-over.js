// SPDX-License-Identifier: GPL-2.0
// The page of spinlocks: what lies over the rectangles, and the strip above.

/* ---- the canvas above: text, marks, lines ---- */

const MAX_TEXTS = 500;
// 0,1,2,5 as "pCPU 0-2,5", or how many if they are too many to list.
function pcpuText(list) {
	const out = [];
	for (let i = 0, j; i < list.length; i = j) {
		for (j = i + 1; j < list.length && list[j] === list[j - 1] + 1;)
			j++;
		out.push(j - i > 1 ? list[i] + '-' + list[j - 1] : String(list[i]));
	}
	const text = out.join(',');
	return text.length <= 7 ? 'pCPU ' + (text || '?') : list.length + ' pCPUs';
}

function drawLabels(ctx, a, b) {
	ctx.save();
	ctx.beginPath();
	ctx.rect(0, AXIS, GUTTER - 4, height);
	ctx.clip();
	ctx.textAlign = 'left';
	for (let lane = a; lane < b; lane++) {
		const l = D.lanes[lane], y = laneY(lane) + 14;
		ctx.fillStyle = colours.text;
		ctx.font = '650 12.5px ' + FONT;
		ctx.fillText('vCPU ' + l.id, 10, y);
		ctx.fillStyle = colours.dim;
		ctx.font = '11px ' + FONT;
		ctx.fillText((l.cpu >= 0 ? 'CPU ' + l.cpu + ' · ' : '') + pcpuText(l.pcpus), 10,
			y + 14);
		ctx.fillText(fmtCount(l.ple.reduce((x, v) => x + v, 0)) + ' PLE exits', 10, y + 27);
	}
	ctx.restore();
}

function eachVisibleWait(lane, fn) {
	for (let i = firstFrom(waits, lane, view.t0);
		i < waits.first[lane + 1] && waits.from[i] < view.t1; i++)
		if (!hidden.cls[waits.verdict[i]])
			fn(i);
}

function triangle(ctx, x, y, size, dir) {
	ctx.moveTo(x, y);
	ctx.lineTo(x + size / 2, y + dir * size * .9);
	ctx.lineTo(x - size / 2, y + dir * size * .9);
	ctx.closePath();
}

// The waits that are wide enough for marks, and those with a number; of few pixels of width each.
function collectMarks(a, b) {
	const wide = [], counted = [], px = plotW() / (view.t1 - view.t0);
	for (let lane = a; lane < b; lane++)
		eachVisibleWait(lane, (i) => {
			const w = lenOf(i) * px;
			if (w >= 8)
				wide.push(i);
			if (waits.ple[i] && w >= 2)
				counted.push(i);
		});
	return { wide, counted };
}

function drawMarks(ctx, wide) {
	ctx.fillStyle = colours.try;
	ctx.beginPath();
	for (const i of wide)
		triangle(ctx, xOf(waits.from[i]), waitRow(i) + 3, 6.5, -1);
	ctx.fill();
	ctx.fillStyle = colours.acq;
	ctx.beginPath();
	for (const i of wide)
		if (waits.acquired[i])
			triangle(ctx, xOf(waits.to[i]), waitRow(i) + rows.waitH - 3, 6.5, 1);
	ctx.fill();
}

function drawBarTexts(ctx, wide) {
	let texts = 0;
	if (rows.waitH < 10)
		return;
	ctx.font = '700 10.5px ' + FONT;
	ctx.textAlign = 'left';
	for (const i of wide) {
		const x0 = Math.max(GUTTER, xOf(waits.from[i]));
		const x1 = Math.min(width, xOf(waits.to[i]));
		const c = waits.verdict[i], mid = waitRow(i) + rows.waitH / 2;
		if (x1 - x0 < 42 || ++texts > MAX_TEXTS)
			continue;
		const text = x1 - x0 > 110 ? D.classes[c].code + '  ' + fmtTime(lenOf(i)) :
			D.classes[c].code;
		ctx.fillStyle = colours.css[c];
		ctx.fillRect(x0 + 4, mid - 6, ctx.measureText(text).width + 6, 12);
		ctx.fillStyle = colours.ink[c];
		ctx.fillText(text, x0 + 7, mid + 4);
	}
}

// Larger numbers take their place first; taken[lane] has one bit of a byte per 4 pixels.
function drawNumbers(ctx, counted) {
	const taken = new Map();
	let texts = 0;
	if (hidden.numbers)
		return;
	counted.sort((p, q) => waits.ple[q] - waits.ple[p]);
	ctx.font = '650 11px ' + FONT;
	ctx.textAlign = 'left';
	ctx.fillStyle = colours.text;
	for (const i of counted) {
		const lane = waits.lane[i], text = fmtCount(waits.ple[i]);
		const w = text.length * 6.6 + 4;
		const x0 = Math.max(GUTTER, xOf(waits.from[i]));
		const x1 = Math.min(width, xOf(waits.to[i]));
		const x = Math.min(width - RIGHT - w, x1 - x0 > w ? (x0 + x1 - w) / 2 : x0);
		const a = x >> 2, b = (x + w) >> 2;
		if (!taken.has(lane))
			taken.set(lane, new Uint8Array((width >> 2) + 64));
		const row = taken.get(lane);
		if (row.subarray(a, b + 1).some((v) => v) || texts >= MAX_TEXTS)
			continue;
		row.fill(1, a, b + 1);
		texts++;
		halo(ctx, text, x + 1, laneY(lane) + rows.label + 10);
	}
}

/* Where a wait's line ends: lane, y, and the time at which both were there. */
function target(i) {
	const l = waits.link[i];
	if (waits.linkKind[i] === LINK_HOLD)
		return { lane: holds.lane[l], t: Math.max(holds.from[l], waits.from[i]),
			y: laneY(holds.lane[l]) + rows.hold + rows.holdH / 2 };
	return { lane: waits.lane[l], t: Math.max(waits.from[l], waits.from[i]),
		y: waitRow(l) + rows.waitH / 2 };
}

function drawFlow(ctx, i, strong) {
	const k = target(i), x = xOf(k.t), y = waitRow(i) + rows.waitH / 2;
	const colour = colours.css[waits.blameClass[i]];
	const bulge = Math.min(46, 10 + Math.abs(k.y - y) * .09);
	const b = x - bulge < GUTTER ? -bulge : bulge, dir = Math.sign(b);
	for (const [style, w] of [[colours.back, strong ? 6 : 4], [colour, strong ? 2.6 : 1.5]]) {
		ctx.strokeStyle = style;
		ctx.lineWidth = w;
		ctx.beginPath();
		ctx.moveTo(x, y);
		ctx.bezierCurveTo(x - b, y, x - b, k.y, x, k.y);
		ctx.stroke();
	}
	ctx.fillStyle = colour;
	ctx.beginPath();
	ctx.moveTo(x + 2 * dir, k.y);
	ctx.lineTo(x - 6 * dir, k.y - 4);
	ctx.lineTo(x - 6 * dir, k.y + 4);
	ctx.fill();
	ctx.beginPath();
	ctx.arc(x, y, strong ? 3.4 : 2.4, 0, 7);
	ctx.fill();
}

// Few lines say more than many: the worst visible ones, at most three to one hold.
function drawFlows(ctx, wide) {
	const to = new Map();
	let drawn = 0;
	if (hidden.flows)
		return;
	const cost = (i) => (waits.blameClass[i] === BUSY ? 0 : shareOf(i, waits.blameClass[i]));
	const best = wide.filter((i) => waits.linkKind[i] && cost(i) > 0 &&
		lenOf(i) / (view.t1 - view.t0) * plotW() >= 14).sort((p, q) => cost(q) - cost(p));
	for (const i of best) {
		const key = waits.linkKind[i] * 1e9 + waits.link[i], n = to.get(key) || 0;
		if (n >= 3)
			continue;
		to.set(key, n + 1);
		drawFlow(ctx, i, false);
		if (++drawn >= 16)
			return;
	}
}

function ring(ctx, kind, i, colour, w) {
	const t = kind === 'wait' ? waits : holds, x0 = Math.max(GUTTER - 3, xOf(t.from[i]));
	const x1 = Math.min(width + 3, xOf(t.to[i]));
	const y = kind === 'wait' ? waitRow(i) : laneY(holds.lane[i]) + rows.hold;
	const h = kind === 'wait' ? rows.waitH : rows.holdH;
	if (x1 < GUTTER || x0 > width)
		return;
	ctx.strokeStyle = colours.back;
	ctx.lineWidth = w + 3;
	ctx.strokeRect(x0 - 2, y - 2, Math.max(3, x1 - x0) + 4, h + 4);
	ctx.strokeStyle = colour;
	ctx.lineWidth = w;
	ctx.strokeRect(x0 - 2, y - 2, Math.max(3, x1 - x0) + 4, h + 4);
}

function drawSelection(ctx) {
	if (selected >= 0) {
		if (waits.linkKind[selected]) {
			ring(ctx, waits.linkKind[selected] === LINK_HOLD ? 'hold' : 'wait',
				waits.link[selected], colours.css[waits.blameClass[selected]], 2);
			drawFlow(ctx, selected, true);
		}
		ring(ctx, 'wait', selected, colours.accent, 2.5);
	}
	if (hover && (hover.kind === 'wait' || hover.kind === 'hold'))
		ring(ctx, hover.kind, hover.i, colours.text, 1.2);
}

function drawOver() {
	const ctx = overCtx, [a, b] = visibleLanes();
	ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
	ctx.clearRect(0, 0, width, height);
	ctx.save();
	ctx.beginPath();
	ctx.rect(GUTTER - 3, AXIS, plotW() + 6, height);
	ctx.clip();
	drawMarks(ctx, marks.wide);
	drawFlows(ctx, marks.wide);
	drawBarTexts(ctx, marks.wide);
	drawSelection(ctx);
	drawNumbers(ctx, marks.counted);
	ctx.restore();
	drawLabels(ctx, a, b);
	drawAxis(ctx);
	drawPointer(ctx);
}

/* ---- the strip that shows the whole ---- */

function miniColumns(n) {
	const exits = new Float64Array(n), lost = new Float64Array(n * NV), k = n / D.span;
	const at = (t) => Math.max(0, Math.min(n - 1, Math.floor(t * k)));
	for (let i = 0; i < ples.n; i++) {
		const a = at(ples.from[i]), b = at(ples.to[i]);
		for (let x = a; x <= b && !hidden.cls[ples.cls[i]]; x++)
			exits[x] += ples.count[i] / (b - a + 1);
	}
	for (let i = 0; i < waits.n; i++) {
		const c = waits.verdict[i], a = at(waits.from[i]), b = at(waits.to[i]);
		for (let x = a; x <= b && !hidden.cls[c]; x++)
			lost[x * NV + c] += lenOf(i) / (b - a + 1);
	}
	return { exits, lost };
}

// Above the exits, below a stripe in the colour of the verdict that cost most.
function makeMini() {
	const w = mini.width, h = mini.height, stripe = Math.round(7 * dpr);
	const { exits, lost } = miniColumns(w), max = exits.reduce((a, b) => Math.max(a, b), 1);
	miniImage = document.createElement('canvas');
	miniImage.width = w;
	miniImage.height = h;
	const ctx = miniImage.getContext('2d');
	for (let x = 0; x < w; x++) {
		const y = exits[x] / max * (h - stripe - 4 * dpr);
		let best = -1;
		ctx.fillStyle = colours.area;
		ctx.fillRect(x, h - stripe - 2 * dpr - y, 1, y);
		for (let c = 0; c < NV; c++)
			if (lost[x * NV + c] > (best < 0 ? 0 : lost[x * NV + best]))
				best = c;
		if (best >= 0) {
			ctx.fillStyle = colours.css[best];
			ctx.fillRect(x, h - stripe, 1, stripe);
		}
	}
}

// The selected wait if it is on the screen, else the middle.
function anchor() {
	let a = view.t0, b = view.t1;
	if (selected >= 0 && waits.to[selected] > a && waits.from[selected] < b) {
		a = Math.max(waits.from[selected], a);
		b = Math.min(waits.to[selected], b);
	}
	return (a + b) / 2;
}

function zoomToWait(i) {
	const pad = Math.max(lenOf(i) * .9, 2000);
	glide(waits.from[i] - pad, waits.to[i] + pad);
	showLane(waits.lane[i]);
}
