// SPDX-License-Identifier: GPL-2.0
// The page of virtual NUMA: details, the list of cases, legend, keys; and the start. Comes last.

/* ---- cases in words ---- */

const vcpuName = (lane) => 'vCPU ' + D.lanes[lane].id;

function taskName(i) {
	const [pid, name] = D.tasks[i];
	return i ? (name ? name + ' (' + pid + ')' : 'thread ' + pid) : 'not known';
}

function tag(c) {
	const e = el('span', c.overloaded ? 'load' : 'past', 'tag');
	e.style.background = c.overloaded ? colours.overloaded : colours.passed;
	e.style.color = dark ? '#101418' : '#ffffff';
	return e;
}

const title = (c) => (c.overloaded ? 'Woken on an overloaded CPU' : 'Passed over an idle vCPU');

function caseFacts(c) {
	const list = [['thread', taskName(c.task)], ['waited', fmtTime(c.to - c.from)],
		['put on', vcpuName(c.lane) + ', CPU ' + c.cpu]];
	if (c.overloaded)
		list.push(['pulled there before', taskName(c.third)]);
	else
		list.push(['idle meanwhile', fmtTime(c.cost)],
			['an idle one', 'CPU ' + c.third], ['why', D.why[c.why].replace('_', ' ')]);
	list.push(['woken at', fmtAt(c.from)], ['', fmtAbsolute(c.from)]);
	return list;
}

function showDetail() {
	const box = $('detail'), c = cases[selected];
	box.replaceChildren();
	if (!c) {
		box.append(el('h2', 'No wake-up selected'),
			el('p', 'Click a mark, or press n for the dearest one.', 'dim'));
		return;
	}
	const head = el('h2');
	head.append(tag(c), ' ' + title(c));
	box.append(head, pairs(caseFacts(c)));
}

const summary = (c) => title(c) + ': ' + taskName(c.task) + ' waited ' + fmtTime(c.to - c.from) +
	' for ' + vcpuName(c.lane);

function select(i) {
	selected = i;
	showDetail();
	markCurrent();
	$('live').textContent = i < 0 ? '' : summary(cases[i]);
	redrawOver();
}

function zoomToCase(i) {
	const c = cases[i], pad = Math.max(c.to - c.from, 2000);
	glide(c.from - pad, c.to + pad);
	showLane(c.lane);
}

function fillList() {
	const which = $('order').value, out = [];
	order = [...cases.keys()].filter((i) => !hidden[cases[i].overloaded ? 'overloaded' : 'passed'] &&
		(which === 'all' || (which === 'overloaded') === !!cases[i].overloaded));
	for (const i of order.slice(0, 200)) {
		const c = cases[i], li = el('li'), b = el('button');
		b.type = 'button';
		b.dataset.case = i;
		b.append(tag(c), el('span', fmtTime(c.cost)),
			el('span', vcpuName(c.lane) + ' · ' + taskName(c.task), 'lock'));
		b.setAttribute('aria-label', summary(c));
		b.addEventListener('click', () => {
			select(i);
			zoomToCase(i);
		});
		li.append(b);
		out.push(li);
	}
	$('list').replaceChildren(...out);
	if (!order.length)
		$('list').append(el('li', D.queues ? 'None is shown.' :
			'Without a trace of the guest’s scheduler none is known.', 'dim'));
	markCurrent();
}

function markCurrent() {
	for (const b of $('list').querySelectorAll('button')) {
		const on = Number(b.dataset.case) === selected;
		b.setAttribute('aria-current', on);
		if (on)
			b.scrollIntoView({ block: 'nearest' });
	}
}

function goWorst(dir) {
	if (!order.length)
		return;
	const at = order.indexOf(selected);
	select(order[at < 0 ? 0 : Math.max(0, Math.min(order.length - 1, at + dir))]);
	zoomToCase(selected);
}

/* ---- what is under the pointer ---- */

function stretchAt(lane, t) {
	for (let i = firstFrom(segs, lane, t); i < segs.first[lane + 1] && segs.from[i] <= t; i++)
		if (segs.to[i] >= t)
			return i;
	return -1;
}

function under(x, y) {
	const lane = Math.floor((y - AXIS + scrolled) / laneH), t = tOf(x);
	if (x < GUTTER || x > width - RIGHT || y < AXIS || lane < 0 || lane >= D.lanes.length || !marks)
		return null;
	const near = (m, slack) => m.from <= t + slack && m.to >= t - slack;
	const slack = 4 * (view.t1 - view.t0) / plotW(), row = y - laneY(lane);
	const c = row < rows.mark - 6 ? undefined :
		marks.cases.find((i) => cases[i].lane === lane && near(cases[i], slack));
	if (c !== undefined)
		return { kind: 'case', i: c, lane, t };
	const m = marks.moves.findIndex((k) => near(k, slack) && Math.min(k.a, k.b) <= lane &&
		Math.max(k.a, k.b) >= lane);
	if (m >= 0)
		return { kind: 'move', i: m, lane, t };
	return { kind: 'state', i: stretchAt(lane, t), lane, t };
}

