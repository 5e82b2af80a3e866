// A new issue on a phone: photos made small, a kind found by its words, a place by a tap, and nothing lost without a net.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const make = (name, attributes = {}, ...inner) => {
    const one = Object.assign(document.createElement(name), attributes);
    one.append(...inner);
    return one;
  };
  document.addEventListener("click", async (event) => {
    if (event.target.closest("[data-print]")) print();
    const copy = event.target.closest("[data-copy]");
    if (copy && navigator.clipboard) {
      event.preventDefault();
      await navigator.clipboard.writeText(copy.href);
      copy.lastChild.textContent = ` ${copy.dataset.copy}`;
    }
  });
  document.addEventListener("DOMContentLoaded", () => {
    const form = $("#new-issue");
    if (!form) return;
    const words = JSON.parse(form.dataset.words);
    const pictures = photos(form, words);
    const kind = kinds(form, words);
    place(form, words);
    sending(form, words, pictures, kind);
  });

  // --- photos ------------------------------------------------------------------------------------------------
  const WIDEST = 1600, SMALL = 400_000;
  function photos(form, words) {
    const album = $("[data-album]", form), camera = $("[data-camera]", form), shelf = $("[data-photos]", form);
    let taken = [];
    camera.removeAttribute("name");
    for (const input of [album, camera]) {
      input.addEventListener("change", async () => {
        const fresh = [...input.files].filter((file) => !taken.includes(file));
        if (input === camera) camera.value = "";
        for (const file of fresh) taken.push(await smaller(file));
        show();
      });
    }
    async function smaller(file) {
      if (!/^image\/(jpeg|png|webp)$/.test(file.type)) return file;
      try {
        const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
        const part = Math.min(1, WIDEST / Math.max(picture.width, picture.height));
        if (part === 1 && file.size <= SMALL) return file;
        const canvas = make("canvas", { width: Math.round(picture.width * part), height: Math.round(picture.height * part) });
        canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
        const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.82));
        return blob && blob.size < file.size ? new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" }) : file;
      } catch {
        return file;
      }
    }
    function show() {
      const held = new DataTransfer();
      taken.forEach((file) => held.items.add(file));
      album.files = held.files;
      taken = [...album.files];
      shelf.querySelectorAll(".photo").forEach((one) => one.remove());
      taken.forEach((file, place) => {
        const drop = make("button", { type: "button", textContent: "×", ariaLabel: `${words.remove} ${place + 1}` });
        drop.addEventListener("click", () => { taken.splice(place, 1); show(); });
        const card = make("div", { className: "photo" });
        if (file.type.startsWith("image/")) {
          const picture = make("img", { alt: `${words.photo} ${place + 1}`, src: URL.createObjectURL(file) });
          picture.addEventListener("load", () => URL.revokeObjectURL(picture.src), { once: true });
          card.append(picture);
        } else card.append(make("span", { className: "name", textContent: file.name }));
        card.append(drop);
        shelf.append(card);
      });
    }
    return { put: (files) => { taken = [...files]; show(); } };
  }

  // --- the kind of issue -------------------------------------------------------------------------------------
  const pairs = (text) => {
    const plain = text.toLowerCase();
    const found = new Set(plain.match(/[a-z]{3,}/g) ?? []);
    const han = plain.match(/\p{Script=Han}+/gu) ?? [];
    for (const run of han) for (let i = 0; i + 1 < run.length; i += 1) found.add(run.slice(i, i + 2));
    return found;
  };
  function kinds(form, words) {
    const select = $("#category_code", form), danger = $("#danger", form);
    const every = [...select.options].filter((one) => one.value).map((one) => ({
      option: one, code: one.value, name: one.textContent.trim(), group: one.parentElement.label, text: `${one.value} ${one.dataset.words}`.toLowerCase(), pairs: pairs(one.dataset.words),
    }));
    const input = make("input", { type: "text", className: select.className.replace("form-select", "form-control"), autocomplete: "off", placeholder: select.options[0].textContent });
    input.setAttribute("aria-describedby", select.getAttribute("aria-describedby"));
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": "kind-list", "aria-autocomplete": "list", "aria-haspopup": "listbox" })) input.setAttribute(name, value);
    const list = make("ul", { className: "combo-list", id: "kind-list", hidden: true });
    list.setAttribute("role", "listbox");
    const chips = make("div", { className: "chips" });
    list.setAttribute("aria-label", $("label[for=category_code]", form).textContent);
    select.after(make("div", { className: "combo" }, input, list), chips);
    // Still there for whatever fills in forms by itself; people and their screen readers meet the field above.
    select.classList.add("visually-hidden");
    select.tabIndex = -1;
    select.setAttribute("aria-hidden", "true");
    select.addEventListener("change", () => choose(select.value));
    input.id = "category_code";
    select.id = "category_select";
    let shown = [], at = -1;
    const named = (one) => (one ? `${one.group} / ${one.name}` : "");
    function choose(code, isTyped = false) {
      const one = every.find((each) => each.code === code);
      select.value = one ? code : "";
      if (!isTyped) input.value = named(one);
      if (one?.option.hasAttribute("data-danger")) danger.checked = true;
      close();
      suggest();
    }
    function close() { list.hidden = true; at = -1; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); }
    function open() {
      const wanted = input.value.trim().toLowerCase();
      const isName = wanted === named(every.find((each) => each.code === select.value)).toLowerCase();
      shown = every.filter((one) => !wanted || isName || wanted.split(/\s+/).every((word) => one.text.includes(word) || named(one).toLowerCase().includes(word)));
      list.replaceChildren(...shown.map((one, place) => {
        const item = make("li", { id: `kind-${place}` }, one.name, make("small", { textContent: one.group }));
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        item.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(one.code); });
        return item;
      }));
      if (!shown.length) { const none = make("li", { textContent: words.none }); none.setAttribute("role", "option"); none.setAttribute("aria-disabled", "true"); none.setAttribute("aria-selected", "false"); list.append(none); }
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    }
    function move(step) {
      if (list.hidden) open();
      if (!shown.length) return;
      at = (at + step + shown.length) % shown.length;
      [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
      input.setAttribute("aria-activedescendant", `kind-${at}`);
      list.children[at].scrollIntoView({ block: "nearest" });
    }
    input.addEventListener("focus", open);
    input.addEventListener("click", () => { if (list.hidden) open(); });
    input.addEventListener("input", () => { if (select.value) choose("", true); open(); at = -1; if (shown.length) move(1); });
    input.addEventListener("blur", () => { close(); input.value = named(every.find((each) => each.code === select.value)); });
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); move(event.key === "ArrowDown" ? 1 : -1); }
      else if (event.key === "Enter" && !list.hidden) { event.preventDefault(); if (at >= 0) choose(shown[at].code); }
      else if (event.key === "Escape") close();
    });
    // What the words themselves say that it is.
    function suggest() {
      const said = pairs(`${$("#title", form).value} ${$("#description", form).value}`);
      const fits = every.map((one) => ({ one, shared: [...one.pairs].filter((pair) => said.has(pair)).length })).filter((fit) => fit.shared).sort((a, b) => b.shared - a.shared).slice(0, 3);
      chips.replaceChildren(...fits.map(({ one }) => {
        const chip = make("button", { type: "button", className: "chip", textContent: one.name, ariaPressed: String(select.value === one.code) });
        chip.addEventListener("click", () => choose(select.value === one.code ? "" : one.code));
        return chip;
      }));
    }
    for (const name of ["#title", "#description"]) $(name, form).addEventListener("input", suggest);
    input.value = named(every.find((each) => each.code === select.value));
    suggest();
    return { refresh: () => { input.value = named(every.find((each) => each.code === select.value)); suggest(); } };
  }

  // --- the place ---------------------------------------------------------------------------------------------
  function place(form, words) {
    const field = (name) => $(`[name="${name}"]`, form);
    function mark(lat, lon) {
      field("location.lat").value = lat === null ? "" : lat.toFixed(6);
      field("location.lon").value = lon === null ? "" : lon.toFixed(6);
      const pin = $("[data-pin]", form), drawn = $("[data-sketch]", form)?.dataset;
      if (!pin || !drawn.west) return;
      pin.setAttribute("visibility", lat === null ? "hidden" : "visible");
      if (lat !== null) pin.setAttribute("transform", `translate(${+drawn.margin + (lon - drawn.west) * drawn.across} ${+drawn.margin + (drawn.north - lat) * drawn.down})`);
    }
    function choose(code) {
      field("grid").value = code;
      form.querySelectorAll("[data-grid]").forEach((one) => one.classList.toggle("is-chosen", one.dataset.grid === code));
    }
    form.addEventListener("change", (event) => { if (event.target.name === "grid") { choose(event.target.value); mark(null, null); } });
    form.addEventListener("click", (event) => {
      const grid = event.target.closest("[data-grid]");
      if (grid) {
        choose(grid.dataset.grid);
        const drawn = grid.closest("svg"), held = drawn.dataset;
        if (held.west) {
          const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawn.getScreenCTM().inverse());
          mark(+held.north - (at.y - held.margin) / held.down, +held.west + (at.x - held.margin) / held.across);
        }
      }
      const button = event.target.closest("[data-locate]");
      if (button) locate(button);
    });
    function locate(button) {
      const say = (text) => { $("[data-located]", form).textContent = text; };
      if (!navigator.geolocation) return say(words.nowhere);
      button.disabled = true;
      say(words.locating);
      navigator.geolocation.getCurrentPosition(({ coords }) => {
        button.disabled = false;
        mark(coords.latitude, coords.longitude);
        const code = gridAt(coords);
        if (code) choose(code);
        const drawn = $("[data-sketch]", form);
        say(drawn?.dataset.west && !code ? words.outside : `${words.here} ±${Math.round(coords.accuracy)} m`);
      }, () => { button.disabled = false; say(words.nowhere); }, { enableHighAccuracy: true, timeout: 10_000, maximumAge: 60_000 });
    }
    function gridAt({ latitude, longitude }) {
      const drawn = $("[data-sketch]", form);
      if (!drawn?.dataset.west) return "";
      const at = drawn.createSVGPoint(), held = drawn.dataset;
      at.x = +held.margin + (longitude - held.west) * held.across;
      at.y = +held.margin + (held.north - latitude) * held.down;
      return [...drawn.querySelectorAll("[data-grid]")].find((one) => $("polygon", one).isPointInFill(at))?.dataset.grid ?? "";
    }
    const { value: lat } = field("location.lat"), { value: lon } = field("location.lon");
    if (lat && lon) mark(+lat, +lon);
  }

  // --- sending -----------------------------------------------------------------------------------------------
  function sending(form, words, pictures, kind) {
    const button = $("[type=submit]", form), label = $("span", button), usual = label.textContent;
    const net = $("[data-net]", form);
    const showNet = () => { net.hidden = navigator.onLine; };
    addEventListener("online", showNet);
    addEventListener("offline", showNet);
    showNet();
    const busy = (is) => { button.disabled = is; button.setAttribute("aria-busy", String(is)); label.textContent = is ? words.sending : usual; };
    const newKey = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
    const forget = () => { try { sessionStorage.removeItem(`draft:${form.dataset.keep}`); } catch { /* no draft */ } };

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (button.disabled) return;
      busy(true);
      const fields = [...new FormData(form)].filter(([name, value]) => !["form_token", "key"].includes(name) && !(value instanceof File && !value.size));
      const item = { key: form.elements.key.value, who: form.dataset.who, title: form.elements.title.value, at: Date.now(), state: "waiting", fields };
      try {
        await Outbox.put(item);
      } catch {
        // No room on this telephone: the plain way, which needs a net.
        if (!navigator.onLine) { complain({ detail: words.full }); return busy(false); }
        return form.submit();
      }
      const done = await Outbox.send().catch(() => ({ sent: [], refused: [] }));
      if (done.signedOut) {
        // It comes back, photos and all, when he has signed in.
        await Outbox.put({ ...item, state: "draft" });
        location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
        return;
      }
      const sent = done.sent.find((one) => one.key === item.key) ?? heard.get(item.key);
      const refused = done.refused.find((one) => one.key === item.key);
      if (sent) { forget(); location.assign(sent.receipt); return; }
      busy(false);
      if (refused) { await Outbox.remove(item.key); form.elements.key.value = newKey(); return complain(refused); }
      forget();
      const worker = await navigator.serviceWorker?.ready.catch(() => null);
      worker?.sync?.register("outbox").catch(() => {});
      stored(item);
    });
    // Another page or the worker may have been the one that sent it.
    const heard = new Map();
    Outbox.listen((news) => { news.sent?.forEach((one) => heard.set(one.key, one)); list(); });

    function complain({ detail, errors = {} }) {
      const problem = $("[data-problem]", form);
      $("span", problem).textContent = detail || words.refused;
      problem.classList.remove("d-none");
      form.querySelectorAll(".invalid-feedback").forEach((one) => { one.textContent = ""; one.classList.remove("d-block"); });
      form.querySelectorAll("[aria-invalid]").forEach((one) => one.setAttribute("aria-invalid", "false"));
      for (const [name, message] of Object.entries(errors)) {
        const fault = document.getElementById(`${name.replaceAll(".", "-")}-fault`);
        if (!fault) { $("span", problem).textContent += ` ${message}`; continue; }
        fault.textContent = message;
        fault.classList.add("d-block");
        form.querySelectorAll(`[aria-describedby="${fault.id}"]`).forEach((one) => one.setAttribute("aria-invalid", "true"));
        fault.closest("details")?.setAttribute("open", "");
      }
      problem.focus();
    }
    function stored(item) {
      form.classList.add("d-none");
      const card = $("#stored");
      $("[data-stored]", card).textContent = item.title;
      card.classList.remove("d-none");
      card.focus();
    }
    function clean() {
      form.reset();
      pictures.put([]);
      form.elements.key.value = newKey();
      kind.refresh();
      $("#similar").replaceChildren();
      $("[data-problem]", form).classList.add("d-none");
      form.classList.remove("d-none");
      $("#stored").classList.add("d-none");
    }
    $("[data-another]").addEventListener("click", () => { clean(); form.elements.title.focus(); });

    // --- what waits ---
    const waiting = $("#waiting");
    async function list() {
      const items = (await Outbox.all().catch(() => [])).filter((item) => item.state !== "draft");
      waiting.classList.toggle("d-none", !items.length);
      $("[data-count]", waiting).textContent = items.length;
      $("[data-list]", waiting).replaceChildren(...items.map((item) => {
        const state = item.who !== form.dataset.who ? words.other : item.state === "refused" ? item.problem.detail || words.refused : words.waiting;
        const tools = make("div", { className: "btn-list ms-auto" });
        if (item.who === form.dataset.who && item.state === "refused") {
          const edit = make("button", { type: "button", className: "btn btn-sm", textContent: words.edit });
          edit.addEventListener("click", () => restore(item));
          tools.append(edit);
        }
        const drop = make("button", { type: "button", className: "btn btn-sm btn-ghost-danger", textContent: words.drop });
        drop.addEventListener("click", () => { if (confirm(words.dropAsk)) Outbox.remove(item.key); });
        tools.append(drop);
        const when = new Date(item.at).toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short", timeZone: "Asia/Shanghai" });
        return make("div", { className: "list-group-item d-flex flex-wrap gap-2 align-items-center" },
          make("div", {}, make("div", { className: "fw-bold", textContent: item.title }), make("div", { className: `small ${item.state === "refused" ? "text-red" : "text-secondary"}`, textContent: `${when} · ${state}` })), tools);
      }));
    }
    function refill(item) {
      clean();
      for (const one of form.querySelectorAll("[type=checkbox]")) one.checked = false;
      for (const [name, value] of item.fields) {
        const field = form.querySelector(`[name="${CSS.escape(name)}"]`);
        if (value instanceof Blob || !field) continue;
        if (field.type === "checkbox") field.checked = true; else field.value = value;
      }
      pictures.put(item.fields.map(([, value]) => value).filter((value) => value instanceof File));
      kind.refresh();
    }
    async function restore(item) {
      refill(item);
      await Outbox.remove(item.key);
      complain(item.problem);
    }
    async function resume() {
      const draft = (await Outbox.all().catch(() => [])).find((item) => item.state === "draft" && item.who === form.dataset.who);
      if (!draft) return;
      refill(draft);
      form.elements.key.value = draft.key;
      await Outbox.remove(draft.key);
    }
    $("[data-send-all]", waiting).addEventListener("click", async (event) => {
      event.target.disabled = true;
      const done = await Outbox.send().catch(() => ({}));
      event.target.disabled = false;
      if (done.signedOut) document.querySelector("#signed-out").showModal();
    });
    resume();
    list();
  }
})();
