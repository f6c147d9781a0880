// Comforts of the Admin Portal; every page works without them.
"use strict";

// Slow parts come after the page; what stands in their place until then is of use without scripts, too.
for (const part of document.querySelectorAll("[data-part]")) {
  fetch(part.dataset.part).then(async (answer) => { if (answer.ok && !answer.redirected) part.innerHTML = await answer.text(); }).catch(() => {});
}

// Pickers: names are offered while somebody types (a combobox, as WAI-ARIA describes it).
for (const picker of document.querySelectorAll("[data-picker]")) {
  const kept = picker.querySelector("input[type=hidden]");
  const text = picker.querySelector("input[type=text]");
  const list = picker.querySelector("[role=listbox]");
  let timer = 0;
  let asked = 0;
  let marked = -1;
  text.setAttribute("role", "combobox");
  text.setAttribute("aria-autocomplete", "list");
  text.setAttribute("aria-controls", list.id);
  text.setAttribute("aria-expanded", "false");

  const close = () => {
    list.hidden = true;
    marked = -1;
    text.setAttribute("aria-expanded", "false");
    text.removeAttribute("aria-activedescendant");
  };
  const mark = (number) => {
    const options = list.querySelectorAll("[role=option]");
    if (!options.length) return;
    marked = (number + options.length) % options.length;
    options.forEach((option, place) => option.setAttribute("aria-selected", String(place === marked)));
    text.setAttribute("aria-activedescendant", options[marked].id);
    options[marked].scrollIntoView({ block: "nearest" });
  };
  const choose = (option) => {
    kept.value = option.dataset.value;
    text.value = option.dataset.name;
    picker.querySelector(".hits")?.remove();
    close();
    kept.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const row = (item, place) => {
    const option = document.createElement("li");
    Object.assign(option, { id: `${list.id}-${place}`, textContent: item.name });
    Object.assign(option.dataset, { value: item.value, name: item.name });
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.append(Object.assign(document.createElement("span"), { textContent: item.detail }));
    return option;
  };
  const nobody = () => Object.assign(document.createElement("li"), { className: "nobody", textContent: list.dataset.nobody });
  const ask = async () => {
    const mine = ++asked;
    const answer = await fetch(`${picker.dataset.picker}&q=${encodeURIComponent(text.value.trim())}`);
    if (mine !== asked || !answer.ok || document.activeElement !== text) return;
    const { items } = await answer.json();
    list.replaceChildren(...(items.length ? items.map(row) : [nobody()]));
    list.hidden = false;
    text.setAttribute("aria-expanded", "true");
    if (items.length) mark(0);
  };
  text.addEventListener("input", () => {
    window.clearTimeout(timer);
    asked += 1;
    if (text.value.trim().length < 2) close();
    else timer = window.setTimeout(ask, 150);
  });
  text.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") mark(marked + (event.key === "ArrowDown" ? 1 : -1));
    else if (event.key === "Enter" && marked >= 0) choose(list.querySelectorAll("[role=option]")[marked]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  list.addEventListener("pointerdown", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(option);
    event.preventDefault();
  });
  text.addEventListener("blur", close);
}

// The preview of a mail follows what is typed.
const drafted = document.querySelector("form[data-preview]");
if (drafted) {
  const button = drafted.querySelector("[data-live]");
  const show = () => drafted.requestSubmit(button);
  let timer = 0;
  drafted.addEventListener("input", () => { window.clearTimeout(timer); timer = window.setTimeout(show, 500); });
  show();
}

// Calendars: a booking is dragged to another time, day or room; the API has the last word.
const boardNote = document.getElementById("board-note");
const shifted = (wall, minutes) => {
  const [day, clock] = wall.split("T");
  const [hours, rest] = clock.split(":").map(Number);
  const [year, month, date] = day.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, date, hours, rest + minutes)).toISOString().slice(0, 16);
};
const refuse = (text) => {
  boardNote.textContent = text;
  boardNote.hidden = false;
  boardNote.scrollIntoView({ block: "nearest" });
};
const sendMove = async (board, slot, change) => {
  slot.setAttribute("aria-busy", "true");
  const body = new URLSearchParams({ booking_id: slot.dataset.booking, ...change });
  const answer = await fetch(board.dataset.moves, { method: "POST", body, headers: { "X-CSRFToken": board.dataset.token } });
  const told = answer.ok ? await answer.json() : {};
  if (told.moved || !answer.ok) return window.location.reload();
  slot.removeAttribute("aria-busy");
  refuse(told.text);
};
// Follows a pointer until it is let go; `moved` after a few pixels, `done` only then. Escape puts all back.
const drag = (start, { moved, done, back }) => {
  let isDragging = false;
  const calls = new AbortController();
  const finish = (event, call) => { calls.abort(); document.body.classList.remove("dragging"); if (isDragging) call(event); };
  const on = (name, handler) => document.addEventListener(name, handler, { signal: calls.signal });
  on("pointermove", (event) => {
    isDragging ||= Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > 5;
    if (!isDragging) return;
    document.body.classList.add("dragging");
    moved(event);
  });
  on("pointerup", (event) => {
    if (isDragging) document.addEventListener("click", (click) => { click.preventDefault(); click.stopPropagation(); }, { capture: true, once: true });
    window.setTimeout(() => finish(event, done), 0);
  });
  on("pointercancel", (event) => finish(event, back));
  on("keydown", (event) => { if (event.key === "Escape") finish(event, back); });
};
const byMouse = (event) => event.button === 0 && event.pointerType !== "touch";

