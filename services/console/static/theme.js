// Before the page is drawn: light or dark, as chosen here or as the system is.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("theme"); } catch { /* no store, no choice */ }
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
})();
