// Charts of lines over epochs.

/// Lines over epochs: series are {label, colour, dashes, points: [[epoch, value], ...]}, marks are epochs of swaps. The
/// arrow keys, or a pointer, move a cursor whose values are read out below.
function chart(title, series, marks = []) {
  const points = series.flatMap((one) => one.points).filter(([, value]) => Number.isFinite(value));
  if (points.length === 0) return null;
  const width = 420, height = 230, left = 48, right = 10, top = 10, bottom = 26;
  const epochs = [...new Set(points.map(([epoch]) => epoch))].sort((a, b) => a - b);
  let [low, high] = [Math.min(...points.map(([, value]) => value)), Math.max(...points.map(([, value]) => value))];
  const apart = Math.abs(low) * 0.1 || 1;
  if (high - low < apart * 1e-9) [low, high] = [low - apart, high + apart];
  const first = epochs[0], last = Math.max(epochs[epochs.length - 1], first + 1);
  const x = (epoch) => left + ((epoch - first) / (last - first)) * (width - left - right);
  const y = (value) => height - bottom - ((value - low) / (high - low)) * (height - top - bottom);

  const picture = drawn("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: 0, "aria-label": `${title}; arrow keys read values` });
  for (const tick of ticks(low, high)) {
    picture.append(drawn("line", { class: "grid", x1: left, x2: width - right, y1: y(tick), y2: y(tick) }),
      drawn("text", { x: left - 5, y: y(tick) + 4, "text-anchor": "end" }, number(tick)));
  }
  for (const tick of ticks(first, last).filter(Number.isInteger))
    picture.append(drawn("text", { x: x(tick), y: height - 9, "text-anchor": "middle" }, String(tick)));
  for (const mark of marks) picture.append(drawn("line", { class: "swap", x1: x(mark), x2: x(mark), y1: top, y2: height - bottom }));
  for (const one of series) {
    const finite = one.points.filter(([, value]) => Number.isFinite(value));
    const line = drawn("polyline", { class: "series", points: finite.map(([epoch, value]) => `${x(epoch).toFixed(1)},${y(value).toFixed(1)}`).join(" ") });
    picture.append(stroked(line, one));
    if (finite.length === 1) {
      const dot = drawn("circle", { cx: x(finite[0][0]), cy: y(finite[0][1]), r: 3 });
      dot.style.fill = one.colour;
      picture.append(dot);
    }
  }
  const cursor = drawn("line", { class: "cursor", y1: top, y2: height - bottom, visibility: "hidden" });
  picture.append(cursor);
  const reading = element("p", { className: "reading", "aria-live": "polite" });

  let at = epochs.length - 1;
  const show = () => {
    const epoch = epochs[at];
    cursor.setAttribute("x1", x(epoch));
    cursor.setAttribute("x2", x(epoch));
    cursor.setAttribute("visibility", "visible");
    const values = series.map((one) => [one.label, one.points.find(([other]) => other === epoch)]).filter(([, point]) => point);
    reading.textContent = `epoch ${epoch}: ${values.map(([label, point]) => `${label} ${number(point[1])}`).join(", ")}`;
  };
  picture.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -epochs.length, End: epochs.length };
    if (!(event.key in moves)) return;
    event.preventDefault();
    at = Math.min(Math.max(at + moves[event.key], 0), epochs.length - 1);
    show();
  });
  picture.addEventListener("focus", show);
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const epoch = first + ((event.clientX - box.left) / box.width * width - left) / (width - left - right) * (last - first);
    at = epochs.reduce((best, other, index) => (Math.abs(other - epoch) < Math.abs(epochs[best] - epoch) ? index : best), 0);
    show();
  });
  return element("figure", {}, element("figcaption", {}, title), picture, reading);
}
