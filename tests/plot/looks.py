# SPDX-License-Identifier: GPL-2.0
"""What the checks of pictures and pages share: how they look at them, and a count of what is well."""
import base64
import json
import os
import re
import xml.parsers.expat

failed = passed = 0


def ok(what, good, detail=""):
    global failed, passed
    passed, failed = passed + bool(good), failed + (not good)
    print(f"{'ok' if good else 'not ok'} - {what}" + ("" if good else f": {detail}"), flush=True)


def summary():
    """Prints the counts; 1 if something failed."""
    print(f"# {passed} passed, {failed} failed")
    return int(failed > 0)


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


# ---- SVG ----

def svg_elements(text):
    """(element, attributes) of a well-formed document; raises if it is not."""
    found, parser = [], xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = lambda name, attrs: found.append((name, attrs))
    parser.Parse(text, True)
    return found


def check_svg_file(path, limit):
    name, text = os.path.basename(path), text_of(path)
    size = os.path.getsize(path)
    try:
        elements = svg_elements(text)
    except xml.parsers.expat.ExpatError as e:
        ok(f"{name} is well-formed", False, e)
        return
    ok(f"{name} is well-formed, {size} bytes, at most {limit}", size <= limit, size)
    bad = [e for e, a in elements if e in ("script", "image", "foreignObject", "a", "use", "iframe")
           or any(k.startswith("on") or "href" in k for k in a)]
    links = [u for u in re.findall(r"\w+://[^\"' )<]+", text) if u != "http://www.w3.org/2000/svg"]
    ok(f"{name} has no scripts and no links", not bad and not links, (bad, links))
    numbers = re.findall(r'(?:x|y|width|height|d)="([^"]*)"', text)
    ok(f"{name} has only finite numbers", not any("nan" in n or "inf" in n for n in numbers))


# ---- HTML ----

def varints(text):
    value = shift = 0
    for byte in base64.b64decode(text):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value
            value = shift = 0


def page_data(path):
    text = text_of(path)
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text,
                                re.S).group(1))


def check_page_file(path):
    name = os.path.basename(path)
    text = text_of(path)
    # The title and the data are somebody else's words, which the browser takes as text.
    own = re.sub(r'<script type="application/json".*?</script>|<title>.*?</title>', "", text,
                 flags=re.S)
    links = re.findall(r"\w+://\S+|\b(?:src|href|action)\s*=|url\(|@import|\bfetch\(|XMLHttp|"
                       r"import\(", own)
    ok(f"{name} refers to nothing outside", not links, links)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    ok(f"{name} forbids it too", policy and policy.group(1).startswith("default-src 'none';") and
       "unsafe" not in policy.group(1), policy and policy.group(1))


def colours_of(page, script):
    """How many colours the canvas or image that `script` yields has."""
    return page.run("""(async () => { let c = %s;
        if (!(c instanceof HTMLCanvasElement)) { const i = await createImageBitmap(c);
          c = document.createElement('canvas'); c.width = i.width; c.height = i.height;
          c.getContext('2d').drawImage(i, 0, 0); }
        const pixels = c.getContext('2d').getImageData(0, 0, c.width, c.height);
        const p = new Uint32Array(pixels.data.buffer);
        return new Set(p).size; })()""" % script)


class Page:
    """What the checks want to know of an open page."""

    def __init__(self, page):
        self.p = page
        self.box = json.loads(page.run(
            "JSON.stringify(document.getElementById('stage').getBoundingClientRect())"))

    def view(self):
        return tuple(float(x) for x in self.p.run(
            "(s => s.dataset.from + ' ' + s.dataset.to)(document.getElementById('stage'))").split())

    def span(self):
        a, b = self.view()
        return b - a

    def at(self, x, y):
        return self.box["x"] + x, self.box["y"] + y

    def plot(self):
        """Left edge and width of the plot, in the stage."""
        return 132, self.p.run("document.getElementById('stage').clientWidth") - 140

    def time_at(self, x):
        left, width = self.plot()
        a, b = self.view()
        return a + (x - 1 - left) / width * (b - a)

    def text(self, css):
        return self.p.run(f"document.querySelector({json.dumps(css)}).textContent")

    def count(self, css):
        return self.p.run(f"document.querySelectorAll({json.dumps(css)}).length")
