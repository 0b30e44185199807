// A reader's own file, edited and checked on its page. CodeMirror is loaded when the file is first opened; what was saved elsewhere meanwhile
// is told before anything is written over it.
(() => {
  const { use } = window.course;
  const box = document.getElementById("editor");
  const { exercise } = box.dataset;
  const find = (name) => box.querySelector(`[data-${name}]`);
  const button = (name) => box.querySelector(`[data-do="${name}"]`);
  const name = box.getAttribute("aria-label");
  let view = null;
  let alone = []; // makes a change of its own, for undo
  let saved = { text: "", sha256: "" };

  const text = () => view.state.doc.toString();
  const isChanged = () => view !== null && text() !== saved.text;

  async function ask(what, sent) {
    const options = sent && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(sent) };
    const answer = await fetch(`${what}-${exercise}`, options).catch(() => null);
    return answer ? answer.json().catch(() => ({ problem: "This was refused. Reload the page." }))
      : { problem: "The site does not answer. Is `course serve` still running? What you wrote is still here." };
  }

  // Says a sentence, its code between backticks, with buttons for what can be done about it.
  function say(words, ...actions) {
    const line = Object.assign(document.createElement("p"), { className: "said-now" });
    words.split("`").forEach((part, i) => line.append(i % 2 ? Object.assign(document.createElement("code"), { textContent: part }) : part));
    const buttons = actions.map(([label, act]) => {
      const made = Object.assign(document.createElement("button"), { type: "button", className: "button second", textContent: label });
      made.addEventListener("click", act);
      return made;
    });
    const row = Object.assign(document.createElement("div"), { className: "buttons" });
    row.append(...buttons);
    find("says").replaceChildren(line, ...(buttons.length ? [row] : []));
  }

  function fill(now) {
    saved = now;
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: now.text }, annotations: alone });
  }

  // -- the editor: its styles are in a shadow root, as the page's policy lets no script add any to the page itself

  async function open() {
    button("edit").disabled = true;
    const [found, cm] = await Promise.all([ask("file"), use("static/vendor/codemirror.js")]);
    button("edit").disabled = false;
    if (found.problem) { say(found.problem); return; }
    saved = found;
    alone = [cm.isolateHistory.of("full")];
    const host = document.createElement("div");
    host.className = "code-editor";
    const root = host.attachShadow({ mode: "open" });
    view = new cm.EditorView({ state: cm.EditorState.create({ doc: found.text, extensions: extensions(cm) }), parent: root, root });
    find("place").replaceChildren(host);
    button("edit").hidden = true;
    button("save").hidden = find("keys").hidden = false;
    view.focus();
  }

  function extensions(cm) {
    const is = (color, more) => ({ color: `var(--${color})`, ...more });
    const style = cm.HighlightStyle.define([
      { tag: [cm.tags.keyword, cm.tags.propertyName, cm.tags.definitionKeyword], ...is("accent") },
      { tag: [cm.tags.string, cm.tags.number, cm.tags.bool], ...is("good") },
      { tag: cm.tags.comment, ...is("quiet", { fontStyle: "italic" }) },
      { tag: cm.tags.invalid, ...is("bad") },
    ]);
    const theme = cm.EditorView.theme({
      "&": { color: "var(--text)", backgroundColor: "var(--box)", fontSize: "0.875rem", borderRadius: "10px", border: "1px solid var(--edge)" },
      "&.cm-focused": { outline: "3px solid var(--accent)", outlineOffset: "2px" },
      ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", maxHeight: "70vh", minHeight: "12rem" },
      ".cm-content": { caretColor: "var(--text)" },
      ".cm-cursor": { borderLeftColor: "var(--text)" },
      ".cm-gutters": { backgroundColor: "var(--box)", color: "var(--quiet)", border: "0" },
      "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--wash)" },
      "&.cm-focused .cm-matchingBracket": { background: "none", outline: "1px solid var(--edge)" },
    });
    const own = [
      { key: "Mod-s", preventDefault: true, run: () => { save(); return true; } },
      { key: "Mod-Enter", run: () => { check(); return true; } },
    ];
    return [
      cm.lineNumbers(), cm.history(), cm.drawSelection(), cm.bracketMatching(), cm.indentOnInput(), cm.indentUnit.of(exercise === "practice" ? "  " : "    "),
      exercise === "practice" ? cm.yaml() : cm.python(), cm.syntaxHighlighting(style), theme,
      cm.EditorView.contentAttributes.of({ "aria-label": `${name}, to edit`, spellcheck: "false", tabindex: "0" }),
      cm.keymap.of([...own, cm.indentWithTab, ...cm.defaultKeymap, ...cm.historyKeymap]),
      cm.EditorView.updateListener.of((update) => { if (update.docChanged) button("save").disabled = !isChanged(); }),
    ];
  }

  // -- saving

  // Whether what is on the screen is on the disk now.
  async function save(keep = false) {
    if (!isChanged() && !keep) return true;
    const sent = text();
    const answer = await ask("file", { text: sent, before: saved.sha256, keep });
    if (answer.saved) {
      saved = { text: sent, sha256: answer.saved };
      button("save").disabled = !isChanged();
      say(keep ? `Saved. The other version is in \`.course/kept\`.` : "Saved.");
      return true;
    }
    if (answer.changed) differ(answer.changed); else say(answer.problem);
    return false;
  }

  function differ(now) {
    const take = () => { fill(now); say("This is what is on the disk. To get yours back: undo, Ctrl+Z."); view.focus(); };
    const mine = async () => { saved = { ...saved, sha256: now.sha256 }; await save(true); view.focus(); };
    say(`\`${name}\` was changed elsewhere since you opened it, so nothing was saved. What you wrote is still here.`,
      ["Take the one on the disk", take], ["Save mine, keep the other aside", mine]);
    find("says").querySelector("button").focus();
  }

  // Coming back from another editor, one sees what was saved there, unless there is something to save here.
  async function look() {
    if (view === null || isChanged()) return;
    const now = await ask("file");
    if (!now.problem && now.sha256 !== saved.sha256 && !isChanged()) { fill(now); say(`\`${name}\` was saved elsewhere: this is what it holds now.`); }
  }

  // -- checking

  async function check(agreed = false) {
    if (view !== null && !(await save())) return;
    button("check").disabled = true;
    say("Checking …");
    const answer = await ask("check", { without_walls: agreed });
    button("check").disabled = false;
    if (answer.without_walls) { say(answer.without_walls, ["Run it all the same", () => check(true)]); return; }
    if (answer.problem) { say(answer.problem); return; }
    const due = answer.due.length ? ` Due in your cards: ${answer.due.join(", ")}.` : "";
    const count = answer.checks ? `${answer.passed} of ${answer.checks} ${exercise === "practice" ? "answers" : "public checks"} pass.` : "";
    say([count, answer.note].filter(Boolean).join(" ") + due);
  }

  // -- hints

  async function hint() {
    const answer = await ask("hint", {});
    if (answer.problem) { say(answer.problem); return; }
    const shown = find("hints"), line = (tag, words) => Object.assign(document.createElement(tag), { innerHTML: words });
    if (!answer.hints) { say("All of it passes the public checks: you need no hint."); return; }
    const { function: of, hints, of: many } = answer.hints, closed = many - hints.length;
    const told = hints.flatMap((words, i) => [line("h2", `${of}, hint ${i + 1} of ${many}`), line("p", words)]);
    const more = closed ? [line("p", `${closed} of ${many} hints for ${of} ${closed === 1 ? "is" : "are"} closed: ${hints.length ? "another" : "an"} attempt, a version that you saved and checked, opens one.`)] : [];
    shown.replaceChildren(...told, ...more);
    shown.focus();
  }

  const acts = { edit: open, save: () => save(), check: () => check(), hint };
  for (const [what, act] of Object.entries(acts)) {
    button(what)?.addEventListener("click", act);
    if (what !== "save" && button(what)) button(what).hidden = false;
  }
  if (location.hash === "#write") open();
  addEventListener("focus", look);
  addEventListener("beforeunload", (event) => { if (isChanged()) event.preventDefault(); });
})();
