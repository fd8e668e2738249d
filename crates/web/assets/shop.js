// What a browser with JavaScript does better; every page works without it.
(() => {
  "use strict";

  const fetchPage = async (address, options) => {
    const response = await fetch(address, { credentials: "same-origin", redirect: "manual", ...options });
    const kind = response.headers.get("content-type") || "";
    if (!kind.startsWith("text/html")) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  };

  // The error summary comes into view and focus, as autofocus would not on every browser.
  document.querySelector(".error-summary")?.focus();

  // Copying a key.
  const copy = async (text, element) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    getSelection().selectAllChildren(element);
    document.execCommand("copy");
  };
  const offerCopying = () => {
    for (const button of document.querySelectorAll("[data-copy][hidden]")) {
      const element = document.getElementById(button.dataset.copy);
      const label = button.textContent;
      button.setAttribute("aria-live", "polite");
      button.hidden = false;
      button.addEventListener("click", async () => {
        await copy(element.textContent, element);
        button.textContent = button.dataset.copied;
        setTimeout(() => { button.textContent = label; }, 2500);
      });
    }
  };
  offerCopying();

  // A request that a QR code carried here, behind the hash: no server sees it there, and no history keeps it.
  const request = document.querySelector("[data-from-hash]");
  if (request && location.hash.length > 1) {
    request.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
  }

  // The till: totals follow quantity, country and tier at once.
  const till = document.getElementById("till");
  let turn = 0;
  const update = async (form, action) => {
    const mine = ++turn;
    const data = new URLSearchParams(new FormData(form));
    data.set("press", "update");
    const page = await fetchPage(action, { method: "POST", body: data }).catch(() => null);
    const fresh = page?.getElementById("till");
    if (!fresh || mine !== turn) return;
    const focused = document.activeElement?.id;
    // What was typed while the answer was on its way stays.
    const typed = [...form.querySelectorAll("#email, input[name^='answer-']")].map(({ id, value }) => [id, value]);
    till.replaceChildren(...fresh.childNodes);
    document.title = page.title;
    for (const [id, value] of typed) {
      const field = document.getElementById(id);
      if (field?.matches("input")) field.value = value;
    }
    if (focused) document.getElementById(focused)?.focus();
    tend();
  };
  const tend = () => {
    const form = till?.querySelector("form[data-till]");
    if (!form) return;
    for (const button of form.querySelectorAll("[data-update]")) button.hidden = true;
    form.addEventListener("change", (event) => {
      if (event.target.matches("[data-updates]")) update(form, form.action);
    });
    form.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-tier]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      history.replaceState(null, "", link.href);
      update(form, new URL(link.href).pathname);
    });
  };
  tend();

  // An order that is waiting for its payment, or for its first device.
  const order = document.querySelector("[data-poll]");
  if (order) {
    let pause = 2500;
    const look = async () => {
      if (!document.hidden) {
        // The page names its own address: after a form that came back with an error, the bar shows the form's.
        const page = await fetchPage(order.dataset.poll).catch(() => null);
        const fresh = page?.querySelector("[data-stage]");
        if (fresh && fresh.dataset.stage !== order.dataset.stage) return location.replace(order.dataset.poll);
        for (const part of fresh?.querySelectorAll("[data-live]") ?? []) {
          const shown = order.querySelector(`[data-live="${part.dataset.live}"]`);
          if (shown && shown.innerHTML !== part.innerHTML && !shown.contains(document.activeElement)) {
            shown.replaceChildren(...part.childNodes);
          }
        }
        pause = Math.min(pause * 1.2, 30000);
      }
      setTimeout(look, pause);
    };
    setTimeout(look, pause);
  }
})();
