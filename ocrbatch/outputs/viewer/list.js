// The list of pages: only the rows that can be seen exist.

const ROW = 88; // pixels, as in style.css
const BEYOND = 4; // rows above and below what can be seen

function makeRow(page, place, total) {
  const row = make("div", "row");
  row.role = "option";
  row.ariaPosInSet = place + 1;
  row.ariaSetSize = total;
  row.style.top = `${place * ROW}px`;
  const thumb = make(page.thumb ? "img" : "div", "thumb");
  if (page.thumb) {
    thumb.alt = "";
    thumb.src = `data:image/jpeg;base64,${page.thumb}`;
  }
  const about = make("div");
  const score = page.score === undefined ? "" : `, score ${number(page.score, 2)}`;
  const many = page.status === "failed" ? "" : `, ${number(page.regions)} region${page.regions === 1 ? "" : "s"}${score}`;
  about.append(
    make("div", "source", shortNameOf(page)),
    make("div", page.status === "failed" ? "failed faint" : "faint", `${page.status}${many}`),
    make("div", "text", page.status === "failed" ? `${page.kind}: ${page.message}` : (page.text ?? "").slice(0, 200)),
  );
  about.firstChild.title = nameOf(page);
  row.append(thumb, about);
  return row;
}

function makeList(box, open) {
  const inner = make("div");
  const rows = new Map();
  let shown = [];
  let current = null;
  box.append(inner);

  function draw() {
    const first = Math.max(0, Math.floor(box.scrollTop / ROW) - BEYOND);
    const last = Math.min(shown.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW) + BEYOND);
    for (const [place, row] of rows) {
      if (place < first || place >= last) {
        row.remove();
        rows.delete(place);
      }
    }
    for (let place = first; place < last; place += 1) {
      if (rows.has(place)) continue;
      const page = shown[place];
      const row = makeRow(page, place, shown.length);
      row.ariaSelected = String(page === current);
      row.addEventListener("click", () => choose(page));
      rows.set(place, row);
      box.append(row);
    }
  }

  function show(found) {
    shown = found;
    for (const row of rows.values()) row.remove();
    rows.clear();
    inner.style.height = `${shown.length * ROW}px`;
    draw();
  }

  function choose(page) {
    current = page;
    const place = shown.indexOf(page);
    if (place >= 0) {
      const top = place * ROW;
      if (top < box.scrollTop) box.scrollTop = top;
      if (top + ROW > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW - box.clientHeight;
    }
    for (const [at, row] of rows) row.ariaSelected = String(shown[at] === current);
    draw();
    open(page);
  }

  function move(step) {
    const place = shown.indexOf(current);
    const next = shown[place < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, place + step))];
    if (next && next !== current) choose(next);
  }

  box.addEventListener("scroll", draw, { passive: true });
  window.addEventListener("resize", draw);
  return { show, choose, move };
}
