// Basics of an accessible page, run in the browser program's own world after `page.js`. Answers a list of
// {rule, message, selector}, at most a handful for each rule.
vibedesk.audit = () => {
  const MOST_PER_RULE = 5
  const LEAST_CONTRAST = 3
  const PHONE_WIDTH = 600
  const { isVisible, collapsed, textOf, bare } = vibedesk
  const page = bare(document)
  const findings = []
  const counts = {}

  function found(rule, message, element) {
    counts[rule] = (counts[rule] ?? 0) + 1
    if (counts[rule] <= MOST_PER_RULE) findings.push({ rule, message, selector: selectorOf(element) })
  }

  function selectorOf(element) {
    const parts = []
    for (let raw = element; raw; raw = bare(raw).parentElement) {
      const node = bare(raw)
      const own = node.id ? `#${CSS.escape(node.id)}` : ['data-testid', 'aria-label', 'name'].filter((key) => node.hasAttribute(key)).map((key) => `${node.localName}[${key}=${JSON.stringify(node.getAttribute(key))}]`)[0]
      const same = node.parentElement ? [...bare(node.parentElement).children].filter((other) => bare(other).localName === node.localName) : [raw]
      const plain = same.length > 1 ? `${node.localName}:nth-of-type(${same.indexOf(raw) + 1})` : node.localName
      const paths = [...(own ? [own] : []), plain].map((step) => [step, ...parts].join(' > '))
      const only = paths.find((path) => page.querySelectorAll(path).length === 1)
      if (only) return only
      parts.unshift(plain)
    }
    return parts.join(' > ')
  }

  const labelled = (element) =>
    (element.getAttribute('aria-labelledby') ?? '').split(/\s+/).filter(Boolean).map((id) => page.getElementById(id)?.textContent ?? '').join(' ')

  function nameOf(element) {
    const alternatives = [...element.querySelectorAll('img[alt], svg[aria-label], [aria-label]')].map((inner) => inner.getAttribute('alt') ?? inner.getAttribute('aria-label'))
    const titles = [...element.querySelectorAll('svg > title')].map((title) => title.textContent)
    return collapsed([labelled(element), element.getAttribute('aria-label') ?? '', textOf(element), element.title, ...alternatives, ...titles].join(' '))
  }

  const hidden = (element) => element.closest('[aria-hidden=true]') !== null || !isVisible(element)

  if (!page.documentElement.lang.trim()) found('html-lang', 'The page does not say its language.', page.documentElement)
  if (!page.title.trim()) found('title', 'The page has no title.', page.documentElement)
  for (const image of page.querySelectorAll('img')) {
    if (!image.hasAttribute('alt') && !hidden(image) && !/^(presentation|none)$/.test(image.getAttribute('role') ?? '')) found('image-alt', 'This picture has no alternative text.', image)
  }
  for (const field of page.querySelectorAll('input, select, textarea')) {
    if (/^(hidden|submit|button|reset|image)$/.test(field.type) || hidden(field)) continue
    const label = [...(field.labels ?? [])].map(textOf).join(' ')
    if (!collapsed([label, labelled(field), field.getAttribute('aria-label') ?? '', field.title].join(' '))) found('field-label', 'This field has no label.', field)
  }
  for (const control of page.querySelectorAll('button, [role=button], a[href], input[type=submit], input[type=button], input[type=image]')) {
    if (hidden(control)) continue
    const name = control.localName === 'input' ? control.value || control.alt || nameOf(control) : nameOf(control)
    // A button without a text of its own still has one in the browser: “Submit”.
    if (!name && !(control.type === 'submit' && control.localName === 'input')) found(control.localName === 'a' ? 'link-name' : 'button-name', control.localName === 'a' ? 'This link has no text.' : 'This button has no name.', control)
  }
  const ids = new Map()
  for (const element of page.querySelectorAll('[id]')) {
    const { id } = bare(element)
    if (id && ids.has(id) && !bare(element).closest('svg')) found('duplicate-id', `The id ${JSON.stringify(id)} is used more than once.`, element)
    ids.set(id, element)
  }
  let level = 0
  for (const heading of page.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
    if (hidden(heading)) continue
    const own = Number(heading.localName[1])
    if (level && own > level + 1) found('heading-order', `A heading of level ${own} follows one of level ${level}.`, heading)
    level = own
  }

  const context = Object.assign(page.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true })
  const colours = new Map()
  function rgba(colour) {
    if (!colours.has(colour)) {
      context.clearRect(0, 0, 1, 1)
      context.fillStyle = colour
      context.fillRect(0, 0, 1, 1)
      colours.set(colour, [...context.getImageData(0, 0, 1, 1).data])
    }
    return colours.get(colour)
  }
  const over = (front, back) => {
    const alpha = front[3] / 255
    return [0, 1, 2].map((channel) => front[channel] * alpha + back[channel] * (1 - alpha))
  }
  const luminance = (colour) => {
    const [red, green, blue] = colour.map((channel) => (channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  /** The plain colour behind an element, or null where there is a picture, a gradient or transparency. */
  function backdrop(element) {
    const layers = []
    for (let node = element; node; node = bare(node).parentElement) {
      const style = getComputedStyle(node)
      if (style.backgroundImage !== 'none' || style.opacity !== '1' || style.filter !== 'none' || style.mixBlendMode !== 'normal') return null
      // What stands out of the flow may lie over anything.
      const colour = rgba(style.backgroundColor)
      layers.push(colour)
      if (colour[3] === 255) break
      if (/^(absolute|fixed|sticky)$/.test(style.position)) return null
    }
    return layers.reduceRight((back, front) => over(front, back), [255, 255, 255])
  }
  const looked = new Set()
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement
    if (!node.nodeValue.trim() || looked.has(element) || /^(script|style|noscript|option)$/.test(bare(element).localName)) continue
    looked.add(element)
    if (!isVisible(element) || bare(element).closest(':disabled, [aria-disabled=true], svg')) continue
    const back = backdrop(element)
    if (!back || getComputedStyle(element).backgroundClip === 'text') continue
    const front = over(rgba(getComputedStyle(element).color), back)
    const [light, dark] = [luminance(front), luminance(back)].sort((a, b) => b - a)
    const ratio = (light + 0.05) / (dark + 0.05)
    if (ratio < LEAST_CONTRAST) found('contrast', `The text ${JSON.stringify(collapsed(node.nodeValue).slice(0, 40))} can hardly be read: its contrast is ${ratio.toFixed(1)} to 1.`, element)
  }

  if (innerWidth <= PHONE_WIDTH && page.documentElement.scrollWidth > innerWidth + 1) {
    const clips = (element) => {
      for (let node = bare(element).parentElement; node && node !== page.body; node = bare(node).parentElement) {
        if (getComputedStyle(node).overflowX !== 'visible') return true
      }
      return false
    }
    const wide = [...page.body.querySelectorAll('*')].filter((element) => bare(element).getBoundingClientRect().right > innerWidth + 1 && isVisible(element) && !clips(element))
    const widest = wide.find((element) => !wide.some((other) => other !== element && bare(element).contains(other))) ?? page.body
    found('horizontal-overflow', `On a screen ${innerWidth} pixels wide the page is ${page.documentElement.scrollWidth} pixels wide, so it has to be moved sideways.`, widest)
  }
  return findings
}
