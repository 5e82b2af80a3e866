// What was written without a net waits here, whole, with its photos and its key, and is sent once when the net is back.
// Used by pages and by the service worker alike.
self.Outbox = (() => {
  const STORE = "outbox";
  const channel = "BroadcastChannel" in self ? new BroadcastChannel(STORE) : null;
  const told = new Set();
  channel?.addEventListener("message", (event) => told.forEach((listener) => listener(event.data)));

  const opened = () => new Promise((resolve, reject) => {
    const request = indexedDB.open("shangliang", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  async function store(mode, work) {
    const database = await opened();
    try {
      return await new Promise((resolve, reject) => {
        const transaction = database.transaction(STORE, mode);
        const request = work(transaction.objectStore(STORE));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onabort = transaction.onerror = () => reject(transaction.error);
      });
    } finally {
      database.close();
    }
  }
  const all = async () => (await store("readonly", (items) => items.getAll())).sort((one, other) => one.at - other.at);
  const say = (news) => { channel?.postMessage(news); told.forEach((listener) => listener(news)); };
  async function put(item) { await store("readwrite", (items) => items.put(item)); say({ changed: true }); }
  async function remove(key) { await store("readwrite", (items) => items.delete(key)); say({ changed: true }); }

  // One sender at a time, whichever page or worker it is; the key makes a repeat harmless besides.
  const send = () => ("locks" in navigator ? navigator.locks.request(STORE, sendAll) : sendAll());
  async function sendAll() {
    const done = { sent: [], refused: [], left: 0, signedOut: false };
    const waiting = (await all()).filter((item) => item.state === "waiting");
    if (!waiting.length) return done;
    let ticket;
    try {
      const answer = await fetch("/issues/new/ticket", { headers: { Accept: "application/json" }, redirect: "manual" });
      if (!answer.ok) return { ...done, left: waiting.length, signedOut: answer.type === "opaqueredirect" };
      ticket = await answer.json();
    } catch {
      return { ...done, left: waiting.length };
    }
    for (const item of waiting) {
      if (item.who !== ticket.who) { done.left += 1; continue; }
      const result = await sendOne(item, ticket.form_token);
      if (result.receipt) { await remove(item.key); done.sent.push({ key: item.key, ...result }); }
      else if (result.refused) { await put({ ...item, state: "refused", problem: result }); done.refused.push({ key: item.key, ...result }); }
      else { done.left += waiting.length - waiting.indexOf(item); break; }
    }
    if (done.sent.length) say({ sent: done.sent });
    return done;
  }
  async function sendOne(item, token) {
    const body = new FormData();
    for (const [name, value] of item.fields) body.append(name, value);
    body.set("form_token", token);
    body.set("key", item.key);
    try {
      const answer = await fetch("/issues/new", { method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual" });
      if (answer.ok) return await answer.json();
      const later = [0, 401, 408, 425, 429];
      if (answer.status >= 500 || later.includes(answer.status)) return {};
      const isJson = answer.headers.get("content-type")?.includes("json");
      return { refused: true, status: answer.status, detail: "", errors: {}, ...(isJson ? await answer.json() : {}) };
    } catch {
      return {};
    }
  }
  return { all, put, remove, send, listen: (listener) => told.add(listener) };
})();

if (typeof document !== "undefined") {
  (() => {
    const AGAIN = 30_000;
    async function show() {
      const pill = document.querySelector("#outbox");
      if (!pill) return;
      const count = (await Outbox.all().catch(() => [])).filter((item) => item.state !== "draft").length;
      pill.classList.toggle("d-none", !count);
      pill.querySelector(".badge").textContent = count;
    }
    const sendQuietly = async () => {
      const waiting = await Outbox.all().catch(() => []);
      if (navigator.onLine && waiting.some((item) => item.state === "waiting")) await Outbox.send().catch(() => {});
    };
    Outbox.listen(() => show());
    addEventListener("online", sendQuietly);
    document.addEventListener("DOMContentLoaded", () => { show(); sendQuietly(); setInterval(sendQuietly, AGAIN); });
  })();
}
