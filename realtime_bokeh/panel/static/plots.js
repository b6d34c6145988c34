/** Plots of the last minute, with a title, numbers and a text alternative. */

const MINUTE_MS = 60_000;
const GAP_MS = 3000; // between measurements that no line joins
const SVG = "http://www.w3.org/2000/svg";
const STEPS = [1, 1.5, 2, 3, 4, 6, 8, 10]; // times a power of ten: ends of an axis whose half is round

class Plot {
  #points = []; // {at, values}
  #lines;

  /** `series`: for each line, its name and the key of `measured` that it shows. */
  constructor(figure, title, unit, least, series) {
    this.figure = figure;
    this.title = title;
    this.unit = unit;
    this.least = least; // to which the axis goes at least
    this.series = series;
    figure.innerHTML = `
      <figcaption><h2></h2><p></p></figcaption>
      <div class="plot">
        <svg role="img" viewBox="0 0 100 100" preserveAspectRatio="none">
          <path class="grid" d="M0 0H100M0 50H100M0 100H100"/>
        </svg>
        <span class="high"></span><span class="half"></span><span class="zero">0</span>
      </div>
      <div class="time"><span>60 s ago</span><span>30 s</span><span>now</span></div>`;
    figure.querySelector("h2").textContent = title;
    this.svg = figure.querySelector("svg");
    this.#lines = series.map((_, index) => {
      const line = document.createElementNS(SVG, "path");
      line.setAttribute("class", `line line-${index}`);
      this.svg.append(line);
      return line;
    });
    const numbers = series.map(([name], index) => {
      const number = document.createElement("span");
      number.className = `number number-${index}`;
      number.append(Object.assign(document.createElement("b"), { textContent: "–" }), ` ${name}`);
      return number;
    });
    figure.querySelector("p").append(...numbers);
  }

  /** Takes a measurement, or null while nothing runs. */
  add(measured) {
    const now = performance.now();
    if (measured) this.#points.push({ at: now, values: this.series.map(([, key]) => measured[key]) });
    this.#points = this.#points.filter(({ at }) => now - at < MINUTE_MS);
    if (!document.hidden) this.#draw(now, measured);
  }

  #draw(now, measured) {
    const top = ceiling(Math.max(this.least, ...this.#points.flatMap(({ values }) => values)));
    this.figure.querySelector(".high").textContent = `${top} ${this.unit}`;
    this.figure.querySelector(".half").textContent = top / 2;
    this.#lines.forEach((line, index) => line.setAttribute("d", this.#path(index, now, top)));
    this.figure.querySelectorAll("b").forEach((number, index) => {
      number.textContent = measured ? spoken(measured[this.series[index][1]]) : "–";
    });
    this.svg.setAttribute("aria-label", this.#inWords());
  }

  #path(index, now, top) {
    let before = -Infinity;
    return this.#points.map(({ at, values }) => {
      const x = 100 * (1 - (now - at) / MINUTE_MS);
      const y = 100 * (1 - values[index] / top);
      const joins = at - before < GAP_MS;
      before = at;
      return `${joins ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`;
    }).join("");
  }

  #inWords() {
    if (!this.#points.length) return `${this.title}: nothing measured in the last minute`;
    const parts = this.series.map(([name], index) => {
      const values = this.#points.map((point) => point.values[index]);
      const [least, most] = [Math.min(...values), Math.max(...values)];
      return `${name} ${spoken(values.at(-1))}, from ${spoken(least)} to ${spoken(most)}`;
    });
    return `${this.title} of the last minute in ${this.unit}: ${parts.join("; ")}`;
  }
}

const spoken = (value) => value.toFixed(value < 100 ? 1 : 0);

function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return STEPS.map((step) => step * power).find((end) => end >= value);
}

const plots = [
  new Plot(document.getElementById("rate"), "Frame rate", "fps", 30,
    [["out", "fps_out"], ["in", "fps_in"]]),
  new Plot(document.getElementById("latency"), "Latency", "ms", 50,
    [["median", "latency_p50_ms"], ["slowest 1%", "latency_p99_ms"]]),
];

/** Shows what was measured; null while nothing runs. */
export function show(measured) {
  for (const plot of plots) plot.add(measured);
}
