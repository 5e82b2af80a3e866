// Draws the pictures of the boards from the options that stand beside them; light or dark as the page is.
(() => {
  const drawn = new Map();

  function draw(place) {
    drawn.get(place)?.dispose();
    const option = JSON.parse(place.dataset.chart);
    if (option.height_px) place.style.height = `${option.height_px}px`;
    delete option.height_px;
    const isDark = document.documentElement.dataset.bsTheme === "dark";
    const font = getComputedStyle(document.body).fontFamily;
    const chart = echarts.init(place, isDark ? "dark" : null, { renderer: "svg" });
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    chart.setOption({ backgroundColor: "transparent", animation: !isStill, textStyle: { fontFamily: font }, ...option });
    chart.on("click", (event) => { if (event.data?.link) location.assign(event.data.link); });
    drawn.set(place, chart);
  }

  const all = () => document.querySelectorAll("[data-chart]").forEach(draw);
  // What takes longer to count comes when the page is there.
  async function fetchChart(place) {
    const answer = await fetch(place.dataset.chartFrom, { headers: { Accept: "application/json" } }).catch(() => null);
    const option = answer?.ok ? await answer.json() : null;
    place.replaceChildren();
    if (!option) { place.classList.add("chart-empty"); place.textContent = place.dataset.empty; return; }
    place.dataset.chart = JSON.stringify(option);
    draw(place);
  }
  document.addEventListener("DOMContentLoaded", () => {
    if (typeof echarts === "undefined") return;
    all();
    document.querySelectorAll("[data-chart-from]").forEach(fetchChart);
    new MutationObserver(all).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    new ResizeObserver(() => drawn.forEach((chart) => chart.resize())).observe(document.body);
    addEventListener("beforeprint", () => drawn.forEach((chart) => chart.resize()));
  });
  document.addEventListener("htmx:load", (event) => {
    if (typeof echarts === "undefined" || event.detail.elt === document.body) return;
    event.detail.elt.querySelectorAll("[data-chart]").forEach(draw);
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-at-once]");
    if (form) form.requestSubmit();
  });
})();
