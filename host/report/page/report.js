// The page, drawn from the JSON in #data, and again from data.json where it is served.

let runs = [], names = [];

// ---- what runs say

const isSearch = (run) => run.kind === "search";
const done = (run) => run.epochs.filter((row) => row.epoch > 0);
// Of a network the epoch whose weights it holds.
const last = (run) => (run.kept_epoch > 0 ? done(run).find((row) => row.epoch === run.kept_epoch) : done(run).at(-1)) ?? {};
const strategyOf = (run) => isSearch(run) ? run.strategy_history.map((change) => change.strategy).join(" → ") : "training";
const fileName = (path) => path.split("/").at(-1);
const secondsOf = (run) => run.epoch_seconds.reduce((sum, value) => sum + value, 0);
const swapsOf = (run) => isSearch(run) ? run.strategy_history.slice(1) : [];
const costOf = (run) => run.costs.at(-1); // of a search its last genotype's, where that could be counted

/// The page's name of each run: its file, with folders or a number where two have the same.
function namesOf(all) {
  const plain = all.map((run) => fileName(run.file));
  return all.map((run, index) => plain.filter((name) => name === plain[index]).length === 1 ? plain[index]
    : new Set(all.map((other) => other.file)).size === all.length ? run.file : `${run.file} (${index + 1})`);
}

const metricNames = (some) => [...new Set(some.flatMap((run) => done(run).flatMap(Object.keys)))]
  .filter((name) => !["epoch", "genotype", "alphas_moved"].includes(name));
const rank = (name) => ["loss", "accuracy", "perplexity", "top1", "top5"].indexOf(name) + 1 || 9;
const words = (name) => name.replaceAll("_", " ");
const SPLITS = ["train", "valid", "test"];

/// ["train", "loss"] of "train_loss".
const parted = (name) => /^(train|valid|test)_(.+)$/.exec(name)?.slice(1) ?? ["", name];
const pointsOf = (run, name) => done(run).filter((row) => name in row).map((row) => [row.epoch, row[name]]);

/// Of one run: "train_loss" and "valid_loss" are one chart, "loss"; every other metric is its own.
function curves(run) {
  const families = Map.groupBy(metricNames([run]), (name) => parted(name)[1]);
  const marks = swapsOf(run).map((change) => change.epoch);
  const charts = [...families].sort(([a], [b]) => rank(a) - rank(b)).map(([family, members]) => chart(words(family), members.map((name) => {
    const [split] = parted(name);
    return { label: split || words(name), ...lineOf(Math.max(SPLITS.indexOf(split), 0)), points: pointsOf(run, name) };
  }), marks));
  if (run.epoch_seconds.length > 1)
    charts.push(chart("seconds an epoch", [{ label: "seconds", ...lineOf(0), points: run.epoch_seconds.map((seconds, at) => [at + 1, seconds]) }], marks));
  const splits = SPLITS.map((label, at) => ({ label, ...lineOf(at) })).filter(({ label }) => metricNames([run]).some((name) => parted(name)[0] === label));
  return [splits.length > 1 ? legend(splits) : null, element("div", { className: "charts" }, ...charts.filter(Boolean))];
}

/// Of several runs a chart a metric, in which a line is a run.
function comparedCurves() {
  const sorted = metricNames(runs).sort((a, b) => rank(parted(a)[1]) - rank(parted(b)[1]));
  return element("div", { className: "charts" }, ...sorted.map((name) => chart(words(name), runs
    .map((run, index) => ({ label: names[index], ...lineOf(index), points: pointsOf(run, name) }))
    .filter(({ points }) => points.length > 0))).filter(Boolean));
}

// ---- genotypes

