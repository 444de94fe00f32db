(() => {
  "use strict";
  const specs = JSON.parse(document.getElementById("specs").textContent);
  const views = new Map();
  const hidden = new Set();
  const options = { actions: false, renderer: "svg", ast: true, hover: false };

  // Expressions are walked, not compiled: the page allows no code but its own.
  const draw = async (place) => {
    const name = place.dataset.chart;
    const { view } = await window.vegaEmbed(place, specs[name], options);
    // The place is the image that the words belong to; its parts have none of their own.
    place.querySelector("svg").setAttribute("aria-hidden", "true");
    views.set(name, view);
  };

  const show = () => {
    const keys = [...hidden];
    for (const button of document.querySelectorAll(".legend button")) {
      button.setAttribute("aria-pressed", String(!hidden.has(button.dataset.key)));
    }
    for (const view of views.values()) {
      if (view.getState({ signals: (name) => name === "hidden" }).signals.hidden) {
        view.signal("hidden", keys).runAsync();
      }
    }
  };

  for (const button of document.querySelectorAll(".legend button")) {
    button.addEventListener("click", () => {
      const { key } = button.dataset;
      if (!hidden.delete(key)) hidden.add(key);
      show();
    });
  }

  const isShort = (details) => details.querySelectorAll("tbody tr").length <= 15;
  window.addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not([open])")) {
      if (isShort(details)) details.dataset.opened = details.open = true;
    }
  });
  window.addEventListener("afterprint", () => {
    for (const details of document.querySelectorAll("details[data-opened]")) {
      details.open = false;
      delete details.dataset.opened;
    }
  });

  // One after the other, top first, so that the first one is there at once.
  (async () => {
    for (const place of document.querySelectorAll(".chart")) await draw(place);
    document.documentElement.dataset.drawn = "true";
  })();
})();
