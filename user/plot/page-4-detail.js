// SPDX-License-Identifier: GPL-2.0
// Details, the list of the worst waits, and what is under the pointer.

/* ---- details ---- */

function tag(c) {
	const e = el('span', D.classes[c].code, 'tag');
	e.style.background = colours.css[c];
	e.style.color = colours.ink[c];
	return e;
}

const vcpuName = (lane) => 'vCPU ' + D.lanes[lane].id;
const symName = (i) => D.syms[i] || 'not known';
const CONTEXT = ['task', 'softirq', 'hardirq', 'NMI'];

function lockName(i) {
	const [addr, name] = D.locks[i];
	return !addr ? 'not known' : name && name !== addr ? name + ' (' + addr + ')' : addr;
}

// What tells locks apart in one line: the lock's symbol, or else where it is taken.
function shortName(i) {
	const [addr, name] = D.locks[waits.lock[i]];
	return name && name !== addr ? name : waits.ip[i] ? D.syms[waits.ip[i]] : addr;
}

function taskName(i) {
	const [pid, name] = D.tasks[i];
	return i ? (name ? name + ' (' + pid + ')' : 'thread ' + pid) : 'not known';
}

function waitFacts(i) {
	const w = waits, next = w.blameClass[i] === LWP, list = [];
	list.push(['waited', fmtTime(lenOf(i)) +
		(w.acquired[i] ? '' : ', not acquired in this trace')]);
	list.push(['PLE exits', w.partial[i] ? 'not counted: its beginning was lost' :
		fmtCount(w.ple[i])]);
	list.push(['lock', lockName(w.lock[i])]);
	list.push(['waiter', vcpuName(w.lane[i]) + ', ' + taskName(w.task[i]) + ', in ' +
		CONTEXT[w.ctx[i] >> 4 & 3]]);
	list.push(['tried in', symName(w.ip[i])]);
	if (w.blame[i]) {
		list.push([next ? 'next in order' : 'holder', vcpuName(w.blame[i] - 1) + ', ' +
			taskName(w.blameTask[i])]);
		list.push([next ? 'tried in' : 'acquired in', symName(w.blameIp[i])]);
		list.push(['off-CPU', fmtTime(w.blameOff[i]) + ' within the wait']);
	}
	list.push(['tried at', fmtAt(w.from[i])], ['', fmtAbsolute(w.from[i])]);
	return list;
}

function shareBar(i) {
	const bar = el('div', undefined, 'bar');
	for (let c = 0; c < NV; c++) {
		const part = el('div');
		part.style.width = 100 * shareOf(i, c) / Math.max(1, lenOf(i)) + '%';
		part.style.background = colours.css[c];
		bar.append(part);
	}
	return bar;
}

function shareTable(i) {
	const t = el('table'), head = el('tr');
	head.append(el('th', 'cause'), el('th', 'time'), el('th', 'share'), el('th', 'PLE'));
	t.append(head);
	for (let c = 0; c < NV; c++) {
		const row = el('tr'), name = el('td');
		if (!shareOf(i, c) && !waits.ples[i * NV + c])
			continue;
		name.append(tag(c), ' ' + D.classes[c].words);
		row.append(name, el('td', fmtTime(shareOf(i, c))),
			el('td', percent(shareOf(i, c), lenOf(i))),
			el('td', fmtCount(waits.ples[i * NV + c])));
		t.append(row);
	}
	return t;
}

function showDetail() {
	const box = $('detail'), i = selected;
	box.replaceChildren();
	if (i < 0) {
		box.append(el('h2', 'No wait selected'),
			el('p', 'Click a wait, or press n for the worst one.', 'dim'));
		return;
	}
	const title = el('h2'), go = el('button', 'Zoom'), close = el('button', '✕');
	const head = el('div', undefined, 'row');
	title.append(tag(waits.verdict[i]), ' ' + D.classes[waits.verdict[i]].words);
	go.type = close.type = 'button';
	go.title = 'Zoom to this wait (Enter)';
	close.title = 'Let go (Esc)';
	close.setAttribute('aria-label', 'Let go');
	go.addEventListener('click', () => zoomToWait(i));
	close.addEventListener('click', () => select(-1));
	title.style.flex = '1';
	head.append(title, go, close);
	box.append(head, shareBar(i), pairs(waitFacts(i)), shareTable(i));
}

