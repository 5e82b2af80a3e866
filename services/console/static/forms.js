// Fields that are chosen by name (organisations, people, categories, cases), and files that are seen before they go.
(() => {
  const WAIT = 180;
  let made = 0;

  function dress(place) {
    place.dataset.ready = "";
    const { kind, name, process = "", empty, remove } = place.dataset;
    const many = "many" in place.dataset;
    const known = JSON.parse(place.dataset.known || "{}");
    const typed = place.querySelectorAll("input");
    const field = typed[0];
    let held = [...typed].map((one) => one.value.trim()).filter(Boolean);
    for (const one of [...typed].slice(1)) one.remove();
    const isRequired = field.required;
    const list = document.createElement("div");
    const chips = document.createElement("div");
    const hidden = document.createElement("div");
    let choices = [], at = -1, timer = 0, asked = "";

    list.id = `pick-${++made}`;
    list.className = "dropdown-menu pick-list";
    list.setAttribute("role", "listbox");
    chips.className = "pick-chips";
    field.removeAttribute("name");
    field.removeAttribute("maxlength");
    field.autocomplete = "off";
    for (const [attribute, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id })) field.setAttribute(attribute, value);
    if (many) place.prepend(chips);
    place.append(list, hidden);

    function show() {
      hidden.replaceChildren(...held.map((code) => {
        const one = document.createElement("input");
        Object.assign(one, { type: "hidden", name, value: code });
        return one;
      }));
      field.required = isRequired && !held.length;
      if (!many) {
        field.value = held.length ? known[held[0]] ?? held[0] : "";
      } else {
        chips.replaceChildren(...held.map((code) => {
          const chip = document.createElement("span");
          const cross = document.createElement("button");
          chip.className = "badge bg-primary-lt";
          chip.textContent = known[code] ?? code;
          Object.assign(cross, { type: "button", className: "btn-close ms-1", ariaLabel: `${remove} ${known[code] ?? code}` });
          cross.addEventListener("click", () => { held = held.filter((one) => one !== code); tell(); field.focus(); });
          chip.append(cross);
          return chip;
        }));
        field.value = "";
      }
    }
    function tell() { show(); hidden.dispatchEvent(new Event("input", { bubbles: true })); }
    function close() {
      list.classList.remove("show");
      field.setAttribute("aria-expanded", "false");
      field.removeAttribute("aria-activedescendant");
      at = -1;
    }
    function choose(one) {
      known[one.code] = one.name;
      held = many ? [...new Set([...held, one.code])] : [one.code];
      close();
      tell();
    }
    function mark(next) {
      const options = list.querySelectorAll("[role=option]");
      if (!options.length) return;
      at = (next + options.length) % options.length;
      options.forEach((one, place) => { one.classList.toggle("active", place === at); one.setAttribute("aria-selected", String(place === at)); });
      field.setAttribute("aria-activedescendant", options[at].id);
      options[at].scrollIntoView({ block: "nearest" });
    }
    async function search() {
      asked = field.value.trim();
      const words = asked;
      const offers = place.dataset.offers && JSON.parse(place.dataset.offers).map(([code, called]) => ({ code, name: called }));
      if (offers) choices = offers.filter((one) => one.name.includes(words));
      else try {
        const answer = await fetch(`/choices/${kind}?q=${encodeURIComponent(words)}&process=${encodeURIComponent(process)}`);
        choices = answer.ok ? (await answer.json()).items : [];
      } catch { choices = []; }
      if (words !== field.value.trim() || document.activeElement !== field) return;
      list.replaceChildren(...choices.map((one, place) => {
        const option = document.createElement("div");
        const code = document.createElement("small");
        Object.assign(option, { id: `${list.id}-${place}`, className: "dropdown-item" });
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        code.className = "text-secondary ms-auto ps-3";
        code.textContent = offers || one.code === one.name ? "" : one.code;
        option.append(one.name, code);
        option.addEventListener("mousedown", (event) => { event.preventDefault(); choose(one); });
        return option;
      }));
      if (!choices.length) {
        const none = document.createElement("div");
        none.className = "dropdown-item disabled";
        none.textContent = empty;
        list.append(none);
      }
      at = -1;
      list.classList.add("show");
      field.setAttribute("aria-expanded", "true");
    }
    field.addEventListener("focus", () => { if (!many) field.select(); search(); });
    field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, WAIT); });
    field.addEventListener("keydown", (event) => {
      const isOpen = list.classList.contains("show");
      if (event.key === "ArrowDown") { event.preventDefault(); isOpen ? mark(at + 1) : search(); }
      else if (event.key === "ArrowUp" && isOpen) { event.preventDefault(); mark(at - 1); }
      else if (event.key === "Enter" && isOpen && (at >= 0 || choices.length === 1)) { event.preventDefault(); choose(choices[Math.max(at, 0)]); }
      else if (event.key === "Escape" && isOpen) { event.preventDefault(); close(); }
      else if (event.key === "Backspace" && many && !field.value && held.length) { held.pop(); tell(); }
    });
    field.addEventListener("blur", () => {
      clearTimeout(timer);
      const words = field.value.trim();
      const same = choices.find((one) => one.name === words || one.code === words) ?? (asked === words && choices.length === 1 ? choices[0] : null);
      close();
      if (!words && !many && held.length) { held = []; tell(); }
      else if (words && same && !held.includes(same.code)) choose(same);
      else if (words && (many || !held.length || (known[held[0]] ?? held[0]) !== words)) {
        // What nobody knows is sent as it is, so that the answer says what is wrong with it.
        held = many ? [...new Set([...held, words])] : [words];
        tell();
      }
    });
    place.addEventListener("pick:set", async (event) => {
      held = event.detail.filter(Boolean);
      await Promise.all(held.filter((code) => !(code in known)).map(async (code) => {
        const answer = await fetch(`/choices/${kind}?q=${encodeURIComponent(code)}&process=${encodeURIComponent(process)}`);
        const found = answer.ok ? (await answer.json()).items.find((one) => one.code === code) : null;
        if (found) known[code] = found.name;
      }));
      show();
    });
    show();
    const unnamed = held.filter((code) => (known[code] ?? code) === code);
    if (unnamed.length) { for (const code of unnamed) delete known[code]; place.dispatchEvent(new CustomEvent("pick:set", { detail: held })); }
  }

  // --- files --------------------------------------------------------------------------------------------------

  document.addEventListener("change", (event) => {
    const field = event.target.closest("input[type=file][data-preview]");
    if (!field) return;
    const place = document.getElementById(field.dataset.preview);
    for (const old of place.querySelectorAll("img")) URL.revokeObjectURL(old.src);
    place.replaceChildren(...[...field.files].map((file) => {
      const one = document.createElement(file.type.startsWith("image/") ? "img" : "span");
      if (one.tagName === "IMG") Object.assign(one, { src: URL.createObjectURL(file), alt: file.name, className: "thumb" });
      else Object.assign(one, { textContent: file.name, className: "badge bg-secondary-lt" });
      return one;
    }));
  });

  document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) print(); });

  const look = (root) => root.querySelectorAll?.(".pick:not([data-ready])").forEach(dress);
  new MutationObserver((changes) => changes.forEach((one) => one.addedNodes.forEach((node) => node.nodeType === 1 && (node.matches(".pick:not([data-ready])") ? dress(node) : look(node))))).observe(document.documentElement, { childList: true, subtree: true });
  look(document);

  // A form whose command was taken elsewhere is not sent by the way back; one that is being sent is not sent again.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    // What is only looked at, in another tab, leaves the form where it is.
    if (form.method !== "post" || form.matches("[hx-post]") || event.submitter?.formTarget) return;
    if ("sending" in form.dataset) { event.preventDefault(); return; }
    form.dataset.sending = "";
    setTimeout(() => delete form.dataset.sending, 8000);
  });
})();
