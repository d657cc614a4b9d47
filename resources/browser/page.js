// What the browser program asks of a page. It runs in a world of its own, which the page's scripts neither see nor
// change. A step's element is `{selector, text, nth}`: plain CSS, narrowed to elements whose text contains `text`
// (case and white space do not count); only visible elements count.
globalThis.vibedesk = (() => {
  const collapsed = (text) => text.replace(/[\u200b\u00ad]/g, '').trim().replace(/\s+/g, ' ')
  const seen = { pointerdown: 0, mouseup: 0, keyup: 0 }
  let lastChange = performance.now()
  let lastRewrite = performance.now() // of what is there, also in the same words; an animation writes how it looks
  let heldDragEnd = null
  let framesDrawn = 0
  let painted = false
  requestAnimationFrame(() => requestAnimationFrame(() => { painted = true }))

  /** A page or a form, where names in the page hide nothing: `<form name="title">` is else its `document.title`. */
  const bare = (node) => node === document || node instanceof HTMLFormElement ? new Proxy({}, {
    get(_, name) {
      const value = Reflect.get(Object.getPrototypeOf(node), name, node)
      return typeof value === 'function' ? value.bind(node) : value
    },
  }) : node
  const page = bare(document)

  for (const type of Object.keys(seen)) {
    addEventListener(type, (event) => { if (event.isTrusted) seen[type] += 1 }, true)
  }
  new MutationObserver((changes) => {
    lastChange = performance.now()
    const isSame = ({ target, attributeName, oldValue }) => target.getAttribute(attributeName) === oldValue
    if (changes.some((change) => change.type !== 'attributes' || isSame(change))) lastRewrite = lastChange
  }).observe(document, {
    subtree: true, childList: true, attributes: true, attributeOldValue: true, characterData: true,
  })
  // A drag's end is told when the program lets go, not when it took over from Chromium.
  addEventListener('dragend', (event) => {
    if (heldDragEnd === null || !event.isTrusted) return
    event.stopImmediatePropagation()
    heldDragEnd = event.target
  }, true)

  function roots(root = document, found = [root]) {
    for (const element of bare(root).querySelectorAll('*')) {
      if (bare(element).shadowRoot) roots(element.shadowRoot, (found.push(element.shadowRoot), found))
    }
    return found
  }

  function isVisible(element) {
    const style = getComputedStyle(element)
    if (style.display === 'contents') {
      return [...bare(element).childNodes].some((child) => {
        if (child.nodeType === Node.ELEMENT_NODE) return isVisible(child)
        if (child.nodeType !== Node.TEXT_NODE) return false
        const range = page.createRange()
        range.selectNode(child)
        const { width, height } = range.getBoundingClientRect()
        return width > 0 && height > 0
      })
    }
    if (!bare(element).checkVisibility() || style.visibility !== 'visible') return false
    const { width, height } = bare(element).getBoundingClientRect()
    return width > 0 && height > 0
  }

  function textOf(any) {
    const node = bare(any)
    if (node.nodeType === Node.TEXT_NODE) return node.nodeValue
    if (/^(script|noscript|style|head)$/.test(node.localName ?? '')) return ''
    if (node.localName === 'input' && /^(submit|button)$/.test(node.type)) return node.value
    return [...node.childNodes, ...(node.shadowRoot ? [node.shadowRoot] : [])].map(textOf).join('')
  }

  function all(selector) {
    return roots().flatMap((root) => [...bare(root).querySelectorAll(selector)])
  }

  function matches({ selector, text }) {
    const wanted = text === undefined ? '' : collapsed(text).toLowerCase()
    return all(selector).filter((element) => isVisible(element) && collapsed(textOf(element)).toLowerCase().includes(wanted))
  }

  const target = (step) => matches(step)[step.nth ?? 0]

  function isDisabled(element) {
    const control = element.closest('button, input, select, textarea, [role=button], a, [role=link]') ?? element
    return control.matches(':disabled') || control.closest('[aria-disabled=true]') !== null
  }

  /** The field that a label stands for, or the element itself. */
  function field(element) {
    if (!element || element.matches('input, textarea, select, button, a') || element.isContentEditable) return element
    return element.closest('label')?.control ?? element
  }

  function called(any) {
    const element = bare(any)
    const name = element.id ? `#${element.id}` : typeof element.className === 'string' && element.className ? `.${element.className.split(/\s+/)[0]}` : ''
    return `<${element.localName}${name}>`
  }

  function hitAt(x, y) {
    let hit = page.elementFromPoint(x, y)
    while (hit?.shadowRoot) {
      const inner = hit.shadowRoot.elementFromPoint(x, y)
      if (!inner || inner === hit) break
      hit = inner
    }
    return hit
  }

  function receives(element, hit) {
    for (let node = hit; node; node = bare(node).parentNode ?? node.host) {
      if (node === element) return true
      // A click on a label is one on its field, and one on a field's label reaches the field.
      if (node.localName === 'label' && node.control === element) return true
    }
    return element.localName === 'label' && element.control === hit
  }

  function scroll(element, attempt) {
    const block = [null, 'center', 'end', 'start'][attempt % 4]
    if (block === null) element.scrollIntoViewIfNeeded()
    else element.scrollIntoView({ block, inline: block, behavior: 'instant' })
  }

  const boxOf = (element) => {
    const { left, top, width, height } = element.getBoundingClientRect()
    return [left, top, width, height]
  }

  /** Where to click an element: {x, y, box}, or {wait} with why it cannot be clicked yet. */
  function clickPlace(step, attempt) {
    const element = target(step)
    if (!element) return { wait: 'missing' }
    if (isDisabled(element)) return { wait: 'it is disabled' }
    scroll(element, attempt)
    const rects = [...element.getClientRects()].filter(({ width, height }) => width * height > 0)
    const inView = rects
      .map(({ left, top, right, bottom }) => [Math.max(0, left), Math.max(0, top), Math.min(innerWidth, right), Math.min(innerHeight, bottom)])
      .find(([left, top, right, bottom]) => right - left > 0.5 && bottom - top > 0.5)
    if (!inView) return { wait: 'it is outside of what can be seen' }
    const x = (inView[0] + inView[2]) / 2
    const y = (inView[1] + inView[3]) / 2
    const hit = hitAt(x, y)
    if (!hit || !receives(element, hit)) return { wait: `${hit ? called(hit) : 'something'} covers it`, covered: true }
    return { x, y, box: boxOf(element) }
  }

  /** Where to take hold of an element: its middle, near the top of tall ones. */
  function grip(step, scrolls) {
    const element = target(step)
    if (!element) return { wait: 'missing' }
    if (scrolls) element.scrollIntoViewIfNeeded()
    const box = boxOf(element)
    return { x: box[0] + box[2] / 2, y: box[1] + Math.min(box[3] / 2, 60), box }
  }

  const TYPED = new Set(['', 'email', 'number', 'password', 'search', 'tel', 'text', 'url'])
  const SET = new Set(['color', 'date', 'time', 'datetime-local', 'month', 'range', 'week'])

  function changed(element) {
    element.dispatchEvent(new Event('input', { bubbles: true, composed: true }))
    element.dispatchEvent(new Event('change', { bubbles: true }))
  }

  function fill(step) {
    const element = field(target(step))
    if (!element) return { wait: 'missing' }
    const kind = element.localName === 'input' ? element.type : ''
    if (!element.matches('input, textarea') && !element.isContentEditable) return { error: `${called(element)} is no field to write in` }
    if (!TYPED.has(kind) && !SET.has(kind)) return { error: `a field of the type ${kind} cannot be written in` }
    if (isDisabled(element)) return { wait: 'it is disabled' }
    if (element.readOnly) return { wait: 'it is read-only' }
    if (kind === 'number' && Number.isNaN(Number(step.value))) return { error: 'a number field takes no such text' }
    if (SET.has(kind)) {
      const value = kind === 'color' ? step.value.toLowerCase() : step.value.trim()
      element.focus()
      element.value = value
      if (element.value !== value) return { error: `a field of the type ${kind} takes no ${JSON.stringify(value)}` }
      changed(element)
      return { done: true }
    }
    element.focus()
    if (element.isContentEditable) getSelection().selectAllChildren(element)
    else element.select()
    if (step.value === '') page.execCommand('delete')
    else page.execCommand('insertText', false, step.value)
    return { done: true }
  }

  function select(step) {
    const element = field(target(step))
    if (!element) return { wait: 'missing' }
    if (element.localName !== 'select') return { error: `${called(element)} is no drop-down` }
    if (isDisabled(element)) return { wait: 'it is disabled' }
    const options = [...element.options]
    const wanted = options.find(({ value }) => value === step.value) ?? options.find((option) => collapsed(option.label) === collapsed(step.value))
    if (!wanted) return { wait: `it has no option ${JSON.stringify(step.value)}; options there: ${JSON.stringify(options.slice(0, 12).map(({ value }) => value))}` }
    if (wanted.disabled) return { wait: 'this option is disabled' }
    element.focus()
    for (const option of options) option.selected = option === wanted
    changed(element)
    return { done: true }
  }

  function attach(step) {
    const element = all(step.selector)[0]
    if (!element) return { wait: 'missing' }
    if (!element.matches('input[type=file]')) return { error: `${called(element)} is no field for files` }
    const files = new DataTransfer()
    files.items.add(new File([step.content], step.filename, { type: 'application/octet-stream' }))
    element.files = files.files
    changed(element)
    return { done: true }
  }

  function focus(step) {
    const element = field(target(step))
    if (!element) return { wait: 'missing' }
    element.focus()
    return { done: true }
  }

  function value(step) {
    const element = field(target({ selector: step.selector, nth: step.nth }))
    if (!element) return { wait: 'missing' }
    if (!element.matches('input, textarea, select')) return { wait: `${called(element)} has no value` }
    return { value: element.value }
  }

  const innerTexts = (elements) => elements.slice(0, 6).map((element) => collapsed(element.innerText ?? '').slice(0, 200))

  /** Dispatch what Chromium would at the end of a drag that it had led itself. */
  function endDrag(x, y, action) {
    const source = heldDragEnd
    heldDragEnd = null
    if (!(source instanceof EventTarget)) return false
    const dataTransfer = new DataTransfer()
    dataTransfer.dropEffect = action
    source.dispatchEvent(new DragEvent('dragend', { bubbles: true, composed: true, clientX: x, clientY: y, dataTransfer }))
    return true
  }

  /** What must not change for a page to count as settled. */
  function settling() {
    const body = page.body
    return {
      state: page.readyState, quiet: performance.now() - lastChange, still: performance.now() - lastRewrite, blank: !body || isBlank(),
      resources: performance.getEntriesByType('resource').length,
    }
  }

  const isShown = (element) => isVisible(element) && bare(element).checkVisibility({ checkOpacity: true })
  const GRAPHICS = 'img, svg, canvas, video, iframe, object, embed, input, button, select, textarea, progress, meter'
  function isBlank() {
    const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT)
    for (let node = walker.currentNode; node; node = walker.nextNode()) {
      if (bare(node).nodeType === Node.TEXT_NODE) {
        if (node.nodeValue.trim() && !/^(script|style|noscript|template)$/.test(bare(node.parentElement).localName) && isShown(node.parentElement)) return false
      } else if (bare(node).matches(GRAPHICS) ? isShown(node) : node !== page.body && getComputedStyle(node).backgroundImage !== 'none' && isShown(node)) {
        return false
      }
    }
    return true
  }

  function overlay() {
    const root = page.querySelector('vite-error-overlay')?.shadowRoot
    if (!root) return ''
    const parts = ['.message', '.file', '.frame'].map((part) => root.querySelector(part)?.textContent?.trim() ?? '')
    return parts.filter(Boolean).join('\n') || 'The dev server reports an error.'
  }

  return {
    seen: () => seen, clickPlace, grip, fill, select, attach, focus, value, endDrag, settling, isVisible, collapsed, textOf, bare,
    count: (step) => matches(step).length,
    texts: (step) => innerTexts(all(step.selector)),
    matchingTexts: (step) => innerTexts(matches(step)),
    holdDragEnd: () => { heldDragEnd = false; return true },
    letDragEndGo: () => { heldDragEnd = null; return true },
    /** Count the frame after the next; what came before it has been handled and drawn by then. */
    askForFrames: () => { requestAnimationFrame(() => requestAnimationFrame(() => { framesDrawn += 1 })); return framesDrawn },
    framesDrawn: () => framesDrawn,
    /** Whether mouse and keys reach the page: Chromium drops what comes before the first picture. */
    ready: () => painted && page.hasFocus(),
    title: () => page.title,
    href: () => location.href,
    look: () => ({
      title: page.title, text: (page.body?.innerText ?? '').slice(0, 20000), blank: !page.body || isBlank(), overlay: overlay(),
      status: performance.getEntriesByType('navigation')[0]?.responseStatus ?? 0,
    }),
  }
})()
