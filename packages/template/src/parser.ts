// Parses a template into trees: one for the text itself and one for each `define` and `block`. Functions and variables
// must be known, so that a typing mistake shows when a rule file is loaded, not when the alert fires.
import { TemplateError } from './errors.ts'
import { lexTemplate, type Token } from './lexer.ts'
import { parseNumber, unquote, unquoteChar } from './literal.ts'
import {
  printNode,
  type ActionNode,
  type ArgNode,
  type BranchNode,
  type CommandNode,
  type ListNode,
  type MarkNode,
  type Node,
  type PipeNode,
  type TemplateNode,
  type VariableNode,
} from './nodes.ts'

/** One named template. */
export interface TemplateTree {
  readonly name: string
  /** Name of the text it was parsed from, for messages. */
  readonly parseName: string
  readonly source: string
  readonly root: ListNode
}

/** Deepest nesting of blocks and parentheses. */
const DEPTH_MAX = 250

/** All templates in `source`; the text itself is called `name`. Throws `TemplateError`. */
export function parseTrees(
  name: string,
  source: string,
  hasFunction: (name: string) => boolean,
): Map<string, TemplateTree> {
  return new Parser(name, source, hasFunction).run()
}

class Parser {
  readonly #name: string
  readonly #source: string
  readonly #hasFunction: (name: string) => boolean
  readonly #tokens: readonly Token[]
  readonly #trees = new Map<string, TemplateTree>()
  #at = 0
  #variables: string[] = ['$']
  #rangeDepth = 0
  #depth = 0
  #actionLine = 0

  constructor(name: string, source: string, hasFunction: (name: string) => boolean) {
    this.#name = name
    this.#source = source
    this.#hasFunction = hasFunction
    this.#tokens = lexTemplate(source)
  }

  run(): Map<string, TemplateTree> {
    const nodes: Node[] = []
    while (this.#peek().kind !== 'eof') {
      const start = this.#at
      if (this.#peek().kind === 'leftDelim') {
        this.#next()
        const word = this.#nextNonSpace()
        if (word.kind === 'keyword' && word.value === 'define') {
          this.#definition()
          continue
        }
        this.#at = start
      }
      const node = this.#textOrAction()
      if (node.kind === 'end' || node.kind === 'else') this.#fail(`unexpected ${printNode(node)}`)
      nodes.push(node)
    }
    this.#add(this.#name, { kind: 'list', position: 0, nodes })
    return this.#trees
  }

