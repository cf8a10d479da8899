// Escapes values of templates for HTML by the place they land in, as html/template does: text, attribute, URL, style or
// script. The place is found while the template runs, from what was written before. Comments of the template are left
// out. In doubt a value is replaced by a harmless word, never passed on.
import { SafeHtml, SafeUrl, type Value } from './values.ts'

/** What a template's output passes through. */
export interface OutputEscaper {
  /** Text of the template itself. */
  literal(text: string): string
  /** A value that is printed; `last` is the function its pipeline ends with. */
  value(value: Value, text: string, last: string | undefined): string
}

type AttributeKind = 'plain' | 'url' | 'style' | 'script'
type Place =
  | { readonly at: 'text' | 'comment' | 'tag' }
  | { readonly at: 'rcdata' | 'script' | 'style'; readonly element: string }
  | { readonly at: 'beforeValue'; readonly kind: AttributeKind }
  | { readonly at: 'value'; readonly kind: AttributeKind; readonly quote: string }

const URL_ATTRIBUTES = new Set([
  'action',
  'archive',
  'background',
  'cite',
  'classid',
  'codebase',
  'data',
  'formaction',
  'href',
  'icon',
  'longdesc',
  'manifest',
  'poster',
  'profile',
  'src',
  'usemap',
  'xmlns',
])
/** What html/template writes for a value it does not trust. */
const REFUSED = 'ZgotmplZ'

export class HtmlEscaper implements OutputEscaper {
  #place: Place = { at: 'text' }
  /** The element whose tag is being written. */
  #element = ''
  #url: 'start' | 'path' | 'query' = 'start'
  #scriptQuote = ''

  literal(text: string): string {
    let out = ''
    for (let i = 0; i < text.length;) {
      const rest = text.slice(i)
      const [used, shown] = this.#step(rest)
      out += shown
      i += used
    }
    return out
  }

