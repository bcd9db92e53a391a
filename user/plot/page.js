// SPDX-License-Identifier: GPL-2.0
// Mouse, touch, keys, legend; and the start. Comes last.

/* ---- legend ---- */

function legendButton(label, count, swatch, isHidden, flip) {
	const b = el('button'), c = el('canvas');
	b.type = 'button';
	b.setAttribute('aria-pressed', !isHidden());
	if (swatch) {
		c.width = 18 * dpr;
		c.height = 11 * dpr;
		swatch(c);
		b.append(c);
	}
	b.append(label);
	if (count)
		b.append(el('span', count, 'count'));
	b.addEventListener('click', () => {
		flip();
		b.setAttribute('aria-pressed', !isHidden());
		miniImage = null;
		fillList();
		redraw();
	});
	return b;
}

function tileSwatch(t, strip) {
	return (c) => {
		const ctx = c.getContext('2d'), im = new ImageData(c.width, c.height);
		const p = new Uint32Array(im.data.buffer), size = t.length === 64 ? 8 : 16;
		for (let y = 0; y < c.height; y++)
			for (let x = 0; x < c.width; x++)
				p[y * c.width + x] = strip && y > c.height * .65 ? strip :
					t[(y % size) * size + x % size];
		ctx.putImageData(im, 0, 0);
	};
}

function classButton(c) {
	const t = D.totals, k = D.classes[c];
	const count = c < NV ? fmtCount(t.waits[c]) + ' · ' + fmtTime(t.waitNs[c]) :
		fmtCount(t.ple[c]) + ' exits';
	const b = legendButton(c < NV ? k.code : k.words, count, tileSwatch(colours.cls[c]),
		() => hidden.cls[c], () => { hidden.cls[c] = !hidden.cls[c]; });
	b.title = k.words +
		(c < NV ? ': waits with this verdict, and the part of all waiting' : '');
	return b;
}

function legendGroup(name, buttons) {
	const g = el('div', undefined, 'group');
	g.setAttribute('role', 'group');
	g.setAttribute('aria-label', name);
	g.append(el('span', name, 'name'), ...buttons);
	return g;
}

function stateButton(k, sum) {
	return legendButton(D.states[k].words.split(/[ ,]/)[0], percent(D.totals.stateNs[k], sum),
		tileSwatch(colours.state[k], colours.strip[k]), () => hidden.state[k],
		() => { hidden.state[k] = !hidden.state[k]; });
}

function drawLegend() {
	const sum = D.totals.stateNs.reduce((a, b) => a + b, 0);
	const used = [7, 8, 9].filter((c) => D.totals.ple[c]);
	const layer = (name, key) => legendButton(name, '', null, () => hidden[key],
		() => { hidden[key] = !hidden[key]; });
	const groups = [
		legendGroup('Waits', [1, 4, 0, 2, 3, 5, 6].map(classButton)),
		legendGroup('vCPU', [1, 2, 3, 4, 0].map((k) => stateButton(k, sum))),
	];
	if (used.length)
		groups.push(legendGroup('PLE exits outside waits', used.map(classButton)));
	groups.push(legendGroup('Show', [layer('PLE ticks', 'ticks'), layer('holds', 'holds'),
		layer('numbers', 'numbers'), layer('lines', 'flows')]));
	$('legend').replaceChildren(...groups);
}

/* ---- pointer ---- */

const fingers = new Map();

function local(e) {
	const r = stage.getBoundingClientRect();
	return { x: e.clientX - r.left - stage.clientLeft, y: e.clientY - r.top - stage.clientTop };
}

function onWheel(e) {
	const p = local(e);
	if (p.x < GUTTER || e.altKey)
		return;
	e.preventDefault();
	const unit = e.deltaMode === 1 ? 18 : e.deltaMode === 2 ? height : 1;
	if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY))
		pan((e.deltaX || e.deltaY) * unit / plotW());
	else
		zoom(Math.exp(e.deltaY * unit * (e.ctrlKey ? .01 : .0016)), tOf(p.x));
	hoverAt(p);
}

function pinchOf() {
	const [a, b] = [...fingers.values()];
	return { d: Math.max(10, Math.hypot(a.x - b.x, a.y - b.y)), x: (a.x + b.x) / 2 };
}

