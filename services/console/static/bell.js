// Shows what somebody is told as it happens. One tab of a browser listens for all of them.
(() => {
  const badge = document.getElementById("bell");
  if (!badge) return;
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("bell") : null;
  const A_WHILE = 60000, SHOWN = 8000, SHOWN_AT_ONCE = 3;

  function count(unread) {
    badge.textContent = unread > 99 ? "99+" : unread || "";
    badge.classList.toggle("d-none", !unread);
  }
  function ring(told) {
    const place = document.getElementById("toast");
    if (!place || document.hidden) return;
    const box = document.createElement("div");
    const link = document.createElement("a");
    link.href = "/notifications/" + encodeURIComponent(told.id);
    link.textContent = told.text;
    link.className = "bell-link";
    box.append(link);
    place.append(box);
    // A flood of news covers nothing.
    while (place.querySelectorAll(".bell-link").length > SHOWN_AT_ONCE) place.querySelector(".bell-link").parentElement.remove();
    setTimeout(() => box.remove(), SHOWN);
  }
  function heard({ unread, told }) {
    if (unread !== undefined) count(unread);
    if (told) ring(told);
  }
  function spread(news) {
    heard(news);
    tabs?.postMessage(news);
  }
  if (tabs) tabs.onmessage = (event) => heard(event.data);

  async function ask() {
    try {
      const answer = await fetch("/notifications/count", { redirect: "manual" });
      if (answer.ok) spread(await answer.json());
      return answer.ok;
    } catch { return true; /* no net: it comes back */ }
  }
  function listen() {
    const source = new EventSource("/notifications/stream");
    source.addEventListener("unread", (event) => spread(JSON.parse(event.data)));
    source.addEventListener("notification", (event) => spread({ told: JSON.parse(event.data) }));
    source.onerror = async () => {
      if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
      // A session that has ended is not asked again; the next page leads to the sign-in.
      setTimeout(async () => { if (await ask()) listen(); }, A_WHILE / 4);
    };
    addEventListener("pagehide", () => source.close(), { once: true });
  }

  if (tabs && navigator.locks) {
    // The tab that holds the lock listens; when it goes, the next one does.
    navigator.locks.request("bell", { ifAvailable: true }, (lock) => {
      if (lock) return new Promise(listen);
      ask();
      navigator.locks.request("bell", () => new Promise(listen));
    });
  } else {
    ask();
    setInterval(ask, A_WHILE);
  }
})();
