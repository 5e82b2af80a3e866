// Keeps the shell of the console at hand, so that it opens without a net.
const KEPT = "shell-1";
const SHELL = ["/static/app.css", "/static/app.js", "/static/theme.js", "/static/mark.svg", "/static/vendor/tabler.min.css", "/static/vendor/tabler.min.js", "/static/vendor/htmx.min.js", "/static/vendor/icons.svg"];
self.addEventListener("install", (event) => event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(SHELL))));
self.addEventListener("activate", (event) => event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name))))));
self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== location.origin || !address.pathname.startsWith("/static/")) return;
  event.respondWith(caches.match(event.request).then((kept) => kept ?? fetch(event.request)));
});
