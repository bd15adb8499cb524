"use strict";
// Draws the page from the JSON in #data. Everything that an archive says reaches the page as text (textContent) or as an image.

const { mixop: version, runs } = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const COLOURS = 8;

// ---- elements

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && !name.startsWith("aria")) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function drawn(tag, attributes = {}, text = null) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== null) made.textContent = text;
  return made;
}

function table(head, rows, textColumns = []) {
  const cell = (tag, value, column) =>
    value instanceof Node ? element(tag, {}, value) : element(tag, { className: textColumns.includes(column) ? "text" : "" }, String(value));
  return element("div", { className: "wide" }, element("table", {},
    element("thead", {}, element("tr", {}, ...head.map((value, column) => cell("th", value, column)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((value, column) => cell("td", value, column)))))));
}

function swatch(colour, dashed) {
  const made = element("span", { className: dashed ? "key dashed" : "key" });
  made.style.borderTopColor = colour;
  return made;
}

// ---- numbers

function number(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const [mantissa, exponent] = Number(value).toPrecision(digits).split("e");
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  return exponent === undefined ? short : `${short}e${exponent.replace("+", "")}`;
}
const whole = (value) => Number(value).toLocaleString("en");

function duration(seconds) {
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = parts.findIndex(([size]) => seconds >= size);
  if (first < 0) return `${number(seconds, 2)} s`;
  return parts.slice(first, first + 2).map(([size, unit], at) =>
    `${Math.floor((at === 0 ? seconds : seconds % parts[first][0]) / size)} ${unit}`).join(" ");
}

// 97.5 % points of Student's t for 1 to 30 degrees of freedom, then the normal distribution's.
const STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042];

/// Mean, and half the width of its 95 % interval (none of a single value).
function estimate(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, half: NaN };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, half: (STUDENT[values.length - 2] ?? 1.96) * Math.sqrt(variance / values.length) };
}

function ticks(low, high, wanted = 5) {
  const rough = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((candidate) => candidate >= rough);
  const all = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; ++at) all.push(at * step);
  return all;
}

// ---- charts

/// Lines over epochs: series are {label, colour, dashed, points: [[epoch, value], ...]}, marks are epochs of swaps. The
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
    line.style.stroke = one.colour;
    if (one.dashed) line.setAttribute("stroke-dasharray", "6 4");
    picture.append(line);
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

function legend(entries) {
  return element("p", { className: "legend" }, ...entries.map(({ label, colour, dashed }) =>
    element("span", { className: "entry" }, swatch(colour, dashed), label)));
}

// ---- what runs say

const colourOf = (index) => `var(--run${index % COLOURS})`;
const isSearch = (run) => run.kind === "search";
const done = (run) => run.epochs.filter((row) => row.epoch > 0);
// Of a network the epoch whose weights it holds.
const last = (run) => (run.kept_epoch > 0 ? done(run).find((row) => row.epoch === run.kept_epoch) : done(run).at(-1)) ?? {};
const strategyOf = (run) => isSearch(run) ? run.strategy_history.map((change) => change.strategy).join(" → ") : "training";
const fileName = (path) => path.split("/").at(-1);
const secondsOf = (run) => run.epoch_seconds.reduce((sum, value) => sum + value, 0);
const swapsOf = (run) => isSearch(run) ? run.strategy_history.slice(1) : [];

// The page's name of a run: its file, with folders or a number where two have the same.
const names = (() => {
  const plain = runs.map((run) => fileName(run.file));
  return runs.map((run, index) => plain.filter((name) => name === plain[index]).length === 1 ? plain[index]
    : new Set(runs.map((other) => other.file)).size === runs.length ? run.file : `${run.file} (${index + 1})`);
})();

const metricNames = (some) => [...new Set(some.flatMap((run) => done(run).flatMap(Object.keys)))]
  .filter((name) => !["epoch", "genotype", "alphas_moved"].includes(name));

