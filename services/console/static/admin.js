// What takes long says so, and is not sent twice.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-wait]");
  if (!form) return;
  if (form.getAttribute("aria-busy") === "true") { event.preventDefault(); return; }
  form.setAttribute("aria-busy", "true");
  const note = document.createElement("p");
  note.className = "px-3 text-secondary";
  note.setAttribute("role", "status");
  const wheel = document.createElement("span");
  wheel.className = "spinner-border spinner-border-sm me-2";
  note.append(wheel, form.dataset.wait);
  form.append(note);
});
