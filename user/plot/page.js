// SPDX-License-Identifier: GPL-2.0
// The page of spinlocks: keys, legend; and the start. Comes last.

/* ---- legend ---- */

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

const pressed = (h) => select(h && h.kind === 'wait' ? h.i : -1);

function pressedTwice(h) {
	if (h.kind === 'wait')
		zoomToWait(h.i);
	return h.kind === 'wait';
}

/* ---- keys ---- */

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
	$('order').addEventListener('change', fillList);
	listen();
}

start();
