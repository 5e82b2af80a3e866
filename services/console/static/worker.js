// Keeps the shell of the console and the page for a new issue at hand, so that both open without a net, and sends what
// waits when the net is back.
importScripts("/static/offline.js");
const SHELL = "shell-2", PAGES = "pages-1";
const FILES = ["app.css", "app.js", "theme.js", "mark.svg", "intake.css", "offline.js", "new-issue.js", "vendor/tabler.min.css", "vendor/tabler.min.js", "vendor/htmx.min.js", "vendor/icons.svg"].map((name) => `/static/${name}`);
const KEPT_PAGE = "/issues/new", WITHOUT = "/offline";
const PATIENCE = 4000;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil((async () => {
    await (await caches.open(SHELL)).addAll([...FILES, WITHOUT]);
  })());
});
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name !== SHELL && name !== PAGES) await caches.delete(name);
  await self.clients.claim();
})()));
self.addEventListener("sync", (event) => {
  if (event.tag === "outbox") event.waitUntil(self.Outbox.send().then((done) => { if (done.left && !done.signedOut) throw new Error("still waiting"); }));
});
self.addEventListener("fetch", (event) => {
  const { request } = event, address = new URL(request.url);
  if (address.origin !== location.origin) return;
  // Whoever comes next finds nothing of the one who left.
  if (request.method === "POST" && ["/sign-in", "/sign-out"].includes(address.pathname)) event.waitUntil(caches.delete(PAGES));
  if (request.method !== "GET") return;
  if (address.pathname.startsWith("/static/")) event.respondWith(file(event));
  else if (request.mode === "navigate") event.respondWith(page(request, address));
});

// What is at hand at once; what has changed, the next time.
async function file(event) {
  const cache = await caches.open(SHELL);
  const kept = await cache.match(event.request, { ignoreSearch: true });
  const fresh = fetch(event.request).then((answer) => {
    if (answer.ok && kept) event.waitUntil(cache.put(event.request, answer.clone()));
    return answer;
  });
  if (!kept) return fresh;
  event.waitUntil(fresh.catch(() => {}));
  return kept;
}

async function page(request, address) {
  const isKept = address.pathname === KEPT_PAGE;
  const cache = await caches.open(PAGES);
  try {
    const signal = isKept && (await cache.match(KEPT_PAGE)) ? AbortSignal.timeout(PATIENCE) : undefined;
    const answer = await fetch(request, signal ? { signal } : undefined);
    if (isKept && answer.ok && !answer.redirected && answer.type === "basic") await cache.put(KEPT_PAGE, answer.clone());
    return answer;
  } catch (wrong) {
    const kept = isKept ? await cache.match(KEPT_PAGE) : undefined;
    return kept ?? (await caches.match(WITHOUT)) ?? Promise.reject(wrong);
  }
}
