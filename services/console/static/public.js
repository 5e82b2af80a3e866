// Small comforts of the public pages; every one of them works without.
(() => {
  document.documentElement.classList.add("js");
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });
  // Who must call somebody in the middle of writing finds his words again.
  for (const form of document.querySelectorAll("form[data-keep]")) {
    const key = "draft:" + form.dataset.keep;
    const fields = form.querySelectorAll("textarea");
    try {
      for (const one of fields) if (!one.value) one.value = sessionStorage.getItem(key + one.name) ?? "";
      form.addEventListener("input", () => fields.forEach((one) => sessionStorage.setItem(key + one.name, one.value)));
      form.addEventListener("submit", () => fields.forEach((one) => sessionStorage.removeItem(key + one.name)));
    } catch { /* no store, nothing kept */ }
  }
  // A second tap sends nothing twice.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "1";
    addEventListener("pageshow", () => delete event.target.dataset.sent, { once: true });
  });
})();
