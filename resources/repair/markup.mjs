// HTML habits in JSX: attribute names, style strings, numbers and booleans as strings, comments, closing tags.

const NAMES = {
  class: 'className', for: 'htmlFor', tabindex: 'tabIndex', readonly: 'readOnly', maxlength: 'maxLength', minlength: 'minLength',
  colspan: 'colSpan', rowspan: 'rowSpan', autocomplete: 'autoComplete', autofocus: 'autoFocus', autoplay: 'autoPlay',
  contenteditable: 'contentEditable', crossorigin: 'crossOrigin', srcset: 'srcSet', enctype: 'encType', novalidate: 'noValidate',
  usemap: 'useMap', frameborder: 'frameBorder', allowfullscreen: 'allowFullScreen', spellcheck: 'spellCheck', inputmode: 'inputMode',
  datetime: 'dateTime', accesskey: 'accessKey', viewbox: 'viewBox', strokewidth: 'strokeWidth', strokelinecap: 'strokeLinecap',
  strokelinejoin: 'strokeLinejoin', strokedasharray: 'strokeDasharray', fillrule: 'fillRule', cliprule: 'clipRule',
}

export function attributeRule(problem, { ts, sf, checker, nodeAt }) {
  const node = nodeAt(sf, problem.start)
  const opening = ts.findAncestor(node, ts.isJsxOpeningLikeElement)
  if (!opening) return []
  const near = ts.findAncestor(node, ts.isJsxAttribute)
  const attributes = near ? [near] : opening.attributes.properties.filter(ts.isJsxAttribute)
  const edits = []
  for (const attribute of attributes) {
    if (!ts.isIdentifier(attribute.name)) continue
    const name = attribute.name.text
    const has = (other) => opening.attributes.properties.some((p) => ts.isJsxAttribute(p) && p.name.getText(sf) === other)
    if (/^[a-z]/.test(opening.tagName.getText(sf))) {
      const right = NAMES[name.toLowerCase()] ?? eventName(name, opening, checker, ts)
      if (right && right !== name && !has(right)) edits.push(replace(sf, attribute.name, right))
    }
    const value = attribute.initializer
    if (name === 'style' && value && ts.isStringLiteral(value)) {
      const object = styleObject(value.text)
      if (object) edits.push(replace(sf, value, `{{ ${object} }}`))
    } else if (value && ts.isStringLiteral(value)) {
      const literal = literalOf(ts, value.text, checker.getContextualType(value))
      if (literal) edits.push(replace(sf, value, `{${literal}}`))
    }
  }
  return edits.length ? [{ name: 'attribute', edits }] : []
}

function eventName(name, opening, checker, ts) {
  if (!/^on[a-z]+$/i.test(name)) return undefined
  const type = checker.getContextualType(opening.attributes)
  const right = type && checker.getPropertiesOfType(checker.getNonNullableType(type)).filter((p) => p.name.toLowerCase() === name.toLowerCase())
  return right?.length === 1 ? right[0].name : undefined
}

function styleObject(text) {
  const parts = text.split(';').map((part) => part.trim()).filter(Boolean)
  const entries = parts.map((part) => {
    const match = /^(-{0,2}[a-z][a-z-]*)\s*:\s*([^:{}]+)$/i.exec(part)
    if (!match || match[1].startsWith('--')) return undefined
    const name = match[1].replace(/^-ms-/, 'ms-').replace(/-([a-z])/g, (_, letter) => letter.toUpperCase())
    return `${name}: '${match[2].trim().replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`
  })
  return entries.length && entries.every(Boolean) ? entries.join(', ') : undefined
}

function literalOf(ts, text, type) {
  const kinds = (type?.isUnion() ? type.types : type ? [type] : []).filter((each) => !(each.flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Null)))
  const all = (flag) => kinds.length > 0 && kinds.every((each) => each.flags & flag)
  if (all(ts.TypeFlags.NumberLike) && /^-?\d+(?:\.\d+)?$/.test(text)) return text
  if (all(ts.TypeFlags.BooleanLike) && /^(?:true|false)$/.test(text)) return text
  return undefined
}