function evolution(run) {
  const rows = run.evolution.map((step, epoch) => [epoch, step.changed, step.changes.map((change) =>
    `${change.cell}, node ${change.node}: ${change.before.join(", ") || "none"} ⇒ ${change.after.join(", ") || "none"}`).join("; ")])
    .filter(([, changed]) => changed > 0);
  const lines = [
    { label: "skip connections", ...lineOf(0), points: run.evolution.map((step, epoch) => [epoch, step.skips]) },
    { label: "genes that changed", ...lineOf(1), points: run.evolution.slice(1).map((step, at) => [at + 1, step.changed]) },
  ];
  return element("section", {}, element("h3", {}, "How the genotype came about"),
    element("div", { className: "charts" }, chart("genes", lines, swapsOf(run).map((change) => change.epoch)) ?? "", legend(lines)),
    rows.length === 0 ? element("p", {}, "The genotype is that of the start in every epoch.")
      : details(`${rows.length} epoch${rows.length === 1 ? "" : "s"} in which it changed`, table(["epoch", "genes", "changes"], rows, [2])));
}

function pictures(run) {
  const image = element("img", { alt: "The cells as a graph: inputs left, output right, operations on the edges" });
  const frame = element("div", { className: "picture" }, image), problem = element("p", { className: "problem" }), text = soft("");
  const show = (at) => {
    const own = run.pictures[at], next = run.pictures[at + 1], end = next ? next.epoch - 1 : run.epochs.at(-1)?.epoch;
    frame.hidden = own.image === "";
    image.src = own.image;
    problem.hidden = own.problem === "";
    problem.textContent = `Not drawn: ${own.problem}.`;
    text.textContent = !isSearch(run) ? "The network's cells."
      : `As derived ${own.epoch === 0 ? "at the start" : `after epoch ${own.epoch}`}${end > own.epoch ? ` and up to epoch ${end}` : ""}${next ? "" : ", the last"}.`;
  };
  show(run.pictures.length - 1);
  const slider = run.pictures.length === 1 ? null : element("input", { type: "range", min: 0, max: run.pictures.length - 1, step: 1, value: run.pictures.length - 1, "aria-label": "which genotype" });
  slider?.addEventListener("input", () => show(Number(slider.value)));
  const failed = run.pictures.filter((own) => own.problem).length;
  return element("section", {}, element("h3", {}, "Cells"), run.pictures_left_out === 0 ? null : soft(`${run.pictures_left_out} earlier genotypes are not drawn.`),
    failed > 0 && run.pictures.length > 1 ? element("p", { className: "problem" }, `${failed} of ${run.pictures.length} genotypes could not be drawn.`) : null,
    slider ? element("div", { className: "tools" }, element("label", {}, "genotype ", slider)) : null, text, problem, frame);
}

// ---- which classes were taken for which

function confusion(run) {
  const { evaluation } = run;
  if (!evaluation)
    return run.data.classes && !isSearch(run) ? element("section", {}, element("h3", {}, "Classes"),
      soft("Which classes were taken for which is not in the archive: mixop report --data DIR measures the network and shows it here.")) : null;
  const name = (at) => evaluation.classes[at].name;
  const classes = evaluation.classes.map((own) => [own.name, whole(own.samples), whole(own.correct), own.samples > 0 ? number(100 * own.correct / own.samples) : "–"]);
  return element("section", {}, element("h3", {}, "Classes"),
    element("p", {}, `Measured for this page on ${whole(evaluation.samples)} test images: top-1 ${number(evaluation.top1)} %, top-5 ${number(evaluation.top5)} %, loss ${number(evaluation.loss)}.`),
    element("div", { className: "picture" }, element("img", { src: evaluation.image, alt: "The matrix of confusions; the tables below have its numbers" })),
    details("The most frequent confusions", table(["class", "taken for", "images"], evaluation.mistakes.map(([target, other, count]) => [name(target), name(other), whole(count)]), [0, 1])),
    details(`${classes.length} classes`, table(["class", "images", "right", "right, %"], classes, [0])));
}

// ---- strategies, origins and costs

const PARTS = ["relaxation", "hypergradient", "regulariser", "smoothing", "edge_rule", "schedule", "stopper", "deriver"];

