// The look inside one search: a cell, a heat map and entropies, at an epoch that a slider chooses.
const searchExplorer = (data, page) => {
  "use strict";
  const root = document.getElementById(data.id);
  const [method, seed, slider] = ["method", "seed", "epoch"].map((name) => root.querySelector(`.${name}`));
  const output = root.querySelector("output");
  const holder = root.querySelector(".cell-scroll");
  const plots = ["alphas", "entropy"].map((name) => document.getElementById(`${data.id}-${name}`));
  const SVG = "http://www.w3.org/2000/svg";
  const DASH = { operation: "solid", inputs: "dot" };
  const BLOCKS = {
    light: ["#0b62a8", "#d1491b", "#00845f", "#b3478f", "#c98a00", "#1c1c1c"],
    dark: ["#5aa9f0", "#ff8a5c", "#3cc79b", "#e58cc7", "#f2be4b", "#f2f2f2"],
  };
  const SCALES = {
    light: [[0, "#c2571a"], [0.25, "#eeb48a"], [0.5, "#f8f8f5"], [0.75, "#85b6de"], [1, "#0b4f8a"]],
    dark: [[0, "#ff9d5c"], [0.25, "#8a5636"], [0.5, "#22262b"], [0.75, "#356a99"], [1, "#7cc0ff"]],
  };
  let run = data.runs[0];
  let at = run.epochs.length - 1;

  const element = (name, attributes, parent, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  };

  // The same drawing as the page's other cells; its parts are laid out already.
  const drawCell = (cell) => {
    const looks = cell.vertices.map(([operation]) => data.operations[operation]);
    const names = looks.map((look, i) => `${i} ${look.label}`).join(", ");
    const svg = element("svg", {
      class: "cell", viewBox: cell.box.join(" "), width: cell.box[2], height: cell.box[3], role: "img",
      "data-cell": cell.hash,
      "aria-label": `Graph of the cell. Vertices: ${names}. Edges: ${cell.links.replaceAll("-", " to ").replaceAll(/(\d) (\d)/g, "$1, $2")}.`,
    });
    const marker = element("marker", {
      id: `${data.id}-arrow`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto",
    }, element("defs", {}, svg));
    element("path", { class: "head", d: "M0 0.8 L7.5 4 L0 7.2 z" }, marker);
    for (const d of cell.paths) {
      element("path", { class: "edge", d, fill: "none", "stroke-width": 1.6, "marker-end": `url(#${data.id}-arrow)` }, svg);
    }
    cell.vertices.forEach(([, x, y], i) => {
      const group = element("g", { class: "vertex" }, svg);
      element("rect", { x: x - 54, y: y - 18, width: 108, height: 36, rx: 7, fill: looks[i].fill }, group);
      element("text", {
        x, y: y + 4.5, "text-anchor": "middle", "font-size": 13, fill: looks[i].white ? "#ffffff" : "#1c1c1c",
        "font-family": "system-ui, Helvetica, Arial, sans-serif",
      }, group, looks[i].label);
    });
    return svg;
  };

  const points = (value) => (value === null ? "not known" : `${value.toFixed(3)} percentage points`);
  const duration = (seconds) => (seconds < 120 ? `${seconds.toPrecision(3)} seconds`
    : seconds < 7200 ? `${(seconds / 60).toFixed(1)} minutes` : `${(seconds / 3600).toFixed(1)} hours`);

  const spells = () => {
    const found = [];
    run.cells.forEach((cell, i) => {
      if (cell !== run.cells[at]) return;
      const last = found[found.length - 1];
      if (last && last[1] === i - 1) last[1] = i; else found.push([i, i]);
    });
    const words = found.map(([a, b]) => (a === b ? run.epochs[a] : `${run.epochs[a]}–${run.epochs[b]}`));
    return words.length > 6 ? `${words.slice(0, 6).join(", ")} and ${words.length - 6} more spells` : words.join(", ");
  };

  const showEpoch = () => {
    const cell = data.cells[run.cells[at]];
    const drawn = holder.querySelector("svg");
    if (drawn.dataset.cell !== cell.hash) drawn.replaceWith(drawCell(cell));
    const facts = {
      test: points(run.test[at]), validation: points(run.validation[at]), hash: cell.hash, since: spells(),
      accuracy: run.accuracy[at] === null ? "not known" : `${run.accuracy[at].toFixed(2)} %`,
      seconds: `${duration(run.seconds[at])} on ${run.device}`,
    };
    for (const [key, value] of Object.entries(facts)) root.querySelector(`[data-fact="${key}"]`).textContent = value;
    slider.value = run.epochs[at];
    output.textContent = `${run.epochs[at]} of ${run.epochs[run.epochs.length - 1]}`;
    slider.setAttribute("aria-valuetext", `epoch ${output.textContent}, test regret ${facts.test}`);
  };

  const marker = () => ({
    type: "line", xref: "x", yref: "paper", x0: run.epochs[at], x1: run.epochs[at], y0: 0, y1: 1,
    line: { color: page.ink().text, width: 1.2, dash: "dot" },
  });
  const xAxis = () => ({
    title: { text: "epoch" }, ...(run.epochs.length <= 10 ? { dtick: 1 } : { tickformat: "d" }), range: [run.epochs[0] - 0.5, run.epochs[run.epochs.length - 1] + 0.5], fixedrange: true,
  });
  const weights = (columns, epoch) => {
    const powers = columns.map((column) => Math.exp(column[epoch]));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  };

  // One row per option, from the top; a row of its own holds the name of each choice.
  const heatMap = () => {
    const rows = [];
    data.choices.forEach((choice, c) => {
      rows.push({ label: `<b>${choice.label}</b>`, z: run.epochs.map(() => null), text: run.epochs.map(() => "") });
      const shares = run.epochs.map((_, e) => weights(run.alphas[c], e));
      choice.options.forEach((option, o) => rows.push({
        label: option, z: run.alphas[c][o],
        text: run.epochs.map((epoch, e) => `${choice.label}: ${option}<br>epoch ${epoch}, weight ${shares[e][o].toPrecision(3)}`),
        taken: run.taken[c].map((bits) => (bits >> o) & 1),
      }));
    });
    const dots = rows.flatMap((row, y) => run.epochs.filter((_, e) => row.taken && row.taken[e]).map((x) => [x, y]));
    const limit = Math.max(...rows.flatMap((row) => row.z.map((value) => Math.abs(value || 0))), 1e-9);
    const soft = page.ink().soft;
    return {
      data: [
        {
          type: "heatmap", x: run.epochs, y: rows.map((_, y) => y), z: rows.map((row) => row.z), text: rows.map((row) => row.text),
          hovertemplate: "%{text}<br>%{z:.3g} above the mean<extra></extra>", hoverongaps: false, zmin: -limit, zmax: limit,
          colorscale: SCALES[page.theme()], ygap: 1, xgap: run.epochs.length > 30 ? 0 : 1,
          colorbar: { orientation: "h", thickness: 9, len: 1, x: 0.5, y: 1, yanchor: "bottom", ypad: 4, outlinewidth: 0, ticklabelposition: "outside top", nticks: 7, tickfont: { color: soft } },
        },
        {
          type: "scatter", mode: "markers", x: dots.map(([x]) => x), y: dots.map(([, y]) => y), hoverinfo: "skip",
          marker: { size: run.epochs.length > 30 ? 2.6 : 4, color: page.ink().text, opacity: 0.75 },
        },
      ],
      layout: {
        xaxis: { ...xAxis(), showgrid: false },
        yaxis: {
          tickvals: rows.map((_, y) => y), ticktext: rows.map((row) => row.label), range: [rows.length - 0.5, -0.5],
          showgrid: false, ticks: "", fixedrange: true, tickfont: { size: 10.5 },
        },
        showlegend: false, margin: { l: 60, r: 16, t: 34, b: 44 }, shapes: [marker()], hovermode: "closest",
      },
    };
  };

  // Differences of less than a hundredth stay flat.
  const span = () => Math.max(1 - Math.min(...run.entropy.flat()), 0.01);
  const entropies = () => ({
    data: data.choices.map((choice, c) => ({
      type: "scatter", mode: run.epochs.length > 1 ? "lines" : "markers", name: choice.label, x: run.epochs, y: run.entropy[c],
      line: { width: 2, dash: DASH[choice.kind], color: BLOCKS[page.theme()][(choice.label.startsWith("output") ? 6 : choice.vertex) - 1] },
      hovertemplate: `<b>${choice.label}</b><br>epoch %{x}: %{y:.4f}<extra></extra>`,
    })),
    layout: {
      xaxis: xAxis(), yaxis: { title: { text: "entropy of the choice" }, range: [1 - 1.05 * span(), 1 + 0.05 * span()], fixedrange: true },
      showlegend: true, hovermode: "closest", shapes: [marker()], margin: { l: 64, r: 16, t: 12, b: 44 },
    },
  });

  const plot = (target, figure, legend) => {
    const layout = { ...page.layout(figure), shapes: figure.layout.shapes, dragmode: false };
    if (legend) {
      layout.showlegend = true;
      layout.legend = { orientation: "h", x: 0, y: -0.12, yanchor: "top", font: { size: 11.5, color: page.ink().soft }, itemwidth: 30 };
    }
    const drawn = Plotly.react(target, figure.data, layout, { ...page.config(), displayModeBar: false });
    if (!target.dataset.clickable) {
      target.dataset.clickable = "true";
      target.on("plotly_click", (event) => goTo(run.epochs.indexOf(Math.round(event.points[0].x))));
    }
    return drawn;
  };

  const draw = () => {
    showEpoch();
    const known = run.alphas.length > 0;
    const note = root.querySelector(".without");
    note.hidden = known;
    note.textContent = known ? "" : `${run.name} has no architecture parameters: it takes the best of random architectures.`;
    if (!plots[0]) return Promise.resolve();
    root.querySelector(".parameters").hidden = !known;
    return known ? Promise.all([plot(plots[0], heatMap()), plot(plots[1], entropies(), true)]) : Promise.resolve();
  };

  let waiting = false;
  const moveMarkers = () => {
    if (waiting || !run.alphas.length) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      for (const target of plots) Plotly.relayout(target, { shapes: [marker()] });
    });
  };
  const goTo = (index) => {
    if (index < 0) return;
    at = index;
    showEpoch();
    moveMarkers();
  };

  const choose = () => {
    const epoch = run.epochs[at];
    const wasLast = at === run.epochs.length - 1;
    const mine = data.runs.filter((other) => other.method === method.value);
    run = mine.find((other) => String(other.seed) === seed.value) || mine[0];
    seed.replaceChildren(...mine.map((other) => new Option(other.seed, other.seed, false, other === run)));
    slider.min = run.epochs[0];
    slider.max = run.epochs[run.epochs.length - 1];
    at = wasLast || !run.epochs.includes(epoch) ? run.epochs.length - 1 : run.epochs.indexOf(epoch);
    return draw();
  };
  method.addEventListener("change", choose);
  seed.addEventListener("change", choose);
  slider.addEventListener("input", () => goTo(run.epochs.indexOf(Number(slider.value))));
  method.value = run.method;
  seed.value = run.seed;
  return draw;
};