/** 1003, 1109, 17002, 17008 …: comments of HTML, closing tags that do not fit. */
export function tagRule(problem, { ts, sf, nodeAt }) {
  const found = []
  if (sf.fileName.endsWith('x')) {
    const comments = [...sf.text.matchAll(/<!--([\s\S]*?)-->/g)].filter((m) => !m[1].includes('*/'))
    if (comments.length) {
      found.push({
        name: 'markup',
        edits: comments.map((m) => ({ file: sf.fileName, start: m.index, end: m.index + m[0].length, text: `{/*${m[1]}*/}` })),
      })
    }
  }
  const VOID = /<(br|hr|img|input|meta|link|area|col|embed|source|track|wbr)\b((?:[^<>{}"']|"[^"]*"|'[^']*'|\{(?:[^{}]|\{[^{}]*\})*\}|=>)*?)(?<![/=])>/g
  if (problem.number === 17008 || problem.number === 17002 || problem.number === 1005 || problem.number === 1381 || problem.number === 1382) {
    const open = [...sf.text.matchAll(VOID)].filter((m) => !sf.text.includes(`</${m[1]}>`))
    if (open.length) {
      found.push({
        name: 'markup',
        edits: open.map((m) => ({ file: sf.fileName, start: m.index + m[0].length - 1, end: m.index + m[0].length, text: /\s$/.test(m[2]) ? '/>' : ' />' })),
      })
    }
  }
  const node = nodeAt(sf, problem.start)
  if (problem.number === 17002) {
    const closing = ts.findAncestor(node, ts.isJsxClosingElement)
    const wanted = /closing tag for '([^']+)'/.exec(problem.message)?.[1]
    if (closing && wanted) {
      found.push({ name: 'markup', edits: [replace(sf, closing.tagName, wanted)] })
      found.push({ name: 'markup', edits: [{ file: sf.fileName, start: closing.getStart(sf), end: closing.getStart(sf), text: `</${wanted}>` }] })
    }
  }
  if (problem.number === 17008) {
    const element = ts.findAncestor(node, ts.isJsxElement)
    const name = /element '([^']+)'/.exec(problem.message)?.[1]
    // In a .tsx file the type parameter of an arrow function looks like a tag, unless a comma follows it.
    if (element && /^<([A-Z]\w*)>\s*\([^\n]*=>/.test(sf.text.slice(element.getStart(sf)))) {
      const at = element.openingElement.tagName.end
      return [{ name: 'markup', edits: [{ file: sf.fileName, start: at, end: at, text: ',' }] }]
    }
    if (element && name) {
      // On one line it can only end there; else before the line that closes what is around it.
      const end = sf.text.indexOf('\n', element.getStart(sf))
      const line = sf.text.slice(element.getStart(sf), end)
      const outer = line.lastIndexOf('</')
      if (outer > 0) {
        const at = element.getStart(sf) + outer
        found.push({ name: 'markup', edits: [{ file: sf.fileName, start: at, end: at, text: `</${name}>` }] })
      } else if (line.trim() && !line.trimEnd().endsWith('>')) {
        found.push({ name: 'markup', edits: [{ file: sf.fileName, start: element.getStart(sf) + line.trimEnd().length, end: element.getStart(sf) + line.trimEnd().length, text: `</${name}>` }] })
      }
      const own = column(sf, element.getStart(sf))
      const lines = sf.text.slice(end + 1).split('\n')
      let position = end + 1
      for (const each of lines) {
        if (each.trim() && /^\s*/.exec(each)[0].length <= own) {
          const indent = ' '.repeat(own)
          found.push({ name: 'markup', edits: [{ file: sf.fileName, start: position, end: position, text: `${indent}</${name}>\n` }] })
          break
        }
        position += each.length + 1
      }
    }
  }
  return found
}

function column(sf, position) {
  return sf.getLineAndCharacterOfPosition(position).character
}

/** A file that came with the fence of the answer round it. */
export function fenceRule(_problem, { sf }) {
  const match = /^\s*```\w*[ \t]*\r?\n([\s\S]*?\r?\n)```\s*$/.exec(sf.text)
  return match ? [{ name: 'syntax', edits: [{ file: sf.fileName, start: 0, end: sf.text.length, text: match[1] }] }] : []
}

/** 2657: several elements where one may be. */
export function fragmentRule(problem, { ts, sf, nodeAt }) {
  let node = ts.findAncestor(nodeAt(sf, problem.start), (n) => ts.isBinaryExpression(n) && n.operatorToken.kind === ts.SyntaxKind.CommaToken)
  while (node?.parent && ts.isBinaryExpression(node.parent)) node = node.parent
  if (!node) return []
  const start = node.getStart(sf)
  const line = sf.text.lastIndexOf('\n', start - 1) + 1
  const indent = sf.text.slice(line, start)
  const gap = line > 0 && !indent.trim() ? (sf.text[line - 2] === '\r' ? '\r\n' : '\n') + indent : ''
  return [{
    name: 'markup',
    edits: [
      { file: sf.fileName, start, end: start, text: `<>${gap}` },
      { file: sf.fileName, start: node.end, end: node.end, text: `${gap}</>` },
    ],
  }]
}