const board = document.querySelector("[data-board]");
if (board) {
  const lanes = [...board.querySelectorAll(".lane")];
  const quarters = Number(board.dataset.quarters);
  const opens = `${board.dataset.day}T${board.dataset.firstHour.padStart(2, "0")}:00`;
  const width = () => lanes[0].getBoundingClientRect().width / quarters;
  const quarterAt = (x) => Math.floor((x - lanes[0].getBoundingClientRect().left) / width());
  const laneAt = (y) => lanes.find((lane) => { const box = lane.getBoundingClientRect(); return y >= box.top && y < box.bottom; });

  board.addEventListener("pointerdown", (event) => {
    const slot = event.target.closest("[data-booking]");
    const lane = event.target.closest(".lane");
    if (!byMouse(event) || !(slot || lane)) return;
    event.preventDefault();
    if (slot) { slot.focus(); dragSlot(slot, event); } else draw(lane, event);
  });
  board.addEventListener("dragstart", (event) => event.preventDefault());

  const dragSlot = (slot, start) => {
    let steps = 0;
    let lane = null;
    const back = () => { slot.style.transform = ""; slot.classList.remove("lifted"); };
    drag(start, {
      moved: (event) => {
        steps = Math.round((event.clientX - start.clientX) / width());
        lane = laneAt(event.clientY) || lane;
        const down = lane ? lane.getBoundingClientRect().top - board.querySelector(`.lane[data-resource="${slot.dataset.resource}"]`).getBoundingClientRect().top : 0;
        slot.classList.add("lifted");
        slot.style.transform = `translate(${steps * width()}px, ${down}px)`;
      },
      done: async () => {
        const resource = lane ? lane.dataset.resource : slot.dataset.resource;
        if (steps || resource !== slot.dataset.resource) {
          const times = { start: shifted(slot.dataset.start, 15 * steps), end: shifted(slot.dataset.end, 15 * steps) };
          await sendMove(board, slot, { ...times, resource_id: resource });
        }
        back();
      },
      back,
    });
  };

  const draw = (lane, start) => {
    const from = quarterAt(start.clientX);
    let to = from;
    const mark = Object.assign(document.createElement("div"), { className: "slot slot-new" });
    drag(start, {
      moved: (event) => {
        to = Math.max(0, Math.min(quarters - 1, quarterAt(event.clientX)));
        const [first, last] = [Math.min(from, to), Math.max(from, to)];
        mark.style.gridColumn = `${first + 2} / span ${last - first + 1}`;
        mark.style.gridRow = getComputedStyle(lane).gridRow;
        mark.textContent = `${shifted(opens, 15 * first).slice(11)}–${shifted(opens, 15 * (last + 1)).slice(11)}`;
        board.append(mark);
      },
      done: () => {
        const [first, last] = [Math.min(from, to), Math.max(from, to)];
        const query = new URLSearchParams({ resource_id: lane.dataset.resource, start: shifted(opens, 15 * first), end: shifted(opens, 15 * (last + 1)) });
        window.location.assign(`${board.dataset.new}?${query}`);
      },
      back: () => mark.remove(),
    });
  };
}

