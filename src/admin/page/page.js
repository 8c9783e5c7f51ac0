// Asks for the page anew and puts its parts in the places of the old ones. The page works without it.
"use strict";

(() => {
  const SLOWEST = 15000; // Without events: the page shows times relative to now.
  const SOONEST = 3000; // With events: commits come in bursts.
  const live = document.getElementById("live");
  if (!live) return; // A page that says why there is none.
  const button = document.createElement("button");
  button.type = "button";
  let paused = false;
  let asking = false;
  let timer = 0;
  let askedAt = Date.now();

  function show(text) {
    button.textContent = paused ? "Resume updates" : "Pause updates";
    live.dataset.state = paused ? "paused" : text;
  }

  // Somebody who types, chooses or has a part open is not disturbed.
  function isInUse(part) {
    const active = document.activeElement;
    return active !== null && active !== document.body && part.contains(active);
  }

  function put(fresh) {
    for (const id of ["ready", "trouble", "numbers", "articles", "polls", "tags", "places", "feeds-table", "hosts", "lanes", "facts", "next", "requests", "rhythm", "polite", "validators", "hub", "today", "rejects", "bottom"]) {
      const before = document.getElementById(id);
      const after = fresh.getElementById(id);
      if (!before || !after || isInUse(before)) continue;
      for (const details of before.querySelectorAll("details[open]")) {
        const same = fresh.getElementById(details.id);
        if (same) same.open = true;
      }
      if (before.innerHTML !== after.innerHTML) before.replaceChildren(...after.childNodes);
    }
  }

  async function ask() {
    if (asking || paused || document.hidden) return;
    asking = true;
    askedAt = Date.now();
    try {
      const answer = await fetch(location.pathname + location.search, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      put(new DOMParser().parseFromString(await answer.text(), "text/html"));
      show("live");
    } catch {
      show("lost");
    } finally {
      asking = false;
      plan(SLOWEST);
    }
  }

  function plan(wait) {
    clearTimeout(timer);
    timer = setTimeout(ask, wait);
  }

  function listen() {
    const events = new EventSource("/api/events");
    events.addEventListener("commit", () => {
      plan(Math.max(0, askedAt + SOONEST - Date.now()));
    });
  }

  button.addEventListener("click", () => {
    paused = !paused;
    show("live");
    if (!paused) ask();
  });
  document.addEventListener("visibilitychange", ask);
  live.append(button);
  show("live");
  plan(SLOWEST);
  listen();
})();
