// What scripts add to pages that work without them: announcements and focus after a swap, drafts that save themselves, shortcuts.
"use strict";

(() => {
  const root = document.documentElement;
  root.classList.add("js");

  // One region says what changed; a text that is the same as before is said again.
  const say = (text) => {
    const region = document.getElementById("annonce");
    if (!region || !text) return;
    region.textContent = "";
    setTimeout(() => { region.textContent = text; }, 50);
  };

  // After a swap: an error summary, a notice or a heading that asks for it takes the focus; results are only announced.
  const settle = (within) => {
    const wanted = within.matches?.("[data-focus]") ? within : within.querySelector?.("[data-focus]");
    if (wanted) { wanted.focus(); return; }
    const results = within.matches?.("[data-announce]") ? within : within.querySelector?.("[data-announce]");
    if (results) say(results.dataset.announce);
  };
  let target = null;
  document.addEventListener("htmx:before:swap", (event) => { target = event.detail?.ctx?.target ?? null; });
  document.addEventListener("htmx:after:swap", (event) => {
    const given = event.detail?.ctx?.target ?? target;
    const id = (given instanceof Element && given.id) || "contenu";
    settle(document.getElementById(id) ?? document.body);
  });
  document.addEventListener("htmx:error", () => say("La page n’a pas pu être mise à jour\u202f: vérifiez la connexion, puis réessayez."));

  // Drafts: a form that names an address sends itself there when one stops typing, and when the page is left; what the answer says is
  // shown in its last line. One answer is awaited before the next is asked for: it brings the revision that the form is then of.
  const waiting = new WeakMap();
  const saving = new WeakMap();
  const unsaved = new WeakSet();
  const drawn = () => Array.from(crypto.getRandomValues(new Uint8Array(18)), (one) => one.toString(16).padStart(2, "0")).join("");
  const told = async (form, answer) => {
    const plain = (answer.headers.get("content-type") ?? "").startsWith("text/plain");
    const text = plain ? await answer.text() : "";
    const revision = /^"(\d+)"$/.exec(answer.headers.get("etag") ?? "");
    if (revision && form.elements.revision) form.elements.revision.value = revision[1];
    return text || (answer.ok ? "" : "Non enregistré\u202f: utilisez le bouton du formulaire.");
  };
  const send = async (form, keepalive) => {
    const said = form.querySelector("[data-autosave-said]");
    const body = new URLSearchParams(new FormData(form));
    body.set("idempotency_key", drawn());
    unsaved.delete(form);
    try {
      const asked = { method: "POST", body, keepalive, headers: { Accept: "text/plain" }, credentials: "same-origin" };
      const answer = await fetch(form.dataset.autosave, asked);
      const text = await told(form, answer);
      if (!answer.ok) unsaved.add(form);
      if (said) said.textContent = text;
    } catch {
      unsaved.add(form);
      if (said) said.textContent = "Non enregistré\u202f: pas de connexion. La saisie sera enregistrée à la prochaine frappe.";
    }
  };
  const save = (form, keepalive = false) => {
    clearTimeout(waiting.get(form));
    const turn = (saving.get(form) ?? Promise.resolve()).then(() => send(form, keepalive));
    saving.set(form, turn);
    turn.finally(() => { if (saving.get(form) === turn) saving.delete(form); });
  };
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form[data-autosave]");
    if (!form) return;
    unsaved.add(form);
    clearTimeout(waiting.get(form));
    waiting.set(form, setTimeout(() => save(form), 1500));
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden") return;
    for (const form of document.querySelectorAll("form[data-autosave]")) if (unsaved.has(form)) save(form, true);
  });
  // A button pressed while a draft is on its way waits for it: what it sends is then of the revision that came back.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    clearTimeout(waiting.get(form));
    unsaved.delete(form);
    const turn = saving.get(form);
    if (!turn) return;
    event.preventDefault();
    const button = event.submitter;
    turn.finally(() => { saving.delete(form); unsaved.delete(form); form.requestSubmit(button ?? undefined); });
  });

  // Shortcuts of one key: only outside fields, and only where they were not switched off (WCAG 2.1.4).
  const key = "poec-raccourcis";
  const active = () => { try { return localStorage.getItem(key) !== "non"; } catch { return true; } };
  const dialog = document.getElementById("raccourcis");
  const box = document.getElementById("raccourcis-actifs");
  if (box) {
    box.checked = active();
    box.addEventListener("change", () => { try { localStorage.setItem(key, box.checked ? "oui" : "non"); } catch { /* for this page only */ } });
  }
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  });
  const step = (by) => {
    const links = [...document.querySelectorAll("[data-rows] tbody tr")].map((row) => row.querySelector("a[href]")).filter(Boolean);
    if (!links.length) return;
    const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
    links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1)].focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea, dialog, [contenteditable]")) return;
    if (!(box ? box.checked : active())) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "?") dialog?.showModal();
    else if (event.key === "/") {
      const field = document.querySelector("[type=search]");
      if (!field) return;
      event.preventDefault();
      field.focus();
    }
  });

  // Boxes that choose rows: the bar of actions is there only while something is chosen, and says how much.
  document.addEventListener("change", (event) => {
    const table = event.target.closest?.("[data-rows]");
    const bar = table && document.getElementById(table.dataset.rows);
    if (!bar) return;
    const count = table.querySelectorAll("tbody input[type=checkbox]:checked").length;
    bar.hidden = count === 0;
    const said = bar.querySelector("[data-chosen]");
    if (said) said.textContent = `${count} ${count > 1 ? "lignes sélectionnées" : "ligne sélectionnée"}`;
  });

  // Printing shows what is folded.
  const opened = [];
  addEventListener("beforeprint", () => document.querySelectorAll("main details:not([open])").forEach((one) => { one.open = true; opened.push(one); }));
  addEventListener("afterprint", () => opened.splice(0).forEach((one) => { one.open = false; }));
})();
