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
      const registry = viewer.get("elementRegistry");
      const here = registry.filter((one) => one.di?.get?.("color:background-color"))[0];
      for (const flow of registry.filter((one) => one.waypoints)) {
        // Lines go behind the boxes, and those that lead neither here nor away from here step back.
        const drawn = registry.getGraphics(flow);
        const group = drawn.parentNode;
        group.parentNode.prepend(group);
        if (!here || flow.source === here || flow.target === here) continue;
        drawn.classList.add("far");
      }
      for (const label of registry.filter((one) => one.labelTarget?.waypoints)) {
        // What may happen next has its name written; at other lines there is no room for all of them.
        if (label.labelTarget.source !== here) registry.getGraphics(label).classList.add("far");
      }
      function look(how) {
        place.classList.toggle("whole", how === "all");
        if (how === "all") canvas.zoom("fit-viewport", "auto");
        else if (how === "in" || how === "out") canvas.zoom(canvas.zoom() * (how === "in" ? 1.25 : 0.8));
        else if (here) {
          const { clientWidth: width, clientHeight: height } = place;
          canvas.viewbox({ x: here.x + here.width / 2 - width / NEAR / 2, y: here.y + here.height / 2 - height / NEAR / 2, width: width / NEAR, height: height / NEAR });
        }
      }
      look("all");
      if (here) look(canvas.zoom() < 0.55 ? "here" : "all");
      place.classList.remove("whole");
      for (const button of place.closest(".card").querySelectorAll("[data-diagram]")) button.addEventListener("click", () => look(button.dataset.diagram));
    } catch (wrong) {
      place.textContent = place.dataset.wrong;
    }
  }
});
