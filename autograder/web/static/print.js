// Nothing is lost on paper: what is folded is open while the page is printed, and no image waits to be scrolled to.
(() => {
  let opened = [];
  const load = () => { for (const image of document.querySelectorAll("img[loading=lazy]:not(.in-dark)")) image.loading = "eager"; };
  const paper = matchMedia("print");
  addEventListener("keydown", ({ key }) => { if (key === "Control" || key === "Meta") load(); }); // who is about to press P
  paper.addEventListener("change", () => { if (paper.matches) load(); });
  addEventListener("beforeprint", () => {
    load();
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const fold of opened) fold.open = true;
  });
  addEventListener("afterprint", () => { for (const fold of opened) fold.open = false; });
})();
