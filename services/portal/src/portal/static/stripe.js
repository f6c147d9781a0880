// Stripe's Payment Element: what is entered in it goes from the browser to Stripe, never to this site.
"use strict";

const form = document.querySelector("form[data-stripe]");
if (form && window.Stripe) {
  const stripe = window.Stripe(form.dataset.key);
  const elements = stripe.elements({ clientSecret: form.dataset.secret, locale: document.documentElement.lang });
  const button = form.querySelector("[data-stripe-pay]");
  const fault = form.querySelector("[data-stripe-fault]");
  const tell = (text) => {
    fault.hidden = !text;
    fault.lastElementChild.textContent = text || "";
  };
  const element = elements.create("payment");
  element.on("ready", () => { button.disabled = false; });
  element.mount("#payment-element");

  // First the element saves what was entered, by way of the bank if it asks back; then the form tells this site.
  let isSaved = false;
  form.addEventListener("submit", async (event) => {
    if (isSaved) return;
    event.preventDefault();
    event.stopPropagation();
    button.disabled = true;
    tell("");
    const result = await stripe.confirmSetup({
      elements, redirect: "if_required", confirmParams: { return_url: form.dataset.back },
    });
    button.disabled = false;
    if (result.error) {
      tell(result.error.message);
      return;
    }
    isSaved = true;
    // Not from within the sending that was held back: browsers would leave this one out.
    window.setTimeout(() => form.requestSubmit(button), 0);
  });
}
