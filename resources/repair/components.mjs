// Components in files of their own kind (Vue, Svelte): the compiler reads their script as a file beside them, in which
// everything else is blank, so that every place is the same in both.

const SCRIPT = /(<script\b[^>]*\blang=["']ts["'][^>]*>)([\s\S]*?)(<\/script>)/g
const ENDING = /\.(?:vue|svelte)$/
const SHADOW = /\.(?:vue|svelte)\.ts$/
const DEFAULT = '\nexport default {} as any\n' // what others import of it, of which nobody but its own checker knows

export const isComponent = (file) => ENDING.test(file)
export const shadowOf = (component) => `${component}.ts`
export const componentOf = (shadow) => (SHADOW.test(shadow) ? shadow.slice(0, -3) : undefined)

/** The script of a component, at its place. */
export function scriptOf(text) {
  let result = ''
  let end = 0
  for (const match of text.matchAll(SCRIPT)) {
    const start = match.index + match[1].length
    result += blank(text.slice(end, start)) + match[2]
    end = start + match[2].length
  }
  return result + blank(text.slice(end)) + DEFAULT
}

const blank = (text) => text.replace(/[^\r\n]/g, ' ')
