"use strict";
// Elements and numbers. Everything that an archive says reaches the page as text (textContent) or as an image.

const SVG = "http://www.w3.org/2000/svg";

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

const soft = (text) => element("p", { className: "soft" }, text);
const details = (title, ...content) => element("details", {}, element("summary", {}, title), ...content);

// ---- lines: eight colours, and from the ninth line on another pattern of dashes for each eight

const COLOURS = 8;
const DASHES = ["none", "7 4", "2 3", "10 3 2 3", "16 4", "5 2 1 2", "1 5", "12 3 4 3 4 3"];
const lineOf = (index) => ({ colour: `var(--run${index % COLOURS})`, dashes: DASHES[Math.floor(index / COLOURS) % DASHES.length] });

function stroked(made, { colour, dashes }) {
  made.style.stroke = colour;
  made.style.strokeDasharray = dashes;
  return made;
}

function swatch(line) {
  return element("span", { className: "key" }, (() => {
    const picture = drawn("svg", { viewBox: "0 0 36 8", width: 36, height: 8, "aria-hidden": "true" });
    picture.append(stroked(drawn("line", { class: "series", x1: 0, x2: 36, y1: 4, y2: 4 }), line));
    return picture;
  })());
}

function legend(entries) {
  return element("p", { className: "legend" }, ...entries.map((one) => element("span", { className: "entry" }, swatch(one), one.label)));
}

// ---- numbers

function number(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const [mantissa, exponent] = Number(value).toPrecision(digits).split("e");
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  return exponent === undefined ? short : `${short}e${exponent.replace("+", "")}`;
}
const whole = (value) => Number(value).toLocaleString("en");
const compact = (value) => (value === undefined ? "–" : Number(value).toLocaleString("en", { notation: "compact", maximumSignificantDigits: 4 }));

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
