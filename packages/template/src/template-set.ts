// A set of templates that may call each other, as Alertmanager loads them from files: a later definition replaces an
// earlier one of the same name.
import { executeTree, type ExecOptions, type Functions } from './exec.ts'
import { parseTrees, type TemplateTree } from './parser.ts'
import { TemplateError } from './errors.ts'
import type { Value } from './values.ts'

export class TemplateSet {
  readonly #trees: Map<string, TemplateTree>
  readonly #functions: Functions

  constructor(functions: Functions, trees: ReadonlyMap<string, TemplateTree> = new Map()) {
    this.#functions = functions
    this.#trees = new Map(trees)
  }

  /** The same templates with other functions of the same names. */
  withFunctions(functions: Functions): TemplateSet {
    return new TemplateSet(functions, this.#trees)
  }

  /** Adds the templates of a text. Throws `TemplateError`. */
  add(name: string, text: string): void {
    for (const [key, tree] of parseTrees(name, text, (fn) => this.#functions.has(fn)))
      this.#trees.set(key, tree)
  }

  /** Runs a template of the set. Rejects with `TemplateError`. */
  async execute(name: string, dot: Value, options: ExecOptions = {}): Promise<string> {
    const tree = this.#trees.get(name)
    if (!tree) throw new TemplateError(`template: no template ${JSON.stringify(name)}`)
    return executeTree(tree, this.#trees, this.#functions, dot, options)
  }

  /** Runs a text in the set without adding it. Rejects with `TemplateError`. */
  async executeText(text: string, dot: Value, options: ExecOptions = {}): Promise<string> {
    if (!text.includes('{{')) return text
    const copy = new TemplateSet(this.#functions, this.#trees)
    copy.add('', text)
    return copy.execute('', dot, options)
  }
}
