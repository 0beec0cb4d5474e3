// Wires the controls to the list and the viewer.

const wish = {
  words: [],
  statuses: new Set(Object.keys(summary.statuses)),
  reason: "",
  from: 0,
  to: BINS,
  order: "number",
};
let opened = null;

const viewer = makeViewer({
  stage: byId("stage"),
  texts: byId("texts"),
  tip: byId("tip"),
  name: byId("name"),
  notes: byId("notes"),
  options: { boxes: byId("boxes"), words: byId("words"), rejected: byId("rejected"), letters: byId("letters") },
});

const list = makeList(byId("list"), (page) => {
  opened = page;
  history.replaceState(null, "", `#${page.number + 1}`);
  viewer.open(page, wish);
});

const markHistogram = makeHistogram(byId("histogram"), (bin) => {
  const alone = wish.from === bin && wish.to === bin + 1;
  Object.assign(wish, alone ? { from: 0, to: BINS } : { from: bin, to: bin + 1 });
  search();
});

function search() {
  byId("from").value = wish.from;
  byId("to").value = wish.to;
  for (const button of byId("reasons").children) button.ariaPressed = String(button.value === wish.reason);
  markHistogram(wish);
  const found = select(wish);
  byId("count").textContent = `${number(found.length)} of ${number(pages.length)} pages`;
  list.show(found);
  if (found.includes(opened)) viewer.open(opened, wish);
  else if (found.length) list.choose(found[0]);
  else viewer.open(null, wish);
}

function addStatuses() {
  for (const [name, many] of Object.entries(summary.statuses)) {
    const box = make("input");
    box.type = "checkbox";
    box.checked = true;
    box.value = name;
    box.addEventListener("change", () => {
      wish.statuses[box.checked ? "add" : "delete"](name);
      search();
    });
    const label = make("label");
    label.append(box, ` ${name} (${number(many)})`);
    byId("statuses").append(label);
  }
}

function addReasons() {
  for (const [kind, many] of Object.entries(summary.reasons)) {
    const button = make("button", "", `${kind} (${number(many)})`);
    button.type = "button";
    button.value = kind;
    button.addEventListener("click", () => {
      wish.reason = wish.reason === kind ? "" : kind;
      search();
    });
    byId("reasons").append(button);
  }
}

function addRange() {
  for (const name of ["from", "to"]) {
    for (let bin = 0; bin <= BINS; bin += 1) {
      const option = make("option", "", number(bin / BINS, 2));
      option.value = bin;
      byId(name).append(option);
    }
    byId(name).addEventListener("change", () => {
      wish[name] = Number(byId(name).value);
      if (wish.from >= wish.to) Object.assign(wish, name === "from" ? { from: Math.min(wish.from, BINS - 1), to: BINS } : { from: 0, to: Math.max(wish.to, 1) });
      search();
    });
  }
  byId("order").addEventListener("change", () => {
    wish.order = byId("order").value;
    search();
  });
}

function addKeys() {
  const keys = {
    j: () => list.move(1),
    k: () => list.move(-1),
    ArrowDown: () => list.move(1),
    ArrowUp: () => list.move(-1),
    "+": () => viewer.scale(1.25),
    "-": () => viewer.scale(0.8),
    0: () => viewer.scale(0),
    "/": () => byId("search").focus(),
  };
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT)$/.test(event.target.tagName) && event.target.type !== "checkbox";
    if (event.ctrlKey || event.metaKey || event.altKey || typing || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}

function addButtons() {
  const clicks = {
    previous: () => list.move(-1),
    next: () => list.move(1),
    smaller: () => viewer.scale(0.8),
    larger: () => viewer.scale(1.25),
    fit: () => viewer.scale(0),
  };
  for (const [name, act] of Object.entries(clicks)) byId(name).addEventListener("click", act);
  let waiting = 0;
  byId("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      wish.words = fold(byId("search").value).split(/\s+/).filter(Boolean);
      search();
    }, 100);
  });
}

writeFigures();
addStatuses();
addReasons();
addRange();
addKeys();
addButtons();
opened = pages[Number(location.hash.slice(1)) - 1] ?? pages[0] ?? null;
search();
if (opened) list.choose(opened);
document.documentElement.dataset.ready = "yes";