/// Slots that are empty from beginning to end are left out.
function strategies(run) {
  const options = (change) => Object.entries(change.options ?? {}).flatMap(([slot, own]) => Object.entries(own).map(([name, value]) => `${slot}.${name}=${value}`)).join(", ");
  const parts = PARTS.filter((part) => run.strategy_history.some((change) => (change[part] ?? "none") !== "none"));
  const rows = run.strategy_history.map((change) => [change.step, change.epoch + 1, change.strategy, ...parts.map((part) => change[part] ?? "–"), options(change)]);
  return element("section", {}, element("h3", {}, swapsOf(run).length === 0 ? "Strategy" : "Strategy, and how it was changed"),
    table(["from step", "in epoch", "strategy", ...parts.map(words), "options"], rows, rows[0].map((_, column) => column).slice(2)));
}

function origin(run) {
  const rows = Object.entries(run.provenance).filter(([name]) => name !== "plugins").map(([name, value]) => [words(name), name === "seed" ? run.seed : String(value)]);
  return element("section", {}, element("h3", {}, "Where it comes from"), table(["", ""], rows, [0, 1]),
    details(`${run.provenance.plugins.length} plugins`, element("pre", {}, run.provenance.plugins.join("\n"))),
    details("Configuration", element("pre", {}, run.config_text)),
    details(isSearch(run) ? "Last genotype" : "Genotype", element("pre", {}, JSON.stringify(run.genotype ?? run.epochs.at(-1).genotype))));
}

function costs(run) {
  const seconds = run.epoch_seconds, threads = run.provenance.threads;
  const time = seconds.length === 0 ? soft("No epoch is over yet.")
    : element("p", {}, `${seconds.length} epoch${seconds.length === 1 ? "" : "s"} in ${duration(secondsOf(run))}, ${duration(secondsOf(run) / seconds.length)} each; ${whole(run.step)} steps so far, on ${run.provenance.device} with ${threads} thread${threads === 1 ? "" : "s"}.`);
  const uncounted = [...new Set(run.costs.flatMap((cost) => cost.uncounted))];
  return [time,
    run.costs.length === 0 ? null : table(["", "parameters", "multiply-adds of a sample"], run.costs.map((cost) => [cost.of, whole(cost.parameters), whole(cost.multiply_adds)]), [0]),
    isSearch(run) && run.costs.length > 1 ? soft("The last genotype's network is counted with the channels and cells of the search.") : null,
    uncounted.length === 0 ? null : element("p", { className: "problem" }, `Without the multiply-adds of ${uncounted.join(", ")}, which do not report them.`),
    run.costs_problem === "" ? null : element("p", { className: "problem" }, `Not counted: ${run.costs_problem}`)];
}

// ---- the page

const QUALITY = ["valid_accuracy", "test_accuracy", "valid_top1", "test_top1", "valid_perplexity", "test_perplexity", "valid_loss", "train_loss"];
const qualities = () => QUALITY.filter((name) => runs.some((run) => name in last(run)));

function overview() {
  const counted = runs.some(costOf);
  return table(["run", "strategy", "space", "data", "seed", "epochs", ...qualities().map(words), ...(counted ? ["parameters", "multiply-adds"] : []), "time"], runs.map((run, index) => [
    element("span", {}, swatch(lineOf(index)), element("a", { href: `#run-${index}` }, names[index])), strategyOf(run), run.config.space.name, run.config.data.name,
    run.seed, `${done(run).length} of ${run.config[isSearch(run) ? "search" : "train"].epochs}`, ...qualities().map((name) => number(last(run)[name])),
    ...(counted ? [compact(costOf(run)?.parameters), compact(costOf(run)?.multiply_adds)] : []),
    duration(secondsOf(run))]), [0, 1, 2, 3]);
}

/// Runs that differ in their seed alone, as far as they are, and those that repeat the seed of another, as [repeated, first].
function grouped() {
  const groups = new Map(), repeated = [];
  for (const run of runs) {
    const { seed, threads, device, ...config } = run.config;
    const key = JSON.stringify([run.kind, { ...config, data: { ...config.data, dir: "", workers: 0 } }, run.genotype, run.data, run.strategy_history, done(run).length]);
    const group = groups.get(key) ?? [], first = group.find((other) => other.seed === run.seed);
    if (first) repeated.push([run, first]);
    else groups.set(key, [...group, run]);
  }
  return { groups: [...groups.values()], repeated };
}