const week = document.querySelector("[data-week]");
if (week) {
  week.addEventListener("dragstart", (event) => event.preventDefault());
  week.addEventListener("pointerdown", (event) => {
    const slot = event.target.closest("[data-booking]");
    if (!slot || !byMouse(event)) return;
    event.preventDefault();
    slot.focus();
    const home = slot.closest("td");
    let cell = home;
    const back = () => { slot.style.transform = ""; slot.classList.remove("lifted"); cell.classList.remove("target"); };
    drag(event, {
      moved: (now) => {
        slot.classList.add("lifted");
        slot.style.transform = `translate(${now.clientX - event.clientX}px, ${now.clientY - event.clientY}px)`;
        cell.classList.remove("target");
        cell = document.elementFromPoint(now.clientX, now.clientY)?.closest("td[data-day]") || cell;
        cell.classList.add("target");
      },
      done: async () => {
        if (cell !== home) {
          const days = (Date.parse(cell.dataset.day) - Date.parse(home.dataset.day)) / 864e5;
          const times = { start: shifted(slot.dataset.start, 1440 * days), end: shifted(slot.dataset.end, 1440 * days) };
          await sendMove(week, slot, { ...times, resource_id: cell.dataset.resource });
        }
        back();
      },
      back,
    });
  });
}

// What is under way is followed: the part is fetched anew until it says that it is finished.
const follow = (part) => window.setTimeout(async () => {
  const answer = await fetch(window.location.href).catch(() => null);
  if (!answer?.ok) return follow(part);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(part.id);
  if (!fresh) return window.location.reload();
  part.replaceWith(fresh);
  if (fresh.dataset.live) follow(fresh);
}, Number(part.dataset.live) * 1000);
document.querySelectorAll("[data-live]:not(button)").forEach(follow);

// While a rehearsal's clock moves, its timeline is shown as it grows.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.advance || event.defaultPrevented) return;
  event.preventDefault();
  const body = new FormData(form, event.submitter);
  const lines = document.getElementById("timeline");
  let isOver = false;
  document.getElementById("moving").hidden = false;
  document.querySelectorAll("form[data-advance] button").forEach((button) => { button.disabled = true; });
  const watch = async () => {
    const answer = await fetch(form.dataset.advance).catch(() => null);
    if (isOver) return;
    if (answer?.ok) lines.innerHTML = await answer.text();
    window.setTimeout(watch, 1000);
  };
  window.setTimeout(watch, 1000);
  fetch(form.action || window.location.href, { method: "POST", body }).then(async (answer) => {
    isOver = true;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of ["main", ".clock"]) {
      const fresh = page.querySelector(part);
      if (!fresh) return window.location.reload();
      document.querySelector(part).replaceWith(fresh);
    }
    document.querySelectorAll("[data-live]:not(button)").forEach(follow);
    document.querySelector("main").focus({ preventScroll: true });
    document.querySelector("main h1").scrollIntoView({ block: "nearest" });
  }).catch(() => window.location.reload());
});
