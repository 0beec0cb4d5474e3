// One page: its picture, the boxes on it, and the texts beside it.

const coordinates = (points) => points.reduce((text, value, at) => text + (at % 2 ? "," : " ") + value, "").trim();

// The text of a region in place of its picture: as long and as slanted as its outline's upper edge.
function makeLetters(region) {
  const [x0, y0, x1, y1] = region.points;
  const [x, y] = region.points.slice(-2);
  const length = Math.hypot(x1 - x0, y1 - y0);
  const angle = (Math.atan2(y1 - y0, x1 - x0) * 180) / Math.PI;
  const size = Math.max(1, Math.hypot(x - x0, y - y0) * 0.75);
  return makeSvg(
    "text",
    {
      transform: `translate(${x} ${y}) rotate(${angle})`,
      y: -size * 0.28,
      "font-size": size,
      textLength: Math.max(1, length),
      lengthAdjust: "spacingAndGlyphs",
    },
    region.text,
  );
}

function fillTip(tip, region) {
  const scores = `read ${number(region.rec, 3)}, found ${number(region.det, 3)}${region.kept ? "" : ", rejected"}`;
  const words = region.words.map(({ text, score }) => `${text} ${number(score, 2)}`).join("   ");
  tip.replaceChildren(make("b", "", region.text || "(no text)"), make("div", "", scores), make("div", "faint", words));
}

function notesOf(page) {
  if (page.status === "failed") return `This page failed: ${page.kind} in stage ${page.stage}. ${page.message}`;
  const size = page.width ? `${number(page.width)} × ${number(page.height)} pixels` : "";
  const time = page.seconds === undefined ? "" : `${number(page.seconds, 2)} s`;
  const first = [size, time].filter(Boolean).join(", ");
  return [first, ...(page.warnings ?? []), page.missing && `No picture: ${page.missing}`].filter(Boolean).join("\n");
}

function makeViewer(parts) {
  const { stage, texts, tip, name, notes, options } = parts;
  let page = null;
  let wish = null;
  let zoom = 1;
  let drawing = null;

  function size() {
    if (!drawing) return;
    const scale = zoom * Math.min((stage.offsetWidth - 20) / page.width, (stage.offsetHeight - 6) / page.height);
    drawing.setAttribute("width", Math.max(1, page.width * scale));
    drawing.setAttribute("height", Math.max(1, page.height * scale));
  }

  function scale(factor) {
    zoom = factor ? Math.min(20, Math.max(0.2, zoom * factor)) : 1;
    size();
  }

  function classOf(region) {
    const words = wish.words.length > 0 && region.text ? wish.words : [];
    const found = words.some((word) => fold(region.text).includes(word));
    const dim = !everyScore(wish) && !scoreFits(wish, region.score);
    return [region.kept ? "kept" : "rejected", found && "found", dim && "dim"].filter(Boolean).join(" ");
  }

  function connect(region, shape, line) {
    const words = region.words.map(({ points }) => makeSvg("polygon", { class: "word", points: coordinates(points) }));
    const enter = () => {
      shape.classList.add("now");
      line.classList.add("now");
      if (!options.words.checked) shape.after(...words);
    };
    const leave = () => {
      shape.classList.remove("now");
      line.classList.remove("now");
      if (!options.words.checked) words.forEach((word) => word.remove());
      tip.hidden = true;
    };
    for (const node of [shape, line]) {
      node.addEventListener("pointerenter", enter);
      node.addEventListener("pointerleave", leave);
    }
    line.addEventListener("focus", enter);
    line.addEventListener("blur", leave);
    line.addEventListener("click", () => shape.scrollIntoView({ block: "center", inline: "center" }));
    shape.addEventListener("click", () => line.scrollIntoView({ block: "center" }));
    shape.addEventListener("pointermove", (event) => {
      fillTip(tip, region);
      tip.hidden = false;
      tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 4))}px`;
      const below = event.clientY + 18;
      const fits = below + tip.offsetHeight < innerHeight;
      tip.style.top = `${fits ? below : Math.max(4, event.clientY - tip.offsetHeight - 10)}px`;
    });
    if (options.words.checked) drawing.append(...words);
  }

  function draw() {
    tip.hidden = true;
    stage.replaceChildren();
    texts.replaceChildren();
    drawing = null;
    name.textContent = page ? nameOf(page) : "";
    notes.textContent = page ? notesOf(page) : "";
    notes.className = page?.status === "failed" ? "failed" : "";
    if (!page?.width || !page.height) return;
    drawing = makeSvg("svg", { viewBox: `0 0 ${page.width} ${page.height}` });
    const picture = pictureOf(page);
    const letters = options.letters.checked || !picture;
    if (!letters) drawing.append(makeSvg("image", { href: picture, width: page.width, height: page.height, preserveAspectRatio: "none" }));
    let block = null;
    for (const region of regionsOf(page)) {
      if (!region.kept && !options.rejected.checked) continue;
      const kind = classOf(region);
      const shape = makeSvg("polygon", { class: kind, points: coordinates(region.points) });
      const line = make("button", block !== null && region.block !== block ? `${kind} first` : kind);
      line.type = "button";
      line.append(make("span", "", region.text || "(no text)"), make("span", "faint", number(region.score, 2)));
      block = region.block;
      if (letters && region.kept && region.text) drawing.append(makeLetters(region));
      drawing.append(shape);
      texts.append(line);
      connect(region, shape, line);
    }
    stage.classList.toggle("plain", !options.boxes.checked);
    stage.append(drawing);
    size();
  }

  window.addEventListener("resize", size);
  for (const option of Object.values(options)) option.addEventListener("change", draw);
  return {
    scale,
    open(wanted, asked) {
      page = wanted;
      wish = asked;
      stage.scrollTo(0, 0);
      draw();
    },
  };
}