const summary = (i) => D.classes[waits.verdict[i]].words + ', ' + vcpuName(waits.lane[i]) +
	' waited ' + fmtTime(lenOf(i)) + ', ' + fmtCount(waits.ple[i]) + ' PLE exits' +
	(waits.blame[i] ? ', due to ' + vcpuName(waits.blame[i] - 1) : '');

function select(i) {
	selected = i;
	showDetail();
	markCurrent();
	$('live').textContent = i < 0 ? '' : summary(i);
	redrawOver();
}

/* ---- worst waits ---- */

const LIST = 200;

function sortWaits() {
	const by = { len: lenOf, ple: (i) => waits.ple[i], blame: blamedNs }[$('order').value];
	order = [];
	for (let i = 0; i < waits.n; i++)
		if (!hidden.cls[waits.verdict[i]])
			order.push(i);
	const key = Float64Array.from({ length: waits.n }, (_, i) => by(i));
	order.sort((p, q) => key[q] - key[p] || lenOf(q) - lenOf(p));
}

function fillList() {
	const list = $('list');
	sortWaits();
	list.replaceChildren();
	for (const i of order.slice(0, LIST)) {
		const li = el('li'), b = el('button');
		b.type = 'button';
		b.dataset.wait = i;
		b.append(tag(waits.verdict[i]), el('span', fmtTime(lenOf(i))),
			el('span', vcpuName(waits.lane[i]) + ' · ' + shortName(i), 'lock'),
			el('span', fmtCount(waits.ple[i]) + ' PLE'));
		b.setAttribute('aria-label', summary(i));
		b.addEventListener('click', () => {
			select(i);
			zoomToWait(i);
		});
		li.append(b);
		list.append(li);
	}
	if (!order.length)
		list.append(el('li', 'No wait is shown.', 'dim'));
	markCurrent();
}

function markCurrent() {
	for (const b of $('list').querySelectorAll('button')) {
		const on = Number(b.dataset.wait) === selected;
		b.setAttribute('aria-current', on);
		if (on)
			b.scrollIntoView({ block: 'nearest' });
	}
}

function goWorst(dir) {
	if (!order.length)
		return;
	const at = order.indexOf(selected);
	const i = order[at < 0 ? 0 : Math.max(0, Math.min(order.length - 1, at + dir))];
	select(i);
	zoomToWait(i);
}

// The next wait on the screen, in the order of time; false at the end, so that Tab moves on.
function goVisible(dir) {
	const all = [], px = plotW() / (view.t1 - view.t0);
	for (let lane = 0; lane < D.lanes.length; lane++)
		eachVisibleWait(lane, (i) => {
			if (lenOf(i) * px >= 2 || i === selected)
				all.push(i);
		});
	all.sort((p, q) => waits.from[p] - waits.from[q] || p - q);
	const at = all.indexOf(selected), to = at < 0 ? (dir > 0 ? 0 : all.length - 1) : at + dir;
	if (to < 0 || to >= all.length)
		return false;
	select(all[to]);
	showLane(waits.lane[all[to]]);
	return true;
}

/* ---- what is under the pointer ---- */

// Of the items of a row near x, the one that holds t, else the nearest; -1.
function nearest(t, lane, time, ok) {
	const slack = 4 * (view.t1 - view.t0) / plotW();
	let best = -1, bestD = Infinity;
	for (let i = firstFrom(t, lane, time - slack);
		i < t.first[lane + 1] && t.from[i] <= time + slack; i++) {
		const d = Math.max(0, t.from[i] - time, time - t.to[i]);
		if (ok(i) && (d < bestD || (d === bestD && t.to[i] - t.from[i] <
			t.to[best] - t.from[best]))) {
			best = i;
			bestD = d;
		}
	}
	return best;
}