function onDown(e) {
	const p = local(e);
	if (e.button || p.x > scroller.clientWidth)
		return;
	scroller.setPointerCapture(e.pointerId);
	fingers.set(e.pointerId, p);
	cancelAnimationFrame(anim);
	drag = { x: p.x, y: p.y, moved: false, t0: view.t0, t1: view.t1, scroll: scroller.scrollTop,
		pinch: fingers.size === 2 ? pinchOf() : null };
	band = e.shiftKey ? { a: p.x, b: p.x } : null;
	scroller.classList.add('drag');
}

function onPinch() {
	const now = pinchOf();
	const t = drag.t0 + (drag.pinch.x - GUTTER) / plotW() * (drag.t1 - drag.t0);
	const span = Math.max(MIN_SPAN, (drag.t1 - drag.t0) * drag.pinch.d / now.d);
	const t0 = t - (now.x - GUTTER) / plotW() * span;
	setView(t0, t0 + span);
}

function onDrag(p) {
	if (Math.hypot(p.x - drag.x, p.y - drag.y) > 4)
		drag.moved = true;
	if (!drag.moved)
		return;
	if (band) {
		band.b = p.x;
		redrawOver();
		return;
	}
	const d = (drag.x - p.x) / plotW() * (drag.t1 - drag.t0);
	const t0 = Math.max(0, Math.min(D.span - (drag.t1 - drag.t0), drag.t0 + d));
	scroller.scrollTop = drag.scroll + drag.y - p.y;
	setView(t0, t0 + drag.t1 - drag.t0);
}

function onMove(e) {
	const p = local(e);
	if (fingers.has(e.pointerId))
		fingers.set(e.pointerId, p);
	if (drag && drag.pinch && fingers.size === 2)
		onPinch();
	else if (drag && fingers.size === 1)
		onDrag(p);
	hoverAt(p);
}

function onUp(e) {
	const was = drag, p = local(e);
	fingers.delete(e.pointerId);
	if (fingers.size)
		return;
	drag = null;
	scroller.classList.remove('drag');
	if (band && was && was.moved)
		glide(...[tOf(band.a), tOf(band.b)].sort((a, b) => a - b));
	band = null;
	if (!was || was.moved || e.type !== 'pointerup')
		return;
	const h = under(p.x, p.y);
	select(h && h.kind === 'wait' ? h.i : -1);
}

function miniTo(e) {
	const r = mini.getBoundingClientRect(), span = view.t1 - view.t0;
	const t = (e.clientX - r.left) / r.width * D.span;
	cancelAnimationFrame(anim);
	if (span < D.span)
		setView(t - span / 2, t + span / 2);
}

function listenPointer() {
	scroller.addEventListener('wheel', onWheel, { passive: false });
	scroller.addEventListener('pointerdown', onDown);
	scroller.addEventListener('pointermove', onMove);
	scroller.addEventListener('pointerup', onUp);
	scroller.addEventListener('pointercancel', onUp);
	scroller.addEventListener('pointerleave', () => hoverAt(null));
	scroller.addEventListener('scroll', redraw);
	scroller.addEventListener('dblclick', (e) => {
		const p = local(e), h = under(p.x, p.y);
		if (h && h.kind === 'wait')
			zoomToWait(h.i);
		else if (h)
			glide(h.t - (view.t1 - view.t0) / 8, h.t + (view.t1 - view.t0) / 8);
	});
	mini.addEventListener('pointerdown', (e) => {
		mini.setPointerCapture(e.pointerId);
		miniTo(e);
	});
	mini.addEventListener('pointermove', (e) => {
		if (e.buttons)
			miniTo(e);
	});
	mini.addEventListener('wheel', (e) => {
		const r = mini.getBoundingClientRect();
		e.preventDefault();
		zoom(Math.exp(e.deltaY * .0016), (e.clientX - r.left) / r.width * D.span);
	}, { passive: false });
}

/* ---- keys ---- */

function nextTheme() {
	setTheme({ auto: 'light', light: 'dark', dark: 'auto' }[themeChoice]);
}

function fitAll() {
	glide(0, D.span);
}

const KEYS = {
	'+': () => zoom(.7, anchor()),
	'=': () => zoom(.7, anchor()),
	'-': () => zoom(1 / .7, anchor()),
	'_': () => zoom(1 / .7, anchor()),
	'0': fitAll,
	Home: fitAll,
	n: () => goWorst(1),
	p: () => goWorst(-1),
	t: nextTheme,
	'?': () => $('help').showModal(),
	Escape: () => select(-1),
};

