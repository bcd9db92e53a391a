// SPDX-License-Identifier: GPL-2.0
// What all pages share: the axis, frames, moving about.

/* ---- on the canvas above ---- */

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", Arial, sans-serif';

function halo(ctx, text, x, y) {
	ctx.strokeStyle = colours.back;
	ctx.lineWidth = 3;
	ctx.lineJoin = 'round';
	ctx.strokeText(text, x, y);
	ctx.fillText(text, x, y);
}

function drawAxis(ctx) {
	ctx.fillStyle = colours.back;
	ctx.fillRect(0, 0, width, AXIS);
	ctx.fillStyle = colours.dim;
	ctx.font = '11px ' + FONT;
	ctx.textAlign = 'center';
	eachTick((t, s) => {
		const x = Math.max(GUTTER + 6, Math.min(width - RIGHT - 26, xOf(t)));
		ctx.fillText(fmtTick(t, s), x, 15);
	});
	ctx.textAlign = 'left';
	ctx.fillText(fmtTime(view.t1 - view.t0) + ' wide', 10, 15);
	ctx.fillStyle = colours.line;
	ctx.fillRect(0, AXIS - 1, width, 1);
}

function drawPointer(ctx) {
	if (band) {
		ctx.fillStyle = colours.accent + '33';
		ctx.fillRect(Math.min(band.a, band.b), AXIS, Math.abs(band.b - band.a), height);
	}
	if (!pointer || pointer.x < GUTTER || pointer.y < 0)
		return;
	ctx.fillStyle = colours.dim;
	ctx.fillRect(Math.round(pointer.x), AXIS, 1, height);
	ctx.font = '650 11px ' + FONT;
	const text = fmtTick(tOf(pointer.x), (view.t1 - view.t0) / plotW());
	const w = text.length * 6.4 + 10;
	const x = Math.min(width - w, Math.max(GUTTER, pointer.x - w / 2));
	ctx.fillStyle = colours.accent;
	ctx.fillRect(x, 2, w, AXIS - 6);
	ctx.fillStyle = colours.back;
	ctx.textAlign = 'center';
	ctx.fillText(text, x + w / 2, 15);
}

function drawMini() {
	if (!miniImage)
		makeMini();
	const w = mini.width, h = mini.height, a = view.t0 / D.span * w, b = view.t1 / D.span * w;
	miniCtx.clearRect(0, 0, w, h);
	miniCtx.drawImage(miniImage, 0, 0);
	miniCtx.fillStyle = dark ? 'rgb(0 0 0 / .55)' : 'rgb(255 255 255 / .62)';
	miniCtx.fillRect(0, 0, a, h);
	miniCtx.fillRect(b, 0, w - b, h);
	miniCtx.strokeStyle = colours.accent;
	miniCtx.lineWidth = 2 * dpr;
	miniCtx.strokeRect(a, dpr, Math.max(3 * dpr, b - a), h - 2 * dpr);
}

let marks = null; // what collectMarks() found for the frame

/* ---- frames ---- */

let frames = 0;

function frame() {
	const t = performance.now();
	scrolled = scroller.scrollTop;
	if (dirty) {
		paint();
		marks = collectMarks(...visibleLanes());
		drawMini();
	}
	updateHover();
	drawOver();
	dirty = overDirty = false;
	// For the tests: what is shown, and what it cost.
	stage.dataset.from = view.t0;
	stage.dataset.to = view.t1;
	stage.dataset.ms = (performance.now() - t).toFixed(2);
	stage.dataset.frames = ++frames;
}

function schedule() {
	if (!dirty && !overDirty)
		requestAnimationFrame(frame);
}
function redraw() {
	schedule();
	dirty = true;
}
function redrawOver() {
	schedule();
	overDirty = true;
}

/* ---- moving ---- */

function setView(t0, t1) {
	const span = Math.max(MIN_SPAN, Math.min(D.span, t1 - t0));
	const mid = (t0 + t1) / 2;
	view.t0 = Math.max(0, Math.min(D.span - span, mid - span / 2));
	view.t1 = view.t0 + span;
	redraw();
}

function glide(t0, t1) {
	const from = [view.t0, view.t1], start = performance.now();
	cancelAnimationFrame(anim);
	if (lessMotion.matches) {
		setView(t0, t1);
		return;
	}
	const tick = (now) => {
		const k = Math.min(1, Math.max(0, (now - start) / 220)), e = 1 - (1 - k) ** 3;
		setView(from[0] + (t0 - from[0]) * e, from[1] + (t1 - from[1]) * e);
		if (k < 1)
			anim = requestAnimationFrame(tick);
	};
	anim = requestAnimationFrame(tick);
}

function zoom(factor, at) {
	const span = Math.max(MIN_SPAN, Math.min(D.span, (view.t1 - view.t0) * factor));
	const k = (at - view.t0) / (view.t1 - view.t0);
	cancelAnimationFrame(anim);
	setView(at - k * span, at + (1 - k) * span);
}

function pan(part) {
	const d = (view.t1 - view.t0) * part;
	cancelAnimationFrame(anim);
	setView(Math.max(0, view.t0 + d), Math.max(0, view.t0 + d) + view.t1 - view.t0);
}

function showLane(lane) {
	const y = lane * laneH, room = scroller.clientHeight - AXIS;
	if (y < scroller.scrollTop || y + laneH > scroller.scrollTop + room)
		scroller.scrollTop = y - (room - laneH) / 2;
}