/// "train_loss" and "valid_loss" are one chart, "loss"; every other metric is its own.
function families(some) {
  const groups = new Map();
  for (const name of metricNames(some)) {
    const [, split, rest] = /^(train|valid|test)_(.+)$/.exec(name) ?? [null, "", name];
    if (!groups.has(rest)) groups.set(rest, []);
    groups.get(rest).push({ name, split });
  }
  return [...groups].sort(([a], [b]) => rank(a) - rank(b));
}
const rank = (name) => ["loss", "accuracy", "perplexity", "top1", "top5"].indexOf(name) + 1 || 9;
const words = (name) => name.replaceAll("_", " ");

function curves(some, colours) {
  const charts = families(some).map(([family, members]) => chart(words(family), some.flatMap((run, index) => members
    .filter(({ name }) => done(run).some((row) => name in row))
    .map(({ name, split }) => ({
      label: [some.length > 1 ? names[runs.indexOf(run)] : "", split || words(name)].filter(Boolean).join(" "),
      colour: colours(run, index, split), dashed: some.length > 1 && split === "train",
      points: done(run).filter((row) => name in row).map((row) => [row.epoch, row[name]]),
    }))), some.length === 1 ? swapsOf(some[0]).map((change) => change.epoch) : []));
  return element("div", { className: "charts" }, ...charts);
}

const SPLITS = { train: 0, valid: 1, test: 2, "": 0 };

// ---- alphas

/// [cell][edge][operation] of one epoch; cells are one where the set has none. NaN: that operation was dropped.
function atEpoch(set, epoch) {
  const shape = set.shape.length === 4 ? set.shape : [set.shape[0], 1, ...set.shape.slice(1)];
  const [, cells, edges, operations] = shape, size = cells * edges * operations;
  return Array.from({ length: cells }, (_, cell) => Array.from({ length: edges }, (_, edge) =>
    Array.from({ length: operations }, (_, operation) => {
      const at = epoch * size + (cell * edges + edge) * operations + operation;
      return set.dropped?.[at] ? NaN : set.values[at];
    })));
}