// Only while the timeline has the focus: elsewhere they belong to lists and buttons.
const STAGE_KEYS = {
	ArrowLeft: (e) => pan(e.shiftKey ? -.5 : -.1),
	ArrowRight: (e) => pan(e.shiftKey ? .5 : .1),
	ArrowUp: () => { scroller.scrollTop -= laneH; },
	ArrowDown: () => { scroller.scrollTop += laneH; },
	PageUp: () => { scroller.scrollTop -= height - AXIS - laneH; },
	PageDown: () => { scroller.scrollTop += height - AXIS - laneH; },
	Enter: () => selected >= 0 && zoomToWait(selected),
	Tab: (e) => goVisible(e.shiftKey ? -1 : 1),
};

function onKey(e) {
	const own = document.activeElement === scroller || document.activeElement === document.body;
	const key = (own && STAGE_KEYS[e.key]) || KEYS[e.key];
	if (!key || e.ctrlKey || e.metaKey || e.altKey || $('help').open ||
		document.activeElement === $('order'))
		return;
	if (e.key === 'Tab' && document.activeElement !== scroller)
		return;
	if (key(e) === false && e.key === 'Tab') {
		select(-1);
		return;
	}
	e.preventDefault();
}

/* ---- head and foot ---- */

function headline() {
	const parts = ['VM ' + (D.vm || '?') + ' (pid ' + D.pid + ')', D.lanes.length + ' vCPUs',
		fmtTime(D.span) + ' from ' + fmtAbsolute(0) + ' on the host’s CLOCK_MONOTONIC'];
	if (D.lock !== '0')
		parts.push('only lock ' + D.lock);
	if (D.only)
		parts.push('only vCPUs ' + D.only);
	$('title').textContent = D.title;
	$('caption').textContent = parts.join(' · ');
	const sum = D.totals.waitNs.reduce((a, b) => a + b, 0);
	const total = D.totals.waits.reduce((a, b) => a + b, 0);
	$('story').textContent = total ? fmtCount(total) + ' waits took ' + fmtTime(sum) + ': ' +
		percent(D.totals.waitNs[LHP], sum) + ' lock-holder preemption, ' +
		percent(D.totals.waitNs[LWP], sum) + ' lock-waiter preemption. ' +
		fmtCount(D.totals.ple.reduce((a, b) => a + b, 0)) + ' PLE exits.' :
		D.noWaits;
}

function foot() {
	const parts = [];
	if (D.clockError)
		parts.push('Guest times are exact to ±' + fmtTime(D.clockError) + '.');
	else if (D.guest)
		parts.push('Error of the guest’s clock not known.');
	parts.push(D.lost ? fmtCount(D.lost) + ' records were lost: what they touch is unknown.' :
		'No records lost.');
	for (const [n, what] of [[D.foldedWaits, 'waits'], [D.foldedHolds, 'holds']])
		if (n)
			parts.push('The ' + fmtCount(n) + ' shortest ' + what +
				' are pale, as density.');
	if (D.pleCell)
		parts.push('PLE exits closer than ' + fmtTime(D.pleCell) + ' are one tick.');
	if (D.segCell)
		parts.push('States shorter than ' + fmtTime(D.segCell) +
			' are stacked by their share.');
	$('foot').textContent = parts.join(' ');
}

function start() {
	headline();
	foot();
	scroller.setAttribute('aria-label', 'Timeline of ' + D.lanes.length + ' vCPUs, ' +
		fmtCount(waits.n) + ' waits');
	listenPointer();
	document.addEventListener('keydown', onKey);
	const click = (id, fn) => $(id).addEventListener('click', fn);
	click('prev', () => goWorst(-1));
	click('next', () => goWorst(1));
	click('in', () => zoom(.6, anchor()));
	click('out', () => zoom(1 / .6, anchor()));
	click('fit', fitAll);
	click('theme', nextTheme);
	click('help-open', () => $('help').showModal());
	$('order').addEventListener('change', fillList);
	systemDark.addEventListener('change', () => setTheme(themeChoice));
	new ResizeObserver(resize).observe(stage);
	setTheme('auto');
}

start();
