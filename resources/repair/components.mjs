// Components in files of their own kind (Vue, Svelte): the compiler reads their script as a file beside them, in which
// everything else is blank, so that every place is the same in both.

const SCRIPT = /(<script\b(?:"[^"]*"|'[^']*'|[^>"'])*>)([\s\S]*?)<\/script>/g
const IS_TYPED = /\slang=["']ts["']/
const ENDING = /\.(?:vue|svelte)$/
const SHADOW = /\.(?:vue|svelte)\.ts$/
const DEFAULT = '\nexport default {} as any\n' // what others import of it, of which nobody but its own checker knows

export const isComponent = (file) => ENDING.test(file)
export const shadowOf = (component) => `${component}.ts`
export const componentOf = (shadow) => (SHADOW.test(shadow) ? shadow.slice(0, -3) : undefined)

/** The script of a component in TypeScript, at its place, and what makes it a module that others can import. */
export const moduleOf = (text) => scriptOf(text) + DEFAULT

/** The script of a component in TypeScript, at its place. */
export function scriptOf(text) {
  let result = ''
  let end = 0
  for (const match of text.matchAll(SCRIPT)) {
    if (!IS_TYPED.test(match[1])) continue
    const start = match.index + match[1].length
    result += blank(text.slice(end, start)) + match[2]
    end = start + match[2].length
  }
  return result + blank(text.slice(end))
}

const blank = (text) => text.replace(/[^\r\n]/g, ' ')
