// Styles without <style> elements: emotion's rules go to a constructed style sheet, which a content security
// policy of `default-src 'self'` admits without nonces or 'unsafe-inline'.

import createCache, { type EmotionCache } from "@emotion/cache";

type SheetOptions = { key: string };

/** What emotion asks of a sheet. Its own makes an element for each. */
class AdoptedSheet {
  readonly key: string;
  readonly tags: HTMLStyleElement[] = [];
  before: Element | null = null;
  #sheet = new CSSStyleSheet();

  constructor(options: SheetOptions) {
    this.key = options.key;
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.#sheet];
  }

  hydrate() {}

  insert(rule: string) {
    try {
      this.#sheet.insertRule(rule, this.#sheet.cssRules.length);
    } catch {
      // A rule for another browser's vendor prefix; emotion's own sheet leaves those out as well.
    }
  }

  flush() {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
    this.#sheet = new CSSStyleSheet();
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, this.#sheet];
  }
}

/** The cache every styled component writes to. */
export function styleCache(): EmotionCache {
  const cache = createCache({ key: "s" });
  // jsdom has no constructed style sheets; its tests do not look at styles either.
  if ("adoptedStyleSheets" in document && typeof CSSStyleSheet.prototype.replaceSync === "function") {
    cache.sheet = new AdoptedSheet({ key: "s" }) as unknown as EmotionCache["sheet"];
  }
  return cache;
}
