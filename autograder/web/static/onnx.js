// Runs ONNX graphs in the reader's browser, beside the page, which stays free. Nothing is loaded before `runtime` is called, with the
// address of the folder `onnx` that `mount` gets.

course.provide(() => {
  const MEGABYTES = 5; // of what `runtime` loads

  async function runtime(folder) {
    const address = new URL("worker.js", folder).href;
    // Browsers start no worker from a file, but one from a text, and that may load the file.
    const text = URL.createObjectURL(new Blob([`importScripts(${JSON.stringify(address)});`], { type: "text/javascript" }));
    const worker = new Worker(location.protocol === "file:" ? text : address);
    const waiting = new Map();
    let last = 0;
    worker.onmessage = ({ data: { id, result, error } }) => {
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) resolve(result); else reject(new Error(error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      waiting.forEach(({ reject }) => reject(new Error(event.message || `${address} cannot be loaded`)));
      waiting.clear();
    };
    const ask = (asked) => new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      worker.postMessage({ id: last, ...asked });
    });

    try {
      await ask({ start: { folder: folder.href, strict: document.body.dataset.served === "yes" } });
    } catch (error) {
      worker.terminate();
      throw error;
    }
    return {
      // Load the graphs that the script at an address provides; gives a function that runs one by its name.
      async load(graphs) {
        await ask({ load: graphs.href });
        return (graph, inputs) => ask({ run: { graph: `${graphs.href}#${graph}`, inputs } });
      },
    };
  }

  return { runtime, MEGABYTES };
});
