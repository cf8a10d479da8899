// Executes templates. The order of evaluation and the place a message names follow Go's text/template, so that errors
// read the same. Steps, output and nesting are bounded; a function may be asynchronous (a query).
import { FunctionError, TemplateError } from './errors.ts'
import type { OutputEscaper } from './html-escape.ts'
import {
  printNode,
  type AnyNode,
  type ArgNode,
  type BranchNode,
  type ChainNode,
  type CommandNode,
  type FieldNode,
  type IdentifierNode,
  type ListNode,
  type Node,
  type PipeNode,
  type TemplateNode,
  type VariableNode,
} from './nodes.ts'
import type { TemplateTree } from './parser.ts'
import {
  GoMap,
  MISSING,
  TemplateObject,
  formatValue,
  isTrue,
  itemsOf,
  typeName,
  type Callable,
  type ParamType,
  type Value,
} from './values.ts'

export interface ExecLimits {
  /** Nodes evaluated. Default 1,000,000. */
  readonly stepsMax?: number
  /** UTF-16 units of output. Default 4 Mi. */
  readonly outputMax?: number
  /** Depth of `template` calls. Default 200. */
  readonly depthMax?: number
}

export interface ExecOptions extends ExecLimits {
  /** Passes the output on, e.g. escaped for HTML. One execution uses it up. */
  readonly escaper?: OutputEscaper
  /** What an absent map key reads as: nothing, the zero value, or an error. Default `invalid`. */
  readonly missingKey?: 'invalid' | 'zero' | 'error'
}

export type Functions = ReadonlyMap<string, Callable>

/** The final argument of a command that has none. */
const NO_FINAL = Symbol('no final argument')
type Final = Value | typeof NO_FINAL

class Jump extends Error {
  readonly kind: 'break' | 'continue'
  constructor(kind: 'break' | 'continue') {
    super(kind)
    this.kind = kind
  }
}

interface Budget {
  steps: number
  output: string[]
  room: number
}

/** Runs one tree with `dot` as data; resolves with the text. Rejects with `TemplateError`. */
export async function executeTree(
  tree: TemplateTree,
  trees: ReadonlyMap<string, TemplateTree>,
  functions: Functions,
  dot: Value,
  options: ExecOptions = {},
): Promise<string> {
  const budget: Budget = {
    steps: options.stepsMax ?? 1_000_000,
    output: [],
    room: options.outputMax ?? 4 * 1024 * 1024,
  }
  await new State(tree, trees, functions, options, budget, 0, dot).walkList(dot, tree.root)
  return budget.output.join('')
}

class State {
  readonly #tree: TemplateTree
  readonly #trees: ReadonlyMap<string, TemplateTree>
  readonly #functions: Functions
  readonly #options: ExecOptions
  readonly #budget: Budget
  readonly #depth: number
  readonly #variables: { name: string; value: Value }[]
  #node: AnyNode | undefined

  constructor(
    tree: TemplateTree,
    trees: ReadonlyMap<string, TemplateTree>,
    functions: Functions,
    options: ExecOptions,
    budget: Budget,
    depth: number,
    dot: Value,
  ) {
    this.#tree = tree
    this.#trees = trees
    this.#functions = functions
    this.#options = options
    this.#budget = budget
    this.#depth = depth
    this.#variables = [{ name: '$', value: dot }]
  }

  #at(node: AnyNode): void {
    this.#node = node
    if (--this.#budget.steps < 0) this.#fail('template takes too many steps')
  }