function stateFacts(i, lane) {
	const list = [['vCPU', String(D.lanes[lane].id)], ['believed', D.lanes[lane].group]];
	const k = i < 0 ? NK - 1 : segs.kind[i];
	if (k === MIXED) {
		for (let j = 0; j < NK; j++)
			if (segs.ns[i * NK + j])
				list.push([D.kinds[j].words,
					percent(segs.ns[i * NK + j], segs.to[i] - segs.from[i])]);
		list.push(['folded, over', fmtTime(segs.to[i] - segs.from[i])]);
		return list;
	}
	list.push(['state', k === LAST_NODE && segs.node[i] >= 0 ? 'running on node ' + segs.node[i] :
		D.kinds[k].words]);
	if (i >= 0 && isAway(lane, k, segs.node[i]))
		list.push(['drift', 'away from its node']);
	if (i >= 0)
		list.push(['for', fmtTime(segs.to[i] - segs.from[i])]);
	return list;
}

function moveFacts(m) {
	const name = (lane) => (lane < 0 ? 'a vCPU that is not shown' : vcpuName(lane));
	return [['migrations here', fmtCount(m.count)], ['who', D.causes[m.by].words],
		['from', name(m.a)], ['to', name(m.b)], ['thread', taskName(m.task)],
		['at', fmtAt(m.from)]];
}

function tipContent(h) {
	if (h.kind === 'case')
		return [el('h2', title(cases[h.i])), pairs(caseFacts(cases[h.i]))];
	return [pairs(h.kind === 'move' ? moveFacts(marks.moves[h.i]) : stateFacts(h.i, h.lane))];
}

const pressed = (h) => select(h && h.kind === 'case' ? h.i : -1);

function pressedTwice(h) {
	if (h.kind === 'case')
		zoomToCase(h.i);
	return h.kind === 'case';
}

/* ---- legend ---- */

function drawLegend() {
	const sums = D.kinds.map((_, k) => D.lanes.reduce((a, l) => a + l.ns[k], 0));
	const all = sums.reduce((a, b) => a + b, 0);
	const plain = (colour) => (c) => {
		const ctx = c.getContext('2d');
		ctx.fillStyle = colour;
		ctx.fillRect(0, c.height * .3, c.width, c.height * .4);
	};
	const kind = (k) => legendButton(D.kinds[k].words.split(/[,(]/)[0], percent(sums[k], all),
		tileSwatch(colours.kind[k]), () => hidden.kind[k],
		() => { hidden.kind[k] = !hidden.kind[k]; });
	const flag = (name, key, count, swatch) => legendButton(name, count, swatch,
		() => hidden[key], () => { hidden[key] = !hidden[key]; });
	const away = D.lanes.reduce((a, l) => a + l.away, 0);
	const used = [...sums.keys()].filter((k) => k > NOWHERE || sums[k]);
	$('legend').replaceChildren(legendGroup('vCPU', [...used.map(kind),
		flag('drift', 'away', percent(away, all), tileSwatch(colours.away[0]))]),
	legendGroup('Threads moved', D.causes.map((c, k) => legendButton(c.words, fmtCount(c.count),
		plain(colours.by[k]), () => hidden.by[k], () => { hidden.by[k] = !hidden.by[k]; }))),
	legendGroup('Wake-ups', [
		flag('passed over', 'passed', fmtCount(D.passed), plain(colours.passed)),
		flag('overloaded', 'overloaded', fmtCount(D.overloaded), plain(colours.overloaded))]));
}

/* ---- keys ---- */

// The selected case if it is on the screen, else the middle.
function anchor() {
	const c = cases[selected];
	const a = c && c.to > view.t0 && c.from < view.t1 ? Math.max(c.from, view.t0) : view.t0;
	return a === view.t0 ? (view.t0 + view.t1) / 2 : a;
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
const STAGE_KEYS = {
	ArrowLeft: (e) => pan(e.shiftKey ? -.5 : -.1),
	ArrowRight: (e) => pan(e.shiftKey ? .5 : .1),
	ArrowUp: () => { scroller.scrollTop -= laneH; },
	ArrowDown: () => { scroller.scrollTop += laneH; },
	Enter: () => selected >= 0 && zoomToCase(selected),
};

for (const id of ['title', 'caption', 'story', 'foot'])
	$(id).textContent = D[id];
scroller.setAttribute('aria-label', 'Timeline of ' + D.lanes.length + ' vCPUs by node, ' +
	fmtCount(moves.length) + ' migrations');
$('order').addEventListener('change', () => { fillList(); redraw(); });
listen();