  /** Reads some of the text: how much, and what of it is written. */
  #step(rest: string): [number, string] {
    const place = this.#place
    const take = (pattern: RegExp) => pattern.exec(rest)![0]
    switch (place.at) {
      case 'text': {
        if (rest.startsWith('<!--')) {
          this.#place = { at: 'comment' }
          return [4, '']
        }
        const tag = /^<(\/?[A-Za-z][A-Za-z0-9:-]*)/.exec(rest)
        if (tag) {
          this.#element = tag[1]!.toLowerCase()
          this.#place = { at: 'tag' }
          return [tag[0].length, tag[0]]
        }
        const plain = take(/^<?[^<]*/)
        return [plain.length, plain]
      }
      case 'comment': {
        const end = rest.indexOf('-->')
        if (end < 0) return [rest.length, '']
        this.#place = { at: 'text' }
        return [end + 3, '']
      }
      case 'rcdata':
      case 'script':
      case 'style':
        return this.#rawText(rest, place.at, place.element)
      case 'tag':
        return this.#tag(rest)
      case 'beforeValue': {
        const space = take(/^\s*/)
        if (space !== '') return [space.length, space]
        const quote = rest[0] === '"' || rest[0] === "'" ? rest[0] : ''
        this.#place = { at: 'value', kind: place.kind, quote }
        this.#url = 'start'
        this.#scriptQuote = ''
        return [quote.length, quote]
      }
      case 'value': {
        const end = place.quote === '' ? rest.search(/[\s>]/) : rest.indexOf(place.quote)
        const shown = end < 0 ? rest : rest.slice(0, end)
        this.#seeValue(shown)
        if (end < 0) return [rest.length, shown]
        this.#place = { at: 'tag' }
        return [end + place.quote.length, shown + place.quote]
      }
    }
  }

  #rawText(rest: string, at: 'rcdata' | 'script' | 'style', element: string): [number, string] {
    const end = rest.toLowerCase().indexOf(`</${element}`)
    const shown = end < 0 ? rest : rest.slice(0, end)
    if (at === 'script') this.#seeScript(shown)
    if (end < 0) return [rest.length, shown]
    this.#element = `/${element}`
    this.#place = { at: 'tag' }
    return [end + 2 + element.length, rest.slice(0, end + 2 + element.length)]
  }

  #tag(rest: string): [number, string] {
    if (rest[0] === '>') {
      this.#place = this.#inside(this.#element)
      return [1, '>']
    }
    const attribute = /^([^\s=>/"']+)(\s*=)?/.exec(rest)
    if (!attribute) return [1, rest[0]!]
    if (attribute[2] !== undefined)
      this.#place = { at: 'beforeValue', kind: attributeKind(attribute[1]!.toLowerCase()) }
    return [attribute[0].length, attribute[0]]
  }

  #inside(element: string): Place {
    this.#scriptQuote = ''
    if (element === 'title' || element === 'textarea') return { at: 'rcdata', element }
    if (element === 'script' || element === 'style') return { at: element, element }
    return { at: 'text' }
  }

  #seeValue(text: string): void {
    if (/[?#]/.test(text)) this.#url = 'query'
    else if (this.#url === 'start' && text.trim() !== '') this.#url = 'path'
    this.#seeScript(text)
  }

  #seeScript(text: string): void {
    for (const [char] of text.matchAll(/\\.|["'`]/gs)) {
      if (char.startsWith('\\')) continue
      if (this.#scriptQuote === '') this.#scriptQuote = char
      else if (this.#scriptQuote === char) this.#scriptQuote = ''
    }
  }

  value(value: Value, text: string, last: string | undefined): string {
    const place = this.#place
    switch (place.at) {
      case 'text':
        return value instanceof SafeHtml || last === 'html' ? text : escapeHtml(text)
      case 'comment':
        return ''
      case 'rcdata':
        return value instanceof SafeHtml || last === 'html' ? normalizeHtml(text) : escapeHtml(text)
      case 'script':
        return escapeScript(text, this.#scriptQuote !== '')
      case 'style':
        return filterStyle(text)
      case 'tag':
        return /^[A-Za-z0-9]+$/.test(text) && attributeKind(text.toLowerCase()) === 'plain' ? text : REFUSED
      case 'beforeValue':
        // A value right after `=` is one without quotes.
        this.#place = { at: 'value', kind: place.kind, quote: '' }
        this.#url = 'start'
        this.#scriptQuote = ''
        return this.value(value, text, last)
      case 'value':
        return this.#attribute(place.kind, place.quote, value, text, last)
    }
  }

  #attribute(
    kind: AttributeKind,
    quote: string,
    value: Value,
    text: string,
    last: string | undefined,
  ): string {
    let shown = text
    if (kind === 'url') shown = this.#urlPart(value, text, last)
    else if (kind === 'style') shown = filterStyle(text)
    else if (kind === 'script') shown = escapeScript(text, this.#scriptQuote !== '')
    else if (value instanceof SafeHtml) shown = text.replace(/<[^>]*>?/g, '')
    const escape =
      kind === 'plain' && (value instanceof SafeHtml || last === 'html') ? normalizeHtml : escapeHtml
    const safe = escape(shown)
    if (quote !== '') return safe
    return safe === '' ? REFUSED : safe.replace(/[\t\n\v\f\r +=`]/g, (char) => `&#${char.charCodeAt(0)};`)
  }

  #urlPart(value: Value, text: string, last: string | undefined): string {
    if (this.#url === 'query') return last === 'urlquery' ? text : percentEncode(text, /[A-Za-z0-9\-._~]/)
    const normal = percentEncode(text, /[A-Za-z0-9\-._~!#$&*+,/:;=?@[\]]/, true)
    if (this.#url === 'path' || value instanceof SafeUrl) return normal
    const scheme = /^([^/?#]*?):/.exec(text)
    return scheme && !/^(https?|mailto)$/i.test(scheme[1]!) ? `#${REFUSED}` : normal
  }
}

function attributeKind(name: string): AttributeKind {
  const bare = name.startsWith('data-') ? name.slice(5) : name.slice(name.indexOf(':') + 1)
  if (name.startsWith('xmlns:') || URL_ATTRIBUTES.has(bare)) return 'url'
  if (bare === 'style') return 'style'
  if (bare.startsWith('on')) return 'script'
  // As html/template guesses for names it does not know.
  return /src|uri|url/.test(bare) ? 'url' : 'plain'
}

function escapeHtml(text: string): string {
  return normalizeHtml(text.replaceAll('&', '&amp;'))
}

/** Escapes all but `&`, for text that has references already. */
function normalizeHtml(text: string): string {
  return text
    .replaceAll('\0', '\uFFFD')
    .replaceAll('"', '&#34;')
    .replaceAll("'", '&#39;')
    .replaceAll('+', '&#43;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}

function percentEncode(text: string, keep: RegExp, keepEscapes = false): string {
  const encoder = new TextEncoder()
  let out = ''
  for (let i = 0; i < text.length;) {
    const char = String.fromCodePoint(text.codePointAt(i)!)
    if (keepEscapes && /^%[0-9A-Fa-f]{2}/.test(text.slice(i, i + 3))) out += '%'
    else if (keep.test(char)) out += char
    else for (const byte of encoder.encode(char)) out += `%${byte.toString(16).padStart(2, '0')}`
    i += char.length
  }
  return out
}

function filterStyle(text: string): string {
  const harmless =
    /^[A-Za-z0-9 #%.,!-]*$/.test(text) && !/expression|mozbinding/i.test(text.replace(/-/g, ''))
  return harmless ? text : REFUSED
}

/** A string of a script: everything but letters and digits as \u escapes. */
function escapeScript(text: string, inString: boolean): string {
  const safe = text.replace(
    /[^A-Za-z0-9 ]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return inString ? safe : `"${safe}"`
}
