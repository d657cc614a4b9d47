// Runs in every page before its own scripts, in their world, and tells the browser program what a page cannot be
// seen to do from outside: formatted console messages with their place, stacks of uncaught errors, failed requests.
// It tells through `console.debug` with a token that no page writes by itself.
;(() => {
  const token = '__TOKEN__'
  const debug = console.debug.bind(console)
  const stringify = JSON.stringify
  const MOST = 4000
  const tell = (kind, fields) => debug(token + stringify({ kind, ...fields }))
  const short = (text) => (text.length > MOST ? `${text.slice(0, MOST)}…` : text)

  function shown(value, depth = 0) {
    if (typeof value === 'string') return depth ? stringify(value) : value
    if (value instanceof Error) return value.stack || String(value)
    if (typeof value === 'function') return `function ${value.name}`
    if (value === null || typeof value !== 'object') return String(value)
    if (value instanceof Element) return `<${value.localName}${value.id ? `#${value.id}` : ''}>`
    if (depth > 2) return Array.isArray(value) ? '[…]' : '{…}'
    if (Array.isArray(value)) return `[${value.slice(0, 20).map((each) => shown(each, depth + 1)).join(', ')}]`
    const name = value.constructor?.name
    const fields = Object.keys(value).slice(0, 20).map((key) => `${key}: ${shown(value[key], depth + 1)}`)
    return `${name && name !== 'Object' ? `${name} ` : ''}{${fields.join(', ')}}`
  }

  function formatted(values) {
    let rest = [...values]
    let text = ''
    if (typeof rest[0] === 'string') {
      const pattern = rest.shift()
      text = pattern.replace(/%([sdifoOc%])/g, (all, kind) => {
        if (kind === '%') return '%'
        if (rest.length === 0) return all
        const value = rest.shift()
        if (kind === 'c') return ''
        if (kind === 'd' || kind === 'i') return String(parseInt(value, 10))
        return kind === 'f' ? String(parseFloat(value)) : shown(value)
      })
    } else if (rest.length) text = shown(rest.shift())
    return short([text, ...rest.map((each) => shown(each))].join(' '))
  }

  function callPlace() {
    for (const line of (new Error().stack || '').split('\n')) {
      const place = /\(?((?:https?|blob|data):[^\s()]+?):(\d+):(\d+)\)?$/.exec(line)
      if (place) return { url: place[1], line: Number(place[2]), column: Number(place[3]) }
    }
    return { url: '', line: 0, column: 0 }
  }

  for (const level of ['log', 'info', 'debug', 'warn', 'error']) {
    console[level] = new Proxy(console[level], {
      apply(target, self, values) {
        try {
          tell('console', { level: level === 'warn' ? 'warning' : level, text: formatted(values), ...callPlace() })
        } catch {
          Reflect.apply(target, self, values)
        }
      },
    })
  }

  addEventListener('error', (event) => {
    if (event.target instanceof Element) {
      const url = event.target.currentSrc || event.target.src || event.target.href
      if (typeof url === 'string' && url) unanswered('GET', url, 'could not be loaded')
      return
    }
    tell('thrown', {
      text: String(event.message), stack: short(String(event.error?.stack ?? '')), url: event.filename,
      line: event.lineno, column: event.colno,
    })
  }, true)
  addEventListener('unhandledrejection', ({ reason }) => {
    tell('thrown', { text: `Uncaught (in promise) ${shown(reason).split('\n')[0]}`, stack: short(String(reason?.stack ?? '')), url: '', line: 0, column: 0 })
  }, true)

  // Whoever leaves a page ends its requests; that is no failure, and a page that is gone tells nothing any more.
  const later = setTimeout.bind(globalThis)
  const SOON = 50
  let leaving = false
  addEventListener('beforeunload', () => { leaving = true; later(() => { leaving = false }, 1000) }, true)
  addEventListener('pagehide', () => { leaving = true }, true)
  const unanswered = (method, url, reason) => later(() => leaving || request(method, url, 0, reason), SOON)

  const absolute = (url) => new URL(url, document.baseURI).href
  const request = (method, url, status, reason) => {
    try {
      tell('request', { method: String(method).toUpperCase(), url: absolute(url), status, reason })
    } catch {
      // An address that is none has failed for a reason that the page is told.
    }
  }
  globalThis.fetch = new Proxy(globalThis.fetch, {
    apply(target, self, [asked, options]) {
      const url = asked instanceof Request ? asked.url : String(asked)
      const method = options?.method ?? (asked instanceof Request ? asked.method : 'GET')
      return Reflect.apply(target, self, [asked, options]).then(
        (response) => {
          if (response.status >= 400) request(method, url, response.status, response.statusText)
          return response
        },
        (error) => {
          const aborted = error?.name === 'AbortError' || options?.signal?.aborted || (asked instanceof Request && asked.signal.aborted)
          if (!aborted) unanswered(method, url, String(error?.message ?? error))
          throw error
        },
      )
    },
  })
  const { open, send } = XMLHttpRequest.prototype
  const opened = new WeakMap()
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    opened.set(this, [method, url])
    return open.call(this, method, url, ...rest)
  }
  XMLHttpRequest.prototype.send = function (...body) {
    const [method, url] = opened.get(this) ?? ['GET', '']
    this.addEventListener('load', () => this.status >= 400 && request(method, url, this.status, this.statusText))
    this.addEventListener('error', () => unanswered(method, url, 'no answer'))
    return send.apply(this, body)
  }
  new PerformanceObserver((list) => {
    for (const { name, responseStatus, initiatorType } of list.getEntries()) {
      if (responseStatus >= 400 && !['fetch', 'xmlhttprequest'].includes(initiatorType)) {
        request('GET', name, responseStatus, '')
      }
    }
  }).observe({ type: 'resource', buffered: true })
})()
