// Draws where a case stands on the picture of its process: the place first, the whole when asked.
document.addEventListener("DOMContentLoaded", () => {
  const NEAR = 0.9;
  for (const place of document.querySelectorAll(".diagram[data-from]")) {
    const begin = new IntersectionObserver((seen) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      begin.disconnect();
      draw(place);
    }, { rootMargin: "300px" });
    begin.observe(place);
  }

  async function draw(place) {
    try {
      const answer = await fetch(place.dataset.from, { headers: { Accept: "application/xml" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const viewer = new BpmnJS({ container: place });
      await viewer.importXML(await answer.text());
      place.querySelector(".diagram-wait")?.remove();
      const canvas = viewer.get("canvas");
      // The one shape with a colour of its own is where the case stands.
      const here = viewer.get("elementRegistry").filter((one) => one.di?.get?.("color:background-color"))[0];
      function look(how) {
        if (how === "all") canvas.zoom("fit-viewport", "auto");
        else if (how === "in" || how === "out") canvas.zoom(canvas.zoom() * (how === "in" ? 1.25 : 0.8));
        else if (here) {
          const { clientWidth: width, clientHeight: height } = place;
          canvas.viewbox({ x: here.x + here.width / 2 - width / NEAR / 2, y: here.y + here.height / 2 - height / NEAR / 2, width: width / NEAR, height: height / NEAR });
        }
      }
      look("all");
      if (canvas.zoom() < 0.55) look("here");
      for (const button of place.closest(".card").querySelectorAll("[data-diagram]")) button.addEventListener("click", () => look(button.dataset.diagram));
    } catch (wrong) {
      place.textContent = place.dataset.wrong;
    }
  }
});