/** Where the last token before a place ends, comments left out. */
function tokenEndBefore(sf, position) {
  let node = sf
  for (;;) {
    const before = node.getChildren(sf).filter((child) => child.getStart(sf) < position && child.end > child.getStart(sf))
    const last = before.at(-1)
    if (!last) return node === sf ? position : Math.min(node.end, position)
    node = last
  }
}

/** Where a block that is never closed ends by its indentation: before the first line that stands no deeper than its head. */
function blockEnd(text) {
  const open = []
  let position = 0
  for (const line of text.split('\n')) {
    const code = line.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|\/\/.*|\/\*.*?\*\//g, '')
    const indent = /^[ \t]*/.exec(line)[0]
    const top = open.at(-1)
    if (top && code.trim() && indent.length <= top.indent.length && !/^\s*[)\]}]/.test(code)) {
      return { position, text: `${top.indent}}${line.endsWith('\r') ? '\r' : ''}\n` }
    }
    for (const letter of code) {
      if (letter === '{') open.push({ indent })
      else if (letter === '}') open.pop()
    }
    position += line.length + 1
  }
  return undefined
}

/** 1005, 1109, 1128: a bracket too few or too many, where one edit makes the file whole. */
export function bracketRule(problem, { ts, sf }) {
  const { text } = sf
  const token = /^'([)\]};,:])' expected\.$/.exec(problem.message)?.[1]
  if (/^'=>' expected/.test(problem.message)) return [insert(sf, tokenEndBefore(sf, problem.start), ' =>')]
  const found = []
  const trimmed = text.trimEnd()
  if (token) {
    if (token === '}' && problem.start >= trimmed.length) {
      const at = blockEnd(text)
      if (at) found.push({ name: 'syntax', edits: [{ file: sf.fileName, start: at.position, end: at.position, text: at.text }] })
    }
    if (problem.start >= trimmed.length) {
      const newLine = text.includes('\r\n') ? '\r\n' : '\n'
      found.push(insert(sf, trimmed.length, token === '}' ? newLine + token : token))
    } else {
      found.push(insert(sf, tokenEndBefore(sf, problem.start), token)) // where the parser missed it
      found.push(insert(sf, problem.start, token))
      if (token === ',' || token === ';') found.push(insert(sf, tokenEndBefore(sf, problem.start), ' =>'))
      if (token === ',') for (const closing of ')]}') found.push(insert(sf, tokenEndBefore(sf, problem.start), closing))
      if (token === '}') found.push(insert(sf, tokenEndBefore(sf, problem.start), '}`'))
    }
  }
  if (problem.number === 1128 && /^[)\]}]$/.test(text[problem.start])) {
    const line = text.lastIndexOf('\n', problem.start - 1) + 1
    const end = text.indexOf('\n', problem.start)
    const alone = text.slice(line, end < 0 ? text.length : end).trim().replace(/[;,]$/, '').length === 1
    found.push({ name: 'syntax', edits: [alone ? { file: sf.fileName, start: line, end: end < 0 ? text.length : end + 1, text: '' } : { file: sf.fileName, start: problem.start, end: problem.start + 1, text: '' }] })
  }
  if (problem.number === 1002) {
    const end = text.indexOf('\n', problem.start)
    const line = text.slice(text.lastIndexOf('\n', problem.start - 1) + 1, end < 0 ? text.length : end)
    const quotes = ['"', "'"].filter((q) => (line.split(q).length - 1) % 2 === 1)
    if (quotes.length === 1) {
      const tail = /[;,)\]}\s]*$/.exec(line)[0]
      const at = (end < 0 ? text.length : end) - tail.length
      found.push(insert(sf, at, quotes[0]))
    }
  }
  return found
}

const insert = (sf, at, text) => ({ name: 'syntax', edits: [{ file: sf.fileName, start: at, end: at, text }] })

function replace(sf, node, text) {
  return { file: sf.fileName, start: node.getStart(sf), end: node.end, text }
}