function softmax(row, temperature) {
  const powers = row.map((value) => (Number.isNaN(value) ? NaN : Math.exp((value - largest(row)) / temperature)));
  const sum = powers.filter(Number.isFinite).reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
const largest = (row) => Math.max(...row.filter(Number.isFinite));

const SCALES = {
  softmax,
  sigmoid: (row) => row.map((value) => 1 / (1 + Math.exp(-value))),
  "they are": (row) => row,
};

function alphas(run) {
  if (run.alphas.length === 0) return null;
  const epochs = run.alphas[0].shape[0] - 1;
  const state = { set: 0, cell: 0, epoch: epochs, row: 0, scale: Object.hasOwn(SCALES, run.strategy_history.at(-1).relaxation) ? run.strategy_history.at(-1).relaxation : "softmax" };
  const heat = element("div", { className: "wide" }), trace = element("div", { className: "charts" });
  const slider = element("input", { type: "range", min: 0, max: epochs, step: 1, value: epochs, id: `epoch-${runs.indexOf(run)}` });
  const shown = element("output", { htmlFor: slider.id });
  const cells = element("select", {});

  const { relaxation, options } = run.strategy_history.at(-1);
  const temperature = (relaxation === "softmax" && Number(options?.relaxation?.temperature)) || 1;
  const isWeight = () => set().name.startsWith("betas_");  // of an edge: one number, of another softmax
  const scaled = (row) => (isWeight() ? row : SCALES[state.scale](row, temperature));
  const set = () => run.alphas[state.set];
  const operations = () => set().operations ?? Array.from({ length: set().shape.at(-1) }, (_, at) => `operation ${at}`);
  const edges = () => set().edges ?? Array.from({ length: set().shape.at(-2) }, (_, at) => `edge ${at}`);

  function drawHeat() {
    const rows = atEpoch(set(), state.epoch)[state.cell].map(scaled);
    const flat = rows.flat().filter(Number.isFinite), low = Math.min(...flat), high = Math.max(...flat);
    const body = rows.map((row, at) => {
      const line = element("tr", { tabIndex: 0, "aria-selected": String(at === state.row) }, element("th", { className: "text", scope: "row" }, edges()[at]),
        ...row.map((value) => {
          const cell = element("td", { className: value === largest(row) ? "cell chosen" : "cell" }, Number.isFinite(value) ? value.toFixed(3) : "–");
          cell.style.backgroundColor = `color-mix(in srgb, var(--run0) ${Math.round(75 * (high > low && Number.isFinite(value) ? (value - low) / (high - low) : 0))}%, var(--paper))`;
          return cell;
        }));
      const choose = () => { state.row = at; drawHeat(); drawTrace(); heat.querySelectorAll("tbody tr")[at].focus({ preventScroll: true }); };
      line.addEventListener("click", choose);
      line.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); } });
      return line;
    });
    heat.replaceChildren(element("table", { className: "heat" },
      element("thead", {}, element("tr", {}, element("th", {}, "edge"), ...operations().map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", {}, ...body)));
    shown.textContent = state.epoch === 0 ? "the start" : `after epoch ${state.epoch}`;
  }

  function drawTrace() {
    const rows = Array.from({ length: epochs + 1 }, (_, epoch) => scaled(atEpoch(set(), epoch)[state.cell][state.row]));
    const lines = operations().map((name, at) => ({
      label: name, colour: colourOf(at), dashed: at >= COLOURS, points: rows.map((row, epoch) => [epoch, row[at]]),
    }));
    trace.replaceChildren(chart(`${edges()[state.row]} of ${set().name}, ${isWeight() ? "as they are" : state.scale === "softmax" && temperature !== 1 ? `softmax of temperature ${temperature}` : state.scale}`, lines, swapsOf(run).map((change) => change.epoch)) ?? "",
      element("div", {}, legend(lines), element("p", { className: "soft" }, "A row of the table above chooses the edge.")));
  }

  function draw() {
    const count = set().shape.length === 4 ? set().shape[1] : 1;
    state.cell = Math.min(state.cell, count - 1);
    state.row = Math.min(state.row, edges().length - 1);
    cells.replaceChildren(...Array.from({ length: count }, (_, at) => element("option", { value: at, selected: at === state.cell }, `cell ${at}`)));
    cells.hidden = count === 1;
    drawHeat();
    drawTrace();
  }

  slider.addEventListener("input", () => { state.epoch = Number(slider.value); drawHeat(); });
  cells.addEventListener("change", () => { state.cell = Number(cells.value); draw(); });
  const choice = (label, options, key) => element("label", {}, `${label} `, element("select", {
    onchange: (event) => { state[key] = key === "set" ? Number(event.target.value) : event.target.value; draw(); },
  }, ...options.map(([value, text]) => element("option", { value, selected: state[key] === value }, text))));
  draw();
  return element("section", {}, element("h3", {}, "Alphas"),
    element("div", { className: "tools" }, choice("set", run.alphas.map((one, at) => [at, one.name]), "set"), cells,
      choice("shown as", Object.keys(SCALES).map((name) => [name, name]), "scale"),
      element("label", { htmlFor: slider.id }, "epoch"), slider, shown),
    heat, trace);
}

// ---- genotypes

/// The genes of a genotype as {place: operation}, with one place for each cell and gene.
function genes(genotype) {
  const found = new Map();
  const gene = (one) => one.length === 3 ? `${one[0]} ${one[2]}→${one[1]}` : `${one[0]} from ${one[1]}`;
  for (const [key, value] of Object.entries(genotype)) {
    if (!Array.isArray(value) || key.endsWith("concat") || key === "reductions" || key === "seq") continue;
    if (key === "genes") value.forEach((cell, at) => cell.forEach((one, index) => found.set(`cell ${at}, gene ${index}`, gene(one))));
    else value.flat(Array.isArray(value[0]?.[0]) ? 1 : 0).forEach((one, index) => found.set(`${key}, gene ${index}`, gene(one)));
  }
  return found;
}

const skips = (genotype) => [...genes(genotype).values()].filter((one) => /^(skip_connect|identity)\b/.test(one)).length;

function evolution(run) {
  const rows = [];
  for (let at = 1; at < run.epochs.length; ++at) {
    const before = genes(run.epochs[at - 1].genotype), after = genes(run.epochs[at].genotype);
    const changes = [...new Set([...before.keys(), ...after.keys()])].filter((place) => before.get(place) !== after.get(place));
    if (changes.length > 0)
      rows.push([run.epochs[at].epoch, changes.length, changes.map((place) => `${place}: ${before.get(place) ?? "none"} ⇒ ${after.get(place) ?? "none"}`).join("; ")]);
  }
  const lines = [
    { label: "skip connections", colour: colourOf(0), points: run.epochs.map((row) => [row.epoch, skips(row.genotype)]) },
    { label: "genes that changed", colour: colourOf(1), points: run.epochs.slice(1).map((row) => [row.epoch, rows.find(([epoch]) => epoch === row.epoch)?.[1] ?? 0]) },
  ];
  return element("section", {}, element("h3", {}, "How the genotype came about"),
    element("div", { className: "charts" }, chart("genes", lines, swapsOf(run).map((change) => change.epoch)) ?? "", legend(lines)),
    rows.length === 0 ? element("p", {}, "The genotype is that of the start in every epoch.")
      : element("details", {}, element("summary", {}, `${rows.length} epochs in which it changed`), table(["epoch", "genes", "changes"], rows, [2])));
}

function pictures(run) {
  if (run.pictures.length === 0) return element("section", {}, element("h3", {}, "Cells"), element("p", {}, "Not drawn: where this page was made Graphviz is not installed, or drew nothing."));
  const image = element("img", { alt: "The cells as a graph: inputs left, output right, operations on the edges" });
  const text = element("p", { className: "soft" });
  const show = (at) => {
    const { epoch } = run.pictures[at], next = run.pictures[at + 1];
    image.src = run.pictures[at].image;
    text.textContent = !isSearch(run) ? "The network's cells."
      : next ? `As derived after ${epoch === 0 ? "the start" : `epoch ${epoch}`}${next.epoch - 1 > epoch ? ` and up to epoch ${next.epoch - 1}` : ""}.`
        : `As derived after ${epoch === 0 ? "the start" : `epoch ${epoch}`}${run.epochs.at(-1).epoch > epoch ? ` and up to the last, ${run.epochs.at(-1).epoch}` : ", the last"}.`;
  };
  show(run.pictures.length - 1);
  const slider = run.pictures.length === 1 ? null : element("input", { type: "range", min: 0, max: run.pictures.length - 1, step: 1, value: run.pictures.length - 1, "aria-label": "which genotype" });
  slider?.addEventListener("input", () => show(Number(slider.value)));
  const left = run.pictures_left_out === 0 ? null : element("p", { className: "soft" }, `${run.pictures_left_out} earlier genotypes are not drawn.`);
  return element("section", {}, element("h3", {}, "Cells"), left, slider ? element("div", { className: "tools" }, element("label", {}, "genotype ", slider)) : null, text, element("div", { className: "picture" }, image));
}

// ---- strategies and origins

function strategies(run) {
  const parts = ["relaxation", "hypergradient", "regulariser", "smoothing", "edge_rule", "schedule", "stopper", "deriver"];
  const optionsOf = (change) => Object.entries(change.options ?? {}).flatMap(([slot, options]) => Object.entries(options).map(([name, value]) => `${slot}.${name}=${value}`)).join(", ");
  return element("section", {}, element("h3", {}, swapsOf(run).length === 0 ? "Strategy" : "Strategy, and how it was changed"),
    table(["from step", "in epoch", "strategy", ...parts.map(words), "options"],
      run.strategy_history.map((change) => [change.step, change.epoch + 1, change.strategy, ...parts.map((part) => change[part] ?? "–"), optionsOf(change)]), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]));
}

function origin(run) {
  const rows = Object.entries(run.provenance).filter(([name]) => name !== "plugins").map(([name, value]) => [words(name), name === "seed" ? run.seed : String(value)]);
  return element("section", {}, element("h3", {}, "Where it comes from"), table(["", ""], rows, [0, 1]),
    element("details", {}, element("summary", {}, `${run.provenance.plugins.length} plugins`), element("pre", {}, run.provenance.plugins.join("\n"))),
    element("details", {}, element("summary", {}, "Configuration"), element("pre", {}, run.config_text)),
    element("details", {}, element("summary", {}, isSearch(run) ? "Last genotype" : "Genotype"), element("pre", {}, JSON.stringify(run.genotype ?? run.epochs.at(-1).genotype))));
}

function costs(run) {
  const seconds = run.epoch_seconds;
  if (seconds.length === 0) return element("p", { className: "soft" }, "No epoch is over yet.");
  return element("p", {}, `${seconds.length} epoch${seconds.length === 1 ? "" : "s"} in ${duration(secondsOf(run))}, ${duration(secondsOf(run) / seconds.length)} each; ${whole(run.step)} steps so far, on ${run.provenance.device} with ${run.provenance.threads} thread${run.provenance.threads === 1 ? "" : "s"}.`);
}

// ---- the page

const QUALITY = ["valid_accuracy", "test_accuracy", "valid_top1", "test_top1", "valid_perplexity", "test_perplexity", "valid_loss", "train_loss"];

function overview() {
  const shown = QUALITY.filter((name) => runs.some((run) => name in last(run)));
  return table(["run", "kind", "strategy", "space", "data", "seed", "epochs", ...shown.map(words), "time"], runs.map((run, index) => [
    element("span", {}, swatch(colourOf(index), false), element("a", { href: `#run-${index}` }, names[index])), run.kind, strategyOf(run), run.config.space.name, run.config.data.name,
    run.seed, `${done(run).length} of ${run.config[isSearch(run) ? "search" : "train"].epochs}`, ...shown.map((name) => number(last(run)[name])),
    duration(secondsOf(run))]), [0, 1, 2, 3, 4]);
}

function comparison() {
  // Runs that differ in their seed alone, as far as they are; of one seed the first counts.
  const groups = new Map();
  runs.forEach((run) => {
    const { seed, threads, device, ...config } = run.config;
    const key = JSON.stringify([run.kind, strategyOf(run), { ...config, data: { ...config.data, dir: "", workers: 0 } }, run.genotype, run.data, run.strategy_history, done(run).length]);
    if (!(groups.get(key) ?? []).some((other) => other.seed === run.seed)) groups.set(key, [...(groups.get(key) ?? []), run]);
  });
  const titleOf = (some) => `${some[0].kind}, ${strategyOf(some[0])}, ${some[0].config.space.name}, ${some[0].config.data.name}: ${some.map((run) => names[runs.indexOf(run)]).join(", ")}`;
  const shown = QUALITY.filter((name) => runs.some((run) => name in last(run)));
  const interval = (some, name) => {
    const values = some.map((run) => last(run)[name]).filter(Number.isFinite);
    if (values.length === 0) return "–";
    const { mean, half } = estimate(values);
    return values.length === 1 ? number(mean) : `${number(mean)} ± ${number(half, 2)}`;
  };
  return element("section", {}, element("h2", {}, "Comparison"),
    element("p", { className: "soft" }, "Last epochs, of networks those whose weights are kept. Of runs that differ in their seed alone: mean and 95 % interval of the mean (Student's t)."),
    table(["runs", "number", ...shown.map(words)], [...groups.values()].map((some) => [titleOf(some), some.length, ...shown.map((name) => interval(some, name))]), [0]),
    legend([...runs.map((_, index) => ({ label: names[index], colour: colourOf(index), dashed: false })), { label: "dashed: on train records", colour: "var(--soft)", dashed: true }]),
    curves(runs, (_, index) => colourOf(index)));
}

function section(run, index) {
  const parts = [costs(run), curves([run], (_run, _index, split) => colourOf(SPLITS[split] ?? 0))];
  if (families([run]).some(([, members]) => members.length > 1))
    parts.push(legend([{ label: "train", colour: colourOf(0) }, { label: "valid", colour: colourOf(1) }, { label: "test", colour: colourOf(2) }]
      .filter(({ label }) => metricNames([run]).some((name) => name.startsWith(`${label}_`)))));
  if (isSearch(run)) parts.push(alphas(run), evolution(run));
  parts.push(pictures(run));
  if (isSearch(run)) parts.push(strategies(run));
  parts.push(origin(run));
  return element("section", { id: `run-${index}` }, element("h2", {}, names[index]), ...parts);
}

document.title = `mixop: ${names.join(", ")}`;
document.getElementById("page").replaceChildren(
  element("h1", {}, runs.length === 1 ? names[0] : `${runs.length} runs`),
  overview(),
  ...(runs.length > 1 ? [comparison()] : []),
  ...runs.map(section),
  element("p", { className: "soft" }, `mixop ${version}`));
