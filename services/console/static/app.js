// The few lines that every page needs: theme, rows of lists, drafts that survive a session, a word of what was done.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);

  document.addEventListener("click", (event) => {
    if (event.target.closest(".btn-theme")) {
      const root = document.documentElement;
      root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
      try { localStorage.setItem("theme", root.dataset.bsTheme); } catch { /* kept for this page only */ }
    }
    const add = event.target.closest(".rows-add");
    if (add) addRow(add.closest(".rows"));
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  });

  function addRow(rows) {
    const list = $(".rows-list", rows);
    const number = list.children.length;
    const row = document.createElement("div");
    row.className = "row-one";
    row.append($("template", rows).content.cloneNode(true));
    for (const part of row.querySelectorAll("[name],[id],[for]")) {
      for (const attribute of ["name", "id", "for"]) {
        const held = part.getAttribute(attribute);
        if (held) part.setAttribute(attribute, held.replace("#", number));
      }
    }
    list.append(row);
    $("input,select,textarea", row)?.focus();
  }

  // What was typed stays when the session ends or the net is gone, until the form was taken.
  const keyOf = (form) => "draft:" + form.dataset.keep;
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-keep]");
    if (!form) return;
    const held = {};
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && name !== "form_token" && name !== "key") (held[name] ??= []).push(value);
    }
    try { sessionStorage.setItem(keyOf(form), JSON.stringify(held)); } catch { /* nothing is kept */ }
  });
  function restore(root) {
    for (const form of root.querySelectorAll("form[data-keep]")) {
      let held = null;
      try { held = JSON.parse(sessionStorage.getItem(keyOf(form))); } catch { /* no draft */ }
      for (const [name, values] of Object.entries(held ?? {})) {
        const fields = form.querySelectorAll(`[name="${CSS.escape(name)}"]`);
        fields.forEach((field, place) => {
          if (field.type === "checkbox") field.checked = values.includes(field.value);
          else if (!field.value && field.type !== "file") field.value = values[place] ?? "";
        });
      }
    }
  }
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-keep]");
    if (form) setTimeout(() => { try { sessionStorage.removeItem(keyOf(form)); } catch { /* none */ } }, 3000);
  });
  document.addEventListener("htmx:load", (event) => restore(event.detail.elt.parentElement ?? document));
  document.addEventListener("signedOut", () => $("#signed-out").showModal());
  document.addEventListener("DOMContentLoaded", () => {
    restore(document);
    if ("serviceWorker" in navigator) navigator.serviceWorker.register("/static/worker.js", { scope: "/" }).catch(() => {});
  });
})();
