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
    if (event.target.closest("[data-close]")) {
      event.target.closest("dialog").close();
      refreshTokens().catch(() => {});
    }
  });

  function addRow(rows) {
    const list = $(".rows-list", rows);
    const number = list.children.length;
    const row = document.createElement("div");
    row.className = "row-one";
    row.append($("template", rows).content.cloneNode(true));
    for (const part of row.querySelectorAll("[name],[id],[for],[data-name]")) {
      for (const attribute of ["name", "id", "for", "data-name"]) {
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
        const pick = form.querySelector(`.pick[data-name="${CSS.escape(name)}"]`);
        if (pick?.querySelector("input[type=hidden]")) continue;
        if (pick) { pick.dispatchEvent(new CustomEvent("pick:set", { detail: values })); continue; }
        const fields = form.querySelectorAll(`[name="${CSS.escape(name)}"]`);
        fields.forEach((field, place) => {
          if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
          else if (!field.value && field.type !== "file") field.value = values[place] ?? "";
        });
      }
    }
  }
  // A form was taken when the next page says that something was done, or does not ask for it again.
  const SENT = "sent";
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form");
    try {
      if (form.dataset.keep) sessionStorage.setItem(SENT, keyOf(form));
      if (form.getAttribute("action") === "/sign-out") sessionStorage.clear();
    } catch { /* nothing was kept */ }
  }, true);
  function forget(isTaken) {
    try {
      const sent = sessionStorage.getItem(SENT);
      if (!sent || location.pathname === "/sign-in") return;
      const again = [...document.querySelectorAll("form[data-keep]")].find((form) => keyOf(form) === sent);
      if (again && !isTaken(again)) return;
      sessionStorage.removeItem(SENT);
      sessionStorage.removeItem(sent);
    } catch { /* nothing was kept */ }
  }
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.requestConfig?.verb === "post") forget((form) => !$("[role=alert], [aria-invalid=true]", form));
  });
  // Who has signed in again beside a form sends it with a token that is his.
  async function refreshTokens() {
    const answer = await fetch("/form-token");
    const { form_token: token } = await answer.json();
    for (const field of document.querySelectorAll("input[name=form_token]")) field.value = token;
    document.body.setAttribute("hx-headers", JSON.stringify({ "X-Form-Token": token }));
  }
  document.addEventListener("htmx:load", (event) => restore(event.detail.elt.parentElement ?? document));
  document.addEventListener("signedOut", () => $("#signed-out").showModal());
  document.addEventListener("DOMContentLoaded", () => {
    forget(() => new URLSearchParams(location.search).has("done"));
    restore(document);
    if ("serviceWorker" in navigator) navigator.serviceWorker.register("/static/worker.js", { scope: "/" }).catch(() => {});
  });
})();