  #add(name: string, root: ListNode): void {
    const known = this.#trees.get(name)
    // An empty redefinition does not replace what is there.
    const empty = root.nodes.every((node) => node.kind === 'text' && node.text.trim() === '')
    if (known && empty) return
    this.#trees.set(name, { name, parseName: this.#name, source: this.#source, root })
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#at, this.#tokens.length - 1)]!
  }

  #next(): Token {
    const token = this.#peek()
    this.#at++
    return token
  }

  #peekNonSpace(): Token {
    while (this.#peek().kind === 'space') this.#at++
    return this.#peek()
  }

  #nextNonSpace(): Token {
    this.#peekNonSpace()
    return this.#next()
  }

  #line(position: number): number {
    let line = 1
    for (let i = this.#source.indexOf('\n'); i >= 0 && i < position; i = this.#source.indexOf('\n', i + 1))
      line++
    return line
  }

  #fail(message: string): never {
    const last = this.#tokens[Math.min(Math.max(this.#at - 1, 0), this.#tokens.length - 1)]!
    throw new TemplateError(`template: ${this.#name}:${this.#line(last.position)}: ${message}`)
  }

  #unexpected(token: Token, context: string): never {
    if (token.kind === 'error') {
      const started = this.#actionLine
      const extra =
        started !== 0 && started !== this.#line(token.position)
          ? ` in action started at ${this.#name}:${started}`
          : ''
      this.#fail(token.value + extra)
    }
    this.#fail(`unexpected ${tokenText(token)} in ${context}`)
  }

  #expectRightDelim(context: string): void {
    const token = this.#nextNonSpace()
    if (token.kind !== 'rightDelim') this.#unexpected(token, context)
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > DEPTH_MAX) this.#fail('template is nested too deeply')
    const result = read()
    this.#depth--
    return result
  }

  #definition(): void {
    const context = 'define clause'
    const name = this.#templateName(this.#nextNonSpace(), context)
    this.#expectRightDelim(context)
    this.#subtree(name, context)
  }

  /** A template inside the template: its variables are its own. */
  #subtree(name: string, context: string): void {
    const outer = { variables: this.#variables, rangeDepth: this.#rangeDepth }
    this.#variables = ['$']
    this.#rangeDepth = 0
    const { list, end } = this.#itemList()
    if (end.kind !== 'end') this.#fail(`unexpected ${printNode(end)} in ${context}`)
    this.#variables = outer.variables
    this.#rangeDepth = outer.rangeDepth
    this.#add(name, list)
  }

  #templateName(token: Token, context: string): string {
    const name = token.kind === 'string' || token.kind === 'rawString' ? unquote(token.value) : undefined
    return name ?? this.#unexpected(token, context)
  }

  #itemList(): { list: ListNode; end: MarkNode } {
    const nodes: Node[] = []
    const position = this.#peekNonSpace().position
    while (this.#peekNonSpace().kind !== 'eof') {
      const node = this.#textOrAction()
      if (node.kind === 'end' || node.kind === 'else')
        return { list: { kind: 'list', position, nodes }, end: node }
      nodes.push(node)
    }
    return this.#fail('unexpected EOF')
  }

  #textOrAction(): Node {
    const token = this.#nextNonSpace()
    if (token.kind === 'text') return { kind: 'text', position: token.position, text: token.value }
    if (token.kind !== 'leftDelim') this.#unexpected(token, 'input')
    this.#actionLine = this.#line(token.position)
    const node = this.#nested(() => this.#action())
    this.#actionLine = 0
    return node
  }

  #action(): Node {
    const start = this.#peekNonSpace()
    const { position } = start
    if (start.kind === 'keyword') {
      this.#next()
      switch (start.value) {
        case 'if':
        case 'with':
        case 'range':
          return this.#branch(start.value, position)
        case 'else': {
          const next = this.#peekNonSpace()
          const chained = next.kind === 'keyword' && (next.value === 'if' || next.value === 'with')
          if (!chained) this.#expectRightDelim('else')
          return { kind: 'else', position }
        }
        case 'end':
          this.#expectRightDelim('end')
          return { kind: 'end', position }
        case 'break':
        case 'continue':
          this.#expectRightDelim(`{{${start.value}}}`)
          if (this.#rangeDepth === 0) this.#fail(`{{${start.value}}} outside {{range}}`)
          return { kind: start.value, position }
        case 'template':
          return this.#template()
        case 'block':
          return this.#block()
      }
      this.#at--
    }
    const action: ActionNode = { kind: 'action', position, pipe: this.#pipeline('command', 'rightDelim') }
    return action
  }

  #branch(kind: 'if' | 'with' | 'range', position: number): BranchNode {
    const variables = this.#variables.length
    const pipe = this.#pipeline(kind, 'rightDelim')
    if (kind === 'range') this.#rangeDepth++
    const { list, end } = this.#itemList()
    if (kind === 'range') this.#rangeDepth--
    let elseList: ListNode | undefined
    if (end.kind === 'else') {
      const next = this.#peek()
      if (kind !== 'range' && next.kind === 'keyword' && next.value === kind) {
        this.#next()
        const inner = this.#nested(() => this.#branch(kind, next.position))
        elseList = { kind: 'list', position: end.position, nodes: [inner] }
      } else {
        const rest = this.#itemList()
        if (rest.end.kind !== 'end') this.#fail(`expected end; found ${printNode(rest.end)}`)
        elseList = rest.list
      }
    }
    this.#variables.length = variables
    return { kind, position, pipe, list, elseList }
  }

  #template(): TemplateNode {
    const context = 'template clause'
    const token = this.#nextNonSpace()
    const name = this.#templateName(token, context)
    let pipe: PipeNode | undefined
    if (this.#peekNonSpace().kind === 'rightDelim') this.#next()
    else pipe = this.#pipeline(context, 'rightDelim')
    return { kind: 'template', position: token.position, name, pipe }
  }

  #block(): TemplateNode {
    const context = 'block clause'
    const token = this.#nextNonSpace()
    const name = this.#templateName(token, context)
    const pipe = this.#pipeline(context, 'rightDelim')
    this.#subtree(name, context)
    return { kind: 'template', position: token.position, name, pipe }
  }

  #pipeline(context: string, end: 'rightDelim' | 'rightParen'): PipeNode {
    const { position } = this.#peekNonSpace()
    const declared: VariableNode[] = []
    let isAssign = false
    while (this.#peekNonSpace().kind === 'variable') {
      const start = this.#at
      const variable = this.#next()
      const next = this.#peekNonSpace()
      const comma = next.kind === 'char' && next.value === ','
      if (next.kind !== 'assign' && next.kind !== 'declare' && !comma) {
        this.#at = start
        break
      }
      this.#next()
      declared.push({ kind: 'variable', position: variable.position, path: [variable.value] })
      if (next.kind === 'assign' && !this.#variables.includes(variable.value))
        this.#fail(`undefined variable "${variable.value}"`)
      this.#variables.push(variable.value)
      if (!comma) {
        isAssign = next.kind === 'assign'
        break
      }
      if (context !== 'range' || declared.length >= 2) this.#fail(`too many declarations in ${context}`)
      const after = this.#peekNonSpace().kind
      if (after !== 'variable' && after !== 'rightDelim' && after !== 'rightParen')
        this.#fail('range can only initialize variables')
    }
    const commands: CommandNode[] = []
    while (this.#peekNonSpace().kind !== end) {
      const token = this.#peek()
      if (!OPERANDS.has(token.kind)) {
        this.#next()
        this.#unexpected(token, context)
      }
      commands.push(this.#command())
    }
    this.#next()
    if (commands.length === 0) this.#fail(`missing value for ${context}`)
    commands.forEach((command, i) => {
      if (i > 0 && ['bool', 'dot', 'nil', 'number', 'string'].includes(command.args[0]!.kind))
        this.#fail(`non executable command in pipeline stage ${i + 1}`)
    })
    return { kind: 'pipe', position, declared, isAssign, commands }
  }

  #command(): CommandNode {
    const { position } = this.#peekNonSpace()
    const args: ArgNode[] = []
    for (;;) {
      this.#peekNonSpace()
      const operand = this.#operand()
      if (operand) args.push(operand)
      const token = this.#next()
      if (token.kind === 'space') continue
      if (token.kind === 'rightDelim' || token.kind === 'rightParen') this.#at--
      else if (token.kind !== 'pipe') this.#unexpected(token, 'operand')
      break
    }
    if (args.length === 0) this.#fail('empty command')
    return { kind: 'command', position, args }
  }

  #operand(): ArgNode | undefined {
    const node = this.#term()
    const { kind, position } = this.#peek()
    if (!node || kind !== 'field') return node
    const path: string[] = []
    while (this.#peek().kind === 'field') path.push(this.#next().value.slice(1))
    switch (node.kind) {
      case 'field':
      case 'variable':
        return { ...node, position, path: [...node.path, ...path] }
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.#fail(`unexpected . after term ${JSON.stringify(printNode(node))}`)
      default:
        return { kind: 'chain', position, node, path }
    }
  }

  #term(): ArgNode | undefined {
    const token = this.#nextNonSpace()
    const { position, value } = token
    switch (token.kind) {
      case 'identifier':
        if (!this.#hasFunction(value)) this.#fail(`function ${JSON.stringify(value)} not defined`)
        return { kind: 'identifier', position, name: value }
      case 'dot':
      case 'nil':
        return { kind: token.kind, position }
      case 'variable':
        if (!this.#variables.includes(value)) this.#fail(`undefined variable ${JSON.stringify(value)}`)
        return { kind: 'variable', position, path: [value] }
      case 'field':
        return { kind: 'field', position, path: [value.slice(1)] }
      case 'bool':
        return { kind: 'bool', position, value: value === 'true' }
      case 'charConstant': {
        const code = unquoteChar(value)
        if (code === undefined) return this.#fail(`malformed character constant: ${value}`)
        return {
          kind: 'number',
          position,
          text: value,
          value: BigInt(code),
          asInt: BigInt(code),
          asFloat: code,
        }
      }
      case 'number': {
        const number = parseNumber(value)
        if (!number) return this.#fail(`illegal number syntax: ${JSON.stringify(value)}`)
        const { asInt, asFloat, isFloat } = number
        return { kind: 'number', position, text: value, value: isFloat ? asFloat : asInt!, asInt, asFloat }
      }
      case 'leftParen':
        return this.#nested(() => this.#pipeline('parenthesized pipeline', 'rightParen'))
      case 'string':
      case 'rawString': {
        const text = unquote(value)
        if (text === undefined) return this.#fail('invalid syntax')
        return { kind: 'string', position, quoted: value, value: text }
      }
    }
    this.#at--
    return undefined
  }
}

const OPERANDS: ReadonlySet<Token['kind']> = new Set([
  'bool',
  'charConstant',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'rawString',
  'string',
  'variable',
  'leftParen',
])

function tokenText(token: Token): string {
  if (token.kind === 'eof') return 'EOF'
  if (token.kind === 'keyword' || token.kind === 'nil') return `<${token.value}>`
  if (token.value.length > 10) return `${JSON.stringify(token.value.slice(0, 10))}...`
  return JSON.stringify(token.value)
}
