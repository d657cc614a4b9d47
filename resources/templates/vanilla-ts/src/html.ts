/** Markup made by `html`; everything that was put into it is escaped. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Part = string | number | boolean | null | undefined | Markup | readonly Part[]

/**
 * Markup from a template literal: `` html`<li>${name}</li>` ``.
 *
 * Text is escaped, other markup and lists of it are taken over; null, undefined and false leave nothing.
 */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(strings.reduce((text, string, index) => text + toText(parts[index - 1]) + string))
}

/** Puts markup into an element, in place of what it held. */
export function render(target: Element, markup: Markup): void {
  target.innerHTML = markup.text
}

/** The element that a selector finds; throws where there is none. */
export function find<E extends HTMLElement = HTMLElement>(selector: string, root: ParentNode = document): E {
  const found = root.querySelector<E>(selector)
  if (!found) throw new Error(`There is no element ${selector}.`)
  return found
}

function toText(part: Part): string {
  if (part instanceof Markup) return part.text
  if (Array.isArray(part)) return part.map(toText).join('')
  if (part === null || part === undefined || part === false) return ''
  return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
