// The weights of a search's operations, edge by edge, over its epochs.

/// [cell][edge][operation] of one epoch; cells are one where the set has none. NaN: that operation was dropped.
function atEpoch(set, values, epoch) {
  const shape = set.shape.length === 4 ? set.shape : [set.shape[0], 1, ...set.shape.slice(1)];
  const [, cells, edges, operations] = shape, size = cells * edges * operations;
  return Array.from({ length: cells }, (_, cell) => Array.from({ length: edges }, (_, edge) =>
    Array.from({ length: operations }, (_, operation) => {
      const at = epoch * size + (cell * edges + edge) * operations + operation;
      return set.dropped?.[at] ? NaN : values[at];
    })));
}

const largest = (row) => Math.max(...row.filter(Number.isFinite));

/// What can be shown of a set: its key in the data, and what people read.
function views(run, set) {
  const all = [["rest", set.training ? "weights, without draws" : "weights"], ["training", `weights in training, mean of ${run.draws} draws`], ["values", "alphas as they are"]];
  return all.filter(([key]) => set[key]);
}

const optionsOf = (change, slot) => Object.entries(change.options?.[slot] ?? {}).map(([name, value]) => `${name} ${value}`).join(", ");

/// "gumbel (temperature 10, end 0.1)", of the strategy in force when a row of alphas was written.
function relaxationOf(run, row) {
  const change = run.strategy_history[run.in_force[row]], options = optionsOf(change, "relaxation");
  return change.relaxation + (options ? ` (${options})` : "");
}

/// What the relaxations of a search are, in their plugins' words, and from which epoch on each was in force.
function relaxations(run) {
  const lines = run.strategy_history.map((change, at) => {
    const rows = run.in_force.map((other, row) => (other === at ? row : -1)).filter((row) => row > 0);
    const when = rows.length === 0 ? "no epoch ended with it" : rows.length === 1 ? `epoch ${rows[0]}` : `epochs ${rows[0]} to ${rows.at(-1)}`;
    return soft(`Relaxation ${relaxationOf(run, Math.max(run.in_force.indexOf(at), 0))}, ${when}. ${run.relaxations[at]}`);
  }).filter((_, at) => run.in_force.includes(at));
  const draws = run.alphas.some((set) => set.training);
  return [...lines, run.weights_problem
    ? element("p", { className: "problem" }, `Alphas as they are, for their weights could not be computed: ${run.weights_problem}`)
    : soft(`Weights are those that the relaxation in force made of the alphas at the end of each epoch, as derivation reads them${draws
      ? `: without the draws of training, of which the mean of ${run.draws} can be shown as well` : ""}.`)];
}

const kept = new Map(); // what was chosen last of a run, by its file: a served page is drawn again

function weights(run, index) {
  if (run.alphas.length === 0) return null;
  const epochs = run.alphas[0].shape[0] - 1;
  const state = { set: 0, cell: 0, epoch: epochs, row: 0, view: "rest", ...kept.get(run.file) };
  if (state.epoch === state.last) state.epoch = epochs; // who looks at the last epoch goes on doing so
  state.last = epochs;
  state.set = Math.min(state.set, run.alphas.length - 1);
  state.epoch = Math.min(state.epoch, epochs);
  kept.set(run.file, state);
  const heat = element("div", { className: "wide" }), trace = element("div", { className: "charts" });
  const slider = element("input", { type: "range", min: 0, max: epochs, step: 1, value: state.epoch, id: `epoch-${index}` });
  const shown = element("output", { htmlFor: slider.id });
  const cells = element("select", { "aria-label": "cell" }), view = element("select", {});

  const set = () => run.alphas[state.set];
  const rowsAt = (epoch) => atEpoch(set(), set()[state.view], epoch)[state.cell];
  const operations = () => set().operations ?? Array.from({ length: set().shape.at(-1) }, (_, at) => (set().shape.at(-1) === 1 ? "edge" : `operation ${at}`));
  const edges = () => set().edges ?? Array.from({ length: set().shape.at(-2) }, (_, at) => `edge ${at}`);
  const viewName = () => views(run, set()).find(([key]) => key === state.view)[1];

  function drawHeat() {
    const rows = rowsAt(state.epoch);
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
    shown.textContent = `${state.epoch === 0 ? "the start" : `after epoch ${state.epoch}`}, relaxation ${relaxationOf(run, state.epoch)}`;
  }

  function drawTrace() {
    const rows = Array.from({ length: epochs + 1 }, (_, epoch) => rowsAt(epoch)[state.row]);
    const lines = operations().map((name, at) => ({ label: name, ...lineOf(at), points: rows.map((row, epoch) => [epoch, row[at]]) }));
    trace.replaceChildren(chart(`${edges()[state.row]} of ${set().name}: ${viewName()}`, lines, swapsOf(run).map((change) => change.epoch)) ?? "",
      element("div", {}, legend(lines), soft("A row of the table above chooses the edge.")));
  }

  function draw() {
    const count = set().shape.length === 4 ? set().shape[1] : 1;
    state.cell = Math.min(state.cell, count - 1);
    state.row = Math.min(state.row, edges().length - 1);
    if (!set()[state.view]) state.view = views(run, set())[0][0];
    cells.replaceChildren(...Array.from({ length: count }, (_, at) => element("option", { value: at, selected: at === state.cell }, `cell ${at}`)));
    cells.hidden = count === 1;
    view.replaceChildren(...views(run, set()).map(([key, text]) => element("option", { value: key, selected: key === state.view }, text)));
    drawHeat();
    drawTrace();
  }

  const sets = element("select", {}, ...run.alphas.map((one, at) => element("option", { value: at, selected: at === state.set }, one.name)));
  sets.addEventListener("change", () => { state.set = Number(sets.value); draw(); });
  slider.addEventListener("input", () => { state.epoch = Number(slider.value); drawHeat(); });
  cells.addEventListener("change", () => { state.cell = Number(cells.value); draw(); });
  view.addEventListener("change", () => { state.view = view.value; draw(); });
  draw();
  return element("section", {}, element("h3", {}, "Weights of operations"), ...relaxations(run),
    element("div", { className: "tools" }, element("label", {}, "alphas ", sets), cells, element("label", {}, "shown ", view),
      element("label", { htmlFor: slider.id }, "epoch"), slider, shown),
    heat, trace);
}