  #fail(message: string): never {
    const node = this.#node
    const { name, parseName, source } = this.#tree
    if (!node) throw new TemplateError(`template: ${name}: ${message}`)
    const before = source.slice(0, node.position)
    const lineStart = before.lastIndexOf('\n') + 1
    const line = before.split('\n').length
    const column = new TextEncoder().encode(before.slice(lineStart)).length
    throw new TemplateError(
      `template: ${parseName}:${line}:${column}: executing ${JSON.stringify(name)} at <${printNode(node)}>: ${message}`,
    )
  }

  #write(text: string): void {
    this.#budget.room -= text.length
    if (this.#budget.room < 0) this.#fail('template output is too long')
    this.#budget.output.push(text)
  }

  async walkList(dot: Value, list: ListNode): Promise<void> {
    this.#at(list)
    for (const node of list.nodes) await this.#walk(dot, node)
  }

  async #walk(dot: Value, node: Node): Promise<void> {
    this.#at(node)
    switch (node.kind) {
      case 'text':
        return this.#write(this.#options.escaper?.literal(node.text) ?? node.text)
      case 'action': {
        const value = await this.#pipeline(dot, node.pipe)
        if (node.pipe.declared.length > 0) return
        this.#at(node)
        return this.#print(value, node.pipe)
      }
      case 'if':
      case 'with':
        return this.#ifOrWith(dot, node)
      case 'range':
        return this.#range(dot, node)
      case 'template':
        return this.#template(dot, node)
      case 'break':
      case 'continue':
        throw new Jump(node.kind)
      case 'list':
        return this.walkList(dot, node)
    }
  }

  #print(value: Value, pipe: PipeNode): void {
    const text = value === undefined ? '<no value>' : formatValue(value)
    const { escaper } = this.#options
    if (!escaper) return this.#write(text)
    const last = pipe.commands.at(-1)?.args[0]
    // html/template shows a missing value as nothing.
    const shown = value === undefined ? '' : text
    this.#write(escaper.value(value, shown, last?.kind === 'identifier' ? last.name : undefined))
  }

  async #ifOrWith(dot: Value, node: BranchNode): Promise<void> {
    const mark = this.#variables.length
    const value = await this.#pipeline(dot, node.pipe)
    if (isTrue(value)) await this.walkList(node.kind === 'with' ? value : dot, node.list)
    else if (node.elseList) await this.walkList(dot, node.elseList)
    this.#variables.length = mark
  }

  async #range(dot: Value, node: BranchNode): Promise<void> {
    const outer = this.#variables.length
    const value = await this.#pipeline(dot, node.pipe)
    const mark = this.#variables.length
    let ran = false
    for (const [index, item] of this.#entries(value)) {
      ran = true
      const { declared, isAssign } = node.pipe
      const names = declared.map(({ path }) => path[0]!)
      // One variable gets the element; two get index and element.
      if (isAssign) {
        if (names.length === 1) this.#assign(names[0]!, item)
        if (names.length === 2) {
          this.#assign(names[0]!, index)
          this.#assign(names[1]!, item)
        }
      } else if (names.length > 0) {
        this.#variables[mark - 1]!.value = item
        if (names.length > 1) this.#variables[mark - 2]!.value = index
      }
      try {
        await this.walkList(item, node.list)
      } catch (error) {
        if (!(error instanceof Jump)) throw error
        if (error.kind === 'break') break
      } finally {
        this.#variables.length = mark
      }
    }
    if (!ran && node.elseList) await this.walkList(dot, node.elseList)
    this.#variables.length = outer
  }

  #entries(value: Value): Iterable<readonly [Value, Value]> {
    if (value === undefined) return []
    const items = itemsOf(value)
    if (items) return items.map((item, i) => [BigInt(i), item] as const)
    if (value instanceof GoMap) return value.entries
    if (typeof value === 'bigint') return countUp(value)
    return this.#fail(`range can't iterate over ${formatValue(value)}`)
  }

  async #template(dot: Value, node: TemplateNode): Promise<void> {
    const tree = this.#trees.get(node.name)
    if (!tree) this.#fail(`template ${JSON.stringify(node.name)} not defined`)
    const depthMax = this.#options.depthMax ?? 200
    if (this.#depth >= depthMax) this.#fail(`exceeded maximum template depth (${depthMax})`)
    const data = node.pipe ? await this.#pipeline(dot, node.pipe) : undefined
    const state = new State(
      tree!,
      this.#trees,
      this.#functions,
      this.#options,
      this.#budget,
      this.#depth + 1,
      data,
    )
    await state.walkList(data, tree!.root)
  }

  #assign(name: string, value: Value): void {
    for (let i = this.#variables.length - 1; i >= 0; i--)
      if (this.#variables[i]!.name === name) {
        this.#variables[i]!.value = value
        return
      }
    this.#fail(`undefined variable: ${name}`)
  }

  async #pipeline(dot: Value, pipe: PipeNode): Promise<Value> {
    this.#at(pipe)
    let value: Final = NO_FINAL
    for (const command of pipe.commands) value = await this.#command(dot, command, value)
    for (const { path } of pipe.declared) {
      if (pipe.isAssign) this.#assign(path[0]!, value as Value)
      else this.#variables.push({ name: path[0]!, value: value as Value })
    }
    return value as Value
  }

  async #command(dot: Value, command: CommandNode, final: Final): Promise<Value> {
    const first = command.args[0]!
    switch (first.kind) {
      case 'field':
        return this.#field(dot, first, command.args, final)
      case 'chain':
        return this.#chain(dot, first, command.args, final)
      case 'identifier':
        return this.#function(dot, first, command, command.args, final)
      case 'pipe':
        this.#notAFunction(command.args, final)
        return this.#pipeline(dot, first)
      case 'variable':
        return this.#variable(dot, first, command.args, final)
    }
    this.#at(first)
    this.#notAFunction(command.args, final)
    switch (first.kind) {
      case 'dot':
        return dot
      case 'nil':
        return this.#fail('nil is not a command')
      case 'number':
        if (typeof first.value === 'bigint' && first.value > 0x7fff_ffff_ffff_ffffn)
          return this.#fail(`${first.text} overflows int`)
        return first.value
      case 'bool':
      case 'string':
        return first.value
    }
  }

  #notAFunction(args: readonly ArgNode[], final: Final): void {
    if (args.length > 1 || final !== NO_FINAL)
      this.#fail(`can't give argument to non-function ${printNode(args[0]!)}`)
  }

  #field(dot: Value, node: FieldNode, args: readonly ArgNode[], final: Final): Promise<Value> {
    this.#at(node)
    return this.#fieldChain(dot, dot, node, node.path, args, final)
  }

  async #chain(dot: Value, node: ChainNode, args: readonly ArgNode[], final: Final): Promise<Value> {
    this.#at(node)
    if (node.node.kind === 'nil') this.#fail(`indirection through explicit nil in ${printNode(node)}`)
    const receiver = await this.#arg(dot, 'any', node.node)
    return this.#fieldChain(dot, receiver, node, node.path, args, final)
  }

  async #variable(dot: Value, node: VariableNode, args: readonly ArgNode[], final: Final): Promise<Value> {
    this.#at(node)
    const name = node.path[0]!
    const found = this.#variables.findLast((variable) => variable.name === name)
    if (!found) this.#fail(`undefined variable: ${name}`)
    if (node.path.length === 1) {
      this.#notAFunction(args.length > 0 ? args : [node], final)
      return found!.value
    }
    return this.#fieldChain(dot, found!.value, node, node.path.slice(1), args, final)
  }

  async #fieldChain(
    dot: Value,
    receiver: Value,
    node: AnyNode,
    path: readonly string[],
    args: readonly ArgNode[],
    final: Final,
  ): Promise<Value> {
    for (const name of path.slice(0, -1))
      receiver = await this.#member(dot, name, node, [], NO_FINAL, receiver)
    return this.#member(dot, path.at(-1)!, node, args, final, receiver)
  }

  async #member(
    dot: Value,
    name: string,
    node: AnyNode,
    args: readonly ArgNode[],
    final: Final,
    receiver: Value,
  ): Promise<Value> {
    if (receiver === undefined) {
      if (this.#options.missingKey === 'error')
        this.#fail(`nil data; no entry for key ${JSON.stringify(name)}`)
      return undefined
    }
    if (receiver instanceof TemplateObject) {
      const method = receiver.method(name)
      if (method) return this.#call(dot, method, node, name, args, final)
      const value = receiver.field(name)
      const hasArgs = args.length > 1 || final !== NO_FINAL
      if (receiver instanceof GoMap) {
        if (hasArgs) this.#fail(`${name} is not a method but has arguments`)
        if (value !== MISSING) return value
        if (this.#options.missingKey === 'error')
          this.#fail(`map has no entry for key ${JSON.stringify(name)}`)
        return this.#options.missingKey === 'zero' ? receiver.zero : undefined
      }
      if (value !== MISSING) {
        if (hasArgs) this.#fail(`${name} has arguments but cannot be invoked as function`)
        return value
      }
    }
    return this.#fail(`can't evaluate field ${name} in type ${typeName(receiver)}`)
  }

  async #function(
    dot: Value,
    node: IdentifierNode,
    command: AnyNode,
    args: readonly ArgNode[],
    final: Final,
  ): Promise<Value> {
    this.#at(node)
    const callable = this.#functions.get(node.name)
    if (!callable) return this.#fail(`${JSON.stringify(node.name)} is not a defined function`)
    if (node.name === 'and' || node.name === 'or')
      return this.#shortCircuit(dot, node.name, args.slice(1), final)
    return this.#call(dot, callable, command, node.name, args, final)
  }

  async #shortCircuit(
    dot: Value,
    name: 'and' | 'or',
    args: readonly ArgNode[],
    final: Final,
  ): Promise<Value> {
    if (args.length === 0 && final === NO_FINAL)
      this.#fail(`wrong number of args for ${name}: want at least 1 got 0`)
    let value: Value
    for (const arg of args) {
      value = await this.#arg(dot, 'any', arg)
      if (isTrue(value) === (name === 'or')) return value
    }
    return final === NO_FINAL ? value : final
  }

  async #call(
    dot: Value,
    callable: Callable,
    node: AnyNode,
    name: string,
    nodes: readonly ArgNode[],
    final: Final,
  ): Promise<Value> {
    const args = nodes.slice(1)
    const { params, variadic = false } = callable
    const count = args.length + (final === NO_FINAL ? 0 : 1)
    if (variadic) {
      if (count < params.length - 1)
        this.#fail(`wrong number of args for ${name}: want at least ${params.length - 1} got ${args.length}`)
    } else if (count !== params.length)
      this.#fail(`wrong number of args for ${name}: want ${params.length} got ${count}`)
    const paramAt = (i: number): ParamType => params[Math.min(i, params.length - 1)]!
    const values: Value[] = []
    for (const [i, arg] of args.entries()) values.push(await this.#arg(dot, paramAt(i), arg))
    if (final !== NO_FINAL) values.push(this.#accept(final, paramAt(values.length)))
    try {
      return await callable.call(values)
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error
      this.#at(node)
      return this.#fail(`error calling ${name}: ${error.message}`)
    }
  }

  async #arg(dot: Value, type: ParamType, node: ArgNode): Promise<Value> {
    this.#at(node)
    switch (node.kind) {
      case 'dot':
        return this.#accept(dot, type)
      case 'nil':
        return type === 'any' ? undefined : this.#fail(`cannot assign nil to ${type}`)
      case 'field':
        return this.#accept(await this.#field(dot, node, [node], NO_FINAL), type)
      case 'variable':
        return this.#accept(await this.#variable(dot, node, [], NO_FINAL), type)
      case 'pipe':
        return this.#accept(await this.#pipeline(dot, node), type)
      case 'identifier':
        return this.#accept(await this.#function(dot, node, node, [], NO_FINAL), type)
      case 'chain':
        return this.#accept(await this.#chain(dot, node, [], NO_FINAL), type)
    }
    switch (type) {
      case 'any':
        return node.value
      case 'string':
        return node.kind === 'string' ? node.value : this.#fail(`expected string; found ${printNode(node)}`)
      case 'bool':
        return node.kind === 'bool' ? node.value : this.#fail(`expected bool; found ${printNode(node)}`)
      case 'int':
        if (node.kind === 'number' && node.asInt !== undefined) return node.asInt
        return this.#fail(`expected integer; found ${printNode(node)}`)
      case 'float64':
        return node.kind === 'number' ? node.asFloat : this.#fail(`expected float; found ${printNode(node)}`)
    }
    return this.#fail(`can't handle ${printNode(node)} for arg of type ${type}`)
  }

  #accept(value: Value, type: ParamType): Value {
    if (type === 'any') return value
    if (value === undefined) return this.#fail(`invalid value; expected ${type}`)
    const own = typeName(value)
    if (own === type) return value
    if (value instanceof TemplateObject && value.assignable.includes(type)) return value
    if (type === '[]string' && itemsOf(value)?.every((item) => typeof item === 'string')) return value
    return this.#fail(`wrong type for value; expected ${type}; got ${own}`)
  }
}

function* countUp(limit: bigint): Generator<readonly [Value, Value]> {
  for (let i = 0n; i < limit; i++) yield [i, i]
}
