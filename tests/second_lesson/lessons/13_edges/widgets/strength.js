// The strength of an edge from its two derivatives, with numbers to set.
course.provide({
  mount(stage) {
    const said = document.createElement("p");
    const inputs = ["left to right", "top to bottom"].map((label, place) => {
      const input = Object.assign(document.createElement("input"), { type: "range", min: -5, max: 5, value: 3 + place });
      const named = document.createElement("label");
      named.append(`from ${label}`, input);
      input.addEventListener("input", show);
      stage.append(named);
      return input;
    });

    function show() {
      const [gx, gy] = inputs.map((input) => Number(input.value));
      said.textContent = `Strength ${Math.hypot(gx, gy).toFixed(2)}; the sum would be ${Math.abs(gx) + Math.abs(gy)}.`;
    }
    stage.append(said);
    show();
  },
});
