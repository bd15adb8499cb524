// Search without a server: the index is a script beside the pages, which is loaded when a reader first looks for something.
(() => {
  "use strict";
  const field = document.getElementById("mkdocs-search-query");
  const list = document.getElementById("mkdocs-search-results");
  let loading = null;
  let index = null;

  function script(name) {
    return new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = `${base_url}/search/${name}`;
      element.onload = resolve;
      element.onerror = reject;
      document.head.append(element);
    });
  }

  async function load() {
    await script("lunr.js");
    await script("pages.js");
    index = lunr(function () {
      this.ref("place");
      this.field("title", {boost: 10});
      this.field("text");
      search_pages.forEach((page, place) => this.add({...page, place}));
    });
  }

  function found(words) {
    return index.query(query => {
      for (const word of lunr.tokenizer(words)) {
        query.term(word, {boost: 10});
        query.term(word, {wildcard: lunr.Query.wildcard.TRAILING});
      }
    }).slice(0, 30).map(match => search_pages[match.ref]);
  }

  function entry(page) {
    const article = document.createElement("article");
    const link = document.createElement("a");
    link.href = `${base_url}/${page.location}`;
    link.textContent = page.title;
    link.className = "fw-bold";
    const text = document.createElement("p");
    text.textContent = page.text.slice(0, 200);
    article.append(link, text);
    return article;
  }

  async function show() {
    await (loading ??= load());
    const words = field.value.trim();
    const pages = words.length > 1 ? found(words) : [];
    list.replaceChildren(...pages.map(entry));
    if (words.length > 1 && pages.length === 0) list.textContent = list.dataset.noResultsText;
  }

  field.addEventListener("input", show);
  field.form.addEventListener("submit", event => event.preventDefault());
  const asked = new URLSearchParams(location.search).get("q");
  if (asked) {
    field.value = asked;
    show();
  }
})();
