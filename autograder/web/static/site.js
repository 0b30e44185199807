// What every page does: the light or dark page, boxes that scroll by keyboard, contents that follow, widgets on sight.
(() => {
  const root = document.documentElement;
  const served = document.body.dataset.served === "yes";

  function themes() {
    const button = document.getElementById("theme");
    const system = matchMedia("(prefers-color-scheme: dark)");
    const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
    const show = () => button.setAttribute("aria-pressed", String(dark()));
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      window.kept.set("theme", root.dataset.theme);
      show();
      document.dispatchEvent(new CustomEvent("themechange"));
    });
    system.addEventListener("change", () => { show(); document.dispatchEvent(new CustomEvent("themechange")); });
    show();
  }

  // A box that is too narrow for what it holds can be reached and scrolled by keyboard; one that is not is no stop on the way.
  function scrollable(within = document) {
    const look = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        const over = target.scrollWidth > target.clientWidth + 1;
        if (over) {
          target.tabIndex = 0;
          if (target.tagName === "FIGURE") continue; // has a role, and a caption
          target.setAttribute("role", "group");
          target.setAttribute("aria-label", target.classList.contains("formula") ? "Formula" : "Table");
        } else {
          for (const name of ["tabindex", "role", "aria-label"]) target.removeAttribute(name);
        }
      }
    });
    within.querySelectorAll(".table, .formula, figure").forEach((box) => look.observe(box));
  }

  const head = () => Math.max(0, document.querySelector(".top").getBoundingClientRect().bottom); // what is above lies under the head of the page

  // The section one reads is marked in the contents; one that was read to its end counts as read, and that is kept.
  function contents() {
    const links = new Map([...document.querySelectorAll(".contents a[data-section]")].map((link) => [link.dataset.section, link]));
    if (!links.size) return;
    const sections = [...document.querySelectorAll("main > section")];
    const narrow = matchMedia("(max-width: 68rem)");
    const box = document.querySelector(".contents details");
    const fold = () => { box.open = !narrow.matches; };
    fold();
    box.dataset.folds = "";
    narrow.addEventListener("change", fold);
    box.addEventListener("click", (event) => { if (event.target.closest("a") && narrow.matches) box.open = false; });
    const page = `${location.pathname.split("/").pop()}:${document.title}`;
    const done = new Set(JSON.parse(window.kept.get(`read:${page}`) || "[]"));
    done.forEach((id) => links.get(id)?.setAttribute("data-read", "yes"));
    links.forEach((link) => { if (link.dataset.read) name(link); });

    function name(link) {
      if (!link.querySelector(".seen")) link.insertAdjacentHTML("beforeend", ' <span class="seen">read</span>');
    }
    function finish(id) {
      const link = links.get(id);
      if (!link || link.dataset.read) return;
      link.dataset.read = "yes";
      name(link);
      done.add(id);
      window.kept.set(`read:${page}`, JSON.stringify([...done]));
      window.kept.set(`reading:${page}`, id);
      tell("read", id);
    }
    function tell(what, id) {
      if (served) fetch(what, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(id), keepalive: true }).catch(() => {});
    }
    // One reads where one stays for five seconds; less is a look, or a jump to somewhere else. The appendix is looked things up in.
    let place = null, stay = null;
    function settle(section) {
      if (section === place) return;
      place = section;
      clearTimeout(stay);
      if (!links.has(section?.id) || section.querySelector("details.appendix")) return;
      stay = setTimeout(() => { window.kept.set(`reading:${page}`, section.id); tell("reading", section.id); }, 5000);
    }
    function follow() {
      const line = innerHeight * 0.3;
      let here = null;
      for (const section of sections) if (section.getBoundingClientRect().top <= line) here = section;
      links.forEach((link, id) => {
        if (here && here.id === id) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
      });
      settle(here);
      const current = here && links.get(here.id);
      const list = current?.closest("nav");
      if (list && !narrow.matches && list.scrollHeight > list.clientHeight) {
        list.scrollTop = current.offsetTop - list.clientHeight / 2;
      }
    }
    // Whoever reads sees the end of a section, and has had the section in sight for longer than one looks something up: here for a second each
    // hundred letters, a fourth or so of the time that reading takes.
    const left = new Map(sections.map((section) => [section, Math.max(4, section.textContent.length / 100)]));
    setInterval(() => {
      if (document.hidden) return;
      for (const [section, seconds] of left) {
        const { top, bottom } = section.getBoundingClientRect();
        if (bottom <= head() || top >= innerHeight || section.querySelector("details.appendix:not([open])")) continue;
        left.set(section, seconds - 1);
        if (seconds <= 1 && bottom <= innerHeight) finish(section.id);
      }
    }, 1000);
    addEventListener("scroll", follow, { passive: true });
    addEventListener("resize", follow);
    follow();
  }

  // Whoever comes back sees the text they left, though what stands above it comes only then, and at other heights: its first block in sight is
  // held in its place until that has come, or they move on.
  function comeBack() {
    const blocks = [...document.querySelectorAll(".reading .opening > *, .reading section > :not(details.appendix), .reading details.appendix > *")];
    const [how] = performance.getEntriesByType("navigation"), left = how?.type !== "navigate" && history.state?.left;
    const block = left && blocks[left.block];
    let held = Boolean(block), timer = null;
    if (held) {
      const hold = new ResizeObserver(put), wait = setTimeout(end, 3000), moves = ["wheel", "touchstart", "pointerdown", "keydown"];
      function put() { scrollBy({ top: block.getBoundingClientRect().top - left.top, behavior: "instant" }); }
      function end() {
        clearTimeout(wait);
        hold.disconnect();
        moves.forEach((name) => removeEventListener(name, end));
        history.scrollRestoration = "auto";
        held = false;
      }
      moves.forEach((name) => addEventListener(name, end, { passive: true }));
      history.scrollRestoration = "manual";
      const folded = block.closest("details.appendix");
      if (folded) folded.open = true;
      put();
      hold.observe(document.getElementById("main"));
    }
    function keep() {
      if (held) return;
      const seen = blocks.filter((one) => one.offsetHeight && !one.closest("details.appendix:not([open]) > :not(summary)"));
      const tops = seen.map((one) => one.getBoundingClientRect().top), first = tops.findIndex((top) => top >= head());
      const at = tops[first] < innerHeight ? first : (first < 0 ? seen.length : first) - 1;
      if (at >= 0) history.replaceState({ ...history.state, left: { block: blocks.indexOf(seen[at]), top: tops[at] } }, "");
    }
    addEventListener("scroll", () => {
      clearTimeout(timer);
      timer = setTimeout(keep, 100);
    }, { passive: true });
  }

  // Scripts that bring something: a widget, its parts, its data. They take the place of modules, which no browser loads for a page that is
  // opened as a file. `use` gives what the script at an address provides, and loads it at most once; `provide` is called by the script, with
  // a value or with a function of its own `use`, whose addresses are relative to the script.
  const promised = new Map();
  const awaited = new Map();

  function use(name, base = document.baseURI) {
    const { href } = new URL(name, base);
    if (!promised.has(href)) promised.set(href, new Promise((resolve, reject) => {
      awaited.set(href, resolve);
      const failed = (words) => () => { promised.delete(href); reject(new Error(`${name} ${words}`)); };
      const script = Object.assign(document.createElement("script"), { src: href, onerror: failed("cannot be loaded") });
      script.onload = () => { if (awaited.has(href)) failed("provides nothing")(); };
      document.head.append(script);
    }));
    return promised.get(href);
  }

  function provide(what) {
    const { src } = document.currentScript;
    awaited.get(src)?.(typeof what === "function" ? what((name) => use(name, src)) : what);
    awaited.delete(src);
  }

  async function mount(holder) {
    const stage = holder.querySelector(".stage");
    const { missing = "" } = holder.dataset;
    const address = (name) => (name ? new URL(name, document.baseURI) : null);
    try {
      const widget = await use(holder.dataset.script);
      stage.replaceChildren();
      await widget.mount(stage, { live: address(holder.dataset.live), onnx: address(holder.dataset.onnx), missing });
      holder.dataset.ready = "yes";
    } catch (error) {
      stage.textContent = "This could not be loaded. Reload the page, or look whether the site still runs.";
      console.error(error.message, error);
    }
  }

  function whenNear(selector, bring) {
    const sight = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) { sight.unobserve(target); bring(target); }
      }
    }, { rootMargin: "600px" });
    document.querySelectorAll(selector).forEach((one) => sight.observe(one));
  }

  function widgets() {
    document.querySelectorAll("[data-script] .stage").forEach((stage) => { stage.textContent = "Loading …"; });
    whenNear("[data-script]", mount);
  }

  // What marks answers comes when a question is near, and at once where there are guesses to show again. An answer that is sent before is
  // sent once more then.
  function questions() {
    const here = new Set();
    async function bring(form) {
      for (const name of form.dataset.needs.split(" ")) await use(name);
      here.add(form.dataset.needs);
    }
    const guess = document.querySelector(".guess"), guessed = guess && window.kept.get(`guesses:${document.body.dataset.lesson}`);
    if (guessed) bring(guess).catch(console.error);
    whenNear("form[data-needs]", (form) => bring(form).catch(console.error));
    for (const form of document.querySelectorAll("form[data-needs]")) {
      form.addEventListener("input", () => { form.dataset.begun = "yes"; }, { once: true });
      form.addEventListener("submit", (event) => {
        if (here.has(form.dataset.needs)) return;
        event.preventDefault();
        bring(form).then(() => form.requestSubmit(), () => {
          (form.querySelector("p[role]") ?? form.nextElementSibling).textContent = "What marks answers could not be loaded: reload the page.";
        });
      });
    }
  }

  // A link to a section of the appendix, or to what is in it, opens it, and so does one to an exercise.
  function appendix() {
    const open = () => {
      const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
      const box = target && (target.querySelector("details.appendix") ?? target.closest("details:is(.appendix, .exercise):not([open])"));
      if (!box) return;
      box.open = true;
      if (box.contains(target)) target.scrollIntoView();
    };
    addEventListener("hashchange", open);
    open();
  }

  // On a narrow page a drawing is as wide as the page; it opens at its own size, to be moved about.
  function figures() {
    for (const figure of document.querySelectorAll("figure:has(> img)")) {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "plain enlarge", textContent: "Enlarge" });
      const open = () => {
        const box = document.createElement("dialog");
        box.className = "enlarged";
        box.setAttribute("aria-label", "The figure at its own size");
        box.innerHTML = '<form method="dialog"><button class="button">Close</button></form><div tabindex="0" role="group" aria-label="Figure"></div>';
        box.lastChild.append(...[...figure.querySelectorAll("img")].map((image) => image.cloneNode()));
        box.addEventListener("close", () => { box.remove(); button.focus(); });
        document.body.append(box);
        box.showModal();
      };
      button.addEventListener("click", open);
      figure.append(button);
    }
  }

  const told = document.querySelector("[data-unkept]");
  if (told && !window.kept.keeps()) told.textContent = told.dataset.unkept;
  window.course = { use, provide, scrollable };
  themes();
  scrollable();
  appendix();
  contents();
  if (document.querySelector(".reading")) comeBack();
  figures();
  widgets();
  questions();
})();
