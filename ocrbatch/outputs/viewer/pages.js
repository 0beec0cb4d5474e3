// What the data blocks hold, and which pages are asked for.

const BINS = 20; // of scores from 0 to 1, as in report_rows.py
const byId = (name) => document.getElementById(name);
const readJson = (node) => JSON.parse(node.textContent);
const summary = readJson(byId("summary"));
const pages = Array.from(document.querySelectorAll("script.page"), readJson);
pages.forEach((page, number) => {
  page.number = number;
});

// All text goes into the page through this: as text, never as markup.
function make(tag, className = "", text = "") {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

function makeSvg(tag, attributes = {}, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  return node;
}

const number = (value, digits = 0) =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });

// Length of the folders that all pages lie in, which their names in the list do without.
const base = pages.reduce((shared, { source }) => {
  let common = shared ?? source;
  while (!source.startsWith(common)) common = common.slice(0, -1);
  return common;
}, null)?.replace(/[^/\\]*$/, "").length ?? 0;

const withPage = (page, name) => (page.pages > 1 ? `${name}, page ${page.page + 1} of ${page.pages}` : name);
const nameOf = (page) => withPage(page, page.source);
const shortNameOf = (page) => withPage(page, page.source.slice(base));

// Without accents and case, so that "facade" finds "Façade".
const fold = (text) => text.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase();

function haystack(page) {
  page.folded ??= fold([page.source, page.text, page.kind, page.message].filter(Boolean).join("\n"));
  return page.folded;
}

// A wish: { words, statuses, reason, from, to, order }; from and to count bins.
const everyScore = (wish) => wish.from === 0 && wish.to === BINS;
const binOf = (score) => Math.min(BINS - 1, Math.floor(score * BINS));
const scoreFits = (wish, score) => binOf(score) >= wish.from && binOf(score) < wish.to;

const ORDERS = {
  number: (one, other) => one.number - other.number,
  lowest: (one, other) => (one.score ?? 2) - (other.score ?? 2) || one.number - other.number,
  slowest: (one, other) => (other.seconds ?? -1) - (one.seconds ?? -1) || one.number - other.number,
};

function select(wish) {
  const mask = 2 ** wish.to - 2 ** wish.from;
  const fits = (page) =>
    wish.statuses.has(page.status) &&
    (!wish.reason || page.kind === wish.reason) &&
    (everyScore(wish) || (page.bins & mask) !== 0) &&
    wish.words.every((word) => haystack(page).includes(word));
  return pages.filter(fits).sort(ORDERS[wish.order]);
}

// Corners as x, y, x, y, ...; an upright box is stored as left, top, right, bottom.
function corners(outline) {
  if (outline.length > 4) return outline;
  const [left, top, right, bottom] = outline;
  return [left, top, right, top, right, bottom, left, bottom];
}

// Stored as in report_rows.py: [outline, text, det_score, rec_score, kept, block, words], words as [outline, text, score].
function regionsOf(page) {
  const block = byId(`regions-${page.number}`);
  return (block ? readJson(block) : []).map(([outline, text, det, rec, kept, block, words]) => ({
    points: corners(outline),
    words: words.map(([outline, text, score]) => ({ points: corners(outline), text, score })),
    score: summary.scores === "det" ? det : rec,
    ...{ text, det, rec, kept, block },
  }));
}

function pictureOf(page) {
  const block = byId(`picture-${page.number}`);
  return block ? `data:image/jpeg;base64,${block.textContent}` : null;
}