function under(x, y) {
	const lane = Math.floor((y - AXIS + scrolled) / laneH);
	if (x < GUTTER || x > width - RIGHT || y < AXIS || lane < 0 || lane >= D.lanes.length)
		return null;
	const row = y - laneY(lane), t = tOf(x), hit = (kind, i) => ({ kind, i, lane, t });
	if (row < rows.hold - 1) {
		const level = Math.floor((row - rows.wait) / rows.waitStep);
		const i = nearest(waits, lane, t, (k) => !hidden.cls[waits.verdict[k]] &&
			(level < 0 || waits.level[k] === Math.min(level, D.levels - 1)));
		if (i >= 0)
			return hit('wait', i);
		const c = nearest(wcells, lane, t, () => true);
		if (c >= 0)
			return hit('wcell', c);
	} else if (row < rows.tick - 1 && !hidden.holds) {
		const i = nearest(holds, lane, t, () => true);
		if (i >= 0)
			return hit('hold', i);
	} else if (row < rows.strip - 1 && !hidden.ticks) {
		const i = nearest(ples, lane, t, (k) => !hidden.cls[ples.cls[k]]);
		if (i >= 0)
			return hit('ple', i);
	}
	return hit('state', nearest(segs, lane, t, () => true));
}

function holdFacts(i) {
	return [['held', fmtTime(holds.to[i] - holds.from[i])],
		['of it off-CPU', fmtTime(holds.off[i])],
		['lock', lockName(holds.lock[i])],
		['holder', vcpuName(holds.lane[i]) + ', ' + taskName(holds.task[i])],
		['acquired in', symName(holds.ip[i])],
		['at release', holds.waiters[i] ? 'somebody waited' : 'nobody waited']];
}

// The exits within two pixels of the one that was hit.
function pleFacts(i, lane) {
	const slack = 2 * (view.t1 - view.t0) / plotW();
	let n = 0;
	for (let k = firstFrom(ples, lane, ples.from[i] - slack);
		k < ples.first[lane + 1] && ples.from[k] <= ples.to[i] + slack; k++)
		n += ples.count[k];
	return [['PLE exits here', fmtCount(n)], ['cause', D.classes[ples.cls[i]].words],
		['guest in', symName(ples.ip[i])], ['at', fmtAt(ples.from[i])]];
}

function stateFacts(i, lane) {
	const list = [], k = i < 0 ? 0 : segs.state[i];
	list.push(['vCPU', vcpuName(lane).slice(5)]);
	if (i >= 0 && k === MIXED) {
		for (const s of STACK)
			if (segs.ns[i * NS + s])
				list.push([D.states[s].words, percent(segs.ns[i * NS + s],
					segs.to[i] - segs.from[i])]);
		list.push(['folded, over', fmtTime(segs.to[i] - segs.from[i])]);
		return list;
	}
	list.push(['state', D.states[k].words]);
	if (i >= 0)
		list.push(['for', fmtTime(segs.to[i] - segs.from[i])]);
	if (i >= 0 && segs.pcpu[i] >= 0)
		list.push(['on pCPU', String(segs.pcpu[i])]);
	return list;
}

function tipContent(h) {
	const out = [], t = el('h2');
	if (h.kind === 'wait') {
		t.append(tag(waits.verdict[h.i]), ' ' + D.classes[waits.verdict[h.i]].words);
		out.push(t, pairs(waitFacts(h.i).slice(0, -2)), shareBar(h.i));
		for (let c = 0; c < NV; c++)
			if (shareOf(h.i, c))
				out.push(tag(c), ' ' + percent(shareOf(h.i, c), lenOf(h.i)) + '  ');
	} else if (h.kind === 'hold') {
		out.push(el('h2', 'Hold'), pairs(holdFacts(h.i)));
	} else if (h.kind === 'ple') {
		out.push(pairs(pleFacts(h.i, h.lane)));
	} else if (h.kind === 'wcell') {
		out.push(pairs([['folded short waits', fmtCount(wcells.count[h.i])],
			['PLE exits', fmtCount(wcells.ple[h.i])]]));
	} else {
		out.push(pairs(stateFacts(h.i, h.lane)));
	}
	return out;
}