function comparison() {
  const nameOf = (run) => names[runs.indexOf(run)];
  const { groups, repeated } = grouped();
  const titleOf = (some) => `${some[0].kind}, ${strategyOf(some[0])}, ${some[0].config.space.name}, ${some[0].config.data.name}: ${some.map(nameOf).join(", ")}`;
  const interval = (some, name) => {
    const values = some.map((run) => last(run)[name]).filter(Number.isFinite);
    if (values.length === 0) return "–";
    const { mean, half } = estimate(values);
    return values.length === 1 ? number(mean) : `${number(mean)} ± ${number(half, 2)}`;
  };
  const same = (a, b) => JSON.stringify(a.epochs) === JSON.stringify(b.epochs);
  return element("section", {}, element("h2", {}, "Comparison"),
    soft("Last epochs, of networks those whose weights are kept. Of runs that differ in their seed alone: mean and 95 % interval of the mean (Student's t)."),
    table(["runs", "number", ...qualities().map(words)], groups.map((some) => [titleOf(some), some.length, ...qualities().map((name) => interval(some, name))]), [0]),
    ...repeated.map(([run, first]) => element("p", { className: "problem" },
      `${nameOf(run)} is left out of these means: it repeats seed ${run.seed} of ${nameOf(first)}, with ${same(run, first) ? "the same" : "other"} figures.`)),
    legend(runs.map((_, index) => ({ label: names[index], ...lineOf(index) }))),
    comparedCurves());
}

function section(run, index) {
  const parts = [...costs(run), ...curves(run)];
  if (isSearch(run)) parts.push(weights(run, index), evolution(run));
  parts.push(pictures(run), confusion(run));
  if (isSearch(run)) parts.push(strategies(run));
  parts.push(origin(run));
  return element("section", { id: `run-${index}` }, element("h2", {}, names[index]), ...parts);
}

const notice = element("p", { role: "status", className: "soft", hidden: true });
function say(text, problem = false) {
  notice.hidden = text === "";
  notice.className = problem ? "problem" : "soft";
  if (notice.textContent !== text) notice.textContent = text;
}

function draw(data) {
  runs = data.runs;
  names = namesOf(runs);
  document.title = `mixop: ${names.join(", ")}`;
  document.getElementById("page").replaceChildren(
    element("h1", {}, runs.length === 1 ? names[0] : `${runs.length} runs`), notice,
    ...(runs.length > 0 ? [overview()] : []),
    ...(runs.length > 1 ? [comparison()] : []),
    ...runs.map(section),
    soft(`mixop ${data.mixop}`));
  if (data.served) say(runs.length === 0 ? "No epoch is over yet." : data.writing ? "This page follows a run that goes on." : "No run writes here any more.");
}

/// Draws the page anew and leaves it as its reader had it: what was open, what had the focus, how far it was scrolled.
function redraw(data) {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const reached = "a, input, select, summary, [tabindex]";
  const open = all("details").map((one) => one.open), focus = all(reached).indexOf(document.activeElement), { scrollX, scrollY } = window;
  draw(data);
  all("details").forEach((one, at) => { one.open = open[at] ?? false; });
  all(reached)[focus]?.focus({ preventScroll: true });
  window.scrollTo(scrollX, scrollY);
}

/// Asks every two seconds for what is new.
async function follow(tag) {
  try {
    const answer = await fetch("data.json", { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (answer.status === 200) {
      tag = answer.headers.get("ETag");
      redraw(await answer.json());
    } else if (answer.status !== 304) {
      say(await answer.text(), true);
      tag = null;
    }
  } catch {
    say("mixop report --watch has ended: this is what it served last.", true);
    tag = null;
  }
  setTimeout(follow, 2000, tag);
}

const embedded = JSON.parse(document.getElementById("data").textContent);
draw(embedded);
if (embedded.served) follow(null);
