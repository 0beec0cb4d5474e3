// What the whole run came to: figures, reasons of failures, the histogram of scores.

function writeFigures() {
  const { statuses, seconds, timed, shown, pages: total } = summary;
  const spent = Object.values(seconds).reduce((sum, value) => sum + value, 0);
  const parts = [`${number(total)} pages`, ...Object.entries(statuses).map(([name, many]) => `${number(many)} ${name}`)];
  if (timed > 0 && spent > 0) {
    parts.push(`${number(spent / timed, 2)} s a page`, `${number(timed / spent, 2)} pages/s with one worker`);
  }
  byId("figures").textContent = parts.join(" · ");
  const stages = Object.entries(seconds).map(([name, value]) => `${name} ${number((100 * value) / (spent || 1))} %`);
  const about = [summary.models.join(", "), spent > 0 ? stages.join(", ") : ""];
  if (shown < total) about.push(`this report shows ${number(shown)} of the pages`);
  byId("about").textContent = about.filter(Boolean).join(" · ");
}

function makeHistogram(box, choose) {
  const { kept, rejected } = summary.histogram;
  const whole = kept.map((value, bin) => value + rejected[bin]);
  const top = Math.log1p(Math.max(1, ...whole));
  const chart = makeSvg("svg", { viewBox: `0 0 ${BINS} 10`, preserveAspectRatio: "none", role: "group" });
  chart.ariaLabel = "Scores of regions, logarithmic";
  const bars = whole.map((count, bin) => {
    const group = makeSvg("g");
    const high = (10 * Math.log1p(count)) / top;
    const grey = count ? (high * rejected[bin]) / count : 0;
    const from = number(bin / BINS, 2);
    const to = number((bin + 1) / BINS, 2);
    const hit = makeSvg("rect", { class: "hit", x: bin, y: 0, width: 1, height: 10, tabindex: 0, role: "button" });
    const said = `${from} to ${to}: ${number(kept[bin])} regions kept, ${number(rejected[bin])} rejected`;
    hit.append(makeSvg("title", {}, said));
    hit.addEventListener("click", () => choose(bin));
    hit.addEventListener("keydown", (event) => event.key === "Enter" && choose(bin));
    group.append(
      makeSvg("rect", { class: "kept", x: bin + 0.05, y: 10 - high, width: 0.9, height: high - grey }),
      makeSvg("rect", { class: "rejected", x: bin + 0.05, y: 10 - grey, width: 0.9, height: grey }),
      hit,
    );
    chart.append(group);
    return group;
  });
  const axis = make("p");
  axis.append(make("span", "", "0"), make("span", "", "regions by score (heights are logarithms)"), make("span", "", "1"));
  box.append(chart, axis);
  return (wish) => bars.forEach((bar, bin) => bar.classList.toggle("out", bin < wish.from || bin >= wish.to));
}
