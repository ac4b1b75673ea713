/* The one script of this site, on two pages of the staff's: the browser's own passkey dialogue (WebAuthn Level 3).
   It reads what to ask from the form's data, and sends the answer with the form. */
"use strict";
(() => {
  const form = document.getElementById("passkey");
  const told = document.getElementById("passkey-told");
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    buffer ? btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "") : null;

  const asked = (options) => {
    const decoded = { ...options, challenge: bytes(options.challenge) };
    if (options.user) decoded.user = { ...options.user, id: bytes(options.user.id) };
    return decoded;
  };

  const answered = (made) => {
    const response = { clientDataJSON: text(made.response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (made.response[name]) response[name] = text(made.response[name]);
    }
    return JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response });
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    told.textContent = "";
    try {
      const publicKey = asked(JSON.parse(form.dataset.options));
      const container = navigator.credentials;
      const made = await (form.dataset.act === "join" ? container.create({ publicKey }) : container.get({ publicKey }));
      document.getElementById("answer").value = answered(made);
      form.submit();
    } catch (error) {
      told.textContent = "No passkey was used. Try again, or use another device.";
    }
  });
})();
