// The meeting desk: the agenda is dragged into order, everybody's vote is ticked at once, what is dragged is not redrawn.
(() => {
  let isDragging = false;

  function send(list) {
    const wanted = new URLSearchParams();
    const coming = [...list.querySelectorAll("li.coming")].map((row) => row.dataset.item);
    wanted.set("items", coming.join(","));
    wanted.set("key", `${list.dataset.key}-${coming.join("-")}`);
    htmx.ajax("POST", list.dataset.arrange, { values: Object.fromEntries(wanted), swap: "none", source: list });
  }

  function arrange(root) {
    for (const list of root.querySelectorAll("ol[data-arrange]")) {
      if (list.dataset.ready || typeof Sortable === "undefined") continue;
      list.dataset.ready = "yes";
      Sortable.create(list, {
        handle: ".handle", draggable: "li.coming", animation: 120, ghostClass: "drag-ghost",
        onStart: () => { isDragging = true; },
        onEnd: (event) => { isDragging = false; if (event.oldIndex !== event.newIndex) send(list); },
      });
    }
  }

  document.addEventListener("click", (event) => {
    const up = event.target.closest(".move-up");
    if (up) {
      const row = up.closest("li");
      const before = row.previousElementSibling;
      if (before?.matches(".coming")) { before.before(row); send(row.parentElement); }
    }
    const all = event.target.closest("[data-all]");
    if (all) for (const one of all.closest("form").querySelectorAll(`input[type=radio][value=${all.dataset.all}]`)) one.checked = true;
    const close = event.target.closest("#form .btn-close");
    if (close) { event.preventDefault(); document.getElementById("form").replaceChildren(); }
  });
  // Every few seconds: has somebody else done something? Nothing is redrawn under a finger or an answer to come.
  const isBusy = () => isDragging || document.hidden || document.querySelector(".htmx-request") !== null;
  async function look() {
    const pulse = document.getElementById("pulse");
    if (!pulse || isBusy()) return;
    const answer = await fetch(pulse.dataset.live, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.headers.get("HX-Trigger") === "signedOut") document.dispatchEvent(new Event("signedOut"));
    if (answer?.status !== 200) return;
    const shown = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (isBusy() || !pulse.isConnected) return;
    for (const part of shown.querySelectorAll("[hx-swap-oob]")) {
      const held = document.activeElement?.id;
      part.removeAttribute("hx-swap-oob");
      document.getElementById(part.id)?.replaceWith(part);
      htmx.process(part);
      if (held) document.getElementById(held)?.focus();
    }
    arrange(document);
  }

  document.addEventListener("htmx:oobBeforeSwap", (event) => { if (isDragging) event.preventDefault(); });
  document.addEventListener("htmx:oobAfterSwap", () => arrange(document));
  document.addEventListener("DOMContentLoaded", () => { arrange(document); setInterval(look, 3000); });
})();
