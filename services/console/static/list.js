// Lists: pick rows for one command, and filters that act when they are chosen.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("[data-bulk]");
  document.querySelector("[data-filters]")?.addEventListener("submit", (event) => {
    // What is empty has no place in an address that is kept or sent on.
    for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true;
  });
  if (!form) return;
  const bar = form.querySelector("[data-bar]"), all = form.querySelector("[data-all]");
  const boxes = () => [...form.querySelectorAll("[name=case]")];
  function count() {
    const picked = boxes().filter((box) => box.checked).length;
    bar.hidden = !picked;
    bar.querySelector("[data-picked]").textContent = picked;
    all.checked = picked > 0 && picked === boxes().length;
    all.indeterminate = picked > 0 && !all.checked;
  }
  form.addEventListener("change", (event) => {
    if (event.target === all) boxes().forEach((box) => { box.checked = all.checked; });
    count();
  });
  form.addEventListener("reset", () => setTimeout(count));
  addEventListener("pageshow", count);
  count();
});
