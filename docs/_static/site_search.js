/* What this site adds to Sphinx's search. It recognises error messages: whole or in part,
   with other numbers in them, or in the midst of a traceback. The list of what is known is
   made by the build. And of pages with the same words it shows those of the narrative first. */
"use strict";

{
  // How many of the pairs of neighbouring words have to be there.
  const ENOUGH = 0.6;
  const FEWEST_PAIRS = 4;
  const MOST_SHOWN = 3;

  function pairsOf(text) {
    const words = text.toLowerCase().replace(/\d+/g, "#").match(/[\p{L}_#]+/gu) ?? [];
    return new Set(words.slice(1).map((word, i) => `${words[i]} ${word}`));
  }

  function share(some, all) {
    return some.size ? [...some].filter((pair) => all.has(pair)).length / some.size : 0;
  }

  /* What a message quotes tells it from others of the same form. */
  function quotedIn(text) {
    return text.match(/(?<=["'])\w+(?=["'])/g) ?? [];
  }

  /* Return the known messages that are likely meant, the likeliest first. */
  function recognise(text) {
    const said = pairsOf(text);
    const candidates = KNOWN_MESSAGES.filter(
      (known) => quotedIn(known.beginning).every((word) => text.includes(word)),
    );
    const found = candidates.map((known) => {
      const message = pairsOf(known.message);
      const [whole, part] = [share(message, said), share(said, message)];
      // Its first sentence is enough: what follows is advice.
      const held = Math.max(whole, share(pairsOf(known.beginning), said));
      const likeness = Math.max(held, said.size >= FEWEST_PAIRS ? part : 0);
      // A message may hold a shorter one: “a view of a leaf” holds “a leaf”.
      return {...known, isHeld: held >= ENOUGH, likeness, fit: whole + part};
    });
    return found
      .filter((known) => known.likeness >= ENOUGH)
      .sort((one, other) => other.likeness - one.likeness || other.fit - one.fit)
      .slice(0, MOST_SHOWN);
  }

  function show(found) {
    const place = document.getElementById("known-messages");
    for (const known of found) {
      const item = document.createElement("li");
      const message = document.createElement("code");
      message.className = "literal";
      message.textContent = known.beginning;
      item.append(message, document.createElement("ul"));
      for (const entry of known.entries) {
        const link = document.createElement("a");
        link.href = document.documentElement.dataset.content_root + entry.address;
        link.textContent = entry.title;
        const line = document.createElement("li");
        line.append(link);
        item.lastChild.append(line);
      }
      place.querySelector("ul").append(item);
    }
    place.hidden = !found.length;
  }

  /* Say where to look when somebody pasted a message that is not known. */
  function help(query) {
    const looksLikeOne = /(?:Error|Warning|Exception)\b/.test(query);
    document.getElementById("unknown-message").hidden = !looksLikeOne;
  }

  // More than it counts elsewhere that a word stands in a title and not in the text.
  const FOR_THE_NARRATIVE = Scorer.title - Scorer.term + 1;
  Scorer.score = ([page, , , , score]) =>
    score + (/^(course|beyond)\//.test(page) ? FOR_THE_NARRATIVE : 0);

  const search = Search.performSearch;
  Search.performSearch = (query) => {
    const found = recognise(query);
    show(found);
    if (!found.length) help(query);
    // It finds pages that have every word. Numbers of the reader's own are on none.
    search(found[0]?.isHeld ? found[0].message : query);
    // Else every “grad” of the entry would be marked.
    if (found.length) localStorage.removeItem("sphinx_highlight_terms");
  };
}
