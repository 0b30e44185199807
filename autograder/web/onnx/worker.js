// Runs ONNX graphs for the page that started it, with onnxruntime-web on one thread. `static/onnx.js` is the other side:
//
//   -> { id, start: { folder, strict } }    { id, load: address of a script that provides graphs }    { id, run: { graph, inputs } }
//   <- { id, result }                       or { id, error }
//
// A graph is gzipped, in base64. An input or output is { type, data, dims }.

(() => {
  const sessions = new Map();
  let provided = null;
  self.course = { provide: (what) => { provided = what; } };

  function given(address) {
    importScripts(address);
    return provided;
  }

  async function unpacked(text) {
    const letters = atob(text);
    const bytes = Uint8Array.from({ length: letters.length }, (_, i) => letters.charCodeAt(i));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }

  const does = {
    async start({ folder, strict }) {
      importScripts(`${folder}ort.wasm.min.js`);
      const { wasm, mjs } = given(`${folder}packed.js`);
      const loader = "ort-wasm-simd-threaded.mjs"; // a module: no browser loads one from a file, and no strict site one that is made here
      const address = strict ? folder + loader : URL.createObjectURL(new Blob([await unpacked(mjs)], { type: "text/javascript" }));
      Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: await unpacked(wasm), wasmPaths: { mjs: address } });
    },

    async load(address) {
      for (const [name, text] of Object.entries(given(address))) {
        const graph = new Uint8Array(await unpacked(text));
        // More optimisation was slower here, both to load (6 s, not 0.9) and to run.
        sessions.set(`${address}#${name}`, await ort.InferenceSession.create(graph, { graphOptimizationLevel: "basic" }));
      }
    },

    async run({ graph, inputs }) {
      const feeds = Object.entries(inputs).map(([name, { type, data, dims }]) => [name, new ort.Tensor(type, data, dims)]);
      const found = await sessions.get(graph).run(Object.fromEntries(feeds));
      return Object.fromEntries(Object.entries(found).map(([name, { type, data, dims }]) => [name, { type, data, dims }]));
    },
  };

  let before = Promise.resolve(); // one after the other
  self.onmessage = ({ data: { id, ...asked } }) => {
    const [[what, about]] = Object.entries(asked);
    before = before.then(() => does[what](about)).then((result) => self.postMessage({ id, result }), (error) => self.postMessage({ id, error: error.message }));
  };
})();
