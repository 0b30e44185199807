// What the reader's browser keeps from page to page; and of it, before anything is drawn, the choice of a light or a dark page. And what is
// needed before anything else.
// Of pages that are opened as files, Firefox gives each a store of its own, and cookies to all: so there they hold it too, in pieces.
window.kept = (() => {
  const PIECE = 3500, SECONDS = 400 * 86_400; // a cookie has 4096 bytes, and lives so long at most
  const name = (key, place) => `${encodeURIComponent(key)}.${place}`;

  function cookie(key) {
    const all = new Map(document.cookie.split("; ").map((one) => one.split("="))), pieces = [];
    while (all.has(name(key, pieces.length))) pieces.push(all.get(name(key, pieces.length)));
    return pieces.length ? decodeURIComponent(pieces.join("")) : null;
  }
  function get(key) {
    try { return cookie(key) ?? localStorage.getItem(key); } catch { return null; }
  }
  function set(key, value) {
    try { localStorage.setItem(key, value); } catch { /* a browser that keeps nothing */ }
    if (location.protocol !== "file:") return;
    const pieces = encodeURIComponent(value).match(new RegExp(`.{1,${PIECE}}`, "g"));
    pieces.forEach((piece, place) => { document.cookie = `${name(key, place)}=${piece}; max-age=${SECONDS}; SameSite=Strict`; });
    document.cookie = `${name(key, pieces.length)}=; max-age=0`;
  }
  function keeps() {
    const now = String(Math.random());
    set("kept", now);
    return get("kept") === now;
  }
  return { get, set, keeps };
})();
if (location.protocol !== "file:") { // the letters come with the stylesheet that asks for them, and not after it
  const href = new URL("fonts/sans.woff2", document.currentScript.src);
  document.head.append(Object.assign(document.createElement("link"), { rel: "preload", as: "font", type: "font/woff2", crossOrigin: "", href }));
}
{
  const { dataset } = document.documentElement, chosen = window.kept.get("theme");
  if (chosen === "light" || chosen === "dark") dataset.theme = chosen;
  // What is further down is laid out when the head of the page has been seen, unless it is asked for, or somebody comes back to it: a browser
  // may look for the place where they stood at any moment, and on a short page it isn't there.
  if (!location.hash && performance.getEntriesByType("navigation")[0]?.type === "navigate") {
    dataset.opening = "";
    requestAnimationFrame(() => setTimeout(() => { delete dataset.opening; }));
  }
}
