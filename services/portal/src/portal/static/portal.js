// Small comforts; every page works without them.
"use strict";

// "Are you sure?" before what cannot be undone.
document.addEventListener("submit", (event) => {
  const question = (event.submitter && event.submitter.dataset.confirm) || event.target.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  // A second click would send the form again; its key makes that harmless, this makes it rare.
  const button = event.submitter;
  if (button && event.target.method === "post" && !button.formTarget) {
    window.setTimeout(() => { button.disabled = true; }, 0);
    window.setTimeout(() => { button.disabled = false; }, 8000);
  }
});

// Filters answer as soon as they are chosen. Keys pass by other choices on their way to the one that is meant: whoever
// uses them gets the button that pages without scripts have.
document.addEventListener("keydown", (event) => {
  const form = event.target.closest("form[data-autosubmit]");
  if (!form || event.key === "Tab" || !event.target.matches("select, input[type=date]")) return;
  form.dataset.byKeys = "";
  const spare = form.querySelector("noscript");
  if (spare) spare.outerHTML = spare.textContent;
});
document.addEventListener("pointerdown", (event) => {
  const form = event.target.closest("form[data-autosubmit]");
  if (form) delete form.dataset.byKeys;
});
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-autosubmit]");
  if (!form || ("byKeys" in form.dataset && !event.target.matches("input[type=checkbox]"))) return;
  if (event.target.matches("select, input[type=date], input[type=checkbox]")) form.requestSubmit();
});

// Whole rows can be clicked where their first link leads.
document.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-href]");
  if (row && !event.target.closest("a, button, input, label, form")) window.location.assign(row.dataset.href);
});

// Sign-up: a short name out of the name; currency and zone out of the country, until somebody chooses their own.
const signUp = document.querySelector("form[data-sign-up]");
if (signUp) {
  const touched = new Set();
  signUp.addEventListener("input", (event) => { if (event.isTrusted) touched.add(event.target.name); });
  const { name, slug, country, currency, timezone } = signUp.elements;
  signUp.elements.namedItem("name").addEventListener("input", (event) => {
    if (touched.has("slug")) return;
    slug.value = event.target.value.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase()
      .replace(/ß/g, "ss").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);
  });
  const hints = JSON.parse(document.getElementById("country-hints").textContent);
  country.addEventListener("change", () => {
    const hint = hints[country.value];
    if (!hint) return;
    for (const [field, value] of [[currency, hint.currency], [timezone, hint.timezone]]) {
      if (!touched.has(field.name) && [...field.options].some((option) => option.value === value)) field.value = value;
    }
  });
}

// The price while a booking is being filled in.
const priced = document.querySelector("form[data-quote]");
if (priced) {
  const box = document.getElementById("price");
  let timer = 0;
  let asked = 0;
  const ask = async () => {
    const mine = ++asked;
    const sent = new FormData(priced);
    const answer = priced.method === "get"
      ? await fetch(`${priced.dataset.quote}?${new URLSearchParams(sent)}`)
      : await fetch(priced.dataset.quote, { method: "POST", body: sent, headers: { "X-Requested-With": "fetch" } });
    if (mine !== asked || !answer.ok) return;
    box.innerHTML = await answer.text();
  };
  const later = () => { window.clearTimeout(timer); timer = window.setTimeout(ask, 250); };
  priced.addEventListener("input", later);
  priced.addEventListener("change", later);
}

// Fields that matter for one choice only.
const showFor = (field) => {
  const form = field.form;
  for (const part of form.querySelectorAll(`[data-for="${field.name}"]`)) {
    const chosen = field.type === "radio" ? form.elements.namedItem(field.name).value : field.value;
    part.hidden = !part.dataset.values.split(" ").includes(chosen);
  }
};
for (const field of document.querySelectorAll("[data-shows]")) {
  const inputs = field.matches("select, input") ? [field] : field.querySelectorAll("input, select");
  for (const input of inputs) {
    input.addEventListener("change", () => showFor(input));
    showFor(input);
  }
}

// What is to be copied.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  await navigator.clipboard.writeText(field.value);
  button.textContent = button.dataset.done;
});

// How long a held slot is still held.
for (const clock of document.querySelectorAll("[data-until]")) {
  // By the house's clock, which a rehearsal sets.
  const ahead = clock.dataset.now ? Date.parse(clock.dataset.now) - Date.now() : 0;
  const end = Date.parse(clock.dataset.until);
  const tick = () => {
    const left = Math.max(0, Math.round((end - Date.now() - ahead) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left > 0) window.setTimeout(tick, 1000);
    else if (clock.dataset.over) window.location.assign(clock.dataset.over);
  };
  tick();
}
