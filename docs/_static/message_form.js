/* A pasted text may be too long for an address. Its end is what counts: there is the message. */
"use strict";

{
  const MOST = 2000;

  document.querySelector(".message-search").addEventListener("formdata", (event) => {
    event.formData.set("q", event.formData.get("q").trim().slice(-MOST));
  });
}
