"use strict";
(() => {
  const report = JSON.parse(document.getElementById("report-data").textContent);
  const hidden = new Set();
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const narrow = window.matchMedia("(max-width: 52rem)");
  let statistic = "mean";
  let printing = false;

  const theme = () => (dark.matches && !printing ? "dark" : "light");
  const ink = () => (theme() === "dark"
    ? { text: "#e9e9e6", soft: "#a7a9ab", grid: "#33373c", card: "#1c1f23" }
    : { text: "#1c1c1c", soft: "#5d5d5d", grid: "#e7e7e2", card: "#ffffff" });
  const colour = (method) => (report.styles[method] || {})[theme()] || ink().soft;
  const faint = (hex, alpha) => {
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
    return `rgba(${r},${g},${b},${alpha})`;
  };

  const shown = (trace) =>
    !hidden.has(trace.meta.method) && (!trace.meta.statistic || trace.meta.statistic === statistic);

  // Traces come without colours; the page's theme gives them.
  const painted = (trace) => {
    const base = colour(trace.meta.method);
    const copy = { ...trace, visible: shown(trace) };
    if (trace.line) copy.line = { ...trace.line, color: base };
    if (trace.marker) copy.marker = { ...trace.marker, color: base };
    if (trace.meta.role === "marks") copy.marker.line = { ...trace.marker.line, color: base };
    if (trace.meta.role === "band") copy.fillcolor = faint(base, theme() === "dark" ? 0.13 : 0.09);
    if (trace.meta.role === "box") copy.fillcolor = faint(base, 0.1);
    if (trace.meta.role === "mean") {
      copy.marker.line = { ...trace.marker.line, color: ink().card };
      if (trace.error_x) copy.error_x = { ...trace.error_x, color: base };
    }
    return copy;
  };

  const axis = (given) => ({
    gridcolor: ink().grid, zeroline: false, linecolor: ink().grid, ticks: "outside",
    tickcolor: ink().grid, ticklen: 4, automargin: true, ...given,
    ...(given.title ? { title: { ...given.title, standoff: 10 } } : {}),
  });

  const layout = (figure) => ({
    ...figure.layout,
    xaxis: axis(figure.layout.xaxis),
    yaxis: axis(figure.layout.yaxis),
    ...(figure.layout.yaxis2 ? { yaxis2: axis(figure.layout.yaxis2) } : {}),
    margin: narrow.matches ? { l: 46, r: 8, t: 8, b: 44 } : figure.layout.margin,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: narrow.matches ? 11 : 12.5, color: ink().soft },
    hoverlabel: { bgcolor: ink().card, bordercolor: ink().grid, font: { color: ink().text, size: 12.5 }, align: "left" },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: ink().grid, activecolor: ink().soft },
    dragmode: narrow.matches ? false : "zoom",
  });

  const config = () => ({
    responsive: true, displayModeBar: narrow.matches ? false : "hover", displaylogo: false, scrollZoom: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
  });

  const explorers = (report.explorers || []).map((data) => searchExplorer(data, { theme, ink, layout, config }));
  const draw = () => Promise.all([
    ...report.figures.map((figure) =>
      Plotly.react(document.getElementById(figure.id), figure.data.map(painted), layout(figure), config())),
    ...explorers.map((explorer) => explorer()),
  ]);

  const paintSwatches = () => {
    for (const mark of document.querySelectorAll(".dash")) mark.style.stroke = colour(mark.dataset.method);
    for (const mark of document.querySelectorAll(".swatch")) mark.style.background = colour(mark.dataset.method);
  };

  const refresh = () => {
    for (const chip of document.querySelectorAll(".chip")) {
      chip.setAttribute("aria-pressed", String(!hidden.has(chip.dataset.method)));
    }
    for (const row of document.querySelectorAll("tr[data-row]")) {
      row.classList.toggle("off", hidden.has(row.dataset.row));
    }
    for (const button of document.querySelectorAll(".switch button")) {
      button.setAttribute("aria-pressed", String(button.dataset.statistic === statistic));
    }
    paintSwatches();
    return draw();
  };

  const methods = Object.keys(report.styles);
  for (const chip of document.querySelectorAll(".chip")) {
    const method = chip.dataset.method;
    chip.title = "Click: on or off. Double click: only this one, or all.";
    chip.addEventListener("click", () => {
      if (hidden.has(method)) hidden.delete(method); else hidden.add(method);
      refresh();
    });
    chip.addEventListener("dblclick", () => {
      const alone = hidden.size === methods.length - 1 && !hidden.has(method);
      hidden.clear();
      if (!alone) methods.filter((other) => other !== method).forEach((other) => hidden.add(other));
      refresh();
    });
  }
  for (const button of document.querySelectorAll(".switch button")) {
    button.addEventListener("click", () => { statistic = button.dataset.statistic; refresh(); });
  }
  for (const button of document.querySelectorAll(".copy")) {
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        window.getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }

  dark.addEventListener("change", refresh);
  narrow.addEventListener("change", refresh);
  window.addEventListener("beforeprint", () => {
    printing = true;
    document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
    refresh();
  });
  window.addEventListener("afterprint", () => { printing = false; refresh(); });

  refresh().then(() => { document.body.dataset.ready = "true"; });
})();
