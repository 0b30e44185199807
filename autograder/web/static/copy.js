// What can be copied has a button for it.
(() => {
  const name = "Copy";
  function add(code) {
    if (!navigator.clipboard) return; // a page that was not opened from this machine
    const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: name });
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = name; }, 2000);
    });
    (code.closest(".source") ?? code).after(button);
  }
  const all = (within) => within.querySelectorAll("[data-copy]").forEach(add);
  all(document);
  document.addEventListener("renewed", (event) => all(event.target)); // `live.js` brought a part anew
})();
