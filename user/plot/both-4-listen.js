// SPDX-License-Identifier: GPL-2.0
// What all pages share: elements, the legend's buttons, the tip, mouse, touch and keys.

/* ---- elements ---- */

function el(name, text, className) {
	const e = document.createElement(name);
	if (text !== undefined)
		e.textContent = text;
	if (className)
		e.className = className;
	return e;
}

function pairs(list) {
	const dl = el('dl');
	for (const [k, v] of list) {
		dl.append(el('dt', k), el('dd', v));
	}
	return dl;
}

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

function legendGroup(name, buttons) {
	const g = el('div', undefined, 'group');
	g.setAttribute('role', 'group');
	g.setAttribute('aria-label', name);
	g.append(el('span', name, 'name'), ...buttons);
	return g;
}

/* ---- the tip at the pointer ---- */

let tipKey = '', tipSize = null;

// Built anew only when the pointer comes to something else.
function showTip() {
	const tip = $('tip'), key = hover ? hover.kind + hover.i + '/' + hover.lane : '';
	if (key !== tipKey) {
		tip.hidden = !hover;
		if (hover) {
			tip.replaceChildren(...tipContent(hover));
			tip.style.left = tip.style.top = '0px';
			tipSize = tip.getBoundingClientRect();
		}
	}
	tipKey = key;
	if (!hover)
		return;
	const right = pointer.x + 16 + tipSize.width <= width;
	const x = right ? pointer.x + 16 : pointer.x - tipSize.width - 12;
	const y = Math.min(pointer.y + 14, height - tipSize.height - 4);
	tip.style.left = Math.max(4, x) + 'px';
	tip.style.top = Math.max(4, y) + 'px';
}

// Once per frame, with the view that is drawn.
function updateHover() {
	hover = pointer && !(drag && drag.moved) ? under(pointer.x, pointer.y) : null;
	showTip();
}

function hoverAt(p) {
	pointer = p;
	redrawOver();
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
	pressed(under(p.x, p.y));
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
		if (h && !pressedTwice(h))
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

/* ---- the start ---- */

function listen() {
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
	systemDark.addEventListener('change', () => setTheme(themeChoice));
	new ResizeObserver(resize).observe(stage);
	setTheme('auto');
}
